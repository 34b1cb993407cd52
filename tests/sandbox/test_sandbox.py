"""The sandbox answers the stripe package as Stripe does, and refuses what Stripe refuses."""

from __future__ import annotations

import json
import threading
import time

import pytest
import stripe
from werkzeug.serving import make_server

from sandbox.server import create_sandbox
from sandbox.webhooks import sign

CARD = {"exp_month": 12, "exp_year": 2034, "cvc": "123"}
ITEM = {
    "quantity": 2,
    "price_data": {"currency": "cny", "unit_amount": 4999, "product_data": {"name": "高山大米"}},
}


@pytest.fixture
def sandbox(tmp_path):
    app = create_sandbox("http://sandbox.test", file=tmp_path / "state.json")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    app.extensions["provider"].__dict__["public_url"] = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    app.address = f"http://127.0.0.1:{server.server_port}"
    yield app
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def v1(sandbox):
    client = stripe.StripeClient(
        "sk_test_x", base_addresses={"api": sandbox.address}, max_network_retries=0
    )
    return client.v1


def session(v1, **more):
    return v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "http://shop.test/done?s={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://shop.test/order",
            "allowed_payment_method_types": ["card", "alipay", "wechat_pay"],
            "payment_method_options": {"wechat_pay": {"client": "web"}},
            "line_items": [ITEM],
            **more,
        }
    )


def events(sandbox) -> list[str]:
    return [
        each["type"]
        for each in reversed(sandbox.extensions["provider"].store.newest_first("event"))
    ]


def test_a_card_pays_and_a_second_time_leads_back_to_the_shop(sandbox, v1):
    opened = session(v1)
    page = sandbox.test_client()
    path = f"/c/pay/{opened.id}"

    assert "¥99.98" in page.get(path).get_data(as_text=True)
    paid = page.post(path, data={"method": "card", "number": "4242 4242 4242 4242"})

    assert paid.location == f"http://shop.test/done?s={opened.id}"
    assert page.get(path).location == paid.location
    now = v1.checkout.sessions.retrieve(opened.id)
    assert (now.status, now.payment_status, now.amount_total) == ("complete", "paid", 9998)
    assert events(sandbox)[-3:] == [
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


def test_a_declined_card_says_so_and_another_one_pays(sandbox, v1):
    opened = session(v1)
    page = sandbox.test_client()
    path = f"/c/pay/{opened.id}"

    declined = page.post(path, data={"method": "card", "number": "4000000000000002"})
    assert declined.status_code == 402
    assert "没有扣款" in declined.get_data(as_text=True)
    assert "payment_intent.payment_failed" in events(sandbox)
    assert v1.checkout.sessions.retrieve(opened.id).status == "open"

    assert page.post(path, data={"method": "card", "number": "4242424242424242"}).status_code == 303


def test_a_mistyped_card_number_never_reaches_the_bank(sandbox, v1):
    opened = session(v1)

    answer = sandbox.test_client().post(
        f"/c/pay/{opened.id}", data={"method": "card", "number": "4242424242424241"}
    )

    assert answer.status_code == 422
    assert events(sandbox) == []


@pytest.mark.parametrize(
    ("method", "number", "says"),
    [
        ("card", "4000002500003155", "银行验证"),
        ("alipay", "", "支付宝"),
        ("wechat_pay", "", "<svg"),
    ],
)
def test_a_second_step_is_confirmed_or_refused(sandbox, v1, method, number, says):
    opened = session(v1)
    page = sandbox.test_client()
    form = {"method": method, "number": number}

    step = page.post(f"/c/pay/{opened.id}", data=form).location
    assert says in page.get(step).get_data(as_text=True)
    back = page.post(step, data={"answer": "no"}).location
    assert "没有付成" in page.get(back).get_data(as_text=True)
    step = page.post(f"/c/pay/{opened.id}", data=form).location
    done = page.post(step, data={"answer": "yes"}).location

    assert done.startswith("http://shop.test/done")
    assert page.post(step, data={"answer": "yes"}).location == done
    assert events(sandbox).count("checkout.session.completed") == 1


def test_an_expired_session_takes_no_money(sandbox, v1):
    opened = session(v1)

    assert v1.checkout.sessions.expire(opened.id).status == "expired"
    answer = sandbox.test_client().post(
        f"/c/pay/{opened.id}", data={"method": "card", "number": "4242424242424242"}
    )

    assert answer.status_code == 410
    with pytest.raises(stripe.InvalidRequestError):
        v1.checkout.sessions.expire(opened.id)
    assert events(sandbox) == ["checkout.session.expired"]


def test_refunds_never_exceed_what_was_paid(sandbox, v1):
    paid = v1.payment_intents.create(
        {"amount": 10000, "currency": "cny", "confirm": True, "payment_method": "pm_card_visa"}
    )

    first = v1.refunds.create({"payment_intent": paid.id, "amount": 3000})
    assert (first.status, first.amount) == ("succeeded", 3000)
    with pytest.raises(stripe.InvalidRequestError):
        v1.refunds.create({"payment_intent": paid.id, "amount": 7001})
    v1.refunds.create({"payment_intent": paid.id})

    charge = v1.payment_intents.retrieve(paid.id, {"expand": ["latest_charge"]}).latest_charge
    assert (charge.amount_refunded, charge.refunded) == (10000, True)
    assert [each.amount for each in v1.refunds.list({"payment_intent": paid.id}).data] == [
        7000,
        3000,
    ]


def test_a_wallets_refund_is_pending_first(sandbox, v1):
    opened = session(v1)
    page = sandbox.test_client()
    step = page.post(f"/c/pay/{opened.id}", data={"method": "alipay"}).location
    page.post(step, data={"answer": "yes"})

    intent = v1.checkout.sessions.retrieve(opened.id).payment_intent
    v1.refunds.create({"payment_intent": intent, "amount": 1})

    assert events(sandbox)[-3:] == ["refund.created", "charge.refunded", "refund.updated"]


def test_the_same_idempotency_key_does_a_thing_once(v1):
    options = {"idempotency_key": "order-1"}
    one = v1.payment_intents.create({"amount": 5, "currency": "cny"}, options)
    two = v1.payment_intents.create({"amount": 5, "currency": "cny"}, options)

    assert one.id == two.id
    with pytest.raises(stripe.IdempotencyError):
        v1.payment_intents.create({"amount": 6, "currency": "cny"}, options)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"sucess_url": "x"}, "sucess_url"),
        ({"line_items": [{**ITEM, "qty": 1}]}, "line_items[0][qty]"),
        ({"payment_intent_data": {"metadaten": {"a": "b"}}}, "payment_intent_data[metadaten]"),
        ({"payment_method_options": {}}, "payment_method_options[wechat_pay][client]"),
        ({"expires_at": 1}, "expires_at"),
    ],
)
def test_what_stripe_does_not_know_is_refused(v1, more, param):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        session(v1, **more)

    assert refused.value.param == param


