"""价格监测: our prices beside those elsewhere, exact to the verdict, the same at three desks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given as examples
from hypothesis import strategies as st

from catalog.products import operations as products
from catalog.products.models import Audience, PriceMeasure, ReferencePrice, ReferenceSource, Shelf
from catalog.products.queries import watched_prices
from catalog.products.rules.watching import Seen, compare
from kernel.actors import Role
from kernel.errors import Invalid, Missing
from kernel.money import Price
from kernel.people import OrganisationKind
from orders.agencies.models import UnitKind
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
prices = st.integers(1, 10**7)


def seen(source, place, price, days=0):
    return Seen(source, place, Price(price), TODAY - timedelta(days=days))


@examples(prices, prices, st.integers(0, 5_000))
def test_a_price_is_flagged_exactly_beyond_the_band(ours, theirs, band):
    found = compare(Price(ours), [seen("wholesale", "市场", theirs)], TODAY)
    assert found.flagged(band) == (abs(ours - theirs) * 10_000 > band * theirs)


@examples(st.lists(st.tuples(st.sampled_from(["wholesale", "supermarket"]), prices), min_size=1))
def test_every_source_counts_once_however_many_places_it_has(rows):
    found = compare(Price(1), [seen(s, f"{n}", p) for n, (s, p) in enumerate(rows)], TODAY)
    means = [
        sum(p for s, p in rows if s == kind) / sum(1 for s, _ in rows if s == kind)
        for kind in {s for s, _ in rows}
    ]
    assert abs(found.reference.per_unit - sum(means) / len(means)) <= 1


def test_what_was_seen_long_ago_or_is_yet_to_come_says_nothing():
    old = [seen("wholesale", "市场", 100, days=61), seen("wholesale", "市场", 100, days=-1)]
    assert compare(Price(100), old, TODAY).deviation is None
    assert compare(Price(100), [seen("wholesale", "市场", 100, days=60)], TODAY).deviation == 0


@pytest.fixture
def radish(session):
    return makers.sold_product(session, ())


def reference(radish, price=50_000, *, place="正阳市场", days=0, source=ReferenceSource.WHOLESALE):
    return products.Seen(radish.id, source, place, Price(price), TODAY - timedelta(days=days))


def test_the_newest_price_of_a_place_counts_and_the_same_is_not_written_twice(session, radish):
    rows = [reference(radish, 40_000, days=9), reference(radish, 50_000)]
    assert len(products.record_references(session, rows, **DID)) == 2
    assert products.record_references(session, rows, **DID) == []
    [loose, box] = watched_prices(session, TODAY)
    assert loose.pack.shelf is Shelf.CANTEENS
    assert loose.comparison.deviation_bp == 2_000, "6.00 is 20 % above 5.00"
    assert (loose.comparison.flagged(1_500), loose.comparison.flagged(2_000)) == (True, False)
    assert box.comparison.deviation_bp == 1_600, "29.00 for 5 kg is 5.80"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"price": 0}, "price"), ({"days": -1}, "seen_on"), ({"place": " "}, "place")],
)
def test_a_price_that_cannot_be_is_refused_and_none_of_its_company_is_kept(
    session, radish, wrong, field
):
    rows = [reference(radish), reference(radish, **wrong)]
    with pytest.raises(Invalid) as refused:
        products.record_references(session, rows, **DID)
    assert field in refused.value.errors
    assert session.scalar(sa.select(sa.func.count()).select_from(ReferencePrice)) == 0
    with pytest.raises(Missing):
        products.record_references(
            session, [products.Seen(99, ReferenceSource.WHOLESALE, "x", Price(1), TODAY)], **DID
        )


def test_every_kind_of_unit_is_an_audience():
    assert {each.value for each in UnitKind} < {each.value for each in Audience}


class Desks:
    def __init__(self, db, app):
        self.app = app
        with given(db) as session:
            ours = makers.supplier(session, "水市镇联合社")
            other = makers.supplier(session, "别处合作社", region_code="500115000000")
            self.radish = makers.sold_product(session, (), of=ours, code="R01", slug="radish")
            makers.sold_product(session, (), of=other, name_zh="别处白菜", name_en="Far cabbage")
            town = makers.organisation(session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT)
            us = makers.organisation(session, "溯田", kind=OrganisationKind.PLATFORM)
            body = session.get(makers.Organisation, ours.organisation_id)
            self.people = {
                Role.OFFICIAL: makers.member(session, town, Role.OFFICIAL),
                Role.OPERATOR: makers.member(session, us, Role.OPERATOR),
                Role.MANAGER: makers.member(session, body, Role.MANAGER),
            }

    def sits(self, role, path):
        return person(self.app, self.people[role]).open(path)


@pytest.fixture
def desks(db, app):
    return Desks(db, app)


def test_an_official_writes_prices_down_and_three_desks_see_who_stands_out(db, desks):
    page = desks.sits(Role.OFFICIAL, "/office/prices").sees("nothing to compare")
    page.does_not_see("Far cabbage")
    page.press("Write it down", Where="", Price="-3", status=422).sees("fill this in", "a price")
    page.press("Write it down", Where="正阳市场", Price="５．００").sees("1 price was written down")
    page.again()
    page.open("/office/prices").sees("+20.00 %", "stands out", "2 prices are flagged")
    page.press("Write it down", measure="已约谈")
    for role, path in ((Role.OPERATOR, "/admin/prices"), (Role.MANAGER, "/coop/market")):
        desks.sits(role, path).sees("+20.00 %", "stands out", "已约谈")
    desks.sits(Role.MANAGER, "/coop/market").does_not_see("A price seen elsewhere", "Far cabbage")
    desks.sits(Role.OPERATOR, "/admin/prices").sees("Far cabbage")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ReferencePrice)) == 1
        assert session.scalars(sa.select(PriceMeasure)).one().text == "已约谈"


def test_rows_from_a_sheet_come_in_all_or_none_and_each_bad_one_is_named(db, desks):
    page = desks.sits(Role.OPERATOR, "/admin/prices")
    good = "R01\t批发市场\t正阳市场\t5.20\t2026-11-20\n太空萝卜，商超，重百，６.８0，2026年11月21日"
    bad = f"{good}\nR01\t批发\t正阳\t五块\t2026-11-20\nX99\t商超\t重百\t1\t2026-11-20"
    page.press("Import these rows", status=422, pasted=bad).sees("Row 3", "Row 4")
    assert page.page.find("textarea", attrs={"name": "pasted"}).get_text().strip() == bad
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ReferencePrice)) == 0
    page.press("Import these rows", pasted=good).sees("2 prices were written down")
    page.open("/admin/prices").press("Import these rows", pasted=good).sees("known already")
    with db.reading() as session:
        found = session.scalars(sa.select(ReferencePrice).order_by(ReferencePrice.id)).all()
    assert [(each.unit_price.yuan, each.seen_on) for each in found] == [
        ("5.20", date(2026, 11, 20)), ("6.80", date(2026, 11, 21)),
    ]  # fmt: skip
