"""A harvest is announced, a canteen orders it, the frost takes a part, the rest comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from catalog.lots.models import Lot, LotState
from catalog.lots.models.harvests import Harvest, HarvestPart
from kernel.actors import Role
from kernel.errors import Refusal
from kernel.people import Organisation, User
from orders.agencies import operations
from orders.sales.models import Allocation, Order
from tests import makers
from tests.orders.agencies import canteens
from tests.orders.agencies.harvests import COMES, DAY, agree, comes, growers, harvest, homes_of
from tests.web import given, person

PAGE = "/coop/stock/harvests"


def people(session, of, *names):
    return [session.get_one(User, getattr(of, name).user_id) for name in names]


def test_a_harvest_is_announced_ordered_cut_short_and_brought_in(app, db, clock):
    with given(db) as session:
        of = canteens.canteen(session, nets=(10_000,))
        of.product.most_yield_kg_per_mu = 1000
        homes = growers(session, of)
        one, two = (f"part-{home.id}" for home in homes)
        code = of.product.code
        keeper, buyer = people(session, of, "storekeeper", "buyer")
    coop = person(app, keeper).open(PAGE).sees("No harvest is announced")
    coop.open(f"{PAGE}/new?product={code}")
    window = {"available_from": "2026-12-10", "good_until": "2026年12月31日"}
    coop.press("Announce this harvest", status=422, **window, **{one: "100", two: "5000"})
    coop.sees("the fields bear 1100 kg more at most")
    assert coop.page.find("input", {"name": two})["value"] == "5000"  # nothing typed is lost
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Harvest.id))) == 0
    coop.press("Announce this harvest", **{two: "１００"}).sees("Canteens can order from it")
    coop.again()  # a double click announces nothing more
    page = coop.path
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Harvest.id))) == 1
    canteen = person(app, buyer)
    canteen.open("/canteen/orders/new").sees("160 more from")

    with given(db) as session:
        of.product = session.merge(of.product)
        order_id = canteens.signed(session, of, kg=150, deliver_on=DAY).order_id
    with db.reading() as session:
        number = session.get_one(Order, order_id).number
        code = session.scalar(sa.select(Lot.code).where(Lot.state == LotState.EXPECTED))
        first = session.scalar(sa.select(sa.func.min(HarvestPart.id)))
    page = f"{PAGE}/{code}"
    coop.open(page).sees(number)
    coop.press("Correct what is expected", status=422, **{f"part-{first}": "50"}).sees(
        "Please fill this in"
    )
    coop.press("Correct what is expected", **{f"part-{first}": "50", "reason": "霜冻"})
    coop.sees("kg short")
    coop.open(PAGE).sees(number)
    coop.open("/coop/").sees("1 promise of a harvest is not covered")

    coop.open(page)
    coop.press("Write down the new day", status=422, deliver_on="2027-02-01")
    coop.press("Write down the new day", deliver_on="2026-12-20", Why="等货")
    coop.sees("the buyer gets a mail")
    canteen.open(f"/canteen/orders/{number}").sees("等货")

    with given(db) as session:
        of.product = session.merge(of.product)
        lot = comes(session, of, [(session.merge(home), 75) for home in homes])
    clock.now = COMES
    coop.open(page).press("Move the promises to this lot", lot=str(lot))
    coop.sees("Nothing of it is promised")
    with db.reading() as session:
        left = session.scalar(
            sa.select(sa.func.sum(Allocation.quantity - Allocation.released))
            .join(Lot, Lot.id == Allocation.lot_id)
            .where(Lot.state == LotState.EXPECTED)
        )
        assert left == 0
    coop.press("End this harvest", reason="收完了").sees("over: 收完了")


def test_another_cooperative_s_harvest_is_not_there(app, db):
    with given(db) as session:
        of = canteens.canteen(session)
        of.product.most_yield_kg_per_mu = 1000
        code = harvest(session, of, 100).lot.code
        other = makers.supplier(session, "邻镇合作社")
        body = session.get_one(Organisation, other.organisation_id)
        keeper = makers.member(session, body, Role.STOREKEEPER, name="外社库管")
    stranger = person(app, keeper)
    stranger.open(f"{PAGE}/{code}", status=404)
    stranger.open(PAGE).does_not_see(code)
    assert person(app).client.get(PAGE).status_code in (302, 303, 401)


def test_the_pages_ask_as_often_for_many_promises_as_for_one(app, db, statements):
    with given(db) as session:
        of = canteens.canteen(session)
        of.product.most_yield_kg_per_mu = 1000
        coming = harvest(session, of, 100)
        code = coming.lot.code
        canteens.signed(session, of, kg=20, deliver_on=DAY)
        [keeper] = people(session, of, "storekeeper")
    coop = person(app, keeper)
    asked = {}
    for round_ in (1, 2):
        for path in (PAGE, f"{PAGE}/{code}", "/coop/"):
            coop.open(path)
            statements.clear()
            coop.open(path)
            asked.setdefault(path, []).append(len(statements))
        if round_ == 1:
            with given(db) as session:
                of.product = session.merge(of.product)
                more = harvest(session, of, 50, 50, 50)
                assert len(homes_of(more)) == 3
                for _ in range(3):
                    canteens.signed(session, of, kg=30, deliver_on=DAY)
    assert all(len(set(numbers)) == 1 for numbers in asked.values()), asked


@pytest.mark.race
def test_two_orders_for_the_last_kilograms_of_a_harvest_cannot_both_have_them(db):
    with given(db) as session:
        of = canteens.canteen(session, nets=(1_000,))
        of.product.most_yield_kg_per_mu = 1000
        harvest(session, of, 100)
    start = threading.Barrier(2)

    def order(number):
        start.wait()
        try:
            with db.transaction() as session:
                [bulk] = operations.submit_order(
                    session, of.unit.id, request_key=f"race-{number}", deliver_on=DAY,
                    lines=[operations.GridLine(pack_id=of.pack.id, quantity=50_000)],
                    by=of.buyer, now=canteens.NOW,
                )  # fmt: skip
                assert bulk
        except Refusal:
            return "refused"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(order, (1, 2))) == ["done", "refused"]
    with db.reading() as session:
        agree(session)
