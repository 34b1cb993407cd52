"""The three figures of every unit, recounted.

The figures are recounted from what really happened to each order — its event of being received,
bank lines, review, credit notes — and never from the movements they are compared with.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, Findings, Sides, rows_of
from kernel.db import sum_money
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.periods import business_day
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptanceState,
    BulkOrder,
    CreditNote,
    CreditNoteLine,
    Policy,
    QuotaMonth,
    QuotaMovement,
    StaffCredit,
    Stage,
    Unit,
)
from orders.agencies.queries.staff import staff_facts
from orders.agencies.queries.units import counting_policy, policies_of
from orders.agencies.rules.counting import CountingPolicy, History, figures, month_of
from orders.agencies.rules.staff import staff_figures
from orders.payments.models import BankLine, BankMatch
from orders.sales.models import (
    Order,
    OrderEvent,
    OrderState,
    Review,
)

ENDED = (Stage.REJECTED, Stage.CANCELLED)

# (unit, year, basis) → amount
Sums = dict[tuple[int, int, str], Money]


def recount(session: Session) -> Sums:
    """The three figures of every unit and year, from the orders' own rows."""
    policies = _Policies(session)
    accepted, received = accepted_amounts(session), _received(session)
    paid, reviewed, credited = paid_amounts(session), _reviewed(session), _credited(session)
    found: Sums = {}
    orders = session.execute(
        sa.select(
            BulkOrder.order_id,
            BulkOrder.unit_id,
            BulkOrder.stage,
            Order.channel,
            Order.placed_at,
            Order.goods,
            Order.freight,
            Organisation.region_code,
        )
        .join(BulkOrder.order)
        .join(BulkOrder.unit)
        .join(Unit.organisation)
        .order_by(BulkOrder.order_id)
        .execution_options(yield_per=1000)
    )
    for key, unit_id, stage, channel, placed_at, goods, freight, region in orders:
        ordered_on = business_day(placed_at)
        amount = accepted.get(key, ZERO)
        paid_amount, paid_on = paid.get(key, (ZERO, None))
        history = History(
            channel=channel.value,
            ordered_on=ordered_on,
            goods=goods,
            freight=freight,
            dropped=stage in ENDED,
            accepted=amount,
            accepted_on=received.get(key),
            paid_on=paid_on if amount and paid_amount >= amount else None,
            reviewed_on=reviewed.get(key),
            refunded=credited.get(key, ZERO),
        )
        for (basis, year), part in figures(history, policies.of(region, ordered_on.year)).items():
            found[unit_id, year, basis] = found.get((unit_id, year, basis), ZERO) + part
    _recount_staff(session, policies, found)
    return {key: amount for key, amount in found.items() if amount}


def _recount_staff(session: Session, policies: _Policies, found: Sums) -> None:
    """Citizens' orders that are credited to their unit, as far as their movements know of them."""
    facts = staff_facts(session, followed=True)
    credited = session.execute(
        sa.select(StaffCredit.order_id, StaffCredit.unit_id, Organisation.region_code)
        .join(Order, Order.id == StaffCredit.order_id)
        .join(StaffCredit.unit)
        .join(Organisation, Organisation.id == Unit.organisation_id)
        .where(Order.credit_organisation_id == Organisation.id)
        .order_by(StaffCredit.order_id)
    )
    for key, unit_id, region in credited:
        order = facts[key].order
        policy = policies.row(region, order.ordered_on.year)
        if policy is None:
            continue
        target = staff_figures(order, counting_policy(policy), counts=policy.staff_counts)
        for (basis, year), part in target.items():
            found[unit_id, year, basis] = found.get((unit_id, year, basis), ZERO) + part


class _Policies:
    """The counting rules of a place and year, looked up once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, int], Policy | None] = {}

    def row(self, region_code: str, year: int) -> Policy | None:
        key = region_code, year
        if key not in self._known:
            self._known[key] = policies_of(self._session, region_code, [year]).get(year)
        return self._known[key]

    def of(self, region_code: str, year: int) -> CountingPolicy:
        policy = self.row(region_code, year)
        assert policy is not None, f"no policy of {year} for {region_code}"
        return counting_policy(policy)


def accepted_amounts(session: Session) -> dict[int, Money]:
    """Order → Σ of the signed protocols' lines."""
    found = session.execute(
        sa.select(Acceptance.order_id, sum_money(AcceptanceLine.amount))
        .join(AcceptanceLine, AcceptanceLine.acceptance_id == Acceptance.id)
        .where(Acceptance.state == AcceptanceState.SIGNED)
        .group_by(Acceptance.order_id)
    )
    return dict(found.all())


