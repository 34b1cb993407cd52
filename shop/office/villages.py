"""Villages: how many of their households earn on this platform, and how much. Counts, no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.households.models import Household, HouseholdStatus, MonitorType
from kernel.db import MoneyColumn, sum_money, sum_whole
from kernel.money import ZERO, Money
from kernel.periods import day_end, day_start
from kernel.regions import Region, within
from kernel.sharing import half_up
from orders.ledger.models import Account, Transfer
from orders.payouts.models import PayoutLine, PayoutState

HOUSEHOLD_ACCOUNTS = "liabilities:household:%"
IN_TRANSIT = "liabilities:in-transit:%"


@dataclass(frozen=True, slots=True)
class Village:
    """One village of the register. Only what came through this platform is known here: it is
    never a household's whole income."""

    code: str
    name: str
    households: int
    people: int
    with_status: int
    earning: int
    earning_with_status: int
    earned: Money
    paid: Money

    @property
    def without(self) -> int:
        return self.households - self.earning

    @property
    def without_with_status(self) -> int:
        return self.with_status - self.earning_with_status

    @property
    def each(self) -> Money:
        """On average, per household with income."""
        return Money(half_up(self.earned.fen, self.earning)) if self.earning else ZERO

    def __add__(self, other: Village) -> Village:
        return Village(
            code="",
            name="",
            households=self.households + other.households,
            people=self.people + other.people,
            with_status=self.with_status + other.with_status,
            earning=self.earning + other.earning,
            earning_with_status=self.earning_with_status + other.earning_with_status,
            earned=self.earned + other.earned,
            paid=self.paid + other.paid,
        )


NO_VILLAGE = Village("", "", 0, 0, 0, 0, 0, ZERO, ZERO)


def earned(year: int, as_of: date) -> sa.Select[Any, Any]:
    """SQL: `household:<code>` → what the ledger credited it in the year.

    A returned payout credits the household again; that is no income.
    """
    debit = aliased(Account)
    return (
        sa.select(Account.subject, sum_money(Transfer.amount).label("amount"))
        .join(Transfer, Transfer.credit_id == Account.id)
        .join(debit, debit.id == Transfer.debit_id)
        .where(
            Account.code.like(HOUSEHOLD_ACCOUNTS),
            debit.code.not_like(IN_TRANSIT),
            Transfer.on.between(date(year, 1, 1), min(as_of, date(year, 12, 31))),
        )
        .group_by(Account.subject)
    )


def account_subject() -> sa.ColumnElement[str]:
    """SQL: whose accounts in the ledger are this Household's."""
    return sa.literal("household:") + Household.code


def _paid(year: int, as_of: date) -> sa.Select[Any, Any]:
    """SQL: household → what the bank confirmed as paid in the year."""
    return (
        sa.select(PayoutLine.household_id, sum_money(PayoutLine.amount).label("amount"))
        .where(
            PayoutLine.state == PayoutState.PAID,
            PayoutLine.done_at >= day_start(date(year, 1, 1)),
            PayoutLine.done_at < day_end(min(as_of, date(year, 12, 31))),
        )
        .group_by(PayoutLine.household_id)
    )


def _with_status(as_of: date) -> sa.Select[Any]:
    """SQL: households that the imported official status calls lifted or monitored on that day."""
    newest = (
        sa.select(
            HouseholdStatus.household_id,
            sa.func.max(HouseholdStatus.id).label("id"),
        )
        .where(HouseholdStatus.as_of <= as_of)
        .group_by(HouseholdStatus.household_id)
        .subquery()
    )
    return (
        sa.select(HouseholdStatus.household_id)
        .join(newest, newest.c.id == HouseholdStatus.id)
        .where(sa.or_(HouseholdStatus.lifted, HouseholdStatus.monitor_type != MonitorType.NONE))
    )


def villages(
    session: Session, prefixes: tuple[str, ...], *, year: int, as_of: date
) -> list[Village]:
    """Every village of these prefixes that has a register: two statements."""
    if not prefixes:
        return []
    income, paid = earned(year, as_of).subquery(), _paid(year, as_of).subquery()
    status = _with_status(as_of).subquery()

    def amount(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Money]:
        return sa.type_coerce(sa.func.coalesce(sa.func.sum(column), 0), MoneyColumn())

    both = sa.case((status.c.household_id.is_not(None), income.c.subject))
    rows = session.execute(
        sa.select(
            Household.region_code,
            sa.func.count(Household.id),
            sum_whole(Household.people),
            sa.func.count(status.c.household_id),
            sa.func.count(income.c.subject),
            sa.func.count(both),
            amount(income.c.amount),
            amount(paid.c.amount),
        )
        .outerjoin(income, income.c.subject == account_subject())
        .outerjoin(paid, paid.c.household_id == Household.id)
        .outerjoin(status, status.c.household_id == Household.id)
        .where(within(Household.region_code, list(prefixes)))
        .group_by(Household.region_code)
        .order_by(Household.region_code)
    ).all()
    names = {
        code: Region(name=name).short_name
        for code, name in session.execute(
            sa.select(Region.code, Region.name).where(Region.code.in_([row[0] for row in rows]))
        )
    }
    return [
        Village(
            code=row[0],
            name=names.get(row[0], row[0]),
            households=row[1],
            people=row[2],
            with_status=row[3],
            earning=row[4],
            earning_with_status=row[5],
            earned=row[6],
            paid=row[7],
        )
        for row in rows
    ]


def sum_villages(found: list[Village]) -> Village:
    return sum(found, NO_VILLAGE)
