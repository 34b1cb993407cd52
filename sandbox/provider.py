"""What the provider does with money: sessions, payment intents, charges, refunds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sandbox.store import Refused, Store, Thing
from sandbox.strictness import whole
from sandbox.webhooks import Sender

METHODS = ("card", "alipay", "wechat_pay")
WALLETS = ("alipay", "wechat_pay")
DECLINED = {
    "4000000000000002": "generic_decline",
    "4000000000009995": "insufficient_funds",
    "4000000000000341": "generic_decline",
}
ASKS_THE_BANK = ("4000002500003155", "4000002760003184")
NAMED_CARDS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_authenticationRequired": "4000002500003155",
}
DAY = 86_400


@dataclass(frozen=True)
class Provider:
    store: Store
    sender: Sender
    public_url: str

    # --- hosted checkout -------------------------------------------------------------------------

    def create_session(self, given: dict[str, Any]) -> Thing:
        lines = [_line(each) for each in given.get("line_items", [])]
        if given.get("mode") != "payment":
            raise Refused("Only mode=payment is played here.", param="mode")
        if len({line["currency"] for line in lines}) != 1:
            raise Refused("All line items must have the same currency.", param="line_items")
        total = whole(sum(line["amount_total"] for line in lines), "line_items")
        expires = int(given.get("expires_at", time.time() + DAY))
        if not 1799 <= expires - time.time() <= DAY + 1:
            raise Refused(
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
                param="expires_at",
            )
        session = self.store.new(
            "cs_test",
            "checkout.session",
            mode="payment",
            status="open",
            payment_status="unpaid",
            amount_total=total,
            amount_subtotal=total,
            currency=lines[0]["currency"],
            payment_intent=None,
            payment_method_types=_methods(given),
            client_reference_id=given.get("client_reference_id"),
            customer_email=given.get("customer_email"),
            locale=given.get("locale", "auto"),
            success_url=given.get("success_url"),
            cancel_url=given.get("cancel_url"),
            expires_at=expires,
            _lines=lines,
            _intent=given.get("payment_intent_data", {}),
        )
        session["metadata"] = given.get("metadata", {})
        session["url"] = f"{self.public_url}/c/pay/{session['id']}"
        return session

    def expire_session(self, key: str) -> Thing:
        session = self.store.get(key, "checkout.session")
        if session["status"] != "open":
            raise Refused(
                f'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This one is {session['status']}.",
            )
        session.update(status="expired", url=None)
        self.sender.emit("checkout.session.expired", session)
        return session

    def pay_session(self, key: str, method: str, number: str = "") -> Thing:
        """Somebody pressed Pay on the hosted page. Returns the intent; Refused when declined."""
        session = self.store.get(key, "checkout.session")
        if session["expires_at"] <= time.time() and session["status"] == "open":
            self.expire_session(key)
        if session["status"] != "open":
            raise Refused("This page has expired.", code="session_expired")
        if method not in session["payment_method_types"]:
            raise Refused("This way to pay is not offered.", param="payment_method")
        intent = self._intent_of(session)
        card = self.store.new("pm", "payment_method", type=method, _number=number)
        intent["payment_method"] = card["id"]
        self.confirm(intent)
        return intent

    def _intent_of(self, session: Thing) -> Thing:
        if session["payment_intent"]:
            return self.store.get(session["payment_intent"], "payment_intent")
        intent = self.create_intent(
            {
                **session["_intent"],
                "amount": session["amount_total"],
                "currency": session["currency"],
                "allowed_payment_method_types": session["payment_method_types"],
            }
        )
        intent["_session"] = session["id"]
        session["payment_intent"] = intent["id"]
        return intent

    # --- payment intents -------------------------------------------------------------------------

    def create_intent(self, given: dict[str, Any]) -> Thing:
        confirm = given.pop("confirm", "false") in ("true", True)
        intent = self.store.new(
            "pi",
            "payment_intent",
            amount=whole(given.pop("amount", None), "amount"),
            amount_received=0,
            currency=str(given.pop("currency", "")).lower(),
            status="requires_payment_method",
            payment_method=given.pop("payment_method", None),
            payment_method_types=_methods(given),
            capture_method="automatic_async",
            latest_charge=None,
            next_action=None,
            last_payment_error=None,
            description=given.get("description"),
            transfer_group=given.get("transfer_group"),
        )
        intent["metadata"] = given.get("metadata", {})
        if len(intent["currency"]) != 3:
            raise Refused("Invalid currency.", param="currency")
        self.sender.emit("payment_intent.created", intent)
        if confirm:
            self.confirm(intent)
        return intent

    def confirm(self, intent: Thing) -> Thing:
        """Charge it, or ask the buyer to do one thing more."""
        if intent["status"] in ("succeeded", "canceled"):
            raise Refused(
                f"This PaymentIntent's status is {intent['status']}.",
                code="payment_intent_unexpected_state",
            )
        method = self._method(intent["payment_method"])
        intent["payment_method"] = method["id"]
        if method["type"] in WALLETS or method.get("_number") in ASKS_THE_BANK:
            kind = {
                "wechat_pay": "wechat_pay_display_qr_code",
                "alipay": "alipay_handle_redirect",
            }.get(method["type"], "redirect_to_url")
            url = f"{self.public_url}/c/step/{intent['id']}"
            intent.update(status="requires_action", next_action={"type": kind, kind: {"url": url}})
            return intent
        return self.charge(intent)

    def charge(self, intent: Thing) -> Thing:
        """The last step: money moves, or the card is declined."""
        if intent["status"] in ("succeeded", "canceled"):
            raise Refused("Already done.", code="payment_intent_unexpected_state")
        method = self.store.get(intent["payment_method"], "payment_method")
        if reason := DECLINED.get(method.get("_number", "")):
            raise self.decline(intent, reason)
        charge = self.store.new(
            "ch",
            "charge",
            amount=intent["amount"],
            amount_captured=intent["amount"],
            amount_refunded=0,
            captured=True,
            refunded=False,
            paid=True,
            status="succeeded",
            currency=intent["currency"],
            payment_intent=intent["id"],
            payment_method=method["id"],
            payment_method_details={"type": method["type"]},
        )
        charge["metadata"] = dict(intent["metadata"])
        intent.update(
            status="succeeded",
            latest_charge=charge["id"],
            amount_received=intent["amount"],
            next_action=None,
            last_payment_error=None,
        )
        self.sender.emit("charge.succeeded", charge)
        self.sender.emit("payment_intent.succeeded", intent)
        if session_id := intent.get("_session"):
            session = self.store.get(session_id, "checkout.session")
            session.update(status="complete", payment_status="paid", url=None)
            self.sender.emit("checkout.session.completed", session)
        return intent

    def decline(self, intent: Thing, reason: str) -> Refused:
        problem = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": reason,
            "message": "Your card was declined.",
        }
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            next_action=None,
            last_payment_error=problem,
        )
        self.sender.emit("payment_intent.payment_failed", intent)
        return Refused(
            "Your card was declined.",
            status=402,
            kind="card_error",
            code="card_declined",
            decline_code=reason,
        )

    def cancel_intent(self, key: str, given: dict[str, Any]) -> Thing:
        intent = self.store.get(key, "payment_intent")
        if intent["status"] in ("succeeded", "canceled"):
            raise Refused(
                f"You cannot cancel this PaymentIntent because it is {intent['status']}.",
                code="payment_intent_unexpected_state",
            )
        intent.update(status="canceled", cancellation_reason=given.get("cancellation_reason"))
        self.sender.emit("payment_intent.canceled", intent)
        return intent

    def create_method(self, given: dict[str, Any]) -> Thing:
        if given.get("type") not in METHODS:
            raise Refused("Invalid type.", param="type")
        number = str(given.get("card", {}).get("number", ""))
        return self.store.new("pm", "payment_method", type=given["type"], _number=number)

    def _method(self, named: str | None) -> Thing:
        if not named:
            raise Refused(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
            )
        if named in NAMED_CARDS:
            return self.create_method({"type": "card", "card": {"number": NAMED_CARDS[named]}})
        return self.store.get(named, "payment_method")

    # --- refunds ---------------------------------------------------------------------------------

    def create_refund(self, given: dict[str, Any]) -> Thing:
        """Never more than was paid. A wallet's refund is pending first, done a moment later."""
        charge = self._charge_of(given)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = whole(given["amount"], "amount") if "amount" in given else left
        if left <= 0:
            raise Refused("This charge has already been refunded.", code="charge_already_refunded")
        if amount > left:
            raise Refused(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        wallet = charge["payment_method_details"]["type"] in WALLETS
        refund = self.store.new(
            "re",
            "refund",
            amount=amount,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            reason=given.get("reason"),
            status="pending" if wallet else "succeeded",
        )
        refund["metadata"] = given.get("metadata", {})
        self.sender.emit("refund.created", refund)
        self.sender.emit("charge.refunded", charge)
        if wallet:
            refund["status"] = "succeeded"
            self.sender.emit("refund.updated", refund)
        return refund

    def _charge_of(self, given: dict[str, Any]) -> Thing:
        if "charge" in given:
            return self.store.get(given["charge"], "charge")
        intent = self.store.get(given.get("payment_intent", ""), "payment_intent")
        return self.store.get(intent["latest_charge"] or "", "charge")


def _methods(given: dict[str, Any]) -> list[str]:
    allowed = given.get("allowed_payment_method_types")
    if not allowed:
        return list(METHODS)
    if unknown := [each for each in allowed if each not in METHODS]:
        raise Refused(f"Not played here: {unknown}", param="allowed_payment_method_types")
    options = given.get("payment_method_options", {})
    client = options.get("wechat_pay", {}).get("client")
    if "wechat_pay" in allowed and "mode" in given and client != "web":
        raise Refused(
            "payment_method_options[wechat_pay][client] is required.",
            param="payment_method_options[wechat_pay][client]",
        )
    return list(allowed)


def _line(item: dict[str, Any]) -> Thing:
    price = item.get("price_data")
    if not price:
        raise Refused("A line item needs price_data here.", param="line_items")
    count = whole(item.get("quantity", 1), "quantity")
    each = whole(price.get("unit_amount"), "unit_amount", least=0)
    return {
        "description": price.get("product_data", {}).get("name", ""),
        "quantity": count,
        "amount_total": count * each,
        "currency": price["currency"],
    }
