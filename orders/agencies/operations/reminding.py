"""催办: reminding a unit by hand, and that it was read."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Text
from kernel.labels import Labelled
from kernel.periods import business_day as day_of
from kernel.periods import day_end, day_start
from orders.agencies.models import Reminder, Unit

MOST_LETTERS = 500


class ReminderChannel(Labelled):
    """How a unit was reminded (domain.md §1.8: each reminder is logged)."""

    MESSAGE = "message"
    PHONE_CALL = "phone_call"
    VISIT = "visit"


def remind_unit(
    session: Session,
    unit_id: int,
    *,
    channel: ReminderChannel,
    text: str,
    by: Actor,
    now: datetime,
) -> Reminder:
    """Log a reminder. The same words through the same channel on one day are one reminder."""
    if not text:
        raise Invalid({"text": Text("Say what the unit should do.")})
    if len(text) > MOST_LETTERS:
        raise Invalid({"text": Text("At most %(most)s characters.", most=MOST_LETTERS)})
    get_or_missing(session, Unit, unit_id, lock=True)
    found = _said_today(session, unit_id, channel, text, now)
    if found is not None:
        return found
    reminder = Reminder(unit_id=unit_id, channel=channel.value, text=text, **stamp(by, now))
    session.add(reminder)
    session.flush()  # so that the note can name it
    audit.note(
        session, "remind_unit", f"unit:{unit_id}", by=by, now=now, reminder=reminder.id,
        channel=channel,
    )  # fmt: skip
    return reminder


def mark_reminders_read(session: Session, unit_id: int, *, by: Actor, now: datetime) -> int:
    """The unit has read what it was told; returns how many reminders that were."""
    unread = session.scalars(
        sa.select(Reminder).where(Reminder.unit_id == unit_id, Reminder.read_at.is_(None))
    ).all()
    for reminder in unread:
        reminder.read_at = now
    if unread:
        audit.note(
            session, "mark_reminders_read", f"unit:{unit_id}", by=by, now=now, count=len(unread)
        )
    return len(unread)


def _said_today(
    session: Session, unit_id: int, channel: ReminderChannel, text: str, now: datetime
) -> Reminder | None:
    today = day_of(now)
    return session.scalar(
        sa.select(Reminder).where(
            Reminder.unit_id == unit_id,
            Reminder.channel == channel.value,
            Reminder.text == text,
            Reminder.made_at >= day_start(today),
            Reminder.made_at < day_end(today),
        )
    )
