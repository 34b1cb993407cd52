"""When an objection must be answered (domain.md §4.5). Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

ANSWER_WITHIN = 5
_SATURDAY = 5


def answer_due(
    asked: date, *, days_off: Collection[date] = (), works: Collection[date] = ()
) -> date:
    """The fifth working day after the day it was asked. `days_off` are holidays on weekdays,
    `works` weekend days that are worked instead (调休)."""
    day, left = asked, ANSWER_WITHIN
    while left:
        day += timedelta(days=1)
        if day in works or (day.weekday() < _SATURDAY and day not in days_off):
            left -= 1
    return day
