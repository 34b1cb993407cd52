"""What was delivered, accepted, invoiced and paid."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel.checks import Check, Difference, Findings, Sides, rows_of
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO
from orders.agencies.checks.figures import accepted_amounts, paid_amounts
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptanceSignature,
    AcceptanceState,
    BulkOrder,
    Invoice,
    Stage,
)
from orders.agencies.rules.accepting import LEAST_SIGNATURES, payable
from orders.sales.models import (
    Allocation,
    OrderLine,
    Shipment,
    ShipmentLine,
)

PAID = (Stage.TO_REVIEW, Stage.DONE)


def _acceptances(session: Session) -> Findings:
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
    signed = session.scalars(
        sa.select(Acceptance).where(Acceptance.state == AcceptanceState.SIGNED)
    ).all()
    for each in signed:
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
    return Sides.of_money(
        (each.amount for each in signed), (sums.get(each.id, ZERO) for each in signed)
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


def _money(session: Session) -> Findings:
    """Invoice = accepted; paid never more than accepted, and exactly it where the order is paid."""
    accepted, paid = accepted_amounts(session), paid_amounts(session)
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
    due = came = ZERO
    for bulk in session.scalars(sa.select(BulkOrder).order_by(BulkOrder.id)):
        owed = accepted.get(bulk.order_id, ZERO)
        got = paid.get(bulk.order_id, (ZERO, None))[0]
        if bulk.stage in PAID:
            due, came = due + owed, came + got
        if got > owed or (bulk.stage in PAID) != (bulk.paid_on is not None and got == owed):
            yield Difference(
                f"order:{bulk.order_id}",
                Text("accepted %(accepted)s, paid %(paid)s", accepted=owed, paid=got),
            )
    return Sides(due, came)


CHECKS: list[Check] = [
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
]
