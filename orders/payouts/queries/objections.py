"""Objections: of one household, of those somebody helps, of those a cooperative owes."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from kernel.errors import Missing, Text
from orders.ledger.models import Account
from orders.payouts.models import Objection, ObjectionState


def objections_of(
    session: Session, household_ids: Sequence[int], *, limit: int = 50
) -> list[Objection]:
    """Open ones first, the most urgent on top."""
    return list(
        session.scalars(
            sa.select(Objection)
            .where(Objection.household_id.in_(household_ids))
            .options(joinedload(Objection.household))
            .order_by(Objection.state != ObjectionState.OPEN, Objection.due_on, Objection.id.desc())
            .limit(limit)
        )
    )


def objections_to_answer(
    session: Session, supplier_code: str, *, limit: int = 50
) -> list[Objection]:
    """Open questions of households this supplier has ever owed anything."""
    return list(
        session.scalars(
            sa.select(Objection)
            .where(Objection.state == ObjectionState.OPEN, _owed_by(supplier_code))
            .options(joinedload(Objection.household))
            .order_by(Objection.due_on, Objection.id)
            .limit(limit)
        )
    )


def objection_to(session: Session, supplier_code: str, objection_id: int) -> Objection:
    """A question that this supplier may answer, or Missing."""
    found = session.scalar(
        sa.select(Objection).where(Objection.id == objection_id, _owed_by(supplier_code))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def _owed_by(supplier_code: str) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(1)
        .select_from(Household)
        .join(
            Account,
            Account.code
            == sa.literal("liabilities:household:") + Household.code + f":{supplier_code}",
        )
        .where(Household.id == Objection.household_id)
    )
