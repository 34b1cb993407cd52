"""A citizen without an account buys, pays every way there is, and follows the order."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from email.header import decode_header, make_header
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from catalog.products.models import Pack, Product
from kernel.outbox import Job, run_one
from orders.payments.models import Payment, PaymentState, Refund, RefundState
from orders.sales.models import Order, OrderState
from orders.sales.operations import ship_order
from orders.sales.rules.keys import order_key
from sandbox.webhooks import sign
from tests import makers
from tests.person import _filled
from tests.web import given

ADDRESS = {
    "Recipient": "林女士",
    "Phone": "１３８５５５０１２３４",
    "Province, city, district": "重庆市渝北区",
    "Street, house, door": "龙山街道松牌路 8 号",
    "no_return": "yes",
}


def fill_basket(citizen, radish, count="1") -> None:
    citizen.open("/cart")
    token = citizen.page.find("input", {"name": "csrf_token"})["value"]
    citizen.client.post("/cart", data={"pack": radish.pack_id, "count": count, "csrf_token": token})


def check_out(citizen, radish, count="1", **more) -> str:
    """To the provider's page: its address."""
    fill_basket(citizen, radish, count)
    citizen.open("/checkout")
    form, _ = citizen._form_with(f"Pay ¥{29 * int(count)}.00")
    asked = {**ADDRESS, **more}
    if form.find(attrs={"name": "no_return"}) is None:  # only fresh goods ask for it
        del asked["no_return"]
    return press_raw(citizen, form, asked)


def typed(citizen, form, fields):
    return {citizen._field_name(form, label): [value] for label, value in fields.items()}


def press_raw(citizen, form, fields) -> str:
    data = {**_filled(form), **typed(citizen, form, fields)}
    citizen.last = (form["action"], data)
    return to_provider(citizen, citizen.client.post(form["action"], data=data))


def to_provider(citizen, answer) -> str:
    """The order stands; its own address leads on to the provider's page."""
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]
    on = citizen.client.get(answer.location)
    assert on.status_code == 303, on.get_data(as_text=True)[:3000]
    return on.location


def order_of(db) -> Order:
    with db.reading() as session:
        return session.scalars(sa.select(Order).order_by(Order.id.desc())).first()


def page_of(citizen, app, order, more=""):
    key = order_key(app.extensions["services"].config.secret_key, order.code)
    return citizen.open(f"/orders/{order.code}?key={key}{more}")


def work(app, clock) -> None:
    services = app.extensions["services"]
    while run_one(services, "test", clock()):
        pass


@pytest.mark.parametrize(
    ("method", "number", "words"),
    [
        ("card", "4242424242424242", "Paid by card"),
        ("card", "4000002500003155", "Paid by card"),
        ("alipay", "", "Paid with Alipay"),
        ("wechat_pay", "", "Paid with WeChat Pay"),
    ],
)
def test_every_way_to_pay_leads_to_a_paid_order(
    app, db, citizen, provider, radish, method, number, words
):
    url = check_out(citizen, radish, "2")
    assert url.startswith(provider.address)
    back = provider.pay(url, method, number).location

    # The browser is back before the message: nothing is believed yet.
    where = urlsplit(back)
    citizen.open(f"{where.path}?{where.query}").sees("Waiting for your payment", "confirming")
    provider.deliver(app.test_client())
    citizen.open(f"{where.path}?{where.query}").sees("Being packed", words, "¥58.00")
    assert order_of(db).state is OrderState.TO_SHIP


def test_the_page_follows_by_itself_while_the_message_is_on_its_way(
    app, db, citizen, provider, radish
):
    url = check_out(citizen, radish)
    back = urlsplit(provider.pay(url).location)
    poll = back.path + "/status?" + back.query

    assert "HX-Refresh" not in citizen.client.get(poll).headers
    provider.deliver(app.test_client(), backwards=True)
    assert citizen.client.get(poll).headers["HX-Refresh"] == "true"


def test_a_declined_card_is_said_and_another_one_pays_the_same_order(
    app, db, citizen, provider, radish
):
    url = check_out(citizen, radish)
    assert provider.pay(url, "card", "4000000000000002").status_code == 402
    provider.deliver(app.test_client())
    page_of(citizen, app, order_of(db)).sees("The card was declined and nothing was charged")

    form, _ = citizen._form_with("Pay ¥29.00")
    assert press_raw(citizen, form, {}) == url
    provider.pay(url)
    provider.deliver(app.test_client())
    page_of(citizen, app, order_of(db)).sees("Being packed")


