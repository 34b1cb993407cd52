"""Who read what in clear, for the auditors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households import rules
from catalog.households.models import Reveal
from kernel.people import User
from kernel.periods import business_day, day_end, day_start


@dataclass(frozen=True, slots=True)
class Bulk:
    """One person who read many details in clear on one day."""

    user_id: int
    name: str
    day: date
    details: int
    households: int


def reveals(
    session: Session,
    *,
    user_id: int | None = None,
    day: date | None = None,
    household_id: int | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[Reveal]:
    """Newest first, with household, member, reader and organisation loaded."""
    query = sa.select(Reveal).options(
        joinedload(Reveal.household),
        joinedload(Reveal.member),
        joinedload(Reveal.reader),
        joinedload(Reveal.organisation),
    )
    if user_id is not None:
        query = query.where(Reveal.made_by_id == user_id)
    if household_id is not None:
        query = query.where(Reveal.household_id == household_id)
    if day is not None:
        query = query.where(Reveal.made_at >= day_start(day), Reveal.made_at < day_end(day))
    return list(
        session.scalars(
            query.order_by(Reveal.made_at.desc(), Reveal.id.desc()).offset(offset).limit(limit)
        )
    )


def bulk_reveals(session: Session, *, since: date) -> list[Bulk]:
    """Whoever read at least `rules.MANY_REVEALS` details on one day since then, latest first."""
    seen: dict[tuple[int, date], list[int]] = {}
    names: dict[int, str] = {}
    for user_id, name, at, household_id in session.execute(
        sa.select(User.id, User.name, Reveal.made_at, Reveal.household_id)
        .join(User, User.id == Reveal.made_by_id)
        .where(Reveal.made_at >= day_start(since))
        .order_by(Reveal.id)
    ):
        names[user_id] = name
        seen.setdefault((user_id, business_day(at)), []).append(household_id)
    found = [
        Bulk(user_id, names[user_id], day, len(households), len(set(households)))
        for (user_id, day), households in seen.items()
        if len(households) >= rules.MANY_REVEALS
    ]
    return sorted(found, key=lambda each: (each.day, each.details), reverse=True)
