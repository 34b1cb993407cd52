"""When a parcel is there at the latest: one rule for product page, shelf and checkout. Pure.

Ordered before 16:00 in Shanghai it leaves on the next day, later on the day after: 48 hours at the
most (domain.md §3.1). The days on the road are what the cooperative says of the region; where it
says nothing, two days inside its province and four elsewhere.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from kernel.periods import SHANGHAI

CUT_OFF_HOUR = 16
MOST_DAYS = 30
NEAR, FAR = 2, 4


def leaves_on(now: datetime) -> date:
    """The last day on which what is ordered now leaves."""
    here = now.astimezone(SHANGHAI)
    return here.date() + timedelta(days=1 if here.hour < CUT_OFF_HOUR else 2)


def arrives_by(now: datetime, days: int) -> date:
    """The day by which it is there, with so many days on the road."""
    return leaves_on(now) + timedelta(days=days)


def usual_days(origin: str, region: str) -> int:
    """Days on the road where nobody says otherwise; `origin` and `region` are region codes."""
    return NEAR if origin[:2] == region[:2] else FAR
