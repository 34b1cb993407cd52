"""The public pages of a shop that is empty, and of one that grows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.products.models import Category
from tests import makers
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
