"""How goods are found: filters, proposals, near spellings, the calendar, what was seen before."""

# ruff: noqa: F811  fixtures of the same township are imported and then named as arguments
from __future__ import annotations

import io
import json
import re
from datetime import date
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from PIL import Image

from catalog.lots.queries.asking import _holds_today
from catalog.products import rules
from catalog.products.models import Product
from catalog.products.queries import dialect_of
from shop.storefront import seasons
from tests.shop.test_storefront import database_url, page, window, words  # noqa: F401


def goods(found):
    return [each.text for each in found.select("#shelf .goods h3")]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("season=1&category=vegetables", ["太空萝卜", "高山白菜"]),
        ("season=1&category=meat", ["黄牛肉"]),
        ("from=90&upto=110", ["太空萝卜", "黄牛肉"]),
        ("upto=３３", ["鲜魔芋"]),
        ("by=2026-11-26&category=meat", ["黄牛肉"]),
        ("by=2026-11-25&category=meat", []),
        ("by=2026-11-28&to=Beijing&category=meat", ["黄牛肉"]),
        ("by=2026-11-26&to=北京&category=meat", []),
        ("certified=1", []),
    ],
)
def test_the_shelf_is_narrowed_by_what_matters_and_the_address_keeps_it(
    window,
    page,
    asked,
    names,
):
    found = page(f"/products?{asked}&sort=newest")
    assert sorted(goods(found)) == sorted(names)
    for name, value in (pair.split("=") for pair in asked.split("&")):
        field = found.select_one(f".filters [name={name}][checked], .filters input[name={name}]")
        assert field is not None, name
        if field.get("type") not in ("checkbox", "radio", "date"):
            assert field["value"] in (value, "北京市"), name
    lowest = found.find("a", string="价低的在前")
    assert all(pair.split("=")[0] in lowest["href"] for pair in asked.split("&"))


