"""A citizen's order comes to its end: cancelled in time, or complete, and its money divided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal
from kernel.money import Money
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import UNDECIDED, PaymentState, Refund, RefundKind
from orders.payments.operations.paying import close_pages
from orders.payments.operations.refunding.asking import refund_order_lines
from orders.payments.queries import freight_left, gone_of_lines, payments_of
from orders.payments.queries.after import returned_by_allocation
from orders.payments.rules.refunds import Gone, accepted_parts
from orders.sales.models import BuyerKind, Order, OrderLine, OrderState
from orders.sales.operations import (
    close_expired_holds,
    complete_order,
    give_back,
    mark_received,
    tell_buyer,
)
from orders.shares.operations import SettledLine, Slice, settle_lines


def cancel_citizen_order(
    session: Session, order_id: int, *, reason: str, by: Actor, now: datetime
) -> Order:
    """The buyer changed their mind before anything was shipped; what was paid goes back."""
    order = _citizens(session, order_id)
    if order.state in (OrderState.CANCELLED, OrderState.CLOSED):
        return order
    if order.state is OrderState.AWAITING_PAYMENT:
        give_back(session, order.id, to=OrderState.CANCELLED, reason=reason, by=by, now=now)
        close_pages(session, [order.id], now=now)
        tell_buyer(session, order, "cancelled", now=now)
        return order
    if order.state is not OrderState.TO_SHIP:
        raise Refusal("This order is on its way already; ask for a refund instead.")
    left = _left_of_lines(session, order)
    refund_order_lines(
        session,
        order.id,
        left,
        kind=RefundKind.CANCELLED,
        reason=reason,
        request_key=f"cancel:{order.id}",
        by=by,
        now=now,
    )
    return order


def cancel_lines(
    session: Session,
    order_id: int,
    quantities: Mapping[int, int],
    *,
    request_key: str,
    by: Actor,
    now: datetime,
) -> Refund:
    """So much of these lines the buyer does not want any more; only what has not been sent."""
    order = _citizens(session, order_id)
    if order.state not in (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED):
        raise Refusal("Nothing of this order waits to be sent any more.")
    for line in _lines(session, order):
        unsent = sum(each.open for each in line.allocations)
        if quantities.get(line.id, 0) > unsent:
            raise Refusal("Some of it has been sent in the meantime; please look again.")
    return refund_order_lines(
        session,
        order.id,
        quantities,
        kind=RefundKind.CANCELLED,
        request_key=request_key,
        by=by,
        now=now,
    )


def receive_citizen_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """The buyer has it in hand: the hours for claims begin, and a letter says which."""
    order = _citizens(session, order_id)
    if order.state in (OrderState.RECEIVED, OrderState.COMPLETED):
        return order
    mark_received(session, order.id, by=by, now=now)
    tell_buyer(session, order, "received", now=now)
    return order


def close_unpaid_orders(session: Session, *, now: datetime) -> list[Order]:
    """Orders whose fifteen minutes are over give their goods back, and their pages are closed."""
    closed = close_expired_holds(session, now=now)
    close_pages(session, [order.id for order in closed], now=now)
    for order in closed:
        tell_buyer(session, order, "closed", now=now)
    return closed


def complete_citizen_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """Nothing is open any more: the order is complete and every line's money is divided.

    An order that was shipped in full counts as received. Completing twice changes nothing.
    """
    order = _citizens(session, order_id)
    if order.state is OrderState.COMPLETED:
        return order
    if order.state is OrderState.SHIPPED:
        mark_received(session, order.id, by=by, now=now)
    _refuse_open_claims(session, order)
    complete_order(session, order.id, by=by, now=now)
    gone, lines = gone_of_lines(session, order.id), _lines(session, order)
    back = returned_by_allocation(
        session, [each.id for line in lines for each in line.allocations if each.shipped]
    )
    settled = [_settled(order, line, gone.get(line.id, Gone()), back, now) for line in lines]
    settle_lines(session, [each for each in settled if each is not None], by=by, now=now)
    _settle_freight(session, order, by, now)
    audit.note(session, "complete_citizen_order", f"order:{order.id}", by=by, now=now)
    tell_buyer(session, order, "completed", now=now)
    return order


def _citizens(session: Session, order_id: int) -> Order:
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.buyer_kind is not BuyerKind.CITIZEN:
        raise Refusal("A unit's order is accepted and paid at the canteen's desk.")
    return order


def _refuse_open_claims(session: Session, order: Order) -> None:
    asked = session.scalar(
        sa.select(sa.func.count(Refund.id)).where(
            Refund.order_id == order.id, Refund.state.in_(UNDECIDED)
        )
    )
    if asked:
        raise Refusal("A refund was asked for; it must be answered before the order is completed.")


def _left_of_lines(session: Session, order: Order) -> dict[int, int]:
    if not any(each.state is PaymentState.PAID for each in payments_of(session, order.id)):
        raise Refusal("This order was not paid here; there is nothing to refund.")
    gone = gone_of_lines(session, order.id)
    left = {
        line.id: line.quantity - gone.get(line.id, Gone()).quantity
        for line in _lines(session, order)
    }
    return {line_id: quantity for line_id, quantity in left.items() if quantity}


def _lines(session: Session, order: Order) -> list[OrderLine]:
    return list(
        session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.order_id == order.id)
            .order_by(OrderLine.position)
            .options(selectinload(OrderLine.allocations), joinedload(OrderLine.supplier))
            .execution_options(populate_existing=True)
        )
    )


def _settle_freight(session: Session, order: Order, by: Actor, now: datetime) -> None:
    """What the buyer paid for carriage is there to pay the carrier, and nobody's income."""
    left = freight_left(session, order.id)
    codes = (
        {line.supplier_id: line.supplier.code for line in _lines(session, order)} if left else {}
    )
    post(
        session,
        [
            Entry(
                accounts.prepaid(codes[supplier_id]),
                accounts.cost("freight", codes[supplier_id]),
                amount,
                f"freight:order:{order.id}:{codes[supplier_id]}",
                order.number,
            )
            for supplier_id, amount in left.items()
        ],
        on=business_day(now),
        by=by,
        now=now,
    )


