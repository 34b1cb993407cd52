"""What the store may do only when the rooms above agree: call a shipment back, take another lot."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal
from kernel.periods import business_year
from orders.agencies.models import Acceptance
from orders.agencies.queries.units import cap_of_order
from orders.payments.models import STANDING, Refund, RefundLine
from orders.sales import operations as sales
from orders.sales.models import Allocation, Order, Shipment, ShipmentLine
from orders.sales.queries.packing import shipment_of


def call_back_shipment(
    session: Session, shipment_id: int, *, supplier_id: int, reason: str, by: Actor, now: datetime
) -> Shipment:
    """A shipment that never left: see `sales.cancel_shipment`. Refused when the canteen has begun
    to accept it, or a buyer has asked for money back for what was in it."""
    order_id = shipment_of(session, shipment_id, supplier_id=supplier_id).order_id
    get_or_missing(session, Order, order_id, lock=True)
    shipment = get_or_missing(session, Shipment, shipment_id, lock=True)
    if session.scalar(sa.select(Acceptance.id).where(Acceptance.shipment_id == shipment_id)):
        raise Refusal(
            "The canteen has begun to accept shipment %(number)s; it cannot be called back.",
            number=shipment.number,
        )
    if shipment.cancelled_at is None and _asked_back(session, shipment):
        raise Refusal(
            "The buyer was refunded for goods of shipment %(number)s; it cannot be called back.",
            number=shipment.number,
        )
    return sales.cancel_shipment(
        session, shipment_id, supplier_id=supplier_id, reason=reason, by=by, now=now
    )


def _asked_back(session: Session, shipment: Shipment) -> bool:
    """Whether money was asked back, since it left, for a line that it carries."""
    lines = (
        sa.select(Allocation.line_id)
        .join(ShipmentLine, ShipmentLine.allocation_id == Allocation.id)
        .where(ShipmentLine.shipment_id == shipment.id)
    )
    found = session.scalar(
        sa.select(Refund.id)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .where(
            RefundLine.line_id.in_(lines),
            Refund.state.in_(STANDING),
            Refund.made_at >= shipment.shipped_at,
        )
        .limit(1)
    )
    return found is not None


def replace_lot(
    session: Session,
    order_id: int,
    line_id: int,
    *,
    supplier_id: int,
    from_lot_id: int,
    to_lot_id: int,
    quantity: int | None = None,
    reason: str,
    by: Actor,
    now: datetime,
) -> list[Allocation]:
    """Another lot for what is open of a line (`sales.replace_lot`), under the yearly cap that a
    unit's order was placed under."""
    return sales.replace_lot(
        session,
        order_id,
        line_id,
        supplier_id=supplier_id,
        from_lot_id=from_lot_id,
        to_lot_id=to_lot_id,
        quantity=quantity,
        reason=reason,
        annual_cap=cap_of_order(session, order_id, business_year(now)),
        by=by,
        now=now,
    )
