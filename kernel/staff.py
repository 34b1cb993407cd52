"""Who works where today: whom a letter to an organisation reaches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.people import Membership, User
from kernel.periods import business_day


def people_to_tell(
    session: Session, organisation_ids: Collection[int], roles: Sequence[Role], now: datetime
) -> list[User]:
    """Whoever works in one of these roles for these organisations today, each once."""
    today = business_day(now)
    return list(
        session.scalars(
            sa.select(User)
            .where(
                User.active,
                User.id.in_(
                    sa.select(Membership.user_id).where(
                        Membership.organisation_id.in_(organisation_ids),
                        Membership.role.in_(roles),
                        Membership.valid_from <= today,
                        sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= today),
                    )
                ),
            )
            .order_by(User.id)
        )
    )
