"""The office's pictures: what enters a bar leaves it, nothing is drawn outside its frame."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money, total
from orders.agencies.queries.movements import Course
from orders.agencies.rules import rates
from shop.office.drawing import curve
from shop.office.overview import YearSoFar
from shop.office.road import Flow, Road, VillageEnd
from shop.office.sankey import LYING, STANDING, sankey

DAY = date(2026, 11, 23)


def so_far(this, last, forecast=None) -> YearSoFar:
    found = Course(2026, DAY, {2026: this, 2025: last})
    return YearSoFar(
        course=found,
        forecast=forecast,
        counted=found.amount(2026),
        same_day_last_year=found.amount(2025, date(2025, 11, 23)),
        last_year=found.amount(2025),
        december=rates.rate(found.month(2025, 12), found.amount(2025)),
    )


def test_the_curve_ends_at_today_and_the_calendar_at_the_target():
    year = so_far(
        [(date(2026, 3, 1), Money(50)), (DAY, Money(50))], [(date(2025, 12, 31), Money(80))]
    )

    drawn = curve(year, target=Money(200))

    assert drawn.now.startswith("M0.0,240.00")
    assert drawn.now.endswith("L327.0,122.00")  # half way between 240 and 4
    assert drawn.last.endswith("L365.0,145.60")
    assert drawn.calendar == "M0,240L365,4.0"
    assert drawn.today_at == 89.59
    assert [mark.text for mark in drawn.months] == [str(n) for n in range(1, 13)]


def test_what_came_after_the_year_closes_its_curve():
    year = so_far([(DAY, Money(1))], [(date(2025, 6, 1), Money(50)), (date(2026, 1, 9), Money(50))])

    assert curve(year, target=Money(100)).last.endswith("L365.0,4.00")
    assert year.course.month(2025, 12) == Money(50)


def test_a_year_without_anything_draws_a_flat_line():
    drawn = curve(so_far([], []), target=ZERO)

    assert set(re.findall(r",([\d.]+)", drawn.now)) == {"240.00"}
    assert (drawn.last, drawn.calendar, drawn.band, drawn.goal_at) == ("", "", "", None)


def test_labels_at_the_edge_do_not_touch():
    forecast = rates.Forecast(Money(102), Money(100), Money(105), (2025,), Fraction(1, 10))
    drawn = curve(
        so_far([(DAY, Money(90))], [(DAY.replace(year=2025), Money(101))], forecast),
        target=Money(110),
    )

    assert abs(drawn.forecast_label_at - drawn.last_label_at) >= 11


@given(
    st.integers(1, 10**12),
    st.lists(st.tuples(st.dates(date(2026, 1, 1), DAY), st.integers(-100, 10**10)), max_size=30),
)
def test_no_point_leaves_the_frame(target, rows):
    rows = sorted((on, Money(amount)) for on, amount in rows)
    drawn = curve(so_far(rows, []), target=Money(target))

    highs = [float(y) for y in re.findall(r",([-\d.]+)", drawn.now)]
    assert all(y >= 3.9 for y in highs)
    assert len(drawn.grid) <= 6
    assert drawn.grid == sorted(drawn.grid, key=lambda mark: -mark.at)


def test_round_steps_of_the_grid():
    drawn = curve(so_far([], []), target=Money(236_000_000))

    assert [mark.text for mark in drawn.grid] == ["50", "100", "150", "200"]


def a_road(flows, without=2) -> Road:
    """flows: (system, product, village or None, amount)."""
    systems, products, villages = {}, {}, {}
    for system, product, village, amount in flows:
        systems[system] = systems.get(system, ZERO) + Money(amount)
        products[product] = products.get(product, ZERO) + Money(amount)
        if village:
            villages[village] = villages.get(village, ZERO) + Money(amount)
    reached = total(villages.values())
    return Road(
        systems=systems,
        products=products,
        by_system=[Flow(s, p, Money(a)) for s, p, _, a in flows],
        by_village=[Flow(p, v, Money(a)) for _, p, v, a in flows if v],
        villages=[
            VillageEnd(name, name, amount, (amount,), 1, 1 + without, without)
            for name, amount in villages.items()
        ],
        total=total(systems.values()),
        to_households=reached,
    )


names = st.sampled_from
roads = st.lists(
    st.tuples(
        names(["教育", "卫健", "机关"]),
        names(["萝卜", "茶", "米", "油"]),
        names(["大山村", "青龙村", None]),
        st.integers(1, 10**9),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("frame", [LYING, STANDING], ids=["lying", "standing"])
@given(flows=roads)
def test_what_leaves_a_bar_is_as_thick_as_what_enters_it(frame, flows):
    road = a_road(flows)

    drawn = sankey(road, frame)

    first = sum(band.thickness for band in drawn.bands if band.kind == "f f1")
    second = sum(band.thickness for band in drawn.bands if band.kind in ("f f2", "fx"))
    assert first == pytest.approx(frame.thickness, abs=0.3)
    assert second == pytest.approx(first, abs=0.5)
    assert sum(bar.size for bar in drawn.products) == pytest.approx(frame.thickness, abs=0.2)


@pytest.mark.parametrize("frame", [LYING, STANDING], ids=["lying", "standing"])
def test_every_household_has_its_stroke_and_who_has_nothing_a_red_one(frame):
    drawn = sankey(
        a_road([("教育", "萝卜", "大山村", 100), ("教育", "萝卜", None, 50)], without=3), frame
    )

    assert len([band for band in drawn.bands if band.kind == "f3"]) == 1
    [end] = drawn.ends
    assert len(end.zeros) == 3
    assert drawn.elsewhere.amount == Money(50)


def test_hundreds_of_households_still_fit_their_frame():
    road = a_road([("教育", "萝卜", f"{n}村", 1000) for n in range(8)], without=60)

    for frame, most in ((LYING, LYING.height), (STANDING, STANDING.width)):
        drawn = sankey(road, frame)
        middles = [end.middle for end in drawn.ends]
        assert 0 < min(middles) < max(middles) < most


def test_nothing_travelled_is_no_picture():
    assert sankey(a_road([]), LYING) is None
