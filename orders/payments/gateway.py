"""The one who speaks to the payment provider. Knows no database; all of it is harmless twice."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import stripe

from config import Config
from kernel.errors import Refusal
from kernel.money import Money

METHODS = ("card", "alipay", "wechat_pay")

# The provider takes eight digits: a larger order is paid by bank transfer.
MOST = Money(99_999_999)

_KEPT = (
    "id", "object", "status", "amount", "amount_total", "amount_received", "amount_refunded",
    "currency", "payment_status", "payment_intent", "client_reference_id", "metadata",
    "latest_charge",
)  # fmt: skip


class ProviderTrouble(Refusal):
    """The provider could not be reached, or did not answer as it should."""

    status = 503


class BadSignature(Exception):
    """This message is not from the provider, or too old."""


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    count: int
    each: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutAsked:
    """What a payment page is made for. `key` makes asking twice give the same page."""

    key: str
    order_code: str
    items: Sequence[Item]
    success_url: str
    cancel_url: str
    locale: str
    email: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A payment page as the provider sees it now."""

    session_id: str
    url: str | None
    status: str
    paid: bool
    amount: Money
    currency: str
    intent_id: str | None


@dataclass(frozen=True, slots=True)
class SentRefund:
    provider_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Event:
    """A message whose signature was right, reduced to what we use."""

    event_id: str
    kind: str
    thing: dict[str, Any] = field(hash=False)


class Gateway:
    def __init__(self, api_key: str, webhook_secret: str, api_base: str | None) -> None:
        self._secret = webhook_secret
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=2,
            http_client=stripe.RequestsClient(timeout=15),
        )

    def create_checkout(self, asked: CheckoutAsked) -> Session:
        """The page where the buyer pays; the same `key` gives the same page again."""
        about = {"order": asked.order_code, "payment": asked.key}
        params: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": asked.order_code,
            "allowed_payment_method_types": list(METHODS),
            "payment_method_options": {"wechat_pay": {"client": "web"}},
            "line_items": [
                {
                    "quantity": item.count,
                    "price_data": {
                        "currency": "cny",
                        "unit_amount": item.each.fen,
                        "product_data": {"name": item.name},
                    },
                }
                for item in asked.items
            ],
            "metadata": about,
            "payment_intent_data": {"metadata": about, "transfer_group": asked.order_code},
            "success_url": asked.success_url,
            "cancel_url": asked.cancel_url,
            "locale": "zh" if asked.locale == "zh" else "en",
        }
        if asked.email:
            params["customer_email"] = asked.email
        sessions = self._client.v1.checkout.sessions
        return _session(_asking(sessions.create, params, {"idempotency_key": asked.key}))

    def fetch(self, session_id: str) -> Session:
        return _session(_asking(self._client.v1.checkout.sessions.retrieve, session_id))

    def expire(self, session_id: str) -> Session:
        """Nobody can pay on this page any more; one that was paid already stays paid."""
        try:
            return _session(_asking(self._client.v1.checkout.sessions.expire, session_id))
        except ProviderTrouble as trouble:
            if isinstance(trouble.__cause__, stripe.InvalidRequestError):
                return self.fetch(session_id)  # it was over already
            raise

    def refund(self, intent_id: str, amount: Money, *, key: str) -> SentRefund:
        """Money goes back the way it came; `key` once and for ever."""
        sent = _asking(
            self._client.v1.refunds.create,
            {
                "payment_intent": intent_id,
                "amount": amount.fen,
                "reason": "requested_by_customer",
                "metadata": {"refund": key},
            },
            {"idempotency_key": key},
        )
        return SentRefund(sent.id, sent.status or "pending")

    def read_event(self, payload: bytes, signature: str) -> Event:
        """Raises BadSignature for anything the provider did not sign within five minutes."""
        try:
            event = self._client.construct_event(payload, signature, self._secret)
        except (ValueError, stripe.SignatureVerificationError) as problem:
            raise BadSignature(str(problem)) from problem
        thing = json.loads(payload)["data"]["object"]
        kept = {name: thing[name] for name in _KEPT if name in thing}
        if method := thing.get("payment_method_details"):
            kept["method"] = str(method.get("type", ""))[:20]
        if error := thing.get("last_payment_error"):
            kept["failure"] = str(error.get("decline_code") or error.get("code") or "")[:60]
        return Event(event.id, event.type, kept)


@functools.cache
def gateway_of(config: Config) -> Gateway:
    """One client for one configuration."""
    return Gateway(config.stripe_api_key, config.stripe_webhook_secret, config.stripe_api_base)


def _asking(ask: Any, *arguments: Any) -> Any:
    try:
        return ask(*arguments)
    except stripe.StripeError as problem:
        raise ProviderTrouble(
            "The payment provider does not answer just now. Your order is kept; "
            "please try again in a moment."
        ) from problem


def _session(found: Any) -> Session:
    intent = found.payment_intent
    return Session(
        session_id=found.id,
        url=found.url,
        status=found.status or "",
        paid=found.payment_status == "paid",
        amount=Money(found.amount_total or 0),
        currency=found.currency or "",
        intent_id=intent if isinstance(intent, str) or intent is None else intent.id,
    )
