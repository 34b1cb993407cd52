"""What somebody puts aside, with and without an account."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.products.models import Shelf
from kernel.errors import Missing
from orders.sales import operations as sales
from orders.sales.models import Basket, BasketLine
from orders.sales.queries import basket_count, basket_of
from tests import makers
from tests.web import given, person


def put(session, key, pack, count, by=makers.SOMEBODY, **more):
    return sales.put_in_basket(session, key, pack.id, count, by=by, now=makers.NOON, **more)


def test_putting_says_how_many_lie_there_and_never_more_than_an_order_may_hold(session):
    pack = makers.pack_of(makers.sold_product(session))

    for count in (3, 3):
        put(session, "a", pack, count)
    assert basket_count(session, "a", None) == 3
    put(session, "a", pack, 2, add=True)
    assert basket_count(session, "a", None) == 5
    put(session, "a", pack, 99)
    assert basket_count(session, "a", None) == 20
    put(session, "a", pack, 0)
    assert basket_of(session, "a", None).lines == []
    assert basket_of(session, "b", None) is None


def test_what_is_not_for_citizens_does_not_go_in(session):
    canteens = makers.pack_of(makers.sold_product(session), Shelf.CANTEENS)

    with pytest.raises(Missing):
        put(session, "a", canteens, 1)


def test_signing_in_joins_both_baskets_and_keeps_the_larger_count(session):
    radish = makers.pack_of(makers.sold_product(session))
    rice = makers.pack_of(makers.sold_product(session))
    me = makers.acting(makers.user(session))
    put(session, "mine", radish, 2, by=me)
    put(session, "browser", radish, 5)
    put(session, "browser", rice, 1)

    for _ in range(2):
        sales.merge_baskets(session, "browser", by=me, now=makers.NOON)

    mine = basket_of(session, None, me.user_id)
    assert {line.pack_id: line.count for line in mine.lines} == {radish.id: 5, rice.id: 1}
    assert session.scalar(sa.select(sa.func.count(Basket.id))) == 1


def test_a_first_basket_is_simply_taken_over(session):
    radish = makers.pack_of(makers.sold_product(session))
    me = makers.acting(makers.user(session))
    put(session, "browser", radish, 5)

    sales.merge_baskets(session, "browser", by=me, now=makers.NOON)

    assert basket_count(session, None, me.user_id) == 5
    assert session.scalar(sa.select(sa.func.count(BasketLine.id))) == 1


def test_nobody_sees_anothers_basket(session):
    radish = makers.pack_of(makers.sold_product(session))
    me, other = (makers.acting(makers.user(session)) for _ in range(2))
    put(session, "mine", radish, 2, by=me)

    assert basket_count(session, "mine", None) == 0
    assert basket_count(session, None, other.user_id) == 0


def test_the_mark_in_the_head_counts_and_nonsense_changes_nothing(app, db):
    with given(db) as session:
        pack = makers.pack_of(makers.sold_product(session))
    visitor = person(app).open("/cart").sees("Nothing in the basket yet")
    token = visitor.page.find("input", {"name": "csrf_token"})["value"]

    def post(status, **fields):
        data = {"csrf_token": token, **fields}
        assert visitor.client.post("/cart", data=data).status_code == status

    post(303, pack=str(pack.id), count="２")
    for nonsense in (
        {"pack": "x", "count": "1"},
        {"pack": "1" * 30},
        {"pack": "999", "count": "1"},
    ):
        post(404, **nonsense)
    post(404, pack=str(pack.id), count="-1")
    visitor.open("/cart").sees("Basket 2", "¥58.00")
    visitor.press("Take out Space radish").sees("Nothing in the basket yet")
