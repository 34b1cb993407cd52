"""What citizens find on the shelf, and by which words."""

from __future__ import annotations

from datetime import date

import pytest

from catalog.lots import operations as lots
from catalog.lots.queries import available, count_shelf, product_sheet, shelf
from catalog.lots.queries.shelf import Sorting
from catalog.products.models import Grade, Shelf
from kernel.errors import Missing
from kernel.money import Money, Price
from tests import makers

GOODS = [
    ("太空萝卜", "Space radish"),
    ("魔芋豆腐", "Konjac tofu"),
    ("高山大米", "Mountain rice"),
    ("山茶油", "Tea-seed oil"),
    ("安心红茶", "Anxin red tea 500g"),
    ("重庆长寿面", "Long-life noodles"),
    ("大白菜", "Cabbage"),
]
WORDS = [
    "米",
    "大米",
    "茶",
    "红茶",
    "茶油",
    "魔芋",
    "魔芋豆腐",
    "高山大米",
    "山大",
    "重庆长寿面",
    "白",
    "油菜",
    "菜",
]


@pytest.fixture
def goods(session):
    of = makers.supplier(session)
    plain = makers.category(session, "土货", "Local goods", "local")
    said = {"summary_zh": "", "summary_en": "", "category_": plain, "on_sale": True}
    return {zh: makers.product(session, of, name_zh=zh, name_en=en, **said) for zh, en in GOODS}


def names(session, text):
    return {row.name_zh for row in shelf(session, today=makers.TODAY, text=text)}


def test_a_run_of_chinese_characters_finds_exactly_the_names_that_hold_it(session, goods):
    for word in WORDS:
        assert names(session, word) == {zh for zh in goods if word in zh}, word


def test_pinyin_and_initials_find_a_name_from_any_syllable_on(session, goods):
    for typed in ("taikongluobo", "luobo", "luob", "luo bo", "tklb", "lb", "LUOBO"):
        assert "太空萝卜" in names(session, typed), typed
    assert names(session, "changshou") == {"重庆长寿面"}
    assert names(session, "cqcsm") == {"重庆长寿面"}
    assert names(session, "uobo") == set()


def test_english_words_find_a_name_in_any_order(session, goods):
    assert names(session, "radish") == {"太空萝卜"}
    assert names(session, "RICE mountain") == {"高山大米"}
    assert names(session, "tea-seed") == {"山茶油"}
    assert names(session, "500g") == {"安心红茶"}
    assert names(session, "５００ｇ　红茶") == {"安心红茶"}


def test_nothing_is_found_by_marks_quotes_or_operators(session, goods):
    for typed in ("！", '"', "*", "大米 AND 红茶", "NEAR(", "'", "a:b:c", "zqz", "x" * 500):
        assert names(session, typed) == set(), typed
    assert names(session, '大米" OR "红茶') == set()


def test_a_phrase_is_never_found_across_the_border_of_two_texts(session):
    of = makers.supplier(session)
    shelf_ = makers.category(session, "粮油", "Staples", "staples")
    makers.product(session, of, name_zh="高山大米", category_=shelf_, on_sale=True)
    assert names(session, "粮油") == {"高山大米"}
    assert names(session, "米粮") == set()


def test_goods_are_found_by_their_village_once_they_came_in(session, goods):
    radish = goods["太空萝卜"]
    assert names(session, "大山村") == set()
    makers.contribution(session, radish, makers.household(session, region_code=makers.DASHAN))
    makers.contribution(session, radish, makers.household(session, region_code=makers.DASHAN))
    assert names(session, "大山村") == {"太空萝卜"}
    assert names(session, "dashancun") == {"太空萝卜"}
    assert radish.search_text.count("dashancun") == 1


def test_the_shelf_shows_the_cheapest_pack_and_what_is_free_of_its_grade(session):
    product = makers.product(
        session,
        on_sale=True,
        packs=[
            {"content": 5_000, "price": Money(3_200)},
            {"content": 10_000, "price": Money(5_800)},
            {"shelf": Shelf.CANTEENS},
        ],
    )
    makers.contribution(session, product, net_g=100_000)
    makers.contribution(session, product, net_g=900_000, grade=Grade.SECOND)

    [row] = shelf(session, today=makers.TODAY)

    assert (row.price, row.content, row.packs) == (Money(5_800), 10_000, 2)
    assert row.unit_price == Price(58_000)
    assert (row.free, row.packs_free) == (100_000, 10)
    assert row.villages == ("大山村",)
    assert row.newest == makers.TODAY


