"""Tiers of a citizens' pack: the same price on the page, in the basket and on the order."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.products import operations as products
from kernel.money import Money
from orders.sales.models import BasketLine, OrderLine
from tests import makers
from tests.web import given, person

DID = {"by": makers.SOMEBODY, "now": makers.NOON}


def radish(session):
    made = makers.sold_product(session, slug="radish")
    box = makers.pack_of(made)
    products.change_price(
        session, box.id, value=2_900, steps=[(3 * 5_000, 2_700), (5 * 5_000, 2_500)], **DID
    )
    return made, box


def test_an_order_is_priced_by_the_tier_its_count_reaches(session):
    made, _ = radish(session)
    for count, each in ((1, 2_900), (2, 2_900), (3, 2_700), (4, 2_700), (5, 2_500)):
        [line] = makers.citizen_order(session, made, count).lines
        assert (line.pack_price, line.amount) == (Money(each), Money(each * count))
        assert line.unit_price is None


def test_page_basket_and_checkout_say_the_same_price(app, db):
    with given(db) as session:
        _, box = radish(session)
    guest = person(app).open("/products/radish").sees("¥29.00", "from 3: ¥27.00 each", "¥5.40/kg")
    guest.press("Put into the basket", count="3")
    guest.open("/cart").sees("¥27.00", "¥81.00").does_not_see("price changed")
    guest.press("Change the number", count="5").open("/cart").sees("¥25.00", "¥125.00")
    guest.does_not_see("price changed")
    guest.open("/checkout").sees("¥25.00", "¥125.00")
    with given(db) as session:
        products.change_price(session, box.id, value=2_400, **DID)
    guest.open("/cart").sees("price changed from ¥25.00 to ¥24.00", "¥120.00")
    guest.open("/cart").does_not_see("price changed")
    with db.reading() as session:
        assert session.scalars(sa.select(BasketLine)).one().price_seen == Money(2_400)
        assert session.scalars(sa.select(OrderLine)).all() == []
