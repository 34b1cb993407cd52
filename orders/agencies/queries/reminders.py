"""What a unit was reminded of and has not read yet."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from orders.agencies.models import Reminder


def unread_reminders(session: Session, unit_id: int) -> list[Reminder]:
    """Oldest first."""
    return list(
        session.scalars(
            sa.select(Reminder)
            .where(Reminder.unit_id == unit_id, Reminder.read_at.is_(None))
            .order_by(Reminder.id)
        )
    )
