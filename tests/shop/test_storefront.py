"""What anybody finds on the public pages, and what they never find there."""

from __future__ import annotations

import csv
import io
import os
import shutil
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from kernel.db import Database
from kernel.money import Money
from kernel.quantities import BaseUnit
from orders.shares.rules import split
from shop.storefront import queries, seasons
from tests import makers
from tests.conftest import KINDS, TEMPLATE
from tests.shop import shop_window
from tests.web import given

PAGES = (
    "/", "/products", "/products?sort=newest", "/categories/konjac", "/search", "/search?q=luobo",
    "/products/space-radish", "/villages/500114125201", "/trace", "/impact", "/help",
    "/accessibility",
)  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def database_url(request, tmp_path_factory):
    """One township for all tests of this file: public pages change nothing."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("window") / "window.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
        _furnish(url)
        yield url
        return
    engine = request.getfixturevalue("postgres_server")
    name = f"window_{os.getpid()}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = engine.url.set(database=name).render_as_string(hide_password=False)
    _furnish(url)
    yield url
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def _furnish(url):
    database = Database(url)
    with given(database) as session:
        shop_window.build(session)
    database.dispose()


@pytest.fixture
def window():
    """The township is there; see `database_url`."""


@pytest.fixture
def page(client):
    """The page at an address, read in Chinese unless said otherwise."""

    def read(address, *, status=200, lang="zh"):
        client.set_cookie("lang", lang)
        answer = client.get(address)
        assert answer.status_code == status, answer.text[:400]
        return BeautifulSoup(answer.text, "html.parser")

    return read


def words(page):
    return " ".join(page.main.get_text(" ", strip=True).split())


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("address", PAGES)
def test_every_public_page_opens_with_one_heading_and_a_title(window, page, address, lang):
    found = page(address, lang=lang)
    assert len(found.find_all("h1")) == 1
    assert found.title.text.endswith("溯田" if lang == "zh" else "Sutian")
    assert not found.find_all(style=True)


def test_home_leads_with_what_is_harvested_now(window, page):
    found = page("/")
    assert "霜打过了" in found.h1.text
    assert "小雪" in words(found)
    assert "438 份" in words(found)
    assert "六角七分" in words(found)


def test_home_leads_with_something_else_in_spring(window, app, clock, page):
    clock.instant = datetime(2027, 4, 10, 2, 0, tzinfo=UTC)
    assert "霜打过了" not in page("/").h1.text


def test_what_is_out_of_season_is_marked_on_the_shelf(window, page):
    line = page("/products").find("a", string="柏枝熏腊肉").find_parent("li")
    assert "还没到季节" in line.text
    assert "out" in line["class"]


def test_the_shelf_is_found_by_kind_village_and_words(window, page):
    def goods(address):
        return [each.text for each in page(address).select(".goods h3")]

    assert goods("/categories/konjac") == ["鲜魔芋", "魔芋粉"]
    assert goods("/products?category=konjac") == ["鲜魔芋", "魔芋粉"]
    assert goods(f"/products?village={makers.QINGLONG}") == ["太空萝卜", "新榨茶油"]
    assert goods("/search?q=lb") == ["太空萝卜"]
    assert goods("/search?q=ｌｕｏｂｏ") == ["太空萝卜"]
    assert goods("/products?sort=lowest_price")[0] == "高山白菜"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=x",
        "page=９",
        "page=99999999999",
        "sort=none",
        "village=' OR 1=1",
        "category=no",
    ],
)
def test_a_strange_address_is_no_error(window, page, query):
    page(f"/products?{query}")
    page(f"/search?q=luobo&{query}")


def test_a_search_for_nothing_known_says_what_to_do(window, page):
    found = page("/search?q=火龙果")
    assert "没有找到" in words(found)
    assert found.find("input", id="f-q")["value"] == "火龙果"


def test_a_box_of_ten_kilos_divides_as_the_worked_example_says(window, page):
    """domain.md §4.2 in the shop: ¥58.00, of which ¥37.60 reach households, 64.83 fen a yuan."""
    found = page("/products/space-radish")
    assert "其中 ¥37.60 归种它的农户，每一元里 64.83 分" in words(found)
    rows = {row.th.get_text(): row.td.text for row in found.select("#money tbody tr")}
    assert rows["运费"] == "¥11.60"
    assert rows["支付通道"] == "¥0.35"
    assert found.select_one("#money tfoot td").text == "¥58.00"


def test_another_pack_has_its_own_price_and_division(window, page):
    small = page("/products/space-radish").find("input", value=True, attrs={"name": "pack"})
    found = page(f"/products/space-radish?pack={small['value']}")
    assert "¥33.00" in found.select_one("#price").text
    assert found.select_one("#money tfoot td").text == "¥33.00"


def test_a_product_tells_its_villages_and_hides_small_counts(window, page):
    text = words(page("/products/space-radish"))
    assert "大山村 12 户" in text
    assert "茂溪村 <5 户" in text
    assert "青龙村 5+ 户" in text, "or the hidden count could be found by subtraction"


def test_only_letters_with_words_are_shown_but_all_are_counted(window, page):
    text = words(page("/products/space-radish"))
    assert "4.3 满分 5，共 3 条" in text
    assert "切开能照见人影" in text
    assert "按 1.1 kg 退了 ¥6.38" in text


def test_an_unknown_product_is_missing(window, page):
    page("/products/unicorn", status=404)
    page("/villages/000000000000", status=404)
    page("/categories/unicorn", status=404)


def test_the_code_on_a_bag_opens_its_road(window, db, page):
    with db.reading() as session:
        row = session.scalars(sa.select(makers.Lot).order_by(makers.Lot.id)).first()
    for typed in (row.code, row.trace_key, row.code.lower(), f"  {row.code} "):
        found = page(f"/trace/{typed}")
        assert row.code in words(found)
    assert "账实相符" in words(found)


def test_a_mistyped_code_keeps_what_was_typed(window, page):
    found = page("/trace/500114125-XX", status=404)
    assert found.find(id="f-code")["value"] == "500114125-XX"
    assert found.find(role="alert") is not None


def test_the_public_figures_add_up_and_hide_small_villages(window, page):
    found = page("/impact")
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in found.select("[aria-labelledby=i4] .ledger tbody tr")
    ]
    assert rows[0][0] == "茶园村"
    assert rows[-1][0] == "茂溪村"
    assert rows[-1][2:] == ["<5", "并入上面一行"]
    total = sum(round(float(row[3]) * 100) for row in rows[:-1])
    shown = round(
        float(found.select_one("[aria-labelledby=i4] .ledger tfoot td:last-child").text) * 100
    )
    assert abs(total - shown) <= len(rows), "only rounding of each line"


def open_file(client, name):
    answer = client.get(f"/open/{name}.csv")
    assert answer.headers["Link"].endswith('rel="license"')
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_the_open_files_hold_the_same_figures_as_the_page(window, client):
    villages, parts = open_file(client, "villages"), open_file(client, "parts")
    assert {row["year"] for row in villages} == {row["year"] for row in parts} == {"2026"}
    households = next(row["yuan"] for row in parts if row["part"] == "households")
    summed = sum(round(float(row["yuan"]) * 100) for row in villages if row["yuan"])
    assert summed == round(float(households) * 100)
    small = [row for row in villages if row["households"] == "<5"]
    assert small
    held = {row["code"] for row in villages if row["yuan"]}
    assert all(not row["yuan"] and row["counted_with"] in held for row in small)


def test_the_open_shelf_says_what_of_each_price_reaches_households(window, client, page):
    rows = {row["slug"]: row for row in open_file(client, "products")}
    radish = rows["space-radish"]
    assert 0 < float(radish["to_households_yuan"]) < float(radish["price_yuan"])
    assert "大山村" in radish["villages"].split("|")


def test_the_list_of_open_data_describes_every_column_of_every_file(window, client, page):
    package = client.get("/open/datapackage.json").get_json()
    said = words(page("/open/"))
    assert {each["name"] for each in package["licenses"]} == {"CC-BY-4.0"}
    for resource in package["resources"]:
        name = resource["name"]
        fields = [each["name"] for each in resource["schema"]["fields"]]
        assert fields == list(open_file(client, name)[0])
        assert all(each in said for each in (f"{name}.csv", *fields))
    assert client.get("/open/nothing.csv").status_code == 404


@pytest.mark.parametrize("address", PAGES)
def test_no_public_page_names_a_household(window, page, address):
    assert "农户0" not in page(address).text


def test_only_a_voice_with_consent_is_heard(window, page):
    assert "大山村的老冉" in words(page("/villages/500114125201"))
    assert "自己说" not in words(page("/villages/500114125202"))


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/products", 4),
        ("/categories/konjac", 5),
        ("/search?q=luobo", 4),
        ("/products/space-radish", 6),
    ],
)
def test_a_page_asks_the_database_few_questions(window, client, statements, address, most):
    client.get(address)
    statements.clear()
    client.get(address)
    asked = [each for each in statements if not each.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
    assert len(asked) <= most, asked


def test_solar_terms_fall_on_their_days():
    assert seasons.solar_term(date(2026, 11, 21)) == "Start of Winter"
    assert seasons.solar_term(date(2026, 11, 22)) == "Minor Snow"
    assert seasons.solar_term(date(2026, 1, 1)) == "Winter Solstice"
    assert seasons.solar_term(date(2026, 4, 5)) == "Clear and Bright"


def test_a_season_over_new_year_becomes_two_bars():
    first, last = seasons.bars([["12-20", "02-10"]], [], 2026)
    assert (first.start, last.start + last.width) == (0, 100)


def test_hidden_counts_take_their_amounts_into_another_line():
    rows = [
        ("a", "甲村", 30, Money(30_000), []),
        ("b", "乙村", 12, Money(12_000), []),
        ("c", "丙村", 3, Money(3_000), []),
        ("d", "丁村", 2, Money(2_000), []),
    ]
    lines = queries.published(rows)
    assert [line.shown for line in lines] == ["30", "12", "<5", "<5"]
    assert [line.amount for line in lines] == [Money(30_000), Money(17_000), None, None]


def test_a_single_small_village_is_no_line_at_all():
    assert queries.published([("c", "丙村", 3, Money(3_000), [])]) == ()


def test_a_price_is_not_divided_while_nobody_knows_what_the_goods_cost():
    terms = split.Terms("floor_and_rebate", 3000)
    assert split.split_price(terms, None, Money(5_800), 10_000, BaseUnit.GRAM) == []
