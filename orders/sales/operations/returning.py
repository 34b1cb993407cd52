"""Giving goods back to the store: cancelled, timed out, or taken off an order in part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from catalog.lots.operations import release
from catalog.lots.queries import lock_pools
from kernel import audit
from kernel.actors import WORKER, Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal
from orders.sales.models import Allocation, Order, OrderState
from orders.sales.operations.moving import move
from orders.sales.queries import open_allocations, overdue_holds, products_of

GIVEN_BACK = (OrderState.CANCELLED, OrderState.CLOSED)


def give_back(
    session: Session, order_id: int, *, to: OrderState, reason: str, by: Actor, now: datetime
) -> Order:
    """The order ends before anything was shipped; every gram it held is free again.

    An order that has ended already stays as it is.
    """
    assert to in GIVEN_BACK
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state in GIVEN_BACK:
        return order
    _end(session, [order], to, reason, by, now)
    return order


def close_expired_holds(session: Session, *, now: datetime, limit: int = 50) -> list[Order]:
    """Citizens' orders that were not paid in time are closed. A unit's order is not ours to close:
    its room does that with `give_back`."""
    orders = overdue_holds(session, now=now, limit=limit)
    if orders:
        _end(session, orders, OrderState.CLOSED, "not paid in time", WORKER, now)
    return orders


def release_lines(
    session: Session,
    order_id: int,
    quantities: Mapping[int, int],
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> Order:
    """So much of these lines will not be shipped after all. An order with nothing left to ship and
    nothing shipped is cancelled; one that waited only for this is shipped."""
    order = get_or_missing(session, Order, order_id, lock=True)
    lock_pools(session, products_of(session, [order_id]))
    held = open_allocations(session, [order_id])
    draws: list[tuple[Allocation, int]] = []
    for line_id, quantity in sorted(quantities.items()):
        # The last to be chosen is the first to go back.
        draws += _from_the_end([each for each in held if each.line_id == line_id], quantity)
    _release(session, draws)
    if not any(each.open for each in held):
        whole = order.state is OrderState.TO_SHIP
        after = OrderState.CANCELLED if whole else OrderState.SHIPPED
        move(session, order, after, reason=reason, by=by, now=now)
    audit.note(
        session, "release_lines", f"order:{order.id}", by=by, now=now,
        reason=reason, lines={str(line): quantity for line, quantity in quantities.items()},
    )  # fmt: skip
    return order


def _end(
    session: Session, orders: Sequence[Order], to: OrderState, reason: str, by: Actor, now: datetime
) -> None:
    """All orders are locked; all their products are locked together before anything moves, so
    that two who end several orders never wait for each other."""
    ids = [order.id for order in orders]
    lock_pools(session, products_of(session, ids))
    for order in orders:
        move(session, order, to, reason=reason, by=by, now=now)
    _release(session, [(each, each.open) for each in open_allocations(session, ids)])
    for order in orders:
        audit.note(session, "give_back", f"order:{order.id}", by=by, now=now, to=to, reason=reason)


def _release(session: Session, draws: Iterable[tuple[Allocation, int]]) -> None:
    pairs = [(each, quantity) for each, quantity in draws if quantity]
    if not pairs:
        return
    back: dict[int, int] = {}
    for each, quantity in pairs:
        back[each.contribution_id] = back.get(each.contribution_id, 0) + quantity
    release(session, sorted(back.items()))
    count_up(session, "released", pairs)


def _from_the_end(held: Sequence[Allocation], quantity: int) -> list[tuple[Allocation, int]]:
    draws = []
    for each in reversed(held):
        take = min(quantity, each.open)
        if take:
            draws.append((each, take))
            quantity -= take
    if quantity:
        raise Refusal("More is to be taken off this order than is still to be shipped.")
    return draws


def count_up(session: Session, column: str, draws: Sequence[tuple[Allocation, int]]) -> None:
    """Add to `released` or `shipped` of allocations, each only as far as it is still open; a
    quantity below zero takes back, never below nothing."""
    table = cast(sa.Table, Allocation.__table__)
    session.flush()
    done = session.connection().execute(
        sa.update(table)
        .where(
            table.c.id == sa.bindparam("key"),
            table.c.quantity - table.c.released - table.c.shipped >= sa.bindparam("more"),
            table.c[column] + sa.bindparam("more") >= 0,
        )
        .values({column: table.c[column] + sa.bindparam("more")}),
        [{"key": each.id, "more": quantity} for each, quantity in draws],
    )
    assert done.rowcount == len(draws), (done.rowcount, len(draws))
    for each, quantity in draws:
        set_committed_value(each, column, getattr(each, column) + quantity)
