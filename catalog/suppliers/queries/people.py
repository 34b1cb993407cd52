"""Who is to be told: a supplier's managers, the county that answers for it, the platform."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.people import Membership, Organisation, User
from kernel.regions import prefix


def managers_of(session: Session, organisation_id: int, today: date) -> list[User]:
    """Who manages this organisation today, by id."""
    return _with_role(session, Role.MANAGER, today, Membership.organisation_id == organisation_id)


def operators(session: Session, today: date) -> list[User]:
    """The platform's own people today, by id."""
    return _with_role(session, Role.OPERATOR, today)


def county_of(session: Session, region_code: str, today: date) -> list[User]:
    """Who reviews for the district in which this place lies today, by id."""
    county = prefix(region_code[:6] + "000000")
    return _with_role(
        session, Role.DISTRICT, today, Organisation.region_code.startswith(county, autoescape=True)
    )


def _with_role(
    session: Session, role: Role, today: date, *where: sa.ColumnElement[bool]
) -> list[User]:
    return list(
        session.scalars(
            sa.select(User)
            .join(Membership, Membership.user_id == User.id)
            .join(Organisation, Organisation.id == Membership.organisation_id)
            .where(
                Membership.role == role,
                Membership.valid_from <= today,
                sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= today),
                User.active,
                *where,
            )
            .order_by(User.id)
            .distinct()
        )
    )
