"""When a harvest worries people, and what of it is news to them. Pure."""

from __future__ import annotations

from datetime import date, timedelta

# Rain holds a harvest up for a few days; after that somebody must say what is.
GRACE = timedelta(days=3)


def is_overdue(since: date, until: date, *, expected: int, came: int, today: date) -> bool:
    """Something is still expected, and the last day is over, or nothing at all came within days of
    the first."""
    if expected <= came:
        return False
    return until < today or (came == 0 and since + GRACE < today)


def is_news(told: int, now: int) -> bool:
    """More is wrong than people were told, or what they were told is made good. Less of it is no
    letter: they have the page."""
    return now > told or (now == 0 and told > 0)
