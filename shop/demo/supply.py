"""What must be weighed in and made, and when, so that everything planned can be served. Pure.

Demand comes first: whatever will be wanted is brought in shortly before, with something to spare.
What is made (rice, oil, tea, flour, curd) asks in turn for what it is made of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from catalog.products.rules import in_season
from shop.demo import rhythm, tables
from shop.demo.menus import Grid, Parcel

Key = tuple[str, str]  # product code, grade

# What more than the plan is brought in, so that a page never shows an empty shelf.
SPARE = 1.07

# Kilograms that one household brings at a time, more or less.
_LOADS = {
    "R01": 390, "V03": 700, "V01": 650, "V07": 230, "V08": 150, "V09": 160, "V10": 90, "V05": 650,
    "S01": 520, "V06": 800, "K01": 62, "T01": 15, "G01": 2900, "O01": 560, "O03": 950, "P01": 340,
    "P03": 90, "B01": 240, "E01": 210,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recipe:
    """What something is made of: kilograms out per kilogram in, and every how many days."""

    output: Key
    source: Key
    ratio: float
    every: int
    step: str
    step_en: str


# Those that are made of something made come first, so that their needs are known in time.
RECIPES = (
    Recipe(("K05", "first"), ("K02", "first"), 25.0, 7, "点制、成型、包装", "Set, shaped, packed"),
    Recipe(("K06", "first"), ("K02", "first"), 22.0, 28, "拉丝、包装", "Drawn, packed"),
    Recipe(
        ("K02", "first"), ("K01", "second"), 0.1333, 7, "切片、烘干、磨粉", "Sliced, dried, ground"
    ),
    Recipe(("G02", "first"), ("G01", "first"), 0.68, 28, "碾米、分装", "Milled, bagged"),
    Recipe(("O02", "first"), ("O01", "first"), 0.24, 70, "低温压榨、灌装", "Pressed cool, filled"),
    Recipe(("O04", "first"), ("O03", "first"), 0.38, 70, "热榨、灌装", "Pressed warm, filled"),
    Recipe(
        ("T02", "first"),
        ("T01", "first"),
        0.222,
        4,
        "萎凋、揉捻、发酵、烘干",
        "Withered, rolled, fermented, dried",
    ),
    Recipe(
        ("T02", "second"),
        ("T01", "second"),
        0.222,
        4,
        "萎凋、揉捻、发酵、烘干",
        "Withered, rolled, fermented, dried",
    ),
)

# Products that are made only while what they are made of is fresh.
_IN_HARVEST_ONLY = {"K02", "T02"}


@dataclass(frozen=True, slots=True)
class Intake:
    """One morning at the scale: so many grams of a product and grade, from several households."""

    day: date
    product: str
    grade: str
    grams: int
    loads: int


@dataclass(frozen=True, slots=True)
class Making:
    day: date
    recipe: Recipe
    grams: int


@dataclass(slots=True)
class Supply:
    intakes: list[Intake]
    makings: list[Making]


@dataclass(frozen=True, slots=True)
class Span:
    """The story's first day (when the stores are filled), its first day of trade, and its last."""

    begin: date
    trade: date
    today: date


