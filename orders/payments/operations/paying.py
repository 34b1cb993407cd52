"""From an order that waits for money to one that has it: intent first, truth by signed message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from kernel.money import Money
from kernel.outbox import enqueue
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import Payment, PaymentState, RefundKind
from orders.payments.operations.refunding.sending import refund_payment
from orders.payments.queries import open_pages, payments_of, supplier_parts
from orders.sales.models import Order, OrderState
from orders.sales.operations import confirm_order, tell_buyer

# Money of a wrong amount: the goods stay reserved while a person looks at it.
LOOK_INTO_IT = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What the provider says it received."""

    amount: Money
    currency: str
    session_id: str | None
    intent_id: str | None


def start_payment(session: Session, order_id: int, *, by: Actor, now: datetime) -> Payment:
    """The intent to pay this order, written before anybody is asked for money.

    An intent that is still open is used again, whatever the tab or click it came from.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state is not OrderState.AWAITING_PAYMENT:
        raise Refusal("This order does not wait for payment any more.")
    attempts = payments_of(session, order.id)
    for payment in attempts:
        if payment.state is PaymentState.STARTED:
            return payment
        if payment.state is PaymentState.MISMATCHED:
            raise Refusal("Money of another amount arrived for this order; we are looking into it.")
    return _intend(session, order, len(attempts) + 1, by, now)


def first_payment(session: Session, order: Order, *, by: Actor, now: datetime) -> Payment:
    """The same for an order that was placed in this transaction: nobody else knows it yet, so there
    is nothing to lock and nothing to look for."""
    assert order.state is OrderState.AWAITING_PAYMENT
    return _intend(session, order, 1, by, now)


def _intend(session: Session, order: Order, number: int, by: Actor, now: datetime) -> Payment:
    payment = Payment(
        order_id=order.id,
        request_key=f"order:{order.code}:{number}",
        state=PaymentState.STARTED,
        amount=order.total,
        **stamp(by, now),
    )
    session.add(payment)
    session.flush()
    audit.note(session, "start_payment", f"order:{order.id}", by=by, now=now, amount=order.total)
    return payment


def keep_page(
    session: Session, payment_id: int, *, session_id: str, url: str, by: Actor, now: datetime
) -> Payment:
    """Remember the provider's page for this intent. The same page again changes nothing."""
    kept = session.scalar(
        sa.update(Payment)
        .where(Payment.id == payment_id, Payment.session_id.is_(None))
        .values(session_id=session_id, url=url)
        .returning(Payment)
        .execution_options(populate_existing=True)
    )
    if kept is None:
        return get_or_missing(session, Payment, payment_id)
    audit.remember(session, [kept])
    audit.note(session, "keep_page", f"payment:{kept.id}", by=by, now=now)
    return kept


def settle_payment(
    session: Session, payment_id: int, received: Received, *, by: Actor, now: datetime
) -> str:
    """The provider has the money. Says what came of it; any number of times does it once.

    * the order waited: it is paid and will be packed;
    * it was closed, cancelled or paid already: the money goes back by itself;
    * another amount: kept apart for a person to look at.
    """
    payment = _locked(session, payment_id)
    payment.session_id = payment.session_id or received.session_id
    payment.intent_id = payment.intent_id or received.intent_id
    if payment.state not in (PaymentState.STARTED, PaymentState.EXPIRED, PaymentState.FAILED):
        session.flush()
        return f"payment {payment.state.value} already"
    order = session.get_one(Order, payment.order_id)
    payment.paid_at, payment.received = now, received.amount
    if received.amount != payment.amount or received.currency.lower() != "cny":
        return _hold(session, order, payment, received, by, now)
    payment.state = PaymentState.PAID
    session.flush()
    waiting = order.state is OrderState.AWAITING_PAYMENT
    to = accounts.prepaid if waiting else accounts.refunds
    _post(session, order, payment, received.amount, to, by, now)
    audit.note(
        session, "settle_payment", f"order:{order.id}", by=by, now=now,
        payment=payment.id, amount=payment.amount,
    )  # fmt: skip
    if waiting:
        confirm_order(session, order.id, reason="paid", by=by, now=now)
        tell_buyer(session, order, "paid", now=now)
        return "paid"
    over = order.state in (OrderState.CLOSED, OrderState.CANCELLED)
    kind = RefundKind.TOO_LATE if over else RefundKind.PAID_TWICE
    refund_payment(session, payment.id, kind=kind, by=by, now=now)
    return f"money goes back: {kind.value}"


def fail_payment(
    session: Session, payment_id: int, reason: str, *, by: Actor, now: datetime
) -> str:
    """A card was declined. The page stays open, another way to pay may still work."""
    payment = _locked(session, payment_id)
    if payment.state is not PaymentState.STARTED or payment.failure == reason:
        return "nothing to do"
    payment.failure = reason[:200]
    session.flush()
    audit.note(session, "fail_payment", f"payment:{payment.id}", by=by, now=now, reason=reason)
    return "declined"


def expire_payment(session: Session, payment_id: int, *, by: Actor, now: datetime) -> str:
    """The provider takes no money on this page any more."""
    payment = _locked(session, payment_id)
    if payment.state is not PaymentState.STARTED:
        return "nothing to do"
    payment.state = PaymentState.EXPIRED
    session.flush()
    audit.note(session, "expire_payment", f"payment:{payment.id}", by=by, now=now)
    return "expired"


def close_pages(session: Session, order_ids: list[int], *, now: datetime) -> None:
    """The provider is asked to take no more money for these orders."""
    for payment_id in open_pages(session, order_ids):
        enqueue(
            session,
            "close_page",
            now=now,
            unique_key=f"close_page:{payment_id}",
            payment_id=payment_id,
        )


def _locked(session: Session, payment_id: int) -> Payment:
    """The order is locked before its payment: everyone who settles takes turns at the order."""
    payment = get_or_missing(session, Payment, payment_id)
    get_or_missing(session, Order, payment.order_id, lock=True)
    return get_or_missing(session, Payment, payment_id, lock=True)


def _hold(
    session: Session, order: Order, payment: Payment, received: Received, by: Actor, now: datetime
) -> str:
    payment.state = PaymentState.MISMATCHED
    payment.failure = (
        f"{received.amount.yuan} {received.currency} instead of {payment.amount.yuan} cny"
    )
    if order.state is OrderState.AWAITING_PAYMENT:
        order.hold_until = now + LOOK_INTO_IT
    session.flush()
    if received.currency.lower() == "cny":
        _post(session, order, payment, received.amount, accounts.refunds, by, now)
    audit.note(
        session, "hold_payment", f"order:{order.id}", by=by, now=now,
        payment=payment.id, received=received.amount, currency=received.currency,
    )  # fmt: skip
    return "another amount: held"


def _post(
    session: Session,
    order: Order,
    payment: Payment,
    amount: Money,
    to: Callable[[str], str],
    by: Actor,
    now: datetime,
) -> None:
    """The provider holds it for each supplier: for goods, or only until it has gone back."""
    post(
        session,
        [
            Entry(
                accounts.provider(code),
                to(code),
                part,
                f"payment:{payment.id}:{code}",
                order.number,
            )
            for code, part in supplier_parts(session, order.id, amount).items()
        ],
        on=business_day(now),
        by=by,
        now=now,
    )
