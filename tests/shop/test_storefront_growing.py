"""The public pages of a shop that is empty, and of one that grows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.products.models import Category
from kernel.money import total
from kernel.people import OrganisationKind
from orders.sales.models import BuyerKind, Order
from orders.shares.models import SplitPart
from shop.storefront import queries
from tests import makers
from tests.shop import shop_window
from tests.web import given


@pytest.mark.parametrize("address", ["/", "/products", "/impact", "/trace", "/search?q=x"])
def test_an_empty_shop_says_so(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    assert "<h1" in answer.text


def test_the_number_of_questions_does_not_grow_with_the_shelf(db, client, statements):
    def asked():
        client.get("/products")
        statements.clear()
        client.get("/products")
        return len(statements)

    with given(db) as session:
        makers.category(session)
        _goods(session, 2)
    few = asked()
    with given(db) as session:
        _goods(session, 12)
    assert asked() == few


def _goods(session, count):
    shelf = session.scalars(sa.select(Category)).one()
    for _ in range(count):
        makers.contribution(session, makers.product(session, on_sale=True, category_=shelf))


def test_what_a_hidden_unit_bought_is_in_no_public_figure(db):
    with given(db) as session:
        shop_window.build(session)
        whole = queries.year_of_money(session, 2026).total
        hidden = makers.organisation(session, "某队", kind=OrganisationKind.UNIT, sensitive=True)
        order = session.scalars(sa.select(Order)).first()
        order.buyer_kind, order.organisation_id = BuyerKind.UNIT, hidden.id
        session.flush()
        theirs = session.scalars(
            sa.select(SplitPart).where(SplitPart.order == f"order:{order.id}")
        ).all()
        left_out = total(each.amount for each in theirs)
        assert left_out
        assert queries.year_of_money(session, 2026).total == whole - left_out
        assert queries.year_of_shares(session, 2026, makers.TODAY) is None, "its year still runs"