def _settled(
    order: Order, line: OrderLine, gone: Gone, back: Mapping[int, int], now: datetime
) -> SettledLine | None:
    """What the buyer kept of a line, slice by slice; None if all of it stayed in the store or lies
    there again (`back`: allocation → base units)."""
    shipped = [(each, each.shipped - back.get(each.id, 0)) for each in line.allocations]
    shipped = [(each, out) for each, out in shipped if out]
    if not shipped and gone.fen == line.amount.fen:
        return None
    # What was replaced by another lot was closed as well, and is not what the buyer gave up.
    given_up = line.quantity - sum(each.quantity - each.released for each in line.allocations)
    came_back = sum(back.get(each.id, 0) for each in line.allocations)
    sent_back = max(0, gone.quantity - given_up - came_back)
    accepted = accepted_parts([out for _, out in shipped], sent_back)
    # A household's part of a lot may serve a line in two slices, when one took another's place.
    parts: dict[int, tuple[int, int]] = {}
    for (each, out), kept in zip(shipped, accepted, strict=True):
        sent, taken = parts.get(each.contribution_id, (0, 0))
        parts[each.contribution_id] = (sent + out, taken + kept)
    return SettledLine(
        subject=f"order_line:{line.id}",
        line_key=f"line:{line.id}",
        order_key=f"order:{order.id}",
        supplier_id=line.supplier_id,
        product_id=line.product_id,
        rule_id=line.rule_id,
        amount=line.amount - Money(gone.fen),
        slices=[
            Slice(contribution_id=key, consumed=sent, accepted=kept)
            for key, (sent, kept) in parts.items()
        ],
        debit_code=accounts.prepaid(line.supplier.code),
        citizen=True,
        on=business_day(now),
    )
