"""Rates, pace, the warning ladder and the forecast, against the published figures."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money, parse_money
from orders.agencies.rules.rates import (
    Duty,
    Light,
    Rhythm,
    filing_share,
    forecast,
    gap_points,
    group_rate,
    growth,
    in_percent,
    pace,
    rate,
    rhythm,
    rounded,
    same_day,
    standing,
    started_share,
)

TODAY = date(2026, 11, 23)
DEADLINE = date(2026, 3, 24)


def stand(counted: str, reserved: str, *, duty=Duty.MUST_FILE, filed=True, ordered=None, day=TODAY):
    return standing(
        duty=duty,
        filed=filed,
        reserved=parse_money(reserved),
        ordered=parse_money(ordered or counted),
        counted=parse_money(counted),
        day=day,
        year=2026,
        filing_to=DEADLINE,
    )


@pytest.mark.parametrize(
    ("done", "target", "shown"),
    [
        ("8253.86", "7875.75", "104.80"),  # Heilongjiang 2022
        ("141.10", "602.26", "23.43"),  # Ningxia, August 2020
        ("370.92", "1622.67", "22.86"),
        ("512.02", "2224.93", "23.01"),  # where the bulletin itself printed 22.8
        ("8465.53", "23600", "35.87"),  # Guangxi, mid-2022
    ],
)
def test_published_rates_come_out_to_the_last_digit(done, target, shown):
    assert in_percent(rate(parse_money(done), parse_money(target))) == shown


def test_growth_over_last_year_as_zhangye_published_it():
    assert in_percent(growth(parse_money("110.82"), parse_money("51.38"))) == "115.69"


def test_growth_from_nothing_is_no_figure():
    assert growth(Money(100), ZERO) is None


def test_a_unit_that_reserves_nothing_has_no_rate_and_is_not_rated():  # G4
    found = stand("0", "0", duty=Duty.NO_CANTEEN)

    assert found.rate is None
    assert in_percent(found.rate) == "—"
    assert found.light is Light.UNRATED


def test_union_purchases_of_a_unit_without_a_canteen_make_no_infinite_rate():
    assert stand("500", "0", duty=Duty.NO_CANTEEN).rate is None


def test_a_group_is_the_sum_over_the_sum_never_the_mean_of_rates():  # G7
    pairs = [(Money(90_00), Money(100_00)), (ZERO, Money(300_00))]

    assert in_percent(group_rate(pairs)) == "22.50"


def test_filing_rate_leaves_out_who_need_not_file():  # G28
    units = (
        [(Duty.MUST_FILE, True)] * 98
        + [(Duty.MUST_FILE, False)] * 9
        + [(Duty.NO_CANTEEN, True)] * 10
        + [(Duty.REPRESENTED, True)] * 2
        + [(Duty.EXEMPT, True)]
    )
    assert len(units) == 120

    found = filing_share(units)

    assert (found.count, found.of) == (98, 107)
    assert in_percent(found.rate) == "91.59"


def test_started_rate_is_among_those_who_reserve():
    found = started_share([(Money(1), Money(10)), (ZERO, Money(10)), (Money(5), ZERO)])

    assert (found.count, found.of) == (1, 2)


def test_nobody_to_file_is_no_rate():
    assert in_percent(filing_share([(Duty.NO_CANTEEN, True)]).rate) == "—"


def test_pace_is_days_gone_over_days_of_the_year():
    assert pace(TODAY, 2026) == Fraction(327, 365)
    assert in_percent(pace(TODAY, 2026)) == "89.59"
    assert pace(date(2024, 2, 29), 2024) == Fraction(60, 366)


def test_pace_of_a_year_that_is_over_or_has_not_begun():
    assert pace(date(2027, 1, 1), 2026) == 1
    assert pace(date(2025, 12, 31), 2026) == 0


def test_the_gap_is_taken_before_rounding():
    gap = gap_points(rate(parse_money("1893300"), parse_money("2360000")), pace(TODAY, 2026))

    assert rounded(gap) == "−9.36"


@pytest.mark.parametrize(
    ("counted", "light"),
    [
        ("84589.05", Light.GREEN),  # of 100 000: 84.589041… is exactly five points behind
        ("84589.04", Light.YELLOW),
        ("69589.05", Light.YELLOW),
        ("69589.04", Light.RED),
        ("0", Light.RED),
        ("120000", Light.GREEN),
    ],
)
def test_the_ladder_is_decided_to_the_fen(counted, light):
    assert stand(counted, "100000").light is light


def test_exactly_five_points_behind_is_still_green_and_exactly_twenty_still_yellow():
    half = date(2024, 7, 1)  # 183 of 366 days: one half
    at = {"day": half, "year": 2024, "filing_to": DEADLINE, "duty": Duty.MUST_FILE, "filed": True}

    def light(counted):
        amount = Money(counted)
        return standing(reserved=Money(100), ordered=amount, counted=amount, **at).light

    assert (light(45), light(44), light(30), light(29)) == (
        Light.GREEN,
        Light.YELLOW,
        Light.YELLOW,
        Light.RED,
    )


def test_not_filed_is_black_only_after_the_deadline_day():
    before = stand("0", "0", filed=False, day=DEADLINE)
    after = stand("0", "0", filed=False, day=date(2026, 3, 25))

    assert (before.light, after.light) == (Light.WAITING, Light.BLACK)


def test_what_was_bought_without_a_filing_has_no_rate():
    assert stand("500", "0", filed=False).rate is None


def test_the_forecast_is_the_rhythm_of_last_year():
    last = Rhythm(2025, early=Fraction(1, 2), by_now=Fraction(4, 5), late=Fraction(9, 10))

    found = forecast(Money(8_000), [last])

    assert (found.low, found.expected, found.high) == (Money(8_889), Money(10_000), Money(16_000))
    assert found.came_later == Fraction(1, 5)
    assert found.years == (2025,)


def test_a_forecast_needs_a_rhythm_that_says_something():
    too_early = Rhythm(2025, early=Fraction(1, 100), by_now=Fraction(2, 10), late=Fraction(3, 10))

    assert forecast(Money(100), []) is None
    assert forecast(Money(100), [too_early]) is None
    assert forecast(ZERO, [Rhythm(2025, Fraction(1, 2), Fraction(1, 2), Fraction(1, 2))]) is None


def test_the_rhythm_of_a_year_from_its_rows():
    rows = [
        (date(2025, 3, 1), Money(50)),
        (date(2025, 11, 23), Money(25)),
        (date(2026, 1, 5), Money(25)),
    ]

    found = rhythm(rows, year=2025, day=TODAY)

    assert found == Rhythm(2025, early=Fraction(1, 2), by_now=Fraction(3, 4), late=Fraction(3, 4))
    assert rhythm([], year=2025, day=TODAY) is None


def test_the_last_fortnight_of_a_year_forecasts_no_less_than_is_counted():
    rows = [(date(2025, 3, 1), Money(50)), (date(2026, 1, 5), Money(50))]

    found = forecast(Money(100), [rhythm(rows, year=2025, day=date(2026, 12, 31))])

    assert (found.low, found.expected) == (Money(100), Money(100))


def test_the_same_day_of_a_shorter_year():
    assert same_day(date(2024, 2, 29), 2023) == date(2023, 2, 28)
    assert same_day(TODAY, 2025) == date(2025, 11, 23)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Fraction(1, 200), "0.01"),
        (Fraction(-1, 200), "−0.01"),
        (Fraction(12345, 10), "1,234.50"),
        (Fraction(0), "0.00"),
    ],
)
def test_figures_are_rounded_half_up_once(value, shown):
    assert rounded(value) == shown


@given(
    parts=st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)), min_size=1, max_size=20)
)
def test_a_group_lies_between_its_slowest_and_its_fastest(parts):
    rates = [Fraction(done, target) for done, target in parts]

    found = group_rate((Money(done), Money(target)) for done, target in parts)

    assert min(rates) <= found <= max(rates)
    assert found == group_rate((Money(done), Money(target)) for done, target in reversed(parts))


@given(
    counted=st.integers(1, 10**9),
    shares=st.lists(st.integers(1, 1000), min_size=3, max_size=3).map(sorted),
)
def test_the_forecast_stays_in_its_band_and_above_what_is_counted(counted, shares):
    early, by_now, late = (Fraction(share, 1000) for share in shares)

    found = forecast(Money(counted), [Rhythm(2025, early, by_now, late)])

    if found is not None:
        assert Money(counted) <= found.low <= found.expected <= found.high