def test_double_click_and_back_place_one_order(app, db, citizen, provider, radish):
    url = check_out(citizen, radish)
    action, data = citizen.last

    again = citizen.client.post(action, data=data)

    assert to_provider(citizen, again) == url
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Order.id))) == 1
        assert session.scalar(sa.select(sa.func.count(Payment.id))) == 1


def test_what_is_wrong_stands_at_its_field_and_everything_typed_is_kept(citizen, radish):
    fill_basket(citizen, radish)
    citizen.open("/checkout").press(
        "Pay ¥29.00",
        status=422,
        **{**ADDRESS, "Phone": "1385550123", "Province, city, district": "朝阳区"},
    )

    citizen.sees("2 things are not right yet", "Enter a phone number with 11 digits")
    citizen.sees("Write province, city and district")
    assert citizen.page.find("input", {"name": "recipient"})["value"] == "林女士"


def test_a_pasted_line_is_sorted_into_the_fields(citizen, radish):
    fill_basket(citizen, radish)
    citizen.open("/checkout").press(
        "Sort it into the fields",
        paste="林女士，13855501234，重庆市渝北区龙山街道松牌路8号3栋12-4",
    )

    values = {
        name: citizen.page.find("input", {"name": name})["value"]
        for name in ("recipient", "phone", "place", "detail")
    }
    assert values == {
        "recipient": "林女士",
        "phone": "13855501234",
        "place": "重庆市渝北区",
        "detail": "龙山街道松牌路8号3栋12-4",
    }


def test_an_order_opens_only_with_its_key(app, db, citizen, provider, radish):
    check_out(citizen, radish)
    code = order_of(db).code

    citizen.open(f"/orders/{code}", status=404)
    citizen.open(f"/orders/{code}?key=wrong", status=404)
    page_of(citizen, app, order_of(db)).sees("林女士", "138****1234")


def test_unpaid_goods_go_back_after_a_quarter_of_an_hour_and_late_money_goes_back_too(
    app, db, citizen, provider, radish, clock
):
    url = check_out(citizen, radish, "3")
    clock.move(minutes=16)
    with db.transaction() as session:
        session.add(Job(name="close_unpaid_orders", arguments={}, run_at=clock()))
    # The provider cannot be asked to close the page just now: somebody pays on it.
    services = app.extensions["services"]
    assert run_one(services, "test", clock())
    back = provider.pay(url)
    assert back.status_code == 303
    provider.deliver(app.test_client())
    provider.deliver(app.test_client(), again=True)

    page_of(citizen, app, order_of(db)).sees("Closed", "back on the shelf", "¥87.00")
    clock.move(minutes=1)
    work(app, clock)
    provider.deliver(app.test_client())
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 0
        [refund] = session.scalars(sa.select(Refund)).all()
        assert (refund.state, refund.amount.fen) == (RefundState.DONE, 8700)
        assert session.scalars(sa.select(Payment.state)).all() == [PaymentState.REFUNDED]
    charges = provider.app.extensions["provider"].store.newest_first("charge")
    assert [each["amount_refunded"] for each in charges] == [8700]


def test_an_abandoned_page_is_closed_at_the_provider(app, db, citizen, provider, radish, clock):
    url = check_out(citizen, radish)
    clock.move(minutes=16)
    with db.transaction() as session:
        session.add(Job(name="close_unpaid_orders", arguments={}, run_at=clock()))
    work(app, clock)

    assert provider.pay(url).status_code == 410
    with db.reading() as session:
        assert session.scalars(sa.select(Payment.state)).all() == [PaymentState.EXPIRED]


def test_a_lost_message_is_made_up_for_by_asking(app, db, citizen, provider, radish, clock):
    provider.pay(check_out(citizen, radish))
    clock.move(minutes=5)
    with db.transaction() as session:
        session.add(Job(name="look_for_lost_payments", arguments={}, run_at=clock()))
    work(app, clock)

    assert order_of(db).state is OrderState.TO_SHIP
    provider.deliver(app.test_client())
    assert order_of(db).state is OrderState.TO_SHIP


def test_a_forged_message_is_not_believed(app, db, citizen, provider, radish):
    provider.pay(check_out(citizen, radish))
    event = provider.events()[-1]
    body = json.dumps(event).encode()
    shop = app.test_client()
    for headers in (
        {},
        {"Stripe-Signature": sign(body, "whsec_other")},
        {"Stripe-Signature": sign(body, "whsec_sutian", at=1)},
        {"Stripe-Signature": sign(body + b" ", "whsec_sutian")},
    ):
        answer = shop.post("/webhooks/stripe", data=body, headers=headers)
        assert answer.status_code == 400
    assert order_of(db).state is OrderState.AWAITING_PAYMENT


