"""One line of a unit's order, or a part of it, is given back alone before it leaves the store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import LotState
from catalog.lots.operations import release
from catalog.lots.queries import lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Named, Refusal, Text
from kernel.text import tidy
from orders.sales.models import (
    Allocation,
    BuyerKind,
    LineWithdrawal,
    Order,
    OrderEvent,
    OrderLine,
    OrderState,
)
from orders.sales.operations.choosing import quantity_words
from orders.sales.operations.moving import move
from orders.sales.operations.returning import count_up
from orders.sales.queries import open_allocations, products_of
from orders.sales.queries.promises import open_promises, short_slices
from orders.sales.rules.withdrawing import Held, given_up, slices_back

# Nothing of what is given back has left; what has left can only come back as a return.
BEFORE_LEAVING = (
    OrderState.AWAITING_SIGNATURE,
    OrderState.TO_SHIP,
    OrderState.PARTLY_SHIPPED,
)


def withdraw_line(
    session: Session,
    order_id: int,
    line_id: int,
    quantity: int,
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> LineWithdrawal:
    """So many base units of this line will not be bought: they are free again, what a harvest falls
    short of first, and the order costs less by them.

    In whole packs, or all that is open. A line of which nothing is left keeps its place. An order
    that waits for its signature keeps at least one line (it is cancelled as a whole instead); after
    that, one of which nothing is left to ship is cancelled, or shipped if something has left.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    assert order.buyer_kind is BuyerKind.UNIT
    if order.state not in BEFORE_LEAVING:
        raise Refusal(
            "Order %(number)s has moved on; this step is not possible any more.",
            number=order.number,
        )
    lock_pools(session, products_of(session, [order_id]))
    why = tidy(reason)[:120]
    line, held = open_line(session, order, line_id, quantity, why)
    ours = [each for each in held if each.line_id == line_id]
    assert line.unit_price is not None, "a canteens' pack is priced per kilogram or piece"
    amount = given_up(line.unit_price, line.product.base_unit, line.stands, line.owed, quantity)
    draws = _draws(session, ours, quantity)
    back: dict[int, int] = {}
    for each, taken in draws:
        back[each.contribution_id] = back.get(each.contribution_id, 0) + taken
    release(session, sorted(back.items()))
    count_up(session, "released", draws)
    made = LineWithdrawal(
        line_id=line.id, quantity=quantity, amount=amount, reason=why, **stamp(by, now)
    )
    session.add(made)
    line.withdrawn += quantity
    line.withdrawn_amount += amount
    order.goods -= amount
    order.total -= amount
    session.flush()
    _write_event(session, order, line, quantity, why, bool(sum(h.open for h in held)), by, now)
    audit.note(
        session, "withdraw_line", f"order:{order.id}", by=by, now=now,
        line=line.id, quantity=quantity, amount=amount, reason=why,
    )  # fmt: skip
    return made


def open_line(
    session: Session, order: Order, line_id: int, quantity: int, why: str
) -> tuple[OrderLine, list[Allocation]]:
    """The line of this (locked) order with all that the order holds open. Raises with every reason
    why so much of the line cannot be given back."""
    held = open_allocations(session, [order.id])
    line = session.scalar(
        sa.select(OrderLine)
        .where(OrderLine.id == line_id, OrderLine.order_id == order.id)
        .options(joinedload(OrderLine.product), joinedload(OrderLine.pack))
        .execution_options(populate_existing=True)
    )
    if line is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    there = sum(each.open for each in held if each.line_id == line_id)
    errors: dict[str, Text] = {} if why else {"reason": Text("Say why.")}
    unit = line.product.base_unit
    if there and not 0 < quantity <= there:
        errors["quantity"] = Text(
            "Between nothing and %(most)s of it wait to be shipped.",
            most=quantity_words(there, unit),
        )
    elif quantity != there and quantity % line.pack.content:
        errors["quantity"] = Text(
            "%(name)s is sold in steps of %(step)s.",
            name=Named(line.name_zh, line.name_en), step=quantity_words(line.pack.content, unit),
        )  # fmt: skip
    if not there:
        raise Refusal("Nothing of this line waits to be shipped any more; look at it again.")
    if errors:
        raise Invalid(errors)
    if order.state is OrderState.AWAITING_SIGNATURE and quantity == sum(e.open for e in held):
        raise Refusal("This is all that is left of the order; cancel the order instead.")
    return line, held


def _draws(
    session: Session, ours: Sequence[Allocation], quantity: int
) -> list[tuple[Allocation, int]]:
    lots = {each.lot_id for each in ours if each.lot.state is LotState.EXPECTED}
    supplier_id = ours[0].line.supplier_id
    promised = open_promises(session, supplier_id, lot_ids=lots) if lots else []
    short = short_slices(session, promised)
    of_key = {each.id: each for each in ours}
    held = [Held(each.id, each.open, short.get(each.id, 0)) for each in ours]
    return [(of_key[key], taken) for key, taken in slices_back(held, quantity)]


def _write_event(
    session: Session,
    order: Order,
    line: OrderLine,
    quantity: int,
    why: str,
    waits: bool,
    by: Actor,
    now: datetime,
) -> None:
    """What happened stands in the order's history, in the same state or the one it moves to."""
    words = f"{line.name_zh} −{quantity_words(quantity, line.product.base_unit)}：{why}"[:200]
    if order.state is OrderState.AWAITING_SIGNATURE or waits:
        state = order.state.value
        session.add(
            OrderEvent(
                order_id=order.id, from_state=state, to_state=state, reason=words, **stamp(by, now)
            )
        )  # fmt: skip
        session.flush()
        return
    whole = order.state is OrderState.TO_SHIP
    after = OrderState.CANCELLED if whole else OrderState.SHIPPED
    move(session, order, after, reason=words, by=by, now=now)