def _received(session: Session) -> dict[int, date]:
    """Order → the day it was received whole, by its event."""
    found = session.execute(
        sa.select(OrderEvent.order_id, sa.func.min(OrderEvent.made_at))
        .join(BulkOrder, BulkOrder.order_id == OrderEvent.order_id)
        .where(OrderEvent.to_state == OrderState.RECEIVED.value)
        .group_by(OrderEvent.order_id)
    )
    return {order_id: business_day(at) for order_id, at in found}


def paid_amounts(session: Session) -> dict[int, tuple[Money, date]]:
    """Order → what bank lines paid of it, and the day of the last one."""
    found = session.execute(
        sa.select(BankMatch.target, sum_money(BankMatch.amount), sa.func.max(BankLine.on))
        .join(BankLine, BankLine.id == BankMatch.bank_line_id)
        .where(BankMatch.target.startswith("order:"))
        .group_by(BankMatch.target)
    )
    return {int(target.removeprefix("order:")): (amount, on) for target, amount, on in found}


def _reviewed(session: Session) -> dict[int, date]:
    found = session.execute(
        sa.select(Review.order_id, Review.made_at)
        .join(BulkOrder, BulkOrder.order_id == Review.order_id)
        .where(Review.line_id.is_(None))
    )
    return {order_id: business_day(at) for order_id, at in found}


def _credited(session: Session) -> dict[int, Money]:
    found = session.execute(
        sa.select(CreditNote.order_id, sum_money(CreditNoteLine.amount))
        .join(CreditNoteLine, CreditNoteLine.credit_note_id == CreditNote.id)
        .group_by(CreditNote.order_id)
    )
    return dict(found.all())


def _figures(session: Session) -> Findings:
    rows = session.execute(
        sa.select(
            QuotaMovement.unit_id,
            QuotaMovement.year,
            QuotaMovement.basis,
            sum_money(QuotaMovement.amount),
        ).group_by(QuotaMovement.unit_id, QuotaMovement.year, QuotaMovement.basis)
    )
    said = {(unit, year, basis.value): amount for unit, year, basis, amount in rows if amount}
    counted = recount(session)
    for key in sorted({*said, *counted}):
        if said.get(key, ZERO) != counted.get(key, ZERO):
            unit, year, basis = key
            yield Difference(
                f"unit:{unit}",
                Text(
                    "%(basis)s in %(year)s: the movements say %(said)s, its orders %(found)s",
                    basis=basis,
                    year=year,
                    said=said.get(key, ZERO),
                    found=counted.get(key, ZERO),
                ),
            )
    return Sides.of_money(said.values(), counted.values())


def _roll_ups(session: Session) -> Findings:
    kept: dict[tuple[Any, ...], Money] = {
        (row.unit_id, row.year, row.month, row.basis, row.purpose): row.amount
        for row in session.scalars(sa.select(QuotaMonth))
    }
    found: dict[tuple[Any, ...], Money] = {}
    for unit, year, on, basis, purpose, amount in session.execute(
        sa.select(
            QuotaMovement.unit_id,
            QuotaMovement.year,
            QuotaMovement.on,
            QuotaMovement.basis,
            QuotaMovement.purpose,
            QuotaMovement.amount,
        ).execution_options(yield_per=1000)
    ):
        month = (unit, year, month_of(on, year), basis, purpose)
        found[month] = found.get(month, ZERO) + amount
    for key in [*kept, *(key for key in found if key not in kept)]:
        if kept.get(key, ZERO) != found.get(key, ZERO):
            yield Difference(
                f"unit:{key[0]}",
                Text(
                    "month %(month)s of %(year)s says %(said)s, its rows %(found)s",
                    month=key[2],
                    year=key[1],
                    said=kept.get(key, ZERO),
                    found=found.get(key, ZERO),
                ),
            )
    return Sides.of_money(kept.values(), found.values())


CHECKS: list[Check] = [
    Check(
        "agencies.figures",
        Text("The three figures are the sums of their orders"),
        _figures,
        rows_of(BulkOrder, QuotaMovement),
    ),
    Check(
        "agencies.roll_ups",
        Text("Monthly sums are the sums of their rows"),
        _roll_ups,
        rows_of(QuotaMonth),
    ),
]
