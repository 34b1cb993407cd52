"""What must always hold of units, their orders and the three figures, for `flask selfcheck`.

The figures are recounted from what really happened to each order — its event of being received,
bank lines, review, credit notes — and never from the movements they are compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel.checks import Check, Difference, rows_of
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.periods import business_day
from kernel.versions import FrozenVersion
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptanceSignature,
    AcceptanceState,
    BulkOrder,
    CreditNote,
    CreditNoteLine,
    Filing,
    FilingState,
    Invoice,
    QuotaMonth,
    QuotaMovement,
    Stage,
    Unit,
)
from orders.agencies.queries.units import counting_policy, policies_of
from orders.agencies.rules.accepting import LEAST_SIGNATURES, payable
from orders.agencies.rules.counting import CountingPolicy, History, figures, month_of
from orders.agencies.rules.filing import reserved_share
from orders.payments.models import BankLine, BankMatch
from orders.sales.models import (
    Allocation,
    Order,
    OrderEvent,
    OrderLine,
    OrderState,
    Review,
    Shipment,
    ShipmentLine,
)

ENDED = (Stage.REJECTED, Stage.CANCELLED)
PAID = (Stage.TO_REVIEW, Stage.DONE)

# (unit, year, basis) → amount
Sums = dict[tuple[int, int, str], Money]


def recount(session: Session) -> Sums:
    """The three figures of every unit and year, from the orders' own rows."""
    policies = _Policies(session)
    accepted, received = _accepted(session), _received(session)
    paid, reviewed, credited = _paid(session), _reviewed(session), _credited(session)
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
    return {key: amount for key, amount in found.items() if amount}


