"""What the worker does for payments: time runs out, messages get lost, refunds must leave."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kernel.actors import WORKER
from kernel.db import get_or_missing
from kernel.outbox import enqueue, errand, task
from kernel.services import Services
from orders.payments.gateway import Session as Page
from orders.payments.gateway import gateway_of
from orders.payments.models import Payment, PaymentState, Refund
from orders.payments.operations import (
    TRANSFER,
    Received,
    close_unpaid_orders,
    complete_citizen_order,
    expire_payment,
    lapse_offer,
    lapse_return,
    offers_to_lapse,
    record_refund,
    returns_to_lapse,
    settle_payment,
    tell_staff,
)
from orders.payments.operations.refunding.sending import SENDABLE
from orders.payments.queries import orders_to_complete, unsettled_payments

# A buyer has this long after receipt (or after shipping, if they say nothing).
AUTO_COMPLETE = timedelta(days=10)
LOST_AFTER = timedelta(minutes=3)


@task("close_unpaid_orders", cron="* * * * *")
def close_unpaid(session: Session, *, now: datetime) -> None:
    close_unpaid_orders(session, now=now)


@task("find_orders_to_complete", cron="20 * * * *")
def find_orders_to_complete(session: Session, *, now: datetime) -> None:
    """One job per order, so that one that cannot be completed stops no other."""
    for order_id in orders_to_complete(session, before=now - AUTO_COMPLETE):
        enqueue(
            session,
            "complete_order",
            now=now,
            unique_key=f"complete:{order_id}",
            order_id=order_id,
        )


@task("complete_order")
def complete_one(session: Session, *, now: datetime, order_id: int) -> None:
    complete_citizen_order(session, order_id, by=WORKER, now=now)


@task("find_claims_to_end", cron="40 * * * *")
def find_claims_to_end(session: Session, *, now: datetime) -> None:
    """Offers that nobody answered and goods that nobody sent back, one job each."""
    for name, ids in (
        ("lapse_offer", offers_to_lapse(session, now=now)),
        ("lapse_return", returns_to_lapse(session, now=now)),
    ):
        for refund_id in ids:
            key = f"{name}:{refund_id}"
            enqueue(session, name, now=now, unique_key=key, refund_id=refund_id)


@task("lapse_offer")
def lapse_one_offer(session: Session, *, now: datetime, refund_id: int) -> None:
    lapse_offer(session, refund_id, now=now)


@task("lapse_return")
def lapse_one_return(session: Session, *, now: datetime, refund_id: int) -> None:
    lapse_return(session, refund_id, now=now)


@errand("claim_letter")
def claim_letter(services: Services, *, now: datetime, refund_id: int, letter: str) -> None:
    """The people of the cooperative hear of a claim; every letter has a key and leaves once."""
    with services.database.transaction() as session:
        tell_staff(session, refund_id, letter, site=services.config.public_url, now=now)


@errand("close_page")
def close_page(services: Services, *, now: datetime, payment_id: int) -> None:
    """Ask the provider to take no more money for an order that is over."""
    with services.database.reading() as session:
        payment = get_or_missing(session, Payment, payment_id)
    if payment.state is not PaymentState.STARTED:
        return
    if payment.session_id is None:
        with services.database.transaction() as session:
            expire_payment(session, payment_id, by=WORKER, now=now)
        return
    _believe(services, payment_id, gateway_of(services.config).expire(payment.session_id), now)


@errand("look_for_lost_payments", cron="*/3 * * * *")
def look_for_lost_payments(services: Services, *, now: datetime) -> None:
    """A message may never arrive; what the provider says when asked is as good."""
    with services.database.reading() as session:
        waiting = unsettled_payments(session, before=now - LOST_AFTER)
    for payment in waiting:
        if payment.session_id is not None:
            page = gateway_of(services.config).fetch(payment.session_id)
            _believe(services, payment.id, page, now)


@errand("send_refund")
def send_refund(services: Services, *, now: datetime, refund_id: int) -> None:
    """Send the money back; the refund's own key makes sending it twice harmless."""
    with services.database.reading() as session:
        refund = get_or_missing(session, Refund, refund_id)
        payment = get_or_missing(session, Payment, refund.payment_id)
    if refund.state not in SENDABLE or refund.provider_id is not None:
        return
    if payment.method == TRANSFER:
        # The money came to the bank account and goes back from it: by a person, with a voucher.
        with services.database.transaction() as session:
            record_refund(
                session,
                refund_id,
                provider_id=f"bank:{refund.number}",
                status="failed",
                by=WORKER,
                now=now,
            )
        return
    assert payment.intent_id is not None, payment.id
    sent = gateway_of(services.config).refund(
        payment.intent_id, refund.amount, key=refund.request_key
    )
    with services.database.transaction() as session:
        record_refund(
            session,
            refund_id,
            provider_id=sent.provider_id,
            status=sent.status,
            by=WORKER,
            now=now,
        )


def _believe(services: Services, payment_id: int, page: Page, now: datetime) -> None:
    with services.database.transaction() as session:
        if page.paid:
            received = Received(
                amount=page.amount,
                currency=page.currency,
                session_id=page.session_id,
                intent_id=page.intent_id,
            )
            settle_payment(session, payment_id, received, by=WORKER, now=now)
        elif page.status == "expired":
            expire_payment(session, payment_id, by=WORKER, now=now)
