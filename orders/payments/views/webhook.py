"""The provider's messages. Only a right signature is believed; everything is answered quickly."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from sqlalchemy.exc import IntegrityError

from kernel.actors import WEBHOOK
from kernel.web.access import public
from kernel.web.security import csrf
from kernel.web.work import now, services, transaction
from orders.payments.gateway import BadSignature, gateway_of
from orders.payments.operations import take_event

bp = Blueprint("webhook", __name__)

MOST_BYTES = 1_000_000


@bp.post("/webhooks/stripe")
@csrf.exempt  # type: ignore[untyped-decorator]
@public
def stripe() -> tuple[Response, int]:
    payload = request.get_data(cache=False)
    if len(payload) > MOST_BYTES:
        return jsonify(error="too large"), 413
    try:
        event = gateway_of(services().config).read_event(
            payload, request.headers.get("Stripe-Signature", "")
        )
    except BadSignature:
        return jsonify(error="this was not signed for us"), 400
    try:
        with transaction() as work:
            kept = take_event(work, event, by=WEBHOOK, now=now())
    except IntegrityError:
        # The same message is being taken at this very moment; asked again, it is known.
        return jsonify(error="at work on it"), 409
    return jsonify(outcome=kept.outcome), 200
