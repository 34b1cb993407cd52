"""The one rule of carriage: boundaries exact, more weight never cheaper, the nearest row wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money
from orders.sales.rules.freight import (
    EVERYWHERE_ELSE,
    Zone,
    freight_of,
    gross_weight,
    problems_of,
    stem,
    zone_of,
)

CHONGQING, QIANJIANG, XINJIANG, HEFEI, SHUSHAN = (
    "500000000000", "500114000000", "650000000000", "340100000000", "340104000000",
)  # fmt: skip
NEAR = Zone(
    region=CHONGQING, first_g=1000, first_fee=Money(600), step_g=1000, step_fee=Money(100),
    free_from=Money(9_900),
)  # fmt: skip
TOWN = replace(NEAR, region=QIANJIANG, first_fee=Money(300), step_fee=Money(50))
REST = replace(NEAR, region=EVERYWHERE_ELSE, first_fee=Money(1200), step_fee=Money(400))
FAR = Zone(region=XINJIANG, served=False)
TEMPLATE = [REST, NEAR, TOWN, FAR]

grams = st.integers(0, 2_000_000)
fees = st.integers(0, 100_000).map(Money)
codes = st.sampled_from([
    EVERYWHERE_ELSE, CHONGQING, QIANJIANG, XINJIANG, HEFEI, SHUSHAN, "340000000000",
    "110000000000", "110101000000",
])  # fmt: skip
zones = st.builds(
    Zone, region=codes, served=st.booleans(), first_g=st.integers(1, 50_000), first_fee=fees,
    step_g=st.integers(1, 20_000), step_fee=fees, free_from=st.none() | fees,
)  # fmt: skip


def cost(weight: int, region: str = CHONGQING, goods: int = 2_900, **more) -> Money | None:
    return freight_of(TEMPLATE, region=region, grams=weight, goods=Money(goods), **more)


@pytest.mark.parametrize(
    ("weight", "fen"),
    [(0, 600), (1, 600), (1000, 600), (1001, 700), (2000, 700), (2001, 800), (10_500, 1600)],
)
def test_each_begun_kilogram_costs_and_not_a_gram_sooner(weight, fen):
    assert cost(weight) == Money(fen)


def test_from_the_free_amount_on_it_is_free_and_a_fen_below_it_is_not():
    assert cost(5_000, goods=9_900) == ZERO
    assert cost(5_000, goods=9_899) == Money(1_000)


def test_the_nearest_row_counts_whatever_the_order_of_rows():
    for template in (TEMPLATE, TEMPLATE[::-1]):
        assert zone_of(template, "500114125201") is template[template.index(TOWN)]
        assert zone_of(template, "500112000000").region == CHONGQING
        assert zone_of(template, SHUSHAN).region == EVERYWHERE_ELSE
        assert zone_of(template, "").region == EVERYWHERE_ELSE


def test_where_nothing_is_sent_there_is_no_price_but_it_may_be_fetched():
    assert cost(1_000, region="650102000000") is None
    assert freight_of([NEAR], region=SHUSHAN, grams=1, goods=ZERO) is None
    assert cost(900_000, region="650102000000", pick_up=True) == ZERO


@given(st.lists(zones, max_size=8), codes, grams, grams, fees)
def test_more_weight_never_costs_less(template, region, one, other, goods):
    low, high = (
        freight_of(template, region=region, grams=each, goods=goods)
        for each in sorted((one, other))
    )
    assert (low is None) == (high is None)
    assert low is None or low <= high


@given(zones, grams)
def test_the_fee_is_the_first_fee_and_as_many_steps_as_are_begun(zone, weight):
    zone = replace(zone, free_from=None)
    paid, covered = zone.first_fee, zone.first_g
    while covered < weight and zone.step_g > 500:  # counted out, not calculated
        paid, covered = paid + zone.step_fee, covered + zone.step_g
    if zone.step_g > 500:
        assert zone.fee(weight, ZERO) == paid
    assert type(zone.fee(weight, ZERO).fen) is int


@given(st.lists(zones, max_size=8), codes)
def test_no_row_is_nearer_than_the_one_that_counts(template, region):
    chosen = zone_of(template, region)
    fitting = [each for each in template if region.startswith(stem(each.region))]
    assert (chosen is None) == (not fitting)
    assert all(len(stem(each.region)) <= len(stem(chosen.region)) for each in fitting)


def test_a_template_with_a_fault_is_told_which_row():
    assert problems_of(TEMPLATE) == {}
    assert set(problems_of([NEAR, NEAR])) == {1}
    assert set(problems_of([replace(NEAR, first_g=0)])) == {0}
    assert set(problems_of([replace(NEAR, step_fee=Money(-1))])) == {0}
    assert set(problems_of([replace(NEAR, free_from=ZERO)])) == {0}
    assert set(problems_of([FAR])) == {-1}
    assert set(problems_of([])) == {-1}


def test_what_travels_is_the_pack_with_its_box():
    assert gross_weight(content=5_000, gross_g=5_400, weighed=True, quantity=10_000) == 10_800
    assert gross_weight(content=5_000, gross_g=5_400, weighed=True, quantity=1) == 2
    assert gross_weight(content=5_000, gross_g=None, weighed=True, quantity=7_500) == 7_500
    assert gross_weight(content=12, gross_g=900, weighed=False, quantity=24) == 1_800
    assert gross_weight(content=12, gross_g=None, weighed=False, quantity=24) == 0
