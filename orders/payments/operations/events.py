"""The provider's signed messages: each taken once, in whatever order they come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.money import Money
from orders.payments.gateway import Event
from orders.payments.models import Payment, ProviderEvent
from orders.payments.operations.paying import (
    Received,
    expire_payment,
    fail_payment,
    settle_payment,
)
from orders.payments.operations.refunding.sending import record_refund
from orders.payments.queries import find_payment, find_refund, known_event

Handler = Callable[[Session, dict[str, Any], Actor, datetime], str]


def take_event(session: Session, event: Event, *, by: Actor, now: datetime) -> ProviderEvent:
    """Do what the message means and keep it under its id. The same id again does nothing."""
    if known := known_event(session, event.event_id):
        return known
    handle = HANDLERS.get(event.kind)
    outcome = handle(session, event.thing, by, now) if handle else "not ours to use"
    kept = ProviderEvent(
        event_id=event.event_id,
        kind=event.kind,
        received_at=now,
        payload=event.thing,
        outcome=outcome[:120],
    )
    session.add(kept)
    session.flush()
    audit.note(session, "take_event", f"event:{event.event_id}", by=by, now=now, outcome=outcome)
    return kept


def _page_done(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    if thing.get("payment_status") != "paid":
        return "waiting for the money"  # it comes later, as `async_payment_succeeded`
    return _settle(session, thing, thing.get("amount_total"), by, now)


def _intent_done(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    return _settle(session, thing, thing.get("amount_received"), by, now)


def _settle(
    session: Session, thing: dict[str, Any], fen: int | None, by: Actor, now: datetime
) -> str:
    payment = _payment_of(session, thing)
    if payment is None:
        return "no payment of ours"
    is_page = thing.get("object") == "checkout.session"
    received = Received(
        amount=Money(int(fen or 0)),
        currency=str(thing.get("currency", "")),
        session_id=thing["id"] if is_page else None,
        intent_id=thing.get("payment_intent") if is_page else thing["id"],
    )
    return settle_payment(session, payment.id, received, by=by, now=now)


def _declined(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    payment = _payment_of(session, thing)
    if payment is None:
        return "no payment of ours"
    return fail_payment(session, payment.id, thing.get("failure") or "declined", by=by, now=now)


def _expired(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    payment = _payment_of(session, thing)
    return expire_payment(session, payment.id, by=by, now=now) if payment else "no payment of ours"


def _charged(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    """Only tells which way the buyer chose; whether it is paid others say."""
    payment = _payment_of(session, thing)
    if payment is None or not thing.get("method"):
        return "nothing to do"
    payment.method = thing["method"]
    return "way of paying noted"


def _refunded(session: Session, thing: dict[str, Any], by: Actor, now: datetime) -> str:
    key = thing.get("metadata", {}).get("refund")
    refund = find_refund(session, key=key, provider_id=thing["id"])
    if refund is None:
        return "no refund of ours"
    status = str(thing.get("status", "pending"))
    return record_refund(session, refund.id, provider_id=thing["id"], status=status, by=by, now=now)


def _payment_of(session: Session, thing: dict[str, Any]) -> Payment | None:
    is_page = thing.get("object") == "checkout.session"
    is_intent = thing.get("object") == "payment_intent"
    return find_payment(
        session,
        key=thing.get("metadata", {}).get("payment"),
        session_id=thing["id"] if is_page else None,
        intent_id=thing["id"] if is_intent else thing.get("payment_intent"),
    )


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _page_done,
    "checkout.session.async_payment_succeeded": _page_done,
    "checkout.session.async_payment_failed": _declined,
    "checkout.session.expired": _expired,
    "payment_intent.succeeded": _intent_done,
    "payment_intent.payment_failed": _declined,
    "charge.succeeded": _charged,
    "refund.created": _refunded,
    "refund.updated": _refunded,
    "refund.failed": _refunded,
}
