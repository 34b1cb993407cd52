"""Where the lines of the office's pictures run: numbers for SVG, computed from exact figures.

Floats are pixels here, never money; every picture has a table with the exact amounts beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kernel.money import ZERO, Money
from kernel.periods import days_gone
from orders.agencies.rules.rates import Forecast
from shop.office.overview import YearSoFar

HEIGHT = 240.0
TOP = 4.0
WEEK = timedelta(days=7)
# Labels at the right edge of the curve keep this distance, in percent of its height.
LABEL = 11.5


@dataclass(frozen=True, slots=True)
class Mark:
    """A label with its place in percent."""

    text: str
    at: float
    amount: Money = ZERO


@dataclass(frozen=True, slots=True)
class Curve:
    """The cumulative curve of a year in a box of days × 240, and its labels in percent."""

    days: int
    now: str
    last: str
    calendar: str
    forecast: str
    band: str
    goal_at: float | None
    grid: list[Mark]
    ticks: list[float]
    months: list[Mark]
    rush_at: float
    today_at: float
    now_at: float
    calendar_at: float | None
    forecast_at: float
    last_at: float
    forecast_label_at: float
    last_label_at: float
    rush_label_at: float


def curve(year: YearSoFar, *, target: Money) -> Curve:
    """This year against the calendar, last year and the forecast."""
    found = year.course
    day = min(found.as_of, date(found.year, 12, 31))
    gone, days = days_gone(day) if day.year == found.year else (0, 365)
    highest = max(
        target.fen,
        year.last_year.fen,
        year.counted.fen,
        year.forecast.high.fen if year.forecast else 0,
        1,
    )

    def down(amount: Money) -> float:
        return round(HEIGHT - (HEIGHT - TOP) * amount.fen / highest, 2)

    def percent(amount: Money) -> float:
        return round(100 * down(amount) / HEIGHT, 2)

    this = _weekly(found.days.get(found.year, []), found.year, day)
    last = _weekly(found.days.get(found.year - 1, []), found.year - 1, None)
    due = Money(target.fen * gone // days)
    forecast_label, last_label = _apart(
        percent(year.forecast.expected) if year.forecast else 100.0, percent(year.last_year)
    )
    return Curve(
        days=days,
        now=_line((at * days / of, down(amount)) for at, of, amount in this),
        last=_line((at * days / of, down(amount)) for at, of, amount in last)
        if year.last_year
        else "",
        calendar=f"M0,{HEIGHT:g}L{days},{down(target)}" if target else "",
        forecast=_to_the_end(gone, days, down(year.counted), year.forecast, down),
        band=_band(gone, days, down(year.counted), year.forecast, down),
        goal_at=percent(target) if target else None,
        grid=[Mark(_in_wan(amount), percent(amount), amount) for amount in _steps(highest)],
        ticks=[round(100 * start / days, 2) for start, _ in _months(found.year)[1:]],
        months=[
            Mark(str(number), round(100 * (start + length / 2) / days, 2))
            for number, (start, length) in enumerate(_months(found.year), 1)
        ],
        rush_at=round(100 * _months(found.year)[11][0] / days, 2),
        today_at=round(100 * gone / days, 2),
        now_at=percent(year.counted),
        calendar_at=percent(due) if target else None,
        forecast_at=percent(year.forecast.expected) if year.forecast else 100.0,
        last_at=percent(year.last_year),
        forecast_label_at=forecast_label,
        last_label_at=last_label,
        # At the foot of the picture, unless the lines of December run there.
        rush_label_at=98.0 if percent(year.last_year) < 75 and percent(year.counted) < 85 else 55.0,
    )


def _weekly(
    rows: Sequence[tuple[date, Money]], year: int, until: date | None
) -> list[tuple[int, int, Money]]:
    """(day of the year, days of the year, amount so far) once a week and on the last day.

    Whatever is dated after the year's end closes it.
    """
    end = until or date(year, 12, 31)
    days = days_gone(date(year, 12, 31))[1]
    points, so_far, place = [(0, days, ZERO)], ZERO, 0
    for day in _weeks(date(year, 1, 1) + WEEK, end):
        last = day == date(year, 12, 31)
        while place < len(rows) and (rows[place][0] <= day or last):
            so_far += rows[place][1]
            place += 1
        points.append((day.timetuple().tm_yday, days, so_far))
    return points


def _weeks(first: date, end: date) -> Iterable[date]:
    day = first
    while day < end:
        yield day
        day += WEEK
    yield end


def _line(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.2f}" for x, y in points)


def _to_the_end(gone: int, days: int, now: float, forecast: Forecast | None, down: object) -> str:
    if forecast is None:
        return ""
    assert callable(down)
    return f"M{gone},{now}L{days},{down(forecast.expected)}"


def _band(gone: int, days: int, now: float, forecast: Forecast | None, down: object) -> str:
    if forecast is None:
        return ""
    assert callable(down)
    return f"M{gone},{now}L{days},{down(forecast.high)}L{days},{down(forecast.low)}Z"


def _months(year: int) -> list[tuple[int, int]]:
    """(days before it, days of it) of each month."""
    starts = [date(year, month, 1).timetuple().tm_yday - 1 for month in range(1, 13)]
    ends = [*starts[1:], days_gone(date(year, 12, 31))[1]]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def _steps(highest: int) -> list[Money]:
    """At most six round amounts (1, 2 or 5 and zeros) below the top."""
    rounds = (factor * 10**zeros for zeros in range(20) for factor in (1, 2, 5))
    step = next(each for each in rounds if highest // each <= 6)
    return [Money(step * n) for n in range(1, highest // step + 1) if step * n < highest * 0.97]


def _in_wan(amount: Money) -> str:
    """A round amount in ten thousands, without needless zeros."""
    whole, rest = divmod(amount.fen, 1_000_000)
    return f"{whole}" if not rest else f"{whole}.{rest:06}".rstrip("0")


def _apart(first: float, second: float) -> tuple[float, float]:
    """Two labels of two lines each, moved away from one another if they would touch."""
    if abs(first - second) >= LABEL:
        return first, second
    middle = (first + second) / 2
    upper, lower = middle - LABEL / 2, middle + LABEL / 2
    return (upper, lower) if first <= second else (lower, upper)
