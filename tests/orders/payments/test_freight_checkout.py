"""Nobody pays for carriage they did not see; where nothing is sent, a sentence says so."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.products.models import Product
from kernel.money import ZERO, Money
from orders.payments.models import Payment
from orders.sales.models import Order
from orders.sales.rules.freight import Zone
from tests import makers
from tests.orders.payments.test_buying import ADDRESS, fill_basket
from tests.person import _filled
from tests.web import given


def with_freight(db, radish) -> None:
    with given(db) as session:
        product = session.get_one(Product, radish.id)
        makers.freight(
            session, product.supplier_id,
            Zone(region="500000000000", first_g=1000, first_fee=Money(600), step_fee=Money(100)),
            Zone(region="650000000000", served=False),
        )  # fmt: skip


def orders(db) -> list[Order]:
    with db.reading() as session:
        return list(session.scalars(sa.select(Order)))


def test_the_sum_is_shown_before_it_is_paid(app, db, citizen, provider, radish):
    with_freight(db, radish)
    fill_basket(citizen, radish)
    citizen.open("/checkout").sees("by place and weight")

    citizen.press("Pay ¥29.00", status=422, **ADDRESS)
    citizen.sees("Delivery costs ¥10.00; together that is ¥39.00. Press again to agree.")
    assert orders(db) == []

    form, _ = citizen._form_with("Pay ¥39.00")
    answer = citizen.client.post("/checkout", data=_filled(form))
    assert answer.status_code == 303
    [order] = orders(db)
    assert (order.freight, order.total) == (Money(1_000), Money(3_900))
    with db.reading() as session:
        assert session.scalars(sa.select(Payment.amount)).one() == Money(3_900)


def test_where_nothing_is_sent_it_is_refused_and_what_was_typed_stays(
    app, db, citizen, provider, radish
):
    with_freight(db, radish)
    fill_basket(citizen, radish)
    citizen.open("/checkout")
    far = {**ADDRESS, "Province, city, district": "新疆维吾尔自治区乌鲁木齐市天山区"}
    citizen.press("What does delivery cost?", **far).sees("not sent to this place")
    citizen.press("Pay ¥29.00", status=409).sees("does not send to this address")
    assert citizen.page.find("input", {"name": "recipient"})["value"] == "林女士"
    assert orders(db) == []


def test_what_is_fetched_costs_no_freight_and_needs_no_address(app, db, citizen, provider, radish):
    with_freight(db, radish)
    fill_basket(citizen, radish)
    citizen.open("/checkout")
    form, _ = citizen._form_with("Pay ¥29.00")
    data = {
        **_filled(form),
        "delivery": ["pick_up"],
        "recipient": ["林女士"],
        "phone": ["13855501234"],
        "agree": ["yes"],
    }
    assert citizen.client.post("/checkout", data=data).status_code == 303
    [order] = orders(db)
    assert (order.pick_up, order.freight, order.total) == (True, ZERO, Money(2_900))
