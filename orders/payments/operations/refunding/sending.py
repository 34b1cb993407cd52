"""Money that leaves: what the provider says became of it, and payments that nobody waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from kernel.money import Money
from kernel.numbering import next_number
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import Payment, PaymentState, Refund, RefundKind, RefundState
from orders.payments.operations.refunding.asking import refund_by_key
from orders.payments.operations.refunding.granting import codes_of, send_later
from orders.payments.operations.refunding.moving import locked_refund, move_refund
from orders.payments.queries import supplier_parts
from orders.sales.models import Order
from orders.sales.operations import tell_buyer

SENDABLE = (RefundState.APPROVED, RefundState.SENT)


def refund_payment(
    session: Session, payment_id: int, *, kind: RefundKind, by: Actor, now: datetime
) -> Refund:
    """The whole of a payment that bought nothing goes back, once (G18). The order is locked."""
    payment = get_or_missing(session, Payment, payment_id, lock=True)
    key = f"payment:{payment.request_key}"
    if known := refund_by_key(session, key):
        return known
    order = session.get_one(Order, payment.order_id)
    refund = Refund(
        number=next_number(session, "TK", now),
        order_id=order.id,
        payment_id=payment.id,
        request_key=key,
        state=RefundState.APPROVED,
        amount=payment.received or payment.amount,
        kind=kind,
        lines=[],
        freights=[],
        photos=[],
        parcel=None,
        **stamp(by, now),
    )
    session.add(refund)
    session.flush()
    send_later(session, refund, now=now)
    tell_buyer(session, order, "refunded", about=refund.number, now=now)
    audit.note(
        session, "refund_payment", f"order:{order.id}", by=by, now=now,
        refund=refund.number, amount=refund.amount, kind=kind,
    )  # fmt: skip
    return refund


def record_refund(
    session: Session, refund_id: int, *, provider_id: str, status: str, by: Actor, now: datetime
) -> str:
    """What the provider says became of it. Only a refund that is done has left our books."""
    order, refund = locked_refund(session, refund_id)
    refund.provider_id = refund.provider_id or provider_id
    if refund.state not in (*SENDABLE, RefundState.FAILED):
        session.flush()
        return f"refund {refund.state.value} already"
    if status == "succeeded":
        refund.done_at = now
        move_refund(session, refund, RefundState.DONE, by=by, now=now)
        _post_done(session, order, refund, accounts.provider, by, now)
        payment = get_or_missing(session, Payment, refund.payment_id, lock=True)
        if not refund.lines:
            payment.state = PaymentState.REFUNDED
        tell_buyer(session, order, "refund_done", about=f"{refund.number} {refund.amount}", now=now)
    else:
        failed = status in ("failed", "canceled")
        to = RefundState.FAILED if failed else RefundState.SENT
        if refund.state is not to:
            move_refund(session, refund, to, by=by, now=now)
    session.flush()
    audit.note(session, "record_refund", f"refund:{refund.id}", by=by, now=now, status=status)
    return f"refund {refund.state.value}"


def settle_refund_by_hand(
    session: Session, refund_id: int, *, voucher: str, by: Actor, now: datetime
) -> Refund:
    """The provider could not send it back, so the cooperative paid it from its bank account."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is RefundState.DONE:
        return refund
    if refund.state is not RefundState.FAILED:
        raise Refusal("The provider is still at work on this refund.")
    refund.done_at, refund.answer = now, voucher[:200]
    move_refund(session, refund, RefundState.DONE, words=voucher, by=by, now=now)
    _post_done(session, order, refund, accounts.bank, by, now)
    tell_buyer(session, order, "refund_done", about=f"{refund.number} {refund.amount}", now=now)
    audit.note(
        session, "settle_refund_by_hand", f"refund:{refund.id}", by=by, now=now, voucher=voucher
    )
    return refund


def _post_done(
    session: Session,
    order: Order,
    refund: Refund,
    out_of: Callable[[str], str],
    by: Actor,
    now: datetime,
) -> None:
    """It has reached the buyer, out of what the provider holds or from the bank."""
    memo = f"{order.number} {refund.number}"
    parts = _done_parts(session, refund)
    post(
        session,
        [
            Entry(
                accounts.refunds(code),
                out_of(code),
                amount,
                f"refund:{refund.id}:{code}",
                memo,
            )
            for code, amount in parts
        ],
        on=business_day(now),
        by=by,
        now=now,
    )


def _done_parts(session: Session, refund: Refund) -> Sequence[tuple[str, Money]]:
    if refund.lines:
        codes = codes_of(session, refund)
        sums: dict[str, Money] = {}
        for part in refund.lines:
            code = codes[part.line.supplier_id]
            sums[code] = sums.get(code, Money(0)) + part.amount
        for freight in refund.freights:
            code = codes[freight.supplier_id]
            sums[code] = sums.get(code, Money(0)) + freight.amount
        return sorted(sums.items())
    return sorted(supplier_parts(session, refund.order_id, refund.amount).items())
