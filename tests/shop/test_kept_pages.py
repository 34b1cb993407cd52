"""What a cache may keep of our public pages, and what it never gets to see."""

# ruff: noqa: F811  fixtures of the same township are imported and then named as arguments
from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.shop.test_storefront import database_url, window  # noqa: F401

SHARED = (
    "/", "/products", "/categories/konjac", "/search?q=luobo", "/villages/500114125201",
    "/calendar", "/impact", "/help", "/products/space-radish/reviews", "/search/suggest?q=lb",
)  # fmt: skip
HEAVIEST = 100_000


@pytest.mark.parametrize("address", SHARED)
def test_who_brings_nothing_gets_a_page_that_anybody_may_keep(window, app, address):
    answer = app.test_client().get(address)
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert "Cookie" in answer.headers["Vary"]
    assert "Set-Cookie" not in answer.headers
    tokens = BeautifulSoup(answer.text, "html.parser").select("[name=csrf_token]")
    assert {each["value"] for each in tokens} <= {""}
    assert app.test_client().get(address).text == answer.text, "nothing of this visit is in it"
    tag = answer.headers["ETag"]
    assert app.test_client().get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize("address", [*SHARED, "/products/space-radish"])
def test_who_has_a_basket_gets_a_page_that_nobody_else_keeps(window, app, address):
    client = app.test_client()
    _put(client)
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in answer.headers["Vary"]
    tokens = BeautifulSoup(answer.text, "html.parser").select("[name=csrf_token]")
    assert all(each["value"] for each in tokens)


def test_languages_are_kept_apart(window, app):
    client = app.test_client()
    client.set_cookie("lang", "en")
    english = client.get("/products")
    assert english.headers["Cache-Control"] == "public, max-age=60"
    assert english.headers["ETag"] != app.test_client().get("/products").headers["ETag"]


def test_a_page_that_remembers_a_visit_is_not_for_others(window, app):
    client = app.test_client()
    assert "Set-Cookie" in client.get("/products/beef").headers
    assert client.get("/products/beef").headers["Cache-Control"] == "private, no-cache"


def test_an_error_is_never_kept(window, app):
    answer = app.test_client().get("/products/unicorn")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "private, no-cache")


def _put(client, **headers):
    page = BeautifulSoup(client.get("/products/space-radish").text, "html.parser")
    form = page.find("form", id="buy")
    data = {
        "csrf_token": form.find("input", {"name": "csrf_token"})["value"],
        "pack": form.find("input", {"name": "pack"})["value"],
        "count": "1",
    }
    return client.post("/cart", data=data, headers=headers)


def test_goods_go_into_the_basket_from_a_kept_page_and_from_nowhere_else(window, app):
    ours = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    client = app.test_client()
    assert _put(client, **ours).status_code == 303
    kept = {"csrf_token": "", "pack": "1", "count": "1"}
    assert client.post("/cart", data=kept, headers=ours).status_code == 303, "an older page, kept"
    for foreign in (
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {},
    ):
        assert client.post("/cart", data=kept, headers=foreign).status_code == 400, foreign
    other = app.test_client()
    assert other.post("/cart", data={"pack": "1"}).status_code == 400
    assert other.post("/checkout/freight", data=kept, headers=ours).status_code == 400


@pytest.mark.parametrize("address", ["/", "/products", "/products/space-radish", "/search?q=lb"])
def test_the_first_view_is_light(window, app, address):
    """Everything but photos, compressed: page, styles, scripts, drawings that are not lazy."""
    client = app.test_client()
    page = client.get(address).text
    found = BeautifulSoup(page, "html.parser")
    parts = [each["href"] for each in found.find_all("link", rel=["stylesheet", "icon"])]
    parts += [each["src"] for each in found.find_all("script", src=True)]
    parts += [each["src"] for each in found.find_all("img") if each.get("loading") != "lazy"]
    weight = len(gzip.compress(page.encode()))
    for part in set(parts):
        path = Path(app.static_folder) / re.sub(r"^/static/|\?.*$", "", part)
        if path.suffix in (".css", ".js", ".svg"):
            weight += len(gzip.compress(path.read_bytes()))
    assert weight < HEAVIEST, weight
