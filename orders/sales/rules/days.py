"""The days on which goods are brought when the buyer chooses one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# So far ahead a day may be chosen: fresh goods are not promised for next month.
AHEAD = 14
MOST_LEAD = 10


@dataclass(frozen=True, slots=True)
class Offer:
    """What one cooperative offers: `weekdays` such as `135` (1 is Monday), whether the buyer may
    choose a half of the day, and how many days after the order at the earliest."""

    weekdays: str
    halves: bool
    lead_days: int


def days_offered(offers: Sequence[Offer | None], today: date) -> list[date]:
    """The days on which all of these bring goods: one who offers none leaves no choice."""
    chosen = [each for each in offers if each is not None and each.weekdays]
    if not chosen or len(chosen) < len(offers):
        return []
    lead = max(each.lead_days for each in chosen)
    ahead = (today + timedelta(days=n) for n in range(lead, lead + AHEAD))
    return [day for day in ahead if all(str(day.isoweekday()) in each.weekdays for each in chosen)]


def halves_offered(offers: Sequence[Offer | None]) -> bool:
    return bool(offers) and all(each is not None and each.halves for each in offers)
