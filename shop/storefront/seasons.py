"""The year as a page shows it: spans of harvest and store, today's place, the solar term. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kernel.errors import Text

# (name, month, C): the day of a solar term in the 21st century is ⌊Y·0.2422 + C⌋ − ⌊leap days⌋,
# with Y the last two digits of the year; exact to the day for the years a shop lives through.
TERMS = (
    ("Minor Cold", 1, 5.4055), ("Major Cold", 1, 20.12),
    ("Start of Spring", 2, 3.87), ("Rain Water", 2, 18.73),
    ("Awakening of Insects", 3, 5.63), ("Spring Equinox", 3, 20.646),
    ("Clear and Bright", 4, 4.81), ("Grain Rain", 4, 20.1),
    ("Start of Summer", 5, 5.52), ("Grain Buds", 5, 21.04),
    ("Grain in Ear", 6, 5.678), ("Summer Solstice", 6, 21.37),
    ("Minor Heat", 7, 7.108), ("Major Heat", 7, 22.83),
    ("Start of Autumn", 8, 7.5), ("End of Heat", 8, 23.13),
    ("White Dew", 9, 7.646), ("Autumn Equinox", 9, 23.042),
    ("Cold Dew", 10, 8.318), ("Frost's Descent", 10, 23.438),
    ("Start of Winter", 11, 7.438), ("Minor Snow", 11, 22.36),
    ("Major Snow", 12, 7.18), ("Winter Solstice", 12, 21.94),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of the year in hundredths of it: of the field, or of the store."""

    start: float
    width: float
    stored: bool
    begins: date
    ends: date


def solar_term(today: date) -> str:
    """The English name (and message id) of the solar term the day lies in."""
    current = TERMS[-1][0]
    for name, month, constant in TERMS:
        if (month, _term_day(today.year, month, constant)) <= (today.month, today.day):
            current = name
    return current


def _term_day(year: int, month: int, constant: float) -> int:
    short = year % 100
    leap_days = (short - 1) // 4 if month <= 2 else short // 4
    return int(short * 0.2422 + constant) - leap_days


def place_in_year(day: date) -> float:
    """How far into its year the day lies, in hundredths."""
    days = date(day.year, 12, 31).timetuple().tm_yday
    return round((day.timetuple().tm_yday - 1) / days * 100, 2)


def bars(harvest: Sequence[Sequence[str]], stored: Sequence[Sequence[str]], year: int) -> list[Bar]:
    """Spans such as `["10-15", "12-25"]` as bars; one that runs over New Year becomes two."""
    found = [bar for span in stored for bar in _bars(span, year, stored=True)]
    return found + [bar for span in harvest for bar in _bars(span, year, stored=False)]


def _bars(span: Sequence[str], year: int, *, stored: bool) -> list[Bar]:
    start, end = (_day(year, each) for each in span)
    if start > end:
        first, last = date(year, 1, 1), date(year, 12, 31)
        return [_bar(first, end, stored), _bar(start, last, stored)]
    return [_bar(start, end, stored)]


def _bar(start: date, end: date, stored: bool) -> Bar:
    left = place_in_year(start)
    right = 100.0 if (end.month, end.day) == (12, 31) else place_in_year(end)
    return Bar(left, round(right - left, 2), stored, start, end)


def _day(year: int, month_day: str) -> date:
    month, day = (int(part) for part in month_day.split("-"))
    if (month, day) == (2, 29):
        day = 28
    return date(year, month, day)


def spoken(found: Sequence[Bar]) -> list[tuple[Text, date, date]]:
    """The bars as words, for whoever cannot see them."""
    return [
        (Text("in store") if bar.stored else Text("fresh"), bar.begins, bar.ends)
        for bar in sorted(found, key=lambda each: each.begins)
    ]


def year_of(harvest: Sequence[Sequence[str]], stored: Sequence[Sequence[str]]) -> list[str]:
    """Twelve words, one a month: `fresh` where some of it is harvested, else `stored`, else empty;
    no list at all for what has no season."""
    if not harvest and not stored:
        return []
    return [
        "fresh" if _in_month(harvest, month) else "stored" if _in_month(stored, month) else ""
        for month in range(1, 13)
    ]


def _in_month(spans: Sequence[Sequence[str]], month: int) -> bool:
    """Whether a day of the month lies in one of the spans; they may run over New Year."""
    for start, end in spans:
        first, last = int(start[:2]), int(end[:2])
        runs_over = start > end
        if (month >= first or month <= last) if runs_over else first <= month <= last:
            return True
    return False