def demands(grids: Iterable[Grid], parcels: Iterable[Parcel]) -> dict[Key, dict[date, int]]:
    """Grams by product and grade and the day they are ordered."""
    wanted: dict[Key, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for grid in grids:
        for line in grid.lines:
            wanted[line.pack.product, line.pack.grade][grid.day] += line.grams
    for parcel in parcels:
        for pack, count in parcel.lines:
            wanted[pack.product, pack.grade][parcel.day] += count * pack.grams
    return {key: dict(days) for key, days in wanted.items()}


def plan(wanted: dict[Key, dict[date, int]], span: Span, source: Random) -> Supply:
    """Every morning at the scale and every making, in no particular order."""
    wanted = {key: _looking_ahead(key, days, span) for key, days in wanted.items()}
    makings: list[Making] = []
    for recipe in RECIPES:
        made = _makings(recipe, wanted.get(recipe.output, {}), span)
        makings += made
        needed: dict[date, int] = {}
        for each in made:
            grams = int(each.grams / recipe.ratio) + 1
            needed[each.day] = needed.get(each.day, 0) + grams
        already = wanted.setdefault(recipe.source, {})
        # What is made for a whole year has looked ahead already.
        if recipe.output[0] not in _IN_HARVEST_ONLY:
            needed = _looking_ahead(recipe.source, needed, span)
        for day, grams in needed.items():
            already[day] = already.get(day, 0) + grams
    made_keys = {recipe.output for recipe in RECIPES}
    intakes: list[Intake] = []
    for key, days in sorted(wanted.items()):
        if key not in made_keys:
            intakes += _intakes(key, days, span, source)
    return Supply([*intakes, *_pulling(span)], makings)


def _looking_ahead(key: Key, days: dict[date, int], span: Span) -> dict[date, int]:
    """The same, with what is likely to be wanted after today: shelves are not empty at the end."""
    back, part = _horizon(key, span.today)
    since = span.today - timedelta(days=back)
    lately = sum(grams for day, grams in days.items() if day > since)
    ahead = dict(days)
    ahead[span.today] = ahead.get(span.today, 0) + int(lately * part)
    return ahead


def _horizon(key: Key, today: date) -> tuple[int, float]:
    """How many days back one looks, and which part of that is brought in on top."""
    row = tables.products()[key[0]]
    shelf = row["shelf"]
    stored_raw = not row.get("sold", True) and shelf >= 60
    if key[0] in _IN_HARVEST_ONLY or (stored_raw and in_season(row["harvest"], today)):
        return 330, 0.6
    if shelf >= 60:
        return 45, 0.8
    return (14, 0.6) if shelf >= 12 else (7, 0.4)


def _pulling(span: Span) -> list[Intake]:
    """Two weeks ago two dozen households pulled their radishes on one morning."""
    day = span.today - timedelta(days=15)
    if day <= span.trade or not in_season(tables.products()["R01"]["harvest"], day):
        return []
    return [Intake(day, "R01", "first", 4_380_000, 24)]


def _makings(recipe: Recipe, wanted: dict[date, int], span: Span) -> list[Making]:
    days = _making_days(recipe, span)
    made = []
    for number, day in enumerate(days):
        until = days[number + 1] if number + 1 < len(days) else date.max
        grams = sum(
            grams
            for ordered, grams in wanted.items()
            if (day <= ordered or number == 0) and ordered < until
        )
        if not grams and number + 1 < len(days):
            continue
        made.append(Making(day, recipe, _round(max(grams, 4_000) * SPARE, 500)))
    return _spread(made) if recipe.output[0] in _IN_HARVEST_ONLY else made


def _spread(made: list[Making]) -> list[Making]:
    """What a whole year needs is made in equal parts on the days of one harvest."""
    by_harvest: dict[int, list[Making]] = defaultdict(list)
    for each in made:
        by_harvest[each.day.year].append(each)
    spread = []
    for group in by_harvest.values():
        share = sum(each.grams for each in group) // len(group)
        spread += [Making(each.day, each.recipe, _round(share, 500)) for each in group]
    return spread


def _making_days(recipe: Recipe, span: Span) -> list[date]:
    code = recipe.source[0]
    days = [span.begin + timedelta(days=8)]
    day = rhythm.monday_of(span.begin + timedelta(days=14))
    last = span.begin
    while day <= span.today:
        fits = in_season(tables.products()[code]["harvest"], day - timedelta(days=2))
        if (day - last).days >= recipe.every and (recipe.output[0] not in _IN_HARVEST_ONLY or fits):
            days.append(day)
            last = day
        day += timedelta(days=4 if recipe.every < 7 else 7)
    if recipe.source[0] == "T01":
        days = [each for each in days if in_season(tables.products()["T01"]["harvest"], each)]
    return days


def _intakes(key: Key, wanted: dict[date, int], span: Span, source: Random) -> list[Intake]:
    """Fresh things come in the same week; what keeps comes in its harvest, for all that follows."""
    row = tables.products()[key[0]]
    lasting = row["shelf"] >= 60 and bool(row["harvest"]) and not _all_year(row)
    days = _harvest_days(row, span) if lasting else _week_days(wanted, span, row)
    found = []
    for number, day in enumerate(days):
        until = days[number + 1] if number + 1 < len(days) else date.max
        grams = sum(
            grams
            for ordered, grams in wanted.items()
            if (day <= ordered or number == 0) and ordered < until
        )
        found.append((day, grams))
    if lasting:
        found = _over_the_harvest(found, days)
    return [
        _intake(day, key, int(grams * SPARE) + 8_000 * (not lasting), source)
        for day, grams in found
        if grams
    ]


def _over_the_harvest(
    found: list[tuple[date, int]], days: Sequence[date]
) -> list[tuple[date, int]]:
    """The last day of a harvest must serve the year after it: share that out over the days."""
    groups: list[list[tuple[date, int]]] = []
    for number, each in enumerate(found):
        if number and (each[0] - found[number - 1][0]).days <= 21:
            groups[-1].append(each)
        else:
            groups.append([each])
    shared = []
    for group in groups:
        whole = sum(grams for _, grams in group)
        # The first days must at least serve what is wanted while the harvest goes on.
        part = whole / len(group)
        taken = 0.0
        needed = 0
        for day, grams in group:
            needed += grams if (day, grams) != group[-1] else 0
            bring = max(part, needed - taken)
            shared.append((day, int(min(bring, max(0.0, whole - taken)))))
            taken += shared[-1][1]
    assert len(days) == len(shared)
    return shared


def _harvest_days(row: dict[str, object], span: Span) -> list[date]:
    """Opening the stores at the beginning, then two mornings a week while it is harvested."""
    keeps = int(str(row["shelf"])) >= 60
    days = [span.begin + timedelta(days=number) for number in (2, 3, 5)] if keeps else []
    day = rhythm.monday_of(span.begin + timedelta(days=14))
    harvest = row["harvest"]
    assert isinstance(harvest, list)
    while day <= span.today:
        for offset in (0, 3):
            morning = day + timedelta(days=offset)
            if in_season(harvest, morning) and span.trade <= morning <= span.today:
                days.append(morning)
        day += timedelta(days=7)
    return days


def _week_days(wanted: dict[date, int], span: Span, row: dict[str, object]) -> list[date]:
    """The mornings before the goods are ordered: every Monday, Thursdays too for what wilts, and
    long ago every other Monday for what keeps three weeks."""
    shelf = int(str(row["shelf"]))
    if shelf < 5:
        return sorted(wanted)
    days = set()
    for ordered in wanted:
        monday = rhythm.monday_of(ordered)
        if shelf < 12 and ordered.weekday() >= 3:
            monday += timedelta(days=3)
        elif shelf >= 20 and monday < span.today - timedelta(days=60):
            monday -= timedelta(days=7 * (monday.toordinal() // 7 % 2))
        days.add(max(span.begin, monday))
    return sorted(days)


def _all_year(row: dict[str, object]) -> bool:
    return row["harvest"] == [["01-01", "12-31"]]


def _intake(day: date, key: Key, grams: int, source: Random) -> Intake:
    load = _LOADS[key[0]] * 1000
    loads = max(2, min(16, round(rhythm.near(source, grams / load, 0.15))))
    return Intake(day, key[0], key[1], grams, loads)


def _round(grams: float, step: int) -> int:
    return max(step, round(grams / step) * step)
