"""Business days are dates in Asia/Shanghai, computed here and nowhere else."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def business_day(instant: datetime) -> date:
    """The day on the wall in Shanghai at that instant."""
    assert instant.tzinfo is not None
    return instant.astimezone(SHANGHAI).date()


def business_year(instant: datetime) -> int:
    return business_day(instant).year


def day_start(day: date) -> datetime:
    """The first instant of a business day, in UTC."""
    return datetime.combine(day, time.min, SHANGHAI).astimezone(UTC)


def day_end(day: date) -> datetime:
    """The first instant after a business day; a deadline ends 23:59:59 local (domain.md §6.5)."""
    return day_start(day + timedelta(days=1))


def year_span(year: int) -> tuple[datetime, datetime]:
    """Half-open: first instant of the year, first instant of the next."""
    return day_start(date(year, 1, 1)), day_start(date(year + 1, 1, 1))


def days_gone(day: date) -> tuple[int, int]:
    """(days of the year gone including this one, days of the year): 序时进度 is their quotient."""
    return day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
