"""帮扶责任人: who helps a household, one at a time (domain.md §5.4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import HelperAssignment, Household
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal


def assign_helper(
    session: Session,
    household_id: int,
    user_id: int,
    *,
    valid_from: date,
    by: Actor,
    now: datetime,
) -> HelperAssignment:
    """This person helps the household from that day; who did before stays in the history (§5.4)."""
    household = get_or_missing(session, Household, household_id, lock=True)
    current = session.scalar(
        sa.select(HelperAssignment).where(
            HelperAssignment.household_id == household.id, HelperAssignment.valid_to.is_(None)
        )
    )
    if current is not None:
        if current.user_id == user_id:
            return current
        if valid_from <= current.valid_from:
            raise Refusal(
                "The present helper began on %(day)s; choose a later day.", day=current.valid_from
            )
        current.valid_to = valid_from - timedelta(days=1)
        session.flush()  # one is open at a time, also while this is being written
    assignment = HelperAssignment(
        household_id=household.id, user_id=user_id, valid_from=valid_from, **stamp(by, now)
    )
    session.add(assignment)
    audit.note(session, "assign_helper", f"household:{household.id}", by=by, now=now, user=user_id)
    return assignment
