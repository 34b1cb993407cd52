"""`flask import` and `flask template`: the same tables at the terminal."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.households.models import Household
from catalog.products.models import (
    Pack,
    Product,
    ProductState,
    ProductVersion,
    PurchasePrice,
    VersionState,
)
from kernel.actors import Door
from kernel.money import Price
from kernel.sheets import read_grid
from kernel.storage import StoredFile
from shop.excel.models import ImportRun, ImportState, OnError
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.shop.excel.books import book
from tests.web import given

HEAD = ["户主", "村", "组", "人口"]


@pytest.fixture
def flask(app):
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(each) for each in arguments])


def rows_of(db, model):
    with db.reading() as session:
        return session.scalars(sa.select(model).order_by(model.id)).all()


def test_a_dry_run_tells_and_changes_nothing_and_the_real_run_tells_the_same(flask, db, tmp_path):
    file = tmp_path / "农户.xlsx"
    file.write_bytes(book([HEAD, ["张三", "大山村", 3, 4], ["李四", "大山村", 3, "四"]]))

    dry = flask("import", "households", file, "--dry-run", "--on-error", "reject-rows")
    assert (dry.exit_code, rows_of(db, Household), rows_of(db, ImportRun)) == (1, [], [])
    assert "2: added: 张三 大山村 3" in dry.output
    assert "3: rejected: D3 人口" in dry.output
    assert "1 added, 0 changed, 0 unchanged, 1 rejected" in dry.output

    all_or_nothing = flask("import", "households", file)
    assert (all_or_nothing.exit_code, rows_of(db, Household)) == (1, [])
    real = flask("import", "households", file, "--on-error", "reject-rows")
    assert real.exit_code == 1
    assert real.output.splitlines() == dry.output.splitlines()[:-1]
    [home] = rows_of(db, Household)
    assert (home.name, home.door) == ("张三", Door.IMPORT)

    again = flask("import", "households", file, "--on-error", "reject-rows")
    assert "0 added, 0 changed, 1 unchanged, 1 rejected" in again.output
    runs = rows_of(db, ImportRun)
    assert [each.state for each in runs] == [
        ImportState.REFUSED, ImportState.DONE, ImportState.DONE,
    ]  # fmt: skip
    assert {(each.door, each.made_by_id) for each in runs} == {(Door.COMMAND, None)}


def test_a_file_that_is_none_says_so(flask, db, tmp_path):
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"<html>")
    result = flask("import", "households", file)
    assert result.exit_code == 1
    assert "网页" in result.output
    assert rows_of(db, ImportRun) == []
    assert flask("import", "weather", file).exit_code == 2


def test_a_new_cooperative_s_shelf_comes_in_with_packs_and_prices(flask, db, tmp_path):
    with given(db) as session:
        makers.supplier(session, code="S1")
        makers.category(session)
    shelf = tmp_path / "shelf.csv"
    shelf.write_text(
        "产品编码,产品名称,类别,供应商,保质期(天),采收季,面向,等级,规格,每份含量,每份售价(元),"
        "食堂单价(元/斤),计量方式\n"
        "r01,太空萝卜,蔬菜,S1,20,10-10~12-20,市民,一等,一箱,10斤,￥29.00,,称重\n"
        "R01,太空萝卜,,,,,食堂,统货,按公斤,1kg,,2.35,\n"
        "E01,土鸡蛋,蔬菜,S1,30天,,市民,一等,一盒,30枚,45,,计件\n",
        encoding="gb18030",
    )
    prices = tmp_path / "prices.xlsx"
    prices.write_bytes(
        book(
            [
                ["品名", "等级", "收购价(元/斤)", "生效日期", "决议文号"],
                ["太空萝卜", "一等", 1.8, "2026年12月1日", "水市社2026-9号"],
                ["太空萝卜", "一等", 1.6, "20260101", "水市社2026-1号"],
            ]
        )
    )
    first = flask("import", "products", shelf)
    assert first.exit_code == 0, first.output
    assert "3" in first.output
    eggs = next(each for each in rows_of(db, Product) if each.code == "E01")
    assert flask("import", "prices", prices).exit_code == 0

    radish = rows_of(db, Product)[0]
    assert (radish.code, radish.state, radish.harvest) == (
        "R01", ProductState.DRAFT, [["10-10", "12-20"]],
    )  # fmt: skip
    packs = [(each.content, each.price, each.unit_price) for each in rows_of(db, Pack)]
    assert packs[:2] == [(5_000, makers.BOX_PRICE, None), (1_000, None, Price(47_000))]
    told = [
        (each.price, each.valid_from.month, each.valid_to) for each in rows_of(db, PurchasePrice)
    ]
    assert told == [(Price(32_000), 1, makers.date(2026, 11, 30)), (Price(36_000), 12, None)]
    assert eggs.shelf_life_days == 30

    for kind, file in (("products", shelf), ("prices", prices)):
        again = flask("import", kind, file)
        assert (again.exit_code, "0 added, 0 changed" in again.output) == (0, True), again.output


def test_a_price_never_begins_before_goods_that_were_weighed_at_another(flask, db, tmp_path):
    with given(db) as session:
        product = makers.sold_product(session, (), code="R01")
        makers.purchase_price(session, product)
        makers.slip(session, product, makers.household(session))
    file = tmp_path / "prices.xlsx"
    head = ["产品", "等级", "收购价", "生效日期", "决议文号"]
    file.write_bytes(book([head, ["R01", "一等", 9, "2026-11-20", "9号"]]))
    result = flask("import", "prices", file)
    assert result.exit_code == 1
    assert "D2" in result.output
    assert [each.price for each in rows_of(db, PurchasePrice)] == [makers.FARM_PRICE]


def test_describing_a_product_in_the_shop_again_waits_for_the_operator(flask, db, tmp_path):
    with given(db) as session:
        product = makers.sold_product(session, (1_000,), code="R01", name_zh="萝卜")
        assert "dashan" in product.search_text
    file = tmp_path / "p.xlsx"
    file.write_bytes(book([["产品编码", "产品名称", "保质期"], ["R01", "水果萝卜", 25]]))
    result = flask("import", "products", file)
    assert "萝卜 → 水果萝卜" in result.output
    [shown] = rows_of(db, Product)
    [written] = rows_of(db, ProductVersion)
    assert (shown.name_zh, written.state) == ("萝卜", VersionState.DRAFT)
    assert (written.content["name_zh"], written.content["shelf_life_days"]) == ("水果萝卜", 25)
    again = flask("import", "products", file)
    assert "0 added, 0 changed" in again.output


def test_a_new_pack_of_a_product_in_the_shop_is_not_added_by_a_table(flask, db, tmp_path):
    with given(db) as session:
        product = makers.sold_product(session, (1_000,), code="R01")
    before = len(rows_of(db, Pack))
    file = tmp_path / "p.xlsx"
    head = ["产品编码", "产品名称", "面向", "等级", "每份含量", "每份售价"]
    file.write_bytes(book([head, ["R01", product.name_zh, "零售", "一等", "7kg", 30]]))
    result = flask("import", "products", file)
    assert result.exit_code == 1
    assert len(rows_of(db, Pack)) == before


@pytest.mark.parametrize("kind", ["households", "products", "prices", "lots", "references"])
def test_the_template_is_written(flask, kind, tmp_path):
    file = tmp_path / "form.xlsx"
    assert flask("template", kind, file).exit_code == 0
    rows = [row for row in read_grid(file.read_bytes()).rows if any(row)]
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("wrong", "name"),
    [({"rejected": 1, "rows": 2}, "imports.outcomes"), ({"confirmed": True}, "imports.two_people")],
)
def test_the_self_check_sees_a_file_that_cannot_have_come_in_so(flask, db, wrong, name):
    with given(db) as session:
        someone = makers.user(session)
        file = StoredFile(
            sha256="a" * 64, size=1, media_type="x", name="a", **makers.stamp(SOMEBODY, NOON)
        )
        session.add(file)
        session.flush()
        confirmed = wrong.get("confirmed")
        session.add(
            ImportRun(
                code="A" * 10, kind="lots", file_id=file.id, sha256="a" * 64,
                state=ImportState.DONE, on_error=OnError.REJECT_ALL,
                rows=wrong.get("rows", 1), added=1, rejected=wrong.get("rejected", 0),
                confirmed_by_id=someone.id if confirmed else None,
                **makers.stamp(makers.acting(someone), NOON),
            )
        )  # fmt: skip
    result = flask("selfcheck")
    assert result.exit_code == 1
    assert f"NO  {name} " in result.output
