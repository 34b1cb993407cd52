"""Moving an order from state to state: one table of moves, one function, one event each."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from orders.sales.models import HOLDING, MOVES, Order, OrderEvent, OrderState, Shipment

AFTER_CONFIRMING = frozenset(
    {
        OrderState.TO_SHIP,
        OrderState.PARTLY_SHIPPED,
        OrderState.SHIPPED,
        OrderState.RECEIVED,
        OrderState.COMPLETED,
    }
)


def confirm_order(
    session: Session, order_id: int, *, reason: str = "", by: Actor, now: datetime
) -> Order:
    """What was held is now sold and to be shipped. Confirming twice changes nothing."""
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state in AFTER_CONFIRMING:
        return order
    move(session, order, OrderState.TO_SHIP, reason=reason, by=by, now=now)
    audit.note(session, "confirm_order", f"order:{order.id}", by=by, now=now)
    return order


def mark_received(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """The buyer has all of it. Saying so twice changes nothing."""
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state in (OrderState.RECEIVED, OrderState.COMPLETED):
        return order
    move(session, order, OrderState.RECEIVED, by=by, now=now)
    for shipment in session.scalars(
        sa.select(Shipment).where(
            Shipment.order_id == order.id,
            Shipment.delivered_at.is_(None),
            Shipment.cancelled_at.is_(None),
        )
    ):
        shipment.delivered_at = now
    audit.note(session, "mark_received", f"order:{order.id}", by=by, now=now)
    return order


def complete_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """Nothing more will happen to it by itself. State only: settling is a verb of other rooms."""
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state is OrderState.COMPLETED:
        return order
    move(session, order, OrderState.COMPLETED, by=by, now=now)
    audit.note(session, "complete_order", f"order:{order.id}", by=by, now=now)
    return order


def move(
    session: Session, order: Order, to: OrderState, *, reason: str = "", by: Actor, now: datetime
) -> None:
    """One step of the table of moves, with its event row. The caller has locked the order."""
    if to not in MOVES[order.state]:
        raise Refusal(
            "Order %(number)s has moved on; this step is not possible any more.",
            number=order.number,
        )
    session.add(
        OrderEvent(
            order_id=order.id,
            from_state=order.state.value,
            to_state=to.value,
            reason=reason,
            **stamp(by, now),
        )
    )
    if order.state in HOLDING:
        order.hold_until = None
    order.state = to
    session.flush()