def test_more_than_eight_digits_are_refused(v1):
    with pytest.raises(stripe.InvalidRequestError):
        v1.payment_intents.create({"amount": 100_000_000, "currency": "cny"})


def test_cards_decline_and_unknown_things_are_missing(v1):
    with pytest.raises(stripe.CardError):
        v1.payment_intents.create(
            {
                "amount": 100,
                "currency": "cny",
                "confirm": True,
                "payment_method": "pm_card_visa_chargeDeclined",
            }
        )
    with pytest.raises(stripe.InvalidRequestError):
        v1.checkout.sessions.retrieve("cs_test_nothing")
    with pytest.raises(stripe.InvalidRequestError):
        v1.charges.retrieve("nonsense")


def test_events_arrive_signed_and_again_until_they_are_taken(sandbox, v1):
    received: list[tuple[bytes, str]] = []

    def hook(environ, start):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        received.append((body, environ["HTTP_STRIPE_SIGNATURE"]))
        start("500 Not yet" if len(received) == 1 else "200 OK", [])
        return [b""]

    shop = make_server("127.0.0.1", 0, hook)
    thread = threading.Thread(target=shop.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    endpoint = v1.webhook_endpoints.create(
        {"url": f"http://127.0.0.1:{shop.server_port}/hook", "enabled_events": ["*"]}
    )
    opened = session(v1)
    v1.checkout.sessions.expire(opened.id)
    for _ in range(100):
        if len(received) == 2:
            break
        time.sleep(0.05)
    shop.shutdown()
    shop.server_close()
    thread.join()

    assert len(received) == 2
    for body, signature in received:
        event = stripe.Webhook.construct_event(body, signature, endpoint.secret)
        assert (event.type, event.data.object.id) == ("checkout.session.expired", opened.id)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(received[0][0] + b" ", received[0][1], endpoint.secret)


def test_what_happened_is_remembered_in_the_file(sandbox, v1, tmp_path):
    opened = session(v1)

    kept = json.loads((tmp_path / "state.json").read_text())

    assert kept["things"][opened.id]["amount_total"] == 9998


def test_a_signature_is_what_the_package_expects():
    body = b'{"id": "evt_1", "object": "event"}'

    assert stripe.Webhook.construct_event(body, sign(body, "whsec_a"), "whsec_a").id == "evt_1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(
            body, sign(body, "whsec_a", at=int(time.time()) - 600), "whsec_a"
        )