def test_ones_own_unpaid_order_does_not_block_the_next(app, db, citizen, provider, radish):
    check_out(citizen, radish, "15")

    url = check_out(citizen, radish, "18")

    with db.reading() as session:
        states = session.scalars(sa.select(Order.state).order_by(Order.id)).all()
    assert states == [OrderState.CANCELLED, OrderState.AWAITING_PAYMENT]
    assert provider.pay(url).status_code == 303


def test_an_order_is_cancelled_and_its_money_sent_back(app, db, citizen, provider, radish, clock):
    provider.pay(check_out(citizen, radish))
    provider.deliver(app.test_client())
    page_of(citizen, app, order_of(db)).press("Cancel, and give the money back")
    citizen.sees("Cancelled", "¥29.00")

    work(app, clock)
    provider.deliver(app.test_client())

    page_of(citizen, app, order_of(db)).sees("Done")


def test_received_completed_and_every_fen_shown(app, db, citizen, provider, radish, clock):
    provider.pay(check_out(citizen, radish, "2"))
    provider.deliver(app.test_client())
    with given(db) as session:
        order = session.scalars(sa.select(Order)).one()
        ship_order(
            session, order.id, supplier_id=order.supplier_id, request_key="s",
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
    page_of(citizen, app, order_of(db)).press("I have received it").sees("It has arrived")
    citizen.press("All is well, complete it")

    citizen.sees("Completed", "Of these ¥58.00", "<5 households", "Paid or not", "The rest of it")
    households, others = (
        [round(float(re.search(r"¥([\d.]+)", each.get_text())[1]) * 100) for each in rows]
        for rows in (found.find_all("dd") for found in citizen.page.select("dl.paid")[:2])
    )
    assert sum(households[:-1]) == households[-1]
    assert households[-1] + sum(others[:-1]) == others[-1] == 5800


def test_the_basket_says_what_changed_since(app, db, citizen, radish, clock):
    fill_basket(citizen, radish, "18")
    with given(db) as session:
        session.get(Pack, radish.pack_id).price = makers.Money(3100)
        makers.citizen_order(session, session.get(Product, radish.id), 5)

    citizen.open("/cart").sees("The price changed from ¥29.00 to ¥31.00", "Only 15 left.")
    citizen.open("/checkout").sees("Only 15 left.")
    assert citizen.path == "/cart"


def test_letters_leave_for_those_who_gave_an_address(
    app, db, citizen, provider, radish, clock, tmp_path
):
    check_out(citizen, radish, **{"E-mail": "lin@example.test"})
    work(app, clock)

    [letter] = [message_from_bytes(each.read_bytes()) for each in tmp_path.rglob("*.eml")]
    assert order_of(db).code in letter.get_payload(decode=True).decode()
    assert "15" in str(make_header(decode_header(letter["Subject"])))


def test_a_whole_purchase_costs_few_statements(app, db, citizen, provider, radish, statements):
    citizen.open("/cart")
    statements.clear()
    fill_basket(citizen, radish)
    citizen.open("/checkout")
    form, _ = citizen._form_with("Pay ¥29.00")
    citizen.client.post(form["action"], data={**_filled(form), **typed(citizen, form, ADDRESS)})
    sent = [each for each in statements if not each.startswith("BEGIN")]

    # Putting into the basket, the checkout page, the order with its goods and its freight.
    assert len(sent) <= 30
    assert order_of(db).state is OrderState.AWAITING_PAYMENT


def test_fresh_goods_are_bought_only_with_the_confirmation_that_they_do_not_go_back(
    db, citizen, provider, radish
):
    fill_basket(citizen, radish)
    citizen.open("/checkout").sees("I know: Space radish are fresh goods")
    without = {name: value for name, value in ADDRESS.items() if name != "no_return"}
    citizen.press("Pay ¥29.00", status=422, **without)
    citizen.sees("Please confirm that you know how fresh goods are returned.")
    assert citizen.page.find("input", {"name": "recipient"})["value"] == "林女士"
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 0
    form, _ = citizen._form_with("Pay ¥29.00")
    data = {**_filled(form), "no_return": ["yes"]}
    assert citizen.client.post("/checkout", data=data).status_code == 303
    with db.reading() as session:
        assert session.scalars(sa.select(Order.no_return_agreed)).one() is True
