"""The provider's wire: `/v1/…`, form-encoded in, JSON out, idempotent by key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import stripe.params
import stripe.params.checkout
from flask import Blueprint, Response, current_app, jsonify, request

from sandbox.provider import Provider
from sandbox.store import Refused, Thing
from sandbox.strictness import check, unflatten

bp = Blueprint("api", __name__)

Action = Callable[[Provider, dict[str, Any], str], Thing]

LISTED = {
    "payment_intents": "payment_intent",
    "payment_methods": "payment_method",
    "charges": "charge",
    "refunds": "refund",
    "checkout/sessions": "checkout.session",
    "events": "event",
    "webhook_endpoints": "webhook_endpoint",
}


def _confirm(provider: Provider, given: dict[str, Any], key: str) -> Thing:
    intent = provider.store.get(key, "payment_intent")
    if "payment_method" in given:
        intent["payment_method"] = given["payment_method"]
    elif "payment_method_data" in given:
        intent["payment_method"] = provider.create_method(given["payment_method_data"])["id"]
    return provider.confirm(intent)


def _add_endpoint(provider: Provider, given: dict[str, Any]) -> Thing:
    endpoint = provider.store.new("we", "webhook_endpoint", status="enabled", url=given["url"])
    endpoint["secret"] = "whsec_" + endpoint["id"].removeprefix("we_")
    provider.sender.endpoints.append((endpoint["url"], endpoint["secret"]))
    return endpoint


# (path, its parameters in the stripe package or None, what is done)
CHANGES: list[tuple[str, type | None, Action]] = [
    (
        "checkout/sessions",
        stripe.params.checkout.SessionCreateParams,
        lambda provider, given, key: provider.create_session(given),
    ),
    (
        "checkout/sessions/{id}/expire",
        stripe.params.checkout.SessionExpireParams,
        lambda provider, given, key: provider.expire_session(key),
    ),
    (
        "payment_intents",
        stripe.params.PaymentIntentCreateParams,
        lambda provider, given, key: provider.create_intent(given),
    ),
    (
        "payment_intents/{id}/confirm",
        stripe.params.PaymentIntentConfirmParams,
        _confirm,
    ),
    (
        "payment_intents/{id}/cancel",
        stripe.params.PaymentIntentCancelParams,
        lambda provider, given, key: provider.cancel_intent(key, given),
    ),
    (
        "payment_methods",
        stripe.params.PaymentMethodCreateParams,
        lambda provider, given, key: provider.create_method(given),
    ),
    (
        "refunds",
        stripe.params.RefundCreateParams,
        lambda provider, given, key: provider.create_refund(given),
    ),
    (
        "webhook_endpoints",
        stripe.params.WebhookEndpointCreateParams,
        lambda provider, given, key: _add_endpoint(provider, given),
    ),
]


@bp.route("/v1/<path:path>", methods=["GET", "POST"])
def answer(path: str) -> tuple[Response, int]:
    provider: Provider = current_app.extensions["provider"]
    with provider.store.lock:
        try:
            if not request.headers.get("Authorization", "").startswith(("Bearer sk_", "Basic ")):
                raise Refused("You did not provide an API key.", status=401)  # noqa: TRY301
            if request.method == "GET":
                return jsonify(_read(provider, path)), 200
            return _change(provider, path)
        except Refused as refused:
            return jsonify(refused.body), refused.status


def _read(provider: Provider, path: str) -> Thing:
    given = unflatten(request.args.items(multi=True))
    expand = tuple(given.pop("expand", []))
    if kind := LISTED.get(path):
        limit = min(int(given.pop("limit", 10)), 100)
        rows = provider.store.newest_first(kind, **given)
        shown = [provider.store.view(row) for row in rows[:limit]]
        return {
            "object": "list",
            "url": f"/v1/{path}",
            "has_more": len(rows) > limit,
            "data": shown,
        }
    folder, _, key = path.rpartition("/")
    if kind := LISTED.get(folder):
        return provider.store.view(provider.store.get(key, kind), expand)
    raise Refused(f"Unrecognized request URL (GET: /v1/{path}).", status=404)


def _change(provider: Provider, path: str) -> tuple[Response, int]:
    given = unflatten(request.form.items(multi=True))
    key = request.headers.get("Idempotency-Key")
    signature = f"{path} {json.dumps(given, sort_keys=True)}"
    if key and key in provider.store.answers:
        asked, body, status = provider.store.answers[key]
        if asked != signature:
            raise Refused(
                "Keys for idempotent requests can only be used with the same parameters they "
                "were first used with.",
                kind="idempotency_error",
            )
        replayed = jsonify(body)
        replayed.headers["Idempotent-Replayed"] = "true"
        return replayed, int(status)
    try:
        body, status = _do(provider, path, given), 200
    except Refused as refused:
        body, status = refused.body, refused.status
    if key:
        provider.store.answers[key] = [signature, body, status]
    provider.store.save()
    return jsonify(body), status


def _do(provider: Provider, path: str, given: dict[str, Any]) -> Thing:
    expand = tuple(given.pop("expand", []))
    for pattern, params, action in CHANGES:
        match = re.fullmatch(pattern.replace("{id}", r"(\w+)"), path)
        if match:
            if params is not None:
                check(given, params)
            key = match[1] if match.groups() else ""
            return provider.store.view(action(provider, given, key), expand)
    raise Refused(f"Unrecognized request URL (POST: /v1/{path}).", status=404)
