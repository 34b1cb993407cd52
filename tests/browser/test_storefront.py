"""The public pages in a real browser: at both widths, in every way of reading them."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = (
    "/", "/products", "/search?q=luobo", "/search?q=zzz", "/products/space-radish",
    "/products/smoked-pork", "/villages/500114125201", "/trace", "/impact", "/help",
    "/calendar", "/products?season=1&upto=x&by=2026-12-24", "/products/space-radish/reviews",
    "/accessibility", "/sign-in",
)  # fmt: skip


@pytest.mark.parametrize(
    "way",
    [{}, {"dark": True}, {"size": "large"}, {"size": "largest"}, {"lang": "en"}],
    ids=["light", "dark", "large", "largest", "english"],
)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(eyes, way):
    eyes.as_guest(**way)
    found = {}
    for address in PAGES:
        eyes.open(address)
        wrong = eyes.axe()
        if eyes.sideways() > 0:
            wrong.append(f"{eyes.sideways()} px too wide")
        if wrong:
            found[address] = wrong
    assert found == {}
    assert eyes.complaints == []


def test_large_type_is_large_and_remembered(eyes):
    page = eyes.open("/")
    page.get_by_role("button", name="大字").click()
    page.wait_for_load_state()
    assert page.locator("html").get_attribute("data-size") == "large"
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= 20
    eyes.open("/products")
    low = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.mast nav a')].map(each =>"
        " each.getBoundingClientRect().height))"
    )
    assert low >= 60
    page.get_by_role("button", name="更大").click()
    page.wait_for_load_state()
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 30


def test_main_controls_are_large_enough_for_a_thumb(eyes):
    page = eyes.open("/products/space-radish")
    for name in ("放进购物篮", "现在就买"):
        box = page.locator("form#buy").get_by_role("button", name=name).bounding_box()
        assert box["height"] >= 44


def test_another_pack_changes_the_division_without_leaving_the_page(eyes):
    page = eyes.open("/products/space-radish")
    assert page.locator("#money tfoot td").first.inner_text() == "¥58.00"
    page.locator("form#buy label", has_text="20 kg").click()
    page.locator("#price b", has_text="¥108.00").wait_for()
    assert page.locator("#money tfoot td").first.inner_text() == "¥108.00"
    assert page.locator("form#buy input[name=pack]:checked").count() == 1
    assert eyes.complaints == []


def test_the_shop_works_without_javascript(eyes):
    page = eyes.as_guest(script=False)
    eyes.open("/products/space-radish")
    page.locator("form#buy label", has_text="5 kg").first.click()
    page.locator("form#buy").get_by_role("button", name="放进购物篮").click()
    page.wait_for_load_state()
    assert "太空萝卜" in page.locator("main").inner_text()


def test_the_keyboard_reaches_the_content_first_and_then_everything(eyes):
    page = eyes.open("/products/space-radish")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_a_way_from_the_home_page_to_a_bags_road(eyes):
    page = eyes.open("/")
    page.get_by_role("link", name="看看太空萝卜").click()
    page.get_by_role("link", name="看这一批的全部记录").click()
    page.wait_for_load_state()
    assert "它走过的路" in page.locator("main").inner_text()
    code = page.locator(".bag .code").inner_text()
    eyes.open("/trace")
    page.get_by_label("袋上的码").fill(code)
    page.locator("main").get_by_role("button", name="查").click()
    page.wait_for_load_state()
    assert code in page.locator(".bag .code").inner_text()
    assert eyes.axe() == []


def test_prices_and_dates_never_break_in_the_middle(eyes):
    page = eyes.open("/products")
    broken = page.evaluate(
        "[...document.querySelectorAll('.cost b, .nb')].filter(each =>"
        " each.getClientRects().length > 1).map(each => each.textContent)"
    )
    assert broken == []


def test_proposals_are_chosen_by_the_arrow_keys_alone(eyes):
    page = eyes.open("/search")
    box = page.locator("#f-q")
    box.press_sequentially("luo")
    page.get_by_role("option", name="太空萝卜").wait_for()
    assert box.get_attribute("aria-expanded") == "true"
    assert eyes.axe() == []
    box.press("Escape")
    assert box.get_attribute("aria-expanded") == "false"
    box.press("ArrowDown")
    chosen = page.locator(f"#{box.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    box.press("Enter")
    page.wait_for_url("**/products/space-radish")
    assert eyes.complaints == []


def test_nothing_is_lost_at_two_hundred_percent(eyes):
    for address in ("/", "/products?season=1", "/products/space-radish", "/calendar", "/search"):
        page = eyes.open(address)
        page.set_viewport_size({"width": 640, "height": 450})
        assert eyes.sideways() <= 0, address
    page.set_viewport_size({"width": eyes.width, "height": 900})
