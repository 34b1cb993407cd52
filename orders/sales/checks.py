"""What must always be true of orders, their goods and their sums (architecture, 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution
from kernel.checks import Check, Difference, Findings, rows_of, totals
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from orders.sales.models import (
    Allocation,
    Order,
    OrderEvent,
    OrderLine,
    OrderState,
    Shipment,
    ShipmentLine,
)

OPEN = Allocation.quantity - Allocation.released - Allocation.shipped

# In these states nothing of an order may still be reserved in the store.
HOLDS_NOTHING = (
    OrderState.SHIPPED,
    OrderState.RECEIVED,
    OrderState.COMPLETED,
    OrderState.CANCELLED,
    OrderState.CLOSED,
)


def _lines_are_allocated(session: Session) -> Findings:
    allocated = sum_whole(Allocation.quantity)
    for line_id, quantity, said in session.execute(
        sa.select(OrderLine.id, OrderLine.quantity, allocated)
        .outerjoin(Allocation, Allocation.line_id == OrderLine.id)
        .group_by(OrderLine.id)
        .having(OrderLine.quantity != allocated)
        .order_by(OrderLine.id)
    ):
        yield Difference(
            f"line:{line_id}",
            Text(
                "is %(quantity)s, its allocations say %(allocated)s",
                quantity=quantity,
                allocated=int(said),
            ),
        )
    return totals(session, sum_whole(OrderLine.quantity), sum_whole(Allocation.quantity))


def _reserved_is_open(session: Session) -> Findings:
    opened = sum_whole(OPEN)
    for key, reserved, said in session.execute(
        sa.select(Contribution.id, Contribution.reserved, opened)
        .outerjoin(Allocation, Allocation.contribution_id == Contribution.id)
        .group_by(Contribution.id)
        .having(Contribution.reserved != opened)
        .order_by(Contribution.id)
    ):
        yield Difference(
            f"contribution:{key}",
            Text(
                "%(reserved)s reserved, open allocations say %(open)s",
                reserved=reserved,
                open=int(said),
            ),
        )
    return totals(session, sum_whole(Contribution.reserved), sum_whole(OPEN))


def _orders_add_up(session: Session) -> Findings:
    lines = sum_money(OrderLine.amount)
    for number, goods, said in session.execute(
        sa.select(Order.number, Order.goods, lines)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .group_by(Order.id)
        .having(sa.type_coerce(Order.goods, sa.BigInteger) != sa.type_coerce(lines, sa.BigInteger))
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("goods of %(goods)s, its lines say %(lines)s", goods=goods, lines=said),
        )
    return totals(session, sum_money(Order.goods), sum_money(OrderLine.amount))


def _ended_orders_hold_nothing(session: Session) -> Iterator[Difference]:
    for number, held in session.execute(
        sa.select(Order.number, sum_whole(OPEN))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .where(Order.state.in_(HOLDS_NOTHING), OPEN > 0)
        .group_by(Order.id)
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}", Text("has ended and still holds %(held)s", held=int(held))
        )


def _shipments_are_what_left(session: Session) -> Findings:
    sent = sum_whole(ShipmentLine.quantity)
    for key, shipped, said in session.execute(
        sa.select(Allocation.id, Allocation.shipped, sent)
        .outerjoin(ShipmentLine, ShipmentLine.allocation_id == Allocation.id)
        .group_by(Allocation.id)
        .having(Allocation.shipped != sent)
        .order_by(Allocation.id)
    ):
        yield Difference(
            f"allocation:{key}",
            Text("%(shipped)s left, shipments say %(said)s", shipped=shipped, said=int(said)),
        )
    return totals(session, sum_whole(Allocation.shipped), sum_whole(ShipmentLine.quantity))


def _states_have_events(session: Session) -> Iterator[Difference]:
    last = (
        sa.select(sa.func.max(OrderEvent.id).label("id")).group_by(OrderEvent.order_id).subquery()
    )
    told = sa.select(OrderEvent.order_id, OrderEvent.to_state).join(
        last, last.c.id == OrderEvent.id
    )
    told_by = told.subquery()
    for number, state, said in session.execute(
        sa.select(Order.number, Order.state, told_by.c.to_state)
        .outerjoin(told_by, told_by.c.order_id == Order.id)
        .where(sa.cast(Order.state, sa.String).is_distinct_from(told_by.c.to_state))
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("is %(state)s, its last event says %(said)s", state=state.value, said=said or "—"),
        )


CHECKS: list[Check] = [
    Check(
        "sales.allocations",
        Text("Every gram of every order line comes from a household's lot"),
        _lines_are_allocated,
        rows_of(OrderLine),
    ),
    Check(
        "sales.reserved",
        Text("What is reserved in the store is what open orders hold"),
        _reserved_is_open,
        rows_of(Contribution, Allocation),
    ),
    Check("sales.totals", Text("Orders add up"), _orders_add_up, rows_of(Order, OrderLine)),
    Check(
        "sales.ended",
        Text("Orders that have ended hold nothing"),
        _ended_orders_hold_nothing,
        rows_of(Order),
    ),
    Check(
        "sales.shipments",
        Text("What left the store stands in a shipment"),
        _shipments_are_what_left,
        rows_of(Shipment, ShipmentLine),
    ),
    Check(
        "sales.events",
        Text("Every order is where its last event put it"),
        _states_have_events,
        rows_of(OrderEvent),
    ),
]
