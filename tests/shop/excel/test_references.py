"""Prices seen elsewhere as a table: in at every door, row by row explained. That what is
taken out and brought in again changes nothing is shown with the others, in `test_round_trip`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.products.models import ReferencePrice, ReferenceSource
from kernel.actors import Door, Role
from kernel.money import Price
from tests import makers
from tests.shop.excel.books import book, upload
from tests.web import given, person

HEAD = ["品名", "价格来源", "采价地点", "参考价(元/斤)", "采价日期"]
ROWS = [
    ["太空萝卜", "批发市场", "黔江农产品批发市场", 1.4, "2026年11月20日"],
    ["R01", "超市", "永辉黔江店", "２.００元/斤", "20261121"],
    ["太空萝卜", "周边", "濯水 镇集市", 1.5, "2026/11/22"],
]


class Desks:
    def __init__(self, db, app):
        self.db, self.app = db, app
        with given(db) as session:
            supplier = makers.supplier(session, code="SS")
            makers.product(session, supplier, code="R01", name_zh="太空萝卜", on_sale=True)
            far = makers.supplier(session, code="FF", region_code="500114124000")
            makers.product(session, far, code="X01", name_zh="别家的茶", on_sale=True)
            bodies = {
                Role.OFFICIAL: makers.organisation(session, "水市镇人民政府"),
                Role.DISTRICT: makers.organisation(
                    session, "黔江区发展改革委", region_code="500114000000"
                ),
                Role.OPERATOR: makers.organisation(session, "溯田"),
            }
            self.users = {role: makers.member(session, body, role) for role, body in bodies.items()}

    def sign_in(self, role, lang="en"):
        return person(self.app, self.users[role], lang=lang)

    def seen(self):
        with self.db.reading() as session:
            return session.scalars(sa.select(ReferencePrice).order_by(ReferencePrice.id)).all()


@pytest.fixture
def desks(db, app):
    return Desks(db, app)


def test_a_messy_table_is_explained_and_then_taken_in_once(desks):
    official = desks.sign_in(Role.OFFICIAL).open("/office/prices")
    official.follow("Excel: bring in, take out")
    wrong = [
        ["太空萝卜", "网店", "某平台", 2, "2026-11-20"],
        ["别家的茶", "超市", "永辉", 2, "2026-11-20"],
        ["太空萝卜", "超市", "", 2, "2026-11-20"],
        ["太空萝卜", "超市", "永辉", -1, "2026-11-20"],
        ["太空萝卜", "超市", "永辉", 2, "2027-11-20"],
    ]
    upload(official, "/office/excel/references", book([HEAD, *ROWS, *wrong, ROWS[0]]))
    official.sees(
        "Would be added 3", "Rejected 5", "Write one of", "There is no product 别家的茶 here.",
        "or earlier", "Enter a price in yuan",
    )  # fmt: skip
    assert desks.seen() == []
    upload(official, "/office/excel/references", book([HEAD, *ROWS])).press("Take in 3 rows")
    told = [(each.source, each.place, each.unit_price) for each in desks.seen()]
    assert told == [
        (ReferenceSource.WHOLESALE, "黔江农产品批发市场", Price(28_000)),
        (ReferenceSource.SUPERMARKET, "永辉黔江店", Price(40_000)),
        (ReferenceSource.NEIGHBOURS, "濯水 镇集市", Price(30_000)),
    ]
    assert {each.door for each in desks.seen()} == {Door.IMPORT}
    upload(official, "/office/excel/references", book([HEAD, *ROWS])).sees("Unchanged 3")
    assert len(desks.seen()) == 3
    upload(
        official, "/office/excel/references", book([HEAD, [*ROWS[0][:3], 1.6, ROWS[0][4]]])
    ).press("Take in one row")
    assert [each.unit_price for each in desks.seen()][-1] == Price(32_000)


def test_each_desk_reaches_its_own_goods(desks):
    row = ["X01", "超市", "永辉", 30, "2026-11-20"]
    head = [*HEAD[:3], "参考价", HEAD[4]]
    for role, desk, may in (
        (Role.OFFICIAL, "office", False), (Role.DISTRICT, "office", True),
        (Role.OPERATOR, "admin", True),
    ):  # fmt: skip
        page = desks.sign_in(role)
        upload(page, f"/{desk}/excel/references", book([head, row]))
        if may:
            page.does_not_see("There is no product")
        else:
            page.sees("There is no product X01 here.")
    desks.sign_in(Role.DISTRICT).open("/office/excel/households", status=403)
    desks.sign_in(Role.OPERATOR).open("/admin/excel/households", status=404)
    desks.sign_in(Role.OPERATOR, "zh").open("/admin/excel").sees("参考价记录")