def test_shelf_sheet_and_basket_agree_about_what_is_free(session):
    product = makers.product(session, on_sale=True)
    part = makers.contribution(session, product, net_g=100_000)
    lots.reserve(session, [(part.id, 30_000)])

    [row] = shelf(session, today=makers.TODAY)
    sheet = product_sheet(session, product.slug, makers.TODAY)

    assert row.free == 70_000
    assert available(session, [product.id], today=makers.TODAY) == {
        (product.id, Grade.FIRST): 70_000
    }
    assert [offer.free for offer in sheet.packs] == [70_000]
    assert sheet.current_lot.free == 70_000


@pytest.mark.parametrize("why", ["held", "expired", "not yet there"])
def test_what_may_not_be_sold_is_not_free(session, why):
    product = makers.product(session, on_sale=True)
    since = {"not yet there": date(2026, 11, 24)}.get(why, makers.TODAY)
    until = {"expired": date(2026, 11, 22)}.get(why, date(2026, 12, 20))
    part = makers.contribution(session, product, available_from=since, best_before=until)
    if why == "held":
        lots.hold_lot(session, part.lot_id, reason="复检", by=makers.SOMEBODY, now=makers.NOON)

    [row] = shelf(session, today=makers.TODAY)

    assert row.free == 0
    assert available(session, [product.id], today=makers.TODAY) == {}


def test_category_village_and_order_choose_the_rows(session):
    of = makers.supplier(session)
    staples = makers.category(session, "粮油", "Staples", "staples")
    cheap = {"packs": [{"price": Money(1_000)}]}
    rice = makers.product(session, of, slug="rice", category_=staples, position=1, on_sale=True)
    radish = makers.product(session, of, slug="radish", position=2, on_sale=True, **cheap)
    makers.contribution(session, radish, makers.household(session, region_code=makers.MAOXI))
    makers.product(session, of, slug="draft")

    def slugs(**chosen):
        return [row.slug for row in shelf(session, today=makers.TODAY, **chosen)]

    assert slugs() == ["rice", "radish"]
    assert slugs(category="staples") == ["rice"]
    assert slugs(village=makers.MAOXI) == ["radish"]
    assert slugs(village=makers.DASHAN) == []
    assert slugs(sort=Sorting.LOWEST_PRICE) == ["radish", "rice"]
    assert slugs(sort=Sorting.NEWEST) == ["radish", "rice"]
    assert slugs(offset=1, limit=1) == ["radish"]
    assert count_shelf(session, today=makers.TODAY) == 2
    assert count_shelf(session, today=makers.TODAY, category="staples") == 1
    assert rice.slug == "rice"


def test_a_shelf_takes_two_queries_whatever_it_holds(session, statements):
    of = makers.supplier(session)
    for _ in range(3):
        makers.contribution(session, makers.product(session, of, on_sale=True))
    session.flush()
    statements.clear()
    assert len(shelf(session, today=makers.TODAY)) == 3
    assert len(statements) == 2


def test_a_product_page_takes_three_queries_and_hides_small_counts(session, statements):
    product = makers.product(session, on_sale=True)
    for number in range(6):
        makers.contribution(session, product, makers.household(session, f"甲{number}"))
    for number in range(7):
        home = makers.household(session, f"乙{number}", region_code=makers.QINGLONG)
        makers.contribution(session, product, home)
    makers.contribution(session, product, makers.household(session, region_code=makers.MAOXI))
    session.flush()
    session.expunge_all()
    statements.clear()

    sheet = product_sheet(session, product.slug, makers.TODAY)

    assert len(statements) == 3
    assert [(v.name, v.shown) for v in sheet.villages] == [
        ("青龙村", "7"), ("大山村", "5+"), ("茂溪村", "<5"),
    ]  # fmt: skip
    assert sheet.households == "10+", "14 − 7 would say what the other two hide"
    assert [event.kind.value for event in sheet.events] == ["harvested", "weighed"]


def test_a_draft_has_no_page(session):
    draft = makers.product(session)
    with pytest.raises(Missing):
        product_sheet(session, draft.slug, makers.TODAY)
