"""Agreed prices: seen in the grid, frozen on the line, paid at acceptance, whatever comes later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from catalog.products import operations as products
from catalog.products.models import Audience, PriceList
from kernel.errors import Invalid
from kernel.money import Money, Price
from orders.agencies import operations
from orders.agencies.operations import GridLine
from orders.sales.models import OrderLine
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.orders.agencies import canteens
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


def agree(session, of, unit_price, *, steps=(), begin=0, end=30, **buyers):
    return products.agree_prices(
        session,
        of.supplier.id,
        name="协议",
        prices={of.pack.id: products.Agreed(Price(unit_price), steps)},
        valid_from=TODAY + makers.days(begin),
        valid_to=TODAY + makers.days(end),
        **buyers,
        **DID,
    )


def ordered(session, of, kg, *, days=0):
    [bulk] = operations.submit_order(
        session, of.unit.id, lines=[GridLine(pack_id=of.pack.id, quantity=kg * 1000)],
        request_key=f"request-{of.next()}", by=of.buyer, now=NOON + makers.days(days),
    )  # fmt: skip
    return session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.order_id == bulk.order_id)
        .execution_options(populate_existing=True)
    ).one()


def test_the_narrowest_list_of_the_day_prices_the_line_and_stays_on_it(session):
    of = canteens.canteen(session, nets=(900_000,))
    assert ordered(session, of, 10).unit_price == Price(60_000)
    agree(session, of, 58_000, audience=Audience.UNIT)
    schools = agree(session, of, 56_000, audience=Audience.SCHOOL, steps=((50_000, 54_000),))
    agree(session, of, 10_000, audience=Audience.HOSPITAL)
    few, many = ordered(session, of, 49), ordered(session, of, 50)
    assert (few.unit_price, few.amount) == (Price(56_000), Money(27_440))
    assert (many.unit_price, many.amount) == (Price(54_000), Money(27_000))
    assert few.price_list_id == many.price_list_id == schools.id
    own = agree(session, of, 57_000, organisation_id=of.body.id)
    assert ordered(session, of, 50).price_list_id == own.id, "dearer, but it is what was agreed"
    products.end_price_list(session, of.supplier.id, own.id, by=SOMEBODY, now=NOON + makers.days(1))
    assert ordered(session, of, 50, days=1).price_list_id == schools.id
    session.refresh(few)
    assert few.unit_price == Price(56_000)


def test_one_pack_on_several_lines_is_bought_together(session):
    of = canteens.canteen(session, nets=(900_000,))
    products.change_price(session, of.pack.id, value=60_000, steps=[(100_000, 50_000)], **DID)
    [bulk] = operations.submit_order(
        session, of.unit.id,
        lines=[
            GridLine(pack_id=of.pack.id, quantity=60_000, deliver_on=TODAY + makers.days(n))
            for n in (1, 2)
        ],
        request_key="two-days", by=of.buyer, now=NOON,
    )  # fmt: skip
    lines = session.scalars(sa.select(OrderLine).where(OrderLine.order_id == bulk.order_id)).all()
    assert [each.amount for each in lines] == [Money(30_000), Money(30_000)]


def test_the_canteen_pays_what_was_agreed_when_it_ordered(session):
    of = canteens.canteen(session)
    agree(session, of, 50_000, organisation_id=of.body.id)
    bulk = canteens.signed(session, of, kg=20)
    products.change_price(session, of.pack.id, value=30_000, **DID)
    acceptance = canteens.accept(session, of, canteens.ship(session, of, bulk))
    assert acceptance.amount == Money(10_000), "20 kg at 5.00"


def test_the_grid_shows_this_canteens_price_and_orders_at_it(app, db):
    with given(db) as session:
        of = canteens.canteen(session)
        agree(session, of, 55_000, audience=Audience.SCHOOL, steps=((100_000, 52_000),))
        hospital = canteens.unit(session, "黔江中心医院", kind=canteens.UnitKind.HOSPITAL)
        body = session.get(makers.Organisation, hospital.organisation_id)
        stranger = makers.member(session, body, makers.Role.BUYER, name="别家")
        buyer = session.get(makers.User, of.buyer.user_id)
    page = person(app, buyer).open("/canteen/orders/new")
    page.sees("5.50", "agreed price", "from 100 kg: 5.20")
    assert page.page.find(attrs={"data-ladder": "0:55000 100000:52000"})
    page.press("Submit for approval", **{f"q-{of.pack.id}": "100"})
    with db.reading() as session:
        line = session.scalars(sa.select(OrderLine)).one()
    assert (line.unit_price, line.amount) == (Price(52_000), Money(52_000))
    other = person(app, stranger).open("/canteen/orders/new").does_not_see("agreed price")
    assert other.page.find(attrs={"data-ladder": "0:60000"})


@pytest.mark.race
def test_two_accountants_cannot_agree_overlapping_lists_at_once(db):
    with given(db) as session:
        of = canteens.canteen(session)

    def one(number):
        try:
            with db.transaction() as session:
                agree(session, of, 50_000 + number, audience=Audience.SCHOOL)
        except Invalid:
            return "refused"
        return "agreed"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(one, range(6)))
    assert sorted(outcomes) == ["agreed"] + ["refused"] * 5
    with db.reading() as session:
        assert len(session.scalars(sa.select(PriceList)).all()) == 1
