"""Asking for money back for lines of an order, and taking the request back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from kernel.money import Money, total
from kernel.numbering import next_number
from kernel.storage import Blob, keep_file
from orders.payments.models import (
    Payment,
    PaymentState,
    Refund,
    RefundFreight,
    RefundKind,
    RefundLine,
    RefundState,
)
from orders.payments.models.after import RefundPhoto, ReturnParcel, ReturnState
from orders.payments.operations.refunding.granting import grant
from orders.payments.operations.refunding.moving import locked_refund, move_parcel, move_refund
from orders.payments.operations.refunding.telling import tell_supplier
from orders.payments.queries import freight_left, gone_of_lines, sent_by
from orders.payments.rules.claims import send_by
from orders.payments.rules.refunds import Gone, LineFacts, amount_for
from orders.sales.models import Order, OrderLine
from orders.sales.operations import tell_buyer


def refund_order_lines(
    session: Session,
    order_id: int,
    quantities: Mapping[int, int],
    *,
    kind: RefundKind,
    reason: str = "",
    request_key: str,
    approved: bool = True,
    photos: Sequence[Blob] = (),
    by: Actor,
    now: datetime,
) -> Refund:
    """Money back for so much of these lines (line id → base units), never beyond what is left.

    What was not shipped yet returns to the store; when nothing of a supplier's goods is left and
    nothing of them was sent, its freight goes back as well. Shares that were settled are taken
    back. With `approved=False` it is only asked for; goods that were unopened then travel back
    first. The same `request_key` again answers the first refund.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    if known := refund_by_key(session, request_key):
        return known
    payment = _paid(session, order)
    refund = Refund(
        number=next_number(session, "TK", now),
        order_id=order.id,
        payment_id=payment.id,
        request_key=request_key,
        state=RefundState.REQUESTED,
        kind=kind,
        reason=reason[:200],
        lines=_lines(session, order, quantities),
        photos=[],
        parcel=None,
        **stamp(by, now),
    )
    refund.freights = _freights(session, order, refund.lines)
    refund.amount = total(part.amount for part in refund.lines)
    refund.amount += total(part.amount for part in refund.freights)
    session.add(refund)
    session.flush()
    for file in [keep_file(session, each, by=by, now=now) for each in photos]:
        session.add(RefundPhoto(refund_id=refund.id, file_id=file.id, **stamp(by, now)))
    audit.note(
        session, "refund_order_lines", f"order:{order.id}", by=by, now=now,
        refund=refund.number, amount=refund.amount, kind=kind, photos=len(photos),
    )  # fmt: skip
    if approved:
        grant(session, order, refund, by=by, now=now)
    elif kind is RefundKind.UNOPENED:
        begin_return(session, order, refund, by=by, now=now)
    else:
        tell_buyer(session, order, "refund_asked", about=refund.number, now=now)
        tell_supplier(session, refund, "claim", now=now)
    return refund


def begin_return(
    session: Session, order: Order, refund: Refund, *, by: Actor, now: datetime
) -> None:
    """The goods travel back before anything is decided; the buyer hears where to and until when."""
    [supplier_id] = {part.line.supplier_id for part in refund.lines}
    refund.parcel = ReturnParcel(
        refund_id=refund.id,
        supplier_id=supplier_id,
        state=ReturnState.TO_SEND,
        send_by=send_by(now),
        **stamp(by, now),
    )
    session.add(refund.parcel)
    session.flush()
    tell_buyer(session, order, "return_begun", about=refund.number, now=now)
    tell_supplier(session, refund, "return", now=now)


def withdraw_refund(session: Session, refund_id: int, *, by: Actor, now: datetime) -> Refund:
    """The buyer does not want it any more; goods that have arrived at the store are inspected
    first."""
    _, refund = locked_refund(session, refund_id)
    if refund.state is RefundState.WITHDRAWN:
        return refund
    parcel = refund.parcel
    if parcel is not None and parcel.state not in (ReturnState.REFUSED, ReturnState.ENDED):
        if parcel.state is ReturnState.ARRIVED:
            raise Refusal("The goods have arrived and are being looked at.")
        move_parcel(session, parcel, ReturnState.ENDED, by=by, now=now)
    move_refund(session, refund, RefundState.WITHDRAWN, by=by, now=now)
    audit.note(session, "withdraw_refund", f"refund:{refund.id}", by=by, now=now)
    return refund


def refund_by_key(session: Session, request_key: str) -> Refund | None:
    return session.scalar(
        sa.select(Refund)
        .where(Refund.request_key == request_key)
        .options(selectinload(Refund.lines), selectinload(Refund.freights))
    )


def _paid(session: Session, order: Order) -> Payment:
    paid = session.scalar(
        sa.select(Payment)
        .where(Payment.order_id == order.id, Payment.state == PaymentState.PAID)
        .order_by(Payment.id)
        .limit(1)
    )
    if paid is None:
        raise Refusal("This order was not paid here; there is nothing to refund.")
    return paid


def _lines(session: Session, order: Order, quantities: Mapping[int, int]) -> list[RefundLine]:
    gone = gone_of_lines(session, order.id)
    known = {
        line.id: line
        for line in session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.order_id == order.id)
            .options(joinedload(OrderLine.product))
        )
    }
    lines = []
    for line_id, quantity in sorted(quantities.items()):
        line = known.get(line_id)
        if line is None:
            raise Refusal("This line does not belong to the order.")
        facts = LineFacts(line.quantity, line.amount.fen, gone.get(line_id, Gone()))
        try:
            fen = amount_for(facts, quantity)
        except ValueError:
            raise Refusal("More is to be refunded than is left of this line.") from None
        if fen:
            lines.append(RefundLine(line=line, quantity=quantity, amount=Money(fen)))
    if not lines:
        raise Refusal("Choose what the refund is for.")
    return lines


def _freights(session: Session, order: Order, lines: Sequence[RefundLine]) -> list[RefundFreight]:
    """Freight of suppliers who send nothing, once this refund is reckoned with."""
    left = freight_left(session, order.id)
    if not left:
        return []
    gone, sent = gone_of_lines(session, order.id), sent_by(session, order.id)
    back = {part.line.id: part.quantity for part in lines}
    keeps = {
        line.supplier_id
        for line in session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id))
        if gone.get(line.id, Gone()).quantity + back.get(line.id, 0) < line.quantity
    }
    return [
        RefundFreight(supplier_id=supplier_id, amount=amount)
        for supplier_id, amount in left.items()
        if supplier_id not in keeps | sent
    ]
