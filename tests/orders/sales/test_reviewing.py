"""Only who has it says how it is, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel.errors import Invalid, Missing, Refusal
from orders.sales.models import OrderLine, Review
from orders.sales.operations import mark_received, review_line, ship_order
from tests import makers


@pytest.fixture
def line(session):
    """A line of an order that has arrived."""
    order = makers.paid_order(session)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    ship_order(
        session, order.id, supplier_id=line.supplier_id, request_key="van", by=makers.SOMEBODY,
        now=makers.NOON,
    )  # fmt: skip
    mark_received(session, order.id, by=makers.SOMEBODY, now=makers.NOON)
    return line


def _review(session, line_id, **given):
    said = {"stars": 5, "text": "脆", "place": "重庆渝北"} | given
    now = makers.NOON + timedelta(days=1)
    return review_line(session, line_id, **said, by=makers.SOMEBODY, now=now)


def test_what_arrived_is_reviewed_once(session, line):
    review = _review(session, line.id)
    assert (review.product_id, review.stars, review.place) == (line.product_id, 5, "重庆渝北")
    assert _review(session, line.id) is review
    assert session.scalar(sa.select(sa.func.count()).select_from(Review)) == 1
    with pytest.raises(Refusal, match="already"):
        _review(session, line.id, stars=1)


def test_what_is_on_its_way_is_not_reviewed(session):
    order = makers.paid_order(session)
    line = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id)).one()
    with pytest.raises(Refusal, match="arrived"):
        _review(session, line.id)


def test_stars_and_words_have_bounds(session, line):
    for wrong in ({"stars": 0}, {"stars": 6}, {"text": "好" * 1001}):
        with pytest.raises(Invalid):
            _review(session, line.id, **wrong)
    with pytest.raises(Missing):
        _review(session, 999_999)
