"""Money, prices, quantities, and sharing out without losing a fen."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money, Price, parse_money, parse_price, total
from kernel.quantities import BaseUnit, kilograms, parse_quantity
from kernel.sharing import half_up, share_out

weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)
amounts = st.integers(-(10**12), 10**12)


@given(amount=amounts, weights=weights)
def test_parts_add_up_exactly(amount, weights):
    assert sum(share_out(amount, weights)) == amount


@given(amount=amounts, weights=weights)
def test_every_part_is_less_than_one_unit_from_its_exact_share(amount, weights):
    for part, weight in zip(share_out(amount, weights), weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1


@given(amount=st.integers(0, 10**9), weights=weights)
def test_who_weighs_nothing_gets_nothing(amount, weights):
    assert all(
        part == 0 for part, weight in zip(share_out(amount, weights), weights, strict=True)
        if weight == 0
    )  # fmt: skip


@given(amount=amounts, weights=weights)
def test_a_refund_is_shared_as_the_payment_was(amount, weights):
    assert share_out(-amount, weights) == [-part for part in share_out(amount, weights)]


@given(amount=st.integers(0, 10**9), weights=weights, scale=st.integers(1, 1000))
def test_only_proportions_matter(amount, weights, scale):
    assert share_out(amount, weights) == share_out(amount, [each * scale for each in weights])


@given(amount=st.integers(0, 10**9), weights=weights)
def test_more_weight_never_gets_less(amount, weights):
    pairs = sorted(zip(weights, share_out(amount, weights), strict=True))

    assert all(a[1] <= b[1] for a, b in zip(pairs, pairs[1:], strict=False) if a[0] < b[0])


def test_ties_go_to_the_earlier():
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(10000, [1, 1, 1]) == [3334, 3333, 3333]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [-5]])
def test_there_must_be_somebody_to_share_with(weights):
    with pytest.raises(ValueError, match="weights"):
        share_out(100, weights)


@given(n=st.integers(-(10**15), 10**15), d=st.integers(1, 10**9))
def test_half_up_is_the_nearest_whole_and_halves_go_away_from_zero(n, d):
    exact = Fraction(n, d)
    rounded = half_up(n, d)

    assert abs(rounded - exact) <= Fraction(1, 2)
    if abs(rounded - exact) == Fraction(1, 2):
        assert abs(rounded) > abs(exact)


@pytest.mark.parametrize("wrong", [1.5, 1.0, Decimal(1), "1", True, None])
def test_money_is_whole_fen_only(wrong):
    with pytest.raises(TypeError):
        Money(wrong)
    with pytest.raises(TypeError):
        Price(wrong)


def test_money_reads_well():
    assert str(Money(117_600)) == "¥1,176.00"
    assert str(Money(-5)) == "−¥0.05"
    assert Money(-117_605).yuan == "-1176.05"
    assert total([]) == ZERO
    assert total([Money(1), Money(2)]) == Money(3)


@pytest.mark.parametrize(
    ("text", "fen"),
    [("1176", 117_600), ("1,176.00", 117_600), ("¥0.29", 29), ("1.15", 115), ("-3.5", -350)],
)
def test_yuan_are_read_exactly(text, fen):
    assert parse_money(text) == Money(fen)


@pytest.mark.parametrize("text", ["", "1.234", "1e5", "NaN", "--1", "1.", ".5", "9" * 14, "1 2"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  the text itself is the message
        parse_money(text)


@given(st.integers(-(10**14), 10**14))
def test_what_money_writes_it_reads(fen):
    assert parse_money(Money(fen).yuan) == Money(fen)


@given(st.integers(0, 10**12))
def test_what_a_price_writes_it_reads(per_unit):
    assert parse_price(Price(per_unit).yuan) == Price(per_unit)


def test_a_line_is_rounded_once():
    jin = parse_price("4.70")  # 2.35 元/斤

    assert jin == Price(47_000)
    assert jin.of(12_500, BaseUnit.GRAM) == Money(5_875)
    assert parse_price("0.0001").of(1, BaseUnit.PIECE) == ZERO
    assert parse_price("0.005").of(1, BaseUnit.PIECE) == Money(1)
    assert parse_price("3.3333").of(3, BaseUnit.PIECE) == Money(1_000)


@given(per_unit=st.integers(0, 10**8), grams=st.integers(0, 10**8))
def test_a_line_is_within_half_a_fen_of_the_exact_product(per_unit, grams):
    exact = Fraction(per_unit * grams, 100 * 1000)

    assert abs(Price(per_unit).of(grams, BaseUnit.GRAM).fen - exact) <= Fraction(1, 2)


def test_a_pack_price_per_kilogram():
    assert Price.from_total(Money(2_350), 5_000, BaseUnit.GRAM) == Price(47_000)
    assert Money(10_000).basis_points(1250) == Money(1_250)
    assert Money(10_001).split([1, 1]) == [Money(5_001), Money(5_000)]


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("12.5", BaseUnit.GRAM, 12_500),
        ("12.5kg", BaseUnit.GRAM, 12_500),
        ("25斤", BaseUnit.GRAM, 12_500),
        ("3两", BaseUnit.GRAM, 150),
        ("2吨", BaseUnit.GRAM, 2_000_000),
        ("1,000", BaseUnit.GRAM, 1_000_000),
        ("30", BaseUnit.PIECE, 30),
    ],
)
def test_weights_are_read_as_people_write_them(text, unit, expected):
    assert parse_quantity(text, unit) == expected


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", BaseUnit.GRAM),
        ("-1", BaseUnit.GRAM),
        ("0.0001", BaseUnit.GRAM),
        ("1.5", BaseUnit.PIECE),
        ("3斤", BaseUnit.PIECE),
        ("1e3", BaseUnit.GRAM),
        ("12 oz", BaseUnit.GRAM),
    ],
)
def test_what_is_no_quantity_is_refused(text, unit):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_quantity(text, unit)


def test_kilograms_are_shown_exactly():
    assert kilograms(12_500) == "12.500"
    assert kilograms(12_500, 0) == "12.5"
    assert kilograms(1_234_000, 0) == "1,234"
    assert kilograms(-5, 0) == "-0.005"