def test_a_filter_is_taken_away_alone(window, page):
    found = page("/products?season=1&upto=60&page=1")
    chips = {
        each.get_text(" ", strip=True).split(" ✕")[0]: each["href"]
        for each in found.select(".chips a")
    }
    assert chips["当季"] == "/products?upto=60"
    assert "season=1" in chips["不超过 ¥60.00"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("from=-3", "不能少于"), ("upto=五块", "金额"), ("by=昨天", "日期"),
        ("by=2020-01-01", "以后"), ("by=2026-12-24&to=某地", "省"), ("from=50&upto=10", "不能少于"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_said_at_its_field_and_takes_nothing_away(
    window,
    page,
    asked,
    said,
):
    found = page(f"/products?{asked}")
    assert said in found.select_one(".filters .err").text
    assert len(goods(found)) == 9


def test_in_season_means_the_same_to_the_database_and_to_the_page(window, db):
    with db.reading() as session:
        rows = session.execute(sa.select(Product.id, Product.harvest, Product.stored)).all()
        for month in range(1, 13):
            for day in (1, 10, 15, 20, 25, 28):
                today = date(2027, month, day)
                asked = sa.select(Product.id).where(
                    _holds_today(Product.stored, dialect_of(session))
                )
                found = set(session.scalars(asked, {"month_day": today.strftime("%m-%d")}))
                assert found == {key for key, _, stored in rows if rules.in_season(stored, today)}


def test_paging_keeps_what_was_asked_and_says_where_one_is(window, client, monkeypatch):
    monkeypatch.setattr("shop.storefront.finding.PAGE", 4)
    client.set_cookie("lang", "zh")
    seen = []
    address = "/products?sort=lowest_price&upto=100"
    while address:
        found = BeautifulSoup(client.get(address).text, "html.parser")
        seen += goods(found)
        following = found.find("a", rel="next")
        address = following["href"] if following else ""
        assert not following or "upto=100" in address
    assert len(seen) == len(set(seen)) == 7
    assert "第 5 到 7 样" in found.text


def test_proposals_come_while_typing_from_two_questions_at_most(window, client, statements):
    client.set_cookie("lang", "zh")
    client.get("/search/suggest?q=x")
    statements.clear()
    found = BeautifulSoup(client.get("/search/suggest?q=lb").text, "html.parser")
    asked = [each for each in statements if not each.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
    assert len(asked) <= 2
    assert [each["data-go"] for each in found.select("[role=option]")] == ["/products/space-radish"]
    found = BeautifulSoup(client.get("/search/suggest?q=大山").text, "html.parser")
    assert "/villages/500114125201" in [each["data-go"] for each in found.select("[role=option]")]
    assert client.get("/search/suggest?q=").text.strip() == ""
    assert client.get("/search/suggest?q=%22%20OR%20*").text.strip() == ""


def test_who_finds_nothing_is_led_to_the_nearest_name_and_to_what_is_in_season(window, page):
    found = page("/search?q=罗卜")
    assert found.find("a", href=f"/search?q={quote('太空萝卜')}") is not None
    assert "太空萝卜" in goods(found)
    assert "柏枝熏腊肉" not in goods(found), "not in season yet"
    assert "您要查的" not in words(page("/search?q=火龙果"))


def test_nothing_found_asks_the_database_four_questions_at_most(window, client, statements):
    client.get("/search?q=nix")
    statements.clear()
    client.get("/search?q=nix")
    assert len([s for s in statements if not s.startswith(("BEGIN", "COMMIT", "ROLLBACK"))]) <= 4


def test_the_calendar_shows_the_seasons_of_the_rows(window, page):
    found = page("/calendar")
    cells = {
        row.a.text: [(each["class"] or [""])[0].replace("now", "") for each in row.find_all("td")]
        for row in found.select("tbody tr")
        if row.a
    }
    assert cells["太空萝卜"] == ["stored", *[""] * 8, "fresh", "fresh", "fresh"]
    assert cells["柏枝熏腊肉"] == [*["stored"] * 6, *[""] * 5, "stored"]
    assert "柏枝熏腊肉" not in [a.text for a in page("/calendar?month=11").select("tbody a")]
    page("/calendar?month=13")
    assert words(page("/calendar?month=x"))


def test_a_season_over_new_year_marks_its_months():
    assert seasons.year_of([["12-20", "02-10"]], []) == ["fresh", "fresh", *[""] * 9, "fresh"]
    assert seasons.year_of([], []) == []


def test_what_this_browser_saw_before_is_shown_to_it_alone_and_can_be_forgotten(window, client):
    client.set_cookie("lang", "zh")
    client.get("/products/space-radish")
    answer = client.get("/products/beef")
    assert "space-radish" in client.get_cookie("seen").value
    found = BeautifulSoup(answer.text, "html.parser")
    assert [a["href"] for a in found.select(".seen a")] == ["/products/space-radish"]
    assert "public" not in client.get("/products").headers["Cache-Control"]
    client.post("/seen/forget", data={"csrf_token": ""}, headers={"Origin": "http://localhost"})
    assert client.get_cookie("seen") is None
    client.set_cookie("seen", "<script>.../etc/passwd.space-radish")
    assert client.get("/").status_code == 200


def test_delivery_is_promised_to_the_place_that_was_asked_for(window, client):
    client.set_cookie("lang", "zh")

    def promised(address):
        found = BeautifulSoup(client.get(address).text, "html.parser")
        return " ".join(found.select_one("#arrives").text.split())

    assert "11月24日前发出， 11月26日前送到重庆市" in promised("/products/beef")
    assert "11月28日前送到北京市" in promised("/products/beef?to=北京")
    assert "北京市" in promised("/products/beef"), "this browser said so before"
    assert "省" in promised("/products/beef?to=nowhere"), "and says what is not understood"


def test_search_engines_read_what_the_page_says(window, page):
    found = page("/products/space-radish")
    data = json.loads(found.find("script", type="application/ld+json").string)
    assert (data["@type"], data["name"]) == ("Product", "太空萝卜")
    assert data["aggregateRating"]["ratingValue"] == "4.3"
    assert data["aggregateRating"]["reviewCount"] == 3
    assert [(each["price"], each["availability"][19:]) for each in data["offers"]] == [
        ("33.00", "InStock"), ("58.00", "InStock"), ("108.00", "InStock"),
    ]  # fmt: skip
    policy = data["offers"][0]["hasMerchantReturnPolicy"]["returnPolicyCategory"]
    assert policy.endswith("MerchantReturnNotPermitted")
    other = json.loads(
        page("/products/smoked-pork").find("script", type="application/ld+json").string
    )
    assert "aggregateRating" not in other
    assert other["offers"][0]["availability"].endswith("OutOfStock")
    assert found.find("link", rel="canonical")["href"].endswith("/products/space-radish")
    assert found.find("meta", property="og:image")["content"].endswith("/space-radish/share.png")


def test_the_share_picture_is_drawn_once_and_asked_for_again_only_when_it_changed(window, client):
    answer = client.get("/products/space-radish/share.png")
    assert Image.open(io.BytesIO(answer.data)).size == (1200, 630)
    again = client.get(
        "/products/space-radish/share.png", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
    assert client.get("/products/unicorn/share.png").status_code == 404


def test_the_map_for_search_engines_lists_pages_that_open(window, client):
    text = client.get("/sitemap.xml").text
    site = client.application.extensions["services"].config.public_url
    paths = [each.removeprefix(site) for each in re.findall("<loc>(.*?)</loc>", text)]
    assert {"/", "/calendar", "/products/space-radish", "/villages/500114125201"} <= set(paths)
    for path in paths:
        assert client.get(path).status_code == 200, path
    assert "Disallow: /checkout" in client.get("/robots.txt").text
