"""Payout runs as the cooperative sees them; always its own."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import short_name
from kernel.db import sum_money
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from kernel.people import User
from kernel.regions import Region
from orders.payouts.models import PayoutLine, PayoutRun, PayoutState

PER_PAGE = 100


def runs_of(session: Session, supplier_id: int, *, limit: int = 30) -> list[PayoutRun]:
    """Newest first."""
    return list(
        session.scalars(
            sa.select(PayoutRun)
            .where(PayoutRun.supplier_id == supplier_id)
            .order_by(PayoutRun.id.desc())
            .limit(limit)
        )
    )


@dataclass(frozen=True, slots=True)
class RunLine:
    """One payment of a run, with where the household lives."""

    line: PayoutLine
    village: str


@dataclass(frozen=True, slots=True)
class RunSheet:
    """One run with a page of its lines; sums are over all of them."""

    run: PayoutRun
    lines: list[RunLine]
    more: bool
    sums: dict[PayoutState, tuple[int, Money]]
    drafted_by: str
    reviewed_by: str
    approved_by: str

    def count(self, state: PayoutState) -> int:
        return self.sums.get(state, (0, ZERO))[0]

    def sum(self, state: PayoutState) -> Money:
        return self.sums.get(state, (0, ZERO))[1]


def run_of(session: Session, supplier_id: int, number: str) -> PayoutRun:
    """This supplier's run, or Missing."""
    run = session.scalar(
        sa.select(PayoutRun).where(PayoutRun.supplier_id == supplier_id, PayoutRun.number == number)
    )
    if run is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return run


def run_sheet(session: Session, supplier_id: int, number: str, *, page: int = 1) -> RunSheet:
    """The run with one page of lines, those that failed first."""
    run = run_of(session, supplier_id, number)
    rows = session.execute(
        sa.select(PayoutLine, Region.name)
        .join(Household, Household.id == PayoutLine.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(PayoutLine.run_id == run.id)
        .options(joinedload(PayoutLine.household))
        .order_by(PayoutLine.state != PayoutState.FAILED, PayoutLine.id)
        .offset((page - 1) * PER_PAGE)
        .limit(PER_PAGE + 1)
    ).all()
    sums = {
        state: (int(count), amount)
        for state, count, amount in session.execute(
            sa.select(PayoutLine.state, sa.func.count(), sum_money(PayoutLine.amount))
            .where(PayoutLine.run_id == run.id)
            .group_by(PayoutLine.state)
        )
    }
    people = [key for key in (run.made_by_id, run.reviewed_by_id, run.approved_by_id) if key]
    names: dict[int | None, str] = {
        user.id: user.name for user in session.scalars(sa.select(User).where(User.id.in_(people)))
    }
    return RunSheet(
        run,
        [RunLine(line, short_name(place)) for line, place in rows[:PER_PAGE]],
        len(rows) > PER_PAGE,
        sums,
        names.get(run.made_by_id, ""),
        names.get(run.reviewed_by_id, ""),
        names.get(run.approved_by_id, ""),
    )
