"""What canteens and citizens will want, planned before the story begins. Pure.

A grid is what one unit asks for at one time; it may become several orders, one per supplier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from shop.demo import rhythm, tables
from shop.demo.tables import PackRow, UnitRow

# How much of a grid's value a line takes, relative to the others of its supplier.
_WEIGHTS = {
    ("R01", "first"): 15, ("R01", "second"): 4, ("V03", "first"): 8, ("V01", "first"): 6,
    ("V07", "first"): 4, ("V08", "first"): 4, ("V09", "first"): 2, ("V10", "first"): 2,
    ("V05", "first"): 3, ("S01", "first"): 3, ("V06", "first"): 4, ("P01", "first"): 17,
    ("O02", "first"): 7, ("O04", "first"): 5, ("E01", "first"): 4,
    ("K01", "first"): 3, ("K02", "first"): 2, ("K05", "first"): 9, ("K06", "first"): 5,
    ("P03", "first"): 4, ("T02", "second"): 10, ("G02", "first"): 17, ("B01", "first"): 12,
}  # fmt: skip

# Share of a grid's value that goes to a supplier when it is asked at all, and how often it is.
_SUPPLIERS = {"YL": (0.33, 0.36), "GL": (0.25, 0.29), "XA": (0.20, 0.20), "AX": (0.10, 0.06)}
_LINES = {"SS": (4, 6), "GL": (1, 3), "YL": (1, 1), "XA": (1, 1), "AX": (1, 1)}

# The share of the staff's welfare in a unit's purchases, and when it is bought.
UNION_MONTHS = (1, 9, 12)


@dataclass(frozen=True, slots=True)
class Line:
    pack: PackRow
    grams: int


@dataclass(frozen=True, slots=True)
class Grid:
    """One submission: who, when, for when, and what of which supplier."""

    unit: str
    number: int
    day: date
    deliver_on: date
    purpose: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one citizen orders: packs with counts."""

    number: int
    day: date
    place: int
    lines: tuple[tuple[PackRow, int], ...]


def grids_of(unit: UnitRow, year: int, today: date, source: Random) -> list[Grid]:
    """All submissions of a unit in one year, up to today."""
    last = year < today.year
    reserved = unit.reserved_before if last else unit.reserved
    pace = unit.pace_before if last else unit.pace
    # Last year they asked for more at a time.
    count = max(3, round(unit.grids * 0.55)) if last else unit.grids
    if unit.story == "begun" and not last:
        return _first_order(unit, today, source)
    if not (reserved and pace):
        return []
    months = rhythm.curve(unit.kind, last_year=last)
    days = rhythm.order_days(months, year, count, source)
    if unit.story == "stopped" and not last:
        days = [day for day in days if day < today - timedelta(days=55)]
    each = reserved.fen * pace / 100 / count
    found = []
    for number, day in enumerate(days, 1):
        if day > today:
            break
        worth = rhythm.near(source, each, 0.25)
        grid = grid_on(unit, year * 100 + number, day, worth, source)
        if grid is not None:
            found.append(grid)
    return found


def _first_order(unit: UnitRow, today: date, source: Random) -> list[Grid]:
    """A unit that had bought nothing all year, until two weeks ago."""
    day = rhythm.working_day(today - timedelta(days=14))
    grid = grid_on(unit, today.year * 100 + 1, day, 620_000, source)
    return [grid] if grid else []


def grid_on(
    unit: UnitRow,
    number: int,
    day: date,
    worth: float,
    source: Random,
    deliver_on: date | None = None,
) -> Grid | None:
    """What a unit asks for on that day, for so many fen, of what is to be had then."""
    deliver_on = deliver_on or rhythm.working_days_after(day, 2 if day.weekday() < 3 else 1)
    union = day.month in UNION_MONTHS and source.random() < 0.16
    parts = {"SS": 1.0}
    for supplier, (share, often) in _SUPPLIERS.items():
        wanted = source.random() < (0.6 if union and supplier == "AX" else often)
        if wanted:
            parts[supplier] = share
            parts["SS"] -= share
    lines: list[Line] = []
    for supplier, share in parts.items():
        lines += _lines(supplier, share * worth, day, deliver_on, source)
    if not lines:
        return None
    purpose = "union" if union else "canteen"
    return Grid(unit.key, number, day, deliver_on, purpose, tuple(lines))


def _lines(supplier: str, worth: float, day: date, deliver_on: date, source: Random) -> list[Line]:
    offered = [
        pack
        for pack in tables.packs("canteens")
        if pack.supplier == supplier
        and tables.to_be_had(pack.product, day)
        and tables.to_be_had(pack.product, deliver_on)
        and (pack.product, pack.grade) in _WEIGHTS
    ]
    if not offered:
        return []
    least, most = _LINES[supplier]
    chosen = _draw(offered, source.randint(least, most), source)
    weights = [rhythm.near(source, _WEIGHTS[each.product, each.grade], 0.35) for each in chosen]
    found = []
    for pack, weight in zip(chosen, weights, strict=True):
        value = worth * weight / sum(weights)
        packs = max(1, round(value / pack.price.fen / pack.grams * 1000))
        found.append(Line(pack, packs * pack.grams))
    return found


def _draw(offered: Sequence[PackRow], count: int, source: Random) -> list[PackRow]:
    """So many of them, the heavier the likelier; each product and grade once."""
    left = list(offered)
    chosen: list[PackRow] = []
    while left and len(chosen) < count:
        weights = [_WEIGHTS[each.product, each.grade] for each in left]
        pack = source.choices(left, weights)[0]
        chosen.append(pack)
        left = [each for each in left if (each.product, each.grade) != (pack.product, pack.grade)]
    return sorted(chosen, key=lambda each: (each.product, each.position))


def parcels(year: int, count: int, today: date, source: Random) -> list[Parcel]:
    """Citizens' orders of one year, up to today."""
    months = rhythm.curve("citizens", last_year=year < today.year)
    places = len(tables.words()["citizen"])
    found = []
    for number in range(1, count + 1):
        day = rhythm.day_at(months, year, source.random())
        lines = basket_on(day, source)
        place = source.randrange(places)
        if day <= today and lines:
            found.append(Parcel(year * 10_000 + number, day, place, lines))
    return sorted(found, key=lambda each: (each.day, each.number))


def basket_on(day: date, source: Random) -> tuple[tuple[PackRow, int], ...]:
    """One to three packs of what is to be had that day."""
    offered = [each for each in tables.packs("citizens") if tables.to_be_had(each.product, day)]
    if not offered:
        return ()
    count = source.choice((1, 1, 1, 2, 2, 3))
    chosen = source.sample(offered, min(count, len(offered)))
    return tuple((pack, source.choice((1, 1, 1, 2, 3))) for pack in chosen)
