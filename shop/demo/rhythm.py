"""When canteens and citizens order, and how much: curves of the year and working days. Pure.

Last year half of it came in the last two months; this year is a little more even.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import accumulate
from random import Random

# Hundredths of a year's orders by month, January to December.
_CURVES = {
    ("school", "this"): (4, 4, 11, 11, 11, 8, 1, 3, 14, 13, 14, 6),
    ("school", "last"): (3, 3, 8, 9, 10, 7, 1, 3, 12, 13, 16, 15),
    ("other", "this"): (7, 6, 8, 9, 9, 8, 7, 7, 9, 11, 13, 6),
    ("other", "last"): (4, 4, 6, 7, 8, 7, 6, 7, 9, 12, 15, 15),
    ("citizens", "this"): (14, 5, 5, 6, 5, 5, 4, 4, 8, 11, 20, 13),
    ("citizens", "last"): (6, 3, 4, 5, 5, 5, 4, 4, 9, 13, 21, 21),
}

# Nobody orders on these days (month, day), first and last: New Year, spring festival, May, October.
_HOLIDAYS = (((1, 1), (1, 3)), ((2, 8), (2, 18)), ((5, 1), (5, 5)), ((10, 1), (10, 7)))
# Schools end the term in time for the last delivery; books close before New Year.
LAST_ORDER = (12, 22)


def curve(kind: str, *, last_year: bool) -> tuple[int, ...]:
    who = kind if kind in ("school", "citizens") else "other"
    return _CURVES[who, "last" if last_year else "this"]


def gone(months: Sequence[int], day: date) -> float:
    """Which part of the year's orders is placed by the end of that day, 0 to 1."""
    before = sum(months[: day.month - 1])
    length = (_month_after(day) - day.replace(day=1)).days
    return (before + months[day.month - 1] * day.day / length) / sum(months)


def day_at(months: Sequence[int], year: int, part: float) -> date:
    """The day on which that part of the year's orders is reached: the inverse of `gone`."""
    wanted = part * sum(months)
    for number, (weight, reached) in enumerate(zip(months, accumulate(months), strict=True), 1):
        if reached >= wanted and weight:
            first = date(year, number, 1)
            length = (_month_after(first) - first).days
            inside = (wanted - (reached - weight)) / weight
            return first + timedelta(days=min(length - 1, int(inside * length)))
    return date(year, 12, 31)


def order_days(
    months: Sequence[int], year: int, count: int, source: Random, *, jitter: int = 4
) -> list[date]:
    """`count` working days spread as the curve says, each moved a few days by chance."""
    days = []
    for number in range(count):
        planned = day_at(months, year, (number + 0.5) / count)
        moved = planned + timedelta(days=source.randint(-jitter, jitter))
        first, last = date(year, 1, 4), date(year, *LAST_ORDER)
        days.append(working_day(min(max(moved, first), last)))
    return sorted(days)


def is_working(day: date) -> bool:
    if day.weekday() >= 5:
        return False
    return not any(start <= (day.month, day.day) <= end for start, end in _HOLIDAYS)


def working_day(day: date) -> date:
    """The day itself, or the next one on which people work."""
    while not is_working(day):
        day += timedelta(days=1)
    return day


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after that day."""
    for _ in range(count):
        day = working_day(day + timedelta(days=1))
    return day


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def near(source: Random, amount: float, spread: float = 0.2) -> float:
    """The amount, more or less."""
    return amount * source.uniform(1 - spread, 1 + spread)


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
