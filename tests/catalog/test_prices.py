"""What a buyer pays: one rule, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products.rules.pricing import (
    CITIZEN,
    Buyer,
    Listed,
    price_of,
    rises_too_much,
    step_problem,
)
from kernel.money import Money, Price
from kernel.quantities import BaseUnit

DAY = date(2026, 11, 23)
SCHOOL = Buyer(7, ("school", "unit"))


@dataclass
class Pack:
    """As much of a pack as the rule looks at."""

    content: int = 1_000
    price: Money | None = None
    unit_price: Price | None = None
    steps: list = field(default_factory=list)
    product: object = field(default_factory=lambda: SimpleNamespace(base_unit=BaseUnit.GRAM))


def listed(number, unit_price, *, organisation_id=None, audience=None, days=(DAY, DAY), steps=()):
    return Listed(number, organisation_id, audience, *days, Price(unit_price), steps)


@st.composite
def ladders(draw, content=1_000, most=100_000):
    """A base and steps as the house lets them be written."""
    base = draw(st.integers(most // 2, most))
    leasts = sorted(draw(st.sets(st.integers(2, 500), max_size=5)))
    values = sorted(
        draw(st.sets(st.integers(1, base - 1), min_size=len(leasts), max_size=len(leasts))),
        reverse=True,
    )
    return base, [(least * content, value) for least, value in zip(leasts, values, strict=True)]


@given(ladders(), st.integers(1, 600), st.integers(1, 600))
def test_whoever_takes_more_never_pays_more_for_each(ladder, one, other):
    base, steps = ladder
    assert step_problem(base, steps, 1_000) is None
    pack = Pack(unit_price=Price(base), steps=[list(each) for each in steps])
    less, more = sorted((one, other))
    few = price_of(pack, less * 1_000, CITIZEN, DAY)
    many = price_of(pack, more * 1_000, CITIZEN, DAY)
    assert many.unit_price <= few.unit_price <= Price(base)
    assert few.amount == few.unit_price.of(less * 1_000, BaseUnit.GRAM)


@given(ladders(most=10_000), st.integers(1, 600))
def test_a_tier_holds_from_its_first_pack_on_and_for_all_of_them(ladder, count):
    base, steps = ladder
    pack = Pack(content=1_000, price=Money(base), steps=steps)
    reached = [value for least, value in steps if least <= count * 1_000]
    quote = price_of(pack, count * 1_000, CITIZEN, DAY)
    assert quote.price == Money(min([base, *reached]))
    assert quote.amount == quote.price * count


days = st.integers(-3, 3).map(lambda n: DAY + timedelta(days=n))


@given(days, days, days)
def test_a_list_holds_on_its_first_and_last_day_and_on_no_other(begin, length, day):
    end = begin + abs(length - DAY)
    one = listed(1, 40_000, organisation_id=7, days=(begin, end))
    quote = price_of(Pack(unit_price=Price(60_000)), 5_000, SCHOOL, day, [one])
    assert quote.unit_price == (Price(40_000) if begin <= day <= end else Price(60_000))
    assert quote.list_id == (1 if begin <= day <= end else None)


LISTS = (
    listed(1, 50_000, audience="unit"),
    listed(2, 70_000, audience="school"),
    listed(3, 90_000, organisation_id=7),
    listed(4, 10_000, organisation_id=8),
    listed(5, 10_000, audience="hospital"),
)


@given(st.permutations(LISTS), st.sets(st.sampled_from(LISTS)))
def test_the_most_specific_list_wins_even_if_it_is_dearer(order, gone):
    pack = Pack(unit_price=Price(60_000))
    there = [each for each in order if each not in gone]
    quote = price_of(pack, 1_000, SCHOOL, DAY, there)
    wanted = next((each for each in (LISTS[2], LISTS[1], LISTS[0]) if each in there), None)
    assert quote.list_id == (wanted.list_id if wanted else None)
    assert quote.unit_price == (wanted.unit_price if wanted else Price(60_000))


@given(st.permutations(LISTS))
def test_there_is_a_price_for_everybody_and_a_citizen_is_on_no_list(order):
    pack = Pack(unit_price=Price(60_000))
    assert price_of(pack, 1_000, CITIZEN, DAY, order).list_id is None
    assert price_of(pack, 1_000, Buyer(99), DAY, order).unit_price == Price(60_000)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([(2_000, 900), (3_000, 900)], "Whoever takes more"),
        ([(2_000, 1_000)], "Whoever takes more"),
        ([(2_000, 0)], "Whoever takes more"),
        ([(3_000, 900), (2_000, 800)], "rising quantity"),
        ([(1_000, 900)], "whole number of packs"),
        ([(2_500, 900)], "whole number of packs"),
        ([(n * 1_000, 1_000 - n) for n in range(2, 8)], "At most 5"),
    ],
)
def test_a_ladder_that_does_not_fall_is_refused(steps, problem):
    assert problem in str(step_problem(1_000, steps, 1_000))


def test_a_price_may_rise_by_fifteen_percent_without_the_operator_and_no_fen_more():
    assert not rises_too_much(11_500, 10_000)
    assert rises_too_much(11_501, 10_000)