class _Policies:
    """The counting rules of a place and year, looked up once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, int], CountingPolicy] = {}

    def of(self, region_code: str, year: int) -> CountingPolicy:
        found = self._known.get((region_code, year))
        if found is None:
            policy = policies_of(self._session, region_code, [year])[year]
            found = self._known[region_code, year] = counting_policy(policy)
        return found


def _accepted(session: Session) -> dict[int, Money]:
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


def _paid(session: Session) -> dict[int, tuple[Money, date]]:
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


def _figures(session: Session) -> Iterator[Difference]:
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


def _roll_ups(session: Session) -> Iterator[Difference]:
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


def _acceptances(session: Session) -> Iterator[Difference]:
    """accepted ≤ shipped ≤ ordered, amounts by their formula, two people under each protocol."""
    yield from _lines(session)
    sums = dict(
        session.execute(
            sa.select(AcceptanceLine.acceptance_id, sum_money(AcceptanceLine.amount)).group_by(
                AcceptanceLine.acceptance_id
            )
        ).all()
    )
    people = dict(
        session.execute(
            sa.select(
                AcceptanceSignature.acceptance_id,
                sa.func.count(sa.distinct(AcceptanceSignature.user_id)),
            ).group_by(AcceptanceSignature.acceptance_id)
        ).all()
    )
    for each in session.scalars(
        sa.select(Acceptance).where(Acceptance.state == AcceptanceState.SIGNED)
    ):
        if each.amount != sums.get(each.id, ZERO):
            yield Difference(
                f"acceptance:{each.id}",
                Text(
                    "the protocol says %(said)s, its lines %(found)s",
                    said=each.amount,
                    found=sums.get(each.id, ZERO),
                ),
            )
        if people.get(each.id, 0) < LEAST_SIGNATURES and not each.deemed:
            yield Difference(
                f"acceptance:{each.id}",
                Text("signed by %(n)s people only", n=people.get(each.id, 0)),
            )
    ordered = _over_shipped()
    for line_id, quantity, shipped in session.execute(ordered):
        yield Difference(
            f"line:{line_id}",
            Text(
                "%(shipped)s were shipped of %(quantity)s ordered",
                shipped=int(shipped),
                quantity=quantity,
            ),
        )


def _over_shipped() -> sa.Executable:
    shipped = sum_whole(ShipmentLine.quantity)
    return (
        sa.select(OrderLine.id, OrderLine.quantity, shipped)
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .join(ShipmentLine, ShipmentLine.allocation_id == Allocation.id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.cancelled_at.is_(None))
        .group_by(OrderLine.id, OrderLine.quantity)
        .having(shipped > OrderLine.quantity)
    )


def _lines(session: Session) -> Iterator[Difference]:
    shipped = {
        (shipment_id, line_id): int(quantity)
        for shipment_id, line_id, quantity in session.execute(
            sa.select(
                ShipmentLine.shipment_id, Allocation.line_id, sum_whole(ShipmentLine.quantity)
            )
            .join(Allocation, Allocation.id == ShipmentLine.allocation_id)
            .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
            .join(Acceptance, Acceptance.shipment_id == Shipment.id)
            .where(Shipment.cancelled_at.is_(None))
            .group_by(ShipmentLine.shipment_id, Allocation.line_id)
        )
    }
    lines = session.execute(
        sa.select(AcceptanceLine, Acceptance.shipment_id)
        .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .options(joinedload(AcceptanceLine.line).joinedload(OrderLine.product))
        .order_by(AcceptanceLine.id)
    )
    for line, shipment_id in lines:
        subject = f"acceptance_line:{line.id}"
        came = shipped.get((shipment_id, line.line_id), 0)
        if line.shipped != came:
            yield Difference(
                subject,
                Text("says %(said)s came, the delivery %(found)s", said=line.shipped, found=came),
            )
        if line.accepted != min(line.weighed, line.shipped) - line.rejected:
            yield Difference(subject, Text("accepted is not what was weighed less rejected"))
        assert line.line.unit_price is not None
        owed = payable(
            line.accepted, line.line.unit_price, line.line.product.base_unit, line.deduction_bp
        )
        if line.amount != owed:
            yield Difference(
                subject, Text("costs %(found)s and says %(said)s", found=owed, said=line.amount)
            )


def _money(session: Session) -> Iterator[Difference]:
    """Invoice = accepted; paid never more than accepted, and exactly it where the order is paid."""
    accepted, paid = _accepted(session), _paid(session)
    for invoice in session.scalars(sa.select(Invoice).order_by(Invoice.id)):
        if invoice.checked_at is not None and invoice.amount != accepted.get(
            invoice.order_id, ZERO
        ):
            yield Difference(
                f"order:{invoice.order_id}",
                Text(
                    "invoice %(invoice)s, accepted %(accepted)s",
                    invoice=invoice.amount,
                    accepted=accepted.get(invoice.order_id, ZERO),
                ),
            )
    for bulk in session.scalars(sa.select(BulkOrder).order_by(BulkOrder.id)):
        owed = accepted.get(bulk.order_id, ZERO)
        got = paid.get(bulk.order_id, (ZERO, None))[0]
        if got > owed or (bulk.stage in PAID) != (bulk.paid_on is not None and got == owed):
            yield Difference(
                f"order:{bulk.order_id}",
                Text("accepted %(accepted)s, paid %(paid)s", accepted=owed, paid=got),
            )


def _frozen(session: Session) -> Iterator[Difference]:
    """What was signed or submitted is there, unchanged, and says what its row says."""
    for acceptance, version in session.execute(
        sa.select(Acceptance, FrozenVersion)
        .outerjoin(FrozenVersion, FrozenVersion.id == Acceptance.frozen_id)
        .where(Acceptance.state == AcceptanceState.SIGNED)
    ):
        yield from _compared(
            f"acceptance:{acceptance.id}", version, "amount_fen", acceptance.amount
        )
    for order_id, amount, version in session.execute(
        sa.select(BulkOrder.order_id, Order.total, FrozenVersion)
        .join(BulkOrder.order)
        .outerjoin(FrozenVersion, FrozenVersion.id == BulkOrder.contract_id)
        .where(BulkOrder.signed_at.is_not(None))
    ):
        yield from _compared(f"order:{order_id}", version, "total_fen", amount)


def _compared(
    subject: str, version: FrozenVersion | None, name: str, amount: Money
) -> Iterator[Difference]:
    if version is None:
        yield Difference(subject, Text("nothing was frozen"))
    elif not version.intact:
        yield Difference(subject, Text("what was frozen was changed"))
    elif version.content().get(name) != amount.fen:
        yield Difference(subject, Text("what was frozen says another amount"))


def _filings(session: Session) -> Iterator[Difference]:
    """R = base × ratio; what was submitted is frozen and says the same."""
    for filing, version in session.execute(
        sa.select(Filing, FrozenVersion)
        .outerjoin(FrozenVersion, FrozenVersion.id == Filing.frozen_id)
        .order_by(Filing.id)
    ):
        subject = f"filing:{filing.id}"
        share = reserved_share(filing.canteen_type.value, filing.base, filing.ratio_bp)
        if filing.reserved != share:
            yield Difference(
                subject,
                Text("reserves %(said)s, should %(found)s", said=filing.reserved, found=share),
            )
        if filing.state not in (FilingState.DRAFT, FilingState.RETURNED):
            yield from _compared(subject, version, "reserved_fen", filing.reserved)


CHECKS = [
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
    Check(
        "agencies.acceptances",
        Text("Accepted is at most shipped, shipped at most ordered, two people signed"),
        _acceptances,
        rows_of(Acceptance, AcceptanceLine),
    ),
    Check(
        "agencies.money",
        Text("Invoices and payments are what was accepted"),
        _money,
        rows_of(Invoice, BulkOrder),
    ),
    Check(
        "agencies.frozen",
        Text("Contracts and protocols are as they were signed"),
        _frozen,
        rows_of(Acceptance, BulkOrder),
    ),
    Check(
        "agencies.filings",
        Text("Filings reserve what their base and share come to"),
        _filings,
        rows_of(Filing),
    ),
]
