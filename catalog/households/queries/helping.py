"""Who can help the households of a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.people import Membership, Organisation, User
from kernel.regions import within


@dataclass(frozen=True, slots=True)
class Candidate:
    user_id: int
    name: str
    organisation: str


def helpers_in(session: Session, prefixes: Sequence[str], *, today: date) -> list[Candidate]:
    """Everybody who is employed as a helper inside these regions today, by office and name."""
    found = session.execute(
        sa.select(User.id, User.name, Organisation.short_name)
        .join(Membership, Membership.user_id == User.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.role == Role.HELPER,
            User.active,
            within(Organisation.region_code, list(prefixes)),
            Membership.valid_from <= today,
            sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= today),
        )
        .order_by(Organisation.region_code, Organisation.id, User.name, User.id)
    )
    return [Candidate(*row) for row in found]
