"""From any code both ways: what is reached forward reaches back, and nobody reads too much."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.households.rules import Viewer
from catalog.lots import operations as lots
from catalog.lots.models import WeighSlip
from catalog.products.models import Grade
from kernel.actors import Role
from kernel.errors import Missing
from kernel.people import Organisation, OrganisationKind
from orders.sales.models import Order
from orders.tracing.queries.starts import Reach, StartKind, start_at
from orders.tracing.queries.ways import walk
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.orders.agencies import canteens
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


class Township:
    """Radish of two households, half of it dried into another lot; orders of both."""

    def __init__(self, session):
        self.of = canteens.canteen(session, nets=(120_000, 80_000))
        fresh = self.of.product
        self.dried_product = makers.sold_product(session, (), of=self.of.supplier)
        self.fresh = session.scalars(
            sa.select(makers.Lot).where(makers.Lot.product_id == fresh.id)
        ).one()
        self.dried = lots.process_lot(
            session, supplier_id=self.of.supplier.id, inputs={self.fresh.id: 80_000},
            output_product_id=self.dried_product.id, output_grade=Grade.FIRST,
            output_quantity=20_000, step="晒干", on=makers.TODAY,
            best_before=makers.TODAY + makers.days(90), **DID,
        )  # fmt: skip
        self.bulk = canteens.accepted(session, self.of, kg=50)
        self.order = session.get(Order, self.bulk.order_id)
        self.citizen = makers.paid_order(session, self.dried_product, 2)

    def reach(self, viewer=Viewer.SUPPLIER):
        return Reach(viewer, supplier_id=self.of.supplier.id)


@pytest.fixture
def town(session):
    return Township(session)


def from_(session, town, code, **given):
    reach = town.reach(**given)
    return walk(session, start_at(session, code, reach), reach)


def test_what_is_reached_forward_reaches_back_to_the_lot(session, town):
    for lot in (town.fresh, town.dried):
        forward = from_(session, town, lot.code)
        assert forward.goings
        for going in forward.goings:
            back = from_(session, town, going.order_number)
            reached = {*back.start.lot_ids, *(link.lot_id for link in back.steps_back)}
            assert lot.id in reached, going.order_number
    assert {each.order_number for each in from_(session, town, town.fresh.code).goings} == {
        town.order.number, town.citizen.number,
    }  # fmt: skip


def test_every_household_reached_back_reaches_the_order_forward(session, town):
    back = from_(session, town, town.citizen.number)
    assert back.start.kind is StartKind.ORDER
    assert {each.household for each in back.origins if each.lot_id == town.fresh.id}
    for code in {each.household_code for each in back.origins}:
        forward = from_(session, town, code)
        assert forward.start.kind is StartKind.HOUSEHOLD
        assert {each.household_code for each in forward.origins} == {code}
        assert all(each.lot_id in forward.start.lot_ids or each.shipped == 0
                   for each in forward.goings)  # fmt: skip


def test_slips_plots_shipments_and_acceptances_stand_on_the_way(session, town):
    slip = session.scalars(sa.select(WeighSlip).order_by(WeighSlip.id)).first()
    found = from_(session, town, slip.number.lower())
    assert found.start.kind is StartKind.SLIP
    assert len({each.household_code for each in found.origins}) == 1
    assert any(slip.number in each.slips for each in found.origins)
    [unit] = [e for e in from_(session, town, town.order.number).goings if e.shipments]
    assert unit.accepted
    assert unit.shipped == 50_000


def test_the_balance_of_every_lot_closes_and_the_walk_says_so(session, town):
    found = from_(session, town, town.dried.code)
    assert [each.depth for each in found.lots] == [-1, 0]
    assert found.differences == 0
    fresh = found.lot(town.fresh.id).balance
    assert (fresh.came_in, fresh.processed, fresh.shipped) == (200_000, 80_000, 50_000)


def test_names_follow_the_matrix(session, town):
    said = {}
    for viewer in (Viewer.SUPPLIER, Viewer.TOWNSHIP, Viewer.COUNTY, Viewer.AUDITOR, Viewer.BUYER):
        origins = from_(session, town, town.fresh.code, viewer=viewer).origins
        said[viewer] = {(each.household[1:], each.group_no is None) for each in origins}
    assert all(name != "*" for name, _ in said[Viewer.SUPPLIER] | said[Viewer.TOWNSHIP])
    assert said[Viewer.COUNTY] == said[Viewer.AUDITOR] == {("*", True)}
    buyers = from_(session, town, town.dried.code).goings
    assert [each.buyer for each in buyers] == ["林*"]


def test_another_s_goods_do_not_exist(session, town):
    stranger = makers.supplier(session)
    reach = Reach(Viewer.SUPPLIER, supplier_id=stranger.id)
    slip = session.scalars(sa.select(WeighSlip.number)).first()
    for code in (town.fresh.code, town.order.number, slip, "nothing", ""):
        with pytest.raises(Missing):
            start_at(session, code, reach)
    elsewhere = Reach(Viewer.TOWNSHIP, prefixes=("500114126",))
    with pytest.raises(Missing):
        start_at(session, town.fresh.code, elsewhere)
    assert start_at(session, town.fresh.code, Reach(Viewer.TOWNSHIP, prefixes=("500114125",)))


def test_each_desk_walks_both_ways_in_a_fixed_number_of_statements(db, app, statements):
    with given(db) as session:
        town = Township(session)
        office = makers.organisation(session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT)
        people = {
            "/coop/trace": makers.member(
                session, session.get(Organisation, town.of.coop.id), Role.MANAGER
            ),
            "/office/trace": makers.member(session, office, Role.OFFICIAL),
            "/audit/trace": makers.member(session, office, Role.AUDITOR),
        }
    for address, user in people.items():
        page = person(app, user).open(address).sees("Where shall the walk begin?")
        page.open(f"{address}?code=NOTHING").sees("There is nothing with this code")
        page.open(f"{address}?code={town.fresh.code}")
        page.sees("晒干", town.order.number, "黔江区实验小学", "balance closes")
        page.does_not_see("13855501234", "松牌路")
    sent = len(statements)
    page.open(f"/audit/trace?code={town.fresh.code}")
    before = len(statements) - sent
    with given(db) as session:
        product = session.get(makers.Product, town.of.product.id)
        makers.stock(session, product, (5_000,) * 6)
        canteens.accepted(session, town.of, kg=1)
    sent = len(statements)
    page.open(f"/audit/trace?code={town.fresh.code}")
    assert len(statements) - sent == before
