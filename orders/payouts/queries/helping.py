"""The helper's desk: their households, what each is owed and was paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import HouseholdRow, household_of_user, households_of_helper
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money, total
from orders.ledger.models import Account, Transfer
from orders.payouts.models import Objection, ObjectionState, PayoutLine, PayoutState


@dataclass(frozen=True, slots=True)
class Helped:
    """One household as its helper sees it. `owed` is what has not been paid yet."""

    household: HouseholdRow
    owed: Money
    paid_this_year: Money
    failed: int
    questions: int


def helped_households(session: Session, user_id: int, *, today: date) -> list[Helped]:
    """Everybody this person helps today, in five queries."""
    rows = households_of_helper(session, user_id, today=today)
    ids = [row.id for row in rows]
    owed = owed_by_household(session, ids)
    paid: dict[int, Money] = {}
    failed: dict[int, int] = {}
    for key, amount, failures in session.execute(
        sa.select(
            PayoutLine.household_id,
            sum_money(
                sa.case((PayoutLine.state == PayoutState.PAID, PayoutLine.amount), else_=None)
            ),
            sum_whole(sa.case((PayoutLine.state == PayoutState.FAILED, 1), else_=0)),
        )
        .where(
            PayoutLine.household_id.in_(ids), sa.extract("year", PayoutLine.done_at) == today.year
        )
        .group_by(PayoutLine.household_id)
    ):
        paid[key], failed[key] = amount, int(failures)
    questions = {
        key: int(count)
        for key, count in session.execute(
            sa.select(Objection.household_id, sa.func.count())
            .where(Objection.household_id.in_(ids), Objection.state == ObjectionState.OPEN)
            .group_by(Objection.household_id)
        )
    }
    return [
        Helped(
            row,
            owed.get(row.id, ZERO),
            paid.get(row.id, ZERO),
            failed.get(row.id, 0),
            questions.get(row.id, 0),
        )
        for row in rows
    ]


def owed_by_household(session: Session, household_ids: Sequence[int]) -> dict[int, Money]:
    """What all suppliers together owe each of these households now."""
    found: dict[int, Money] = {}
    for side, sign in ((Transfer.credit_id, 1), (Transfer.debit_id, -1)):
        for key, amount in session.execute(
            sa.select(Household.id, sum_money(Transfer.amount))
            .join(Account, Account.subject == "household:" + Household.code)
            .join(Transfer, side == Account.id)
            .where(Household.id.in_(household_ids))
            .group_by(Household.id)
        ):
            found[key] = found.get(key, ZERO) + amount * sign
    return found


def owed_in_all(helped: Sequence[Helped]) -> Money:
    return total(each.owed for each in helped)


def helped_household(session: Session, user_id: int, code: str, *, today: date) -> HouseholdRow:
    """One of the households this person helps today, or Missing."""
    for row in households_of_helper(session, user_id, today=today):
        if row.code == code:
            return row
    raise Missing(Text("There is nothing at this address, or it is not yours."))


def own_household(session: Session, user_id: int) -> HouseholdRow:
    """The household this person signs in for, or Missing."""
    return household_of_user(session, user_id)


def owed_household(session: Session, supplier_code: str, code: str) -> Household:
    """A household this supplier has ever owed anything, or Missing."""
    found = session.scalar(
        sa.select(Household).where(
            Household.code == code,
            sa.exists().where(Account.code == f"liabilities:household:{code}:{supplier_code}"),
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found
