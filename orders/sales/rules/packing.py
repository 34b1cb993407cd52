"""Which orders the store looks at: when each is due, and what a search finds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from kernel.labels import Labelled
from kernel.text import initials, pinyin, tidy

# domain.md §3.1: shipped within 48 hours unless a day was promised.
SHIP_WITHIN_HOURS = 48


class Due(Labelled):
    """When an order must leave, seen from today."""

    LATE = "late"
    TODAY = "today"
    TOMORROW = "tomorrow"
    LATER = "later"


def due_when(due_on: date, today: date) -> Due:
    if due_on < today:
        return Due.LATE
    if due_on == today:
        return Due.TODAY
    return Due.TOMORROW if due_on == today + timedelta(days=1) else Due.LATER


def found_by(asked: str, words: Iterable[str]) -> bool:
    """Whether every word asked for is in one of these: as written, in pinyin, or by initials."""
    wanted = tidy(asked).lower().split()
    said = [each.lower() for each in words]
    spelled = [spelling for each in said for spelling in (pinyin(each), initials(each))]
    return all(any(one in each for each in (*said, *spelled)) for one in wanted)
