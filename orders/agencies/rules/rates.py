"""Rates, pace, warnings and the forecast of reserved shares (domain.md §1.7, §1.8).

Everything here is exact: a verdict is decided on fractions, and a figure is rounded half up once,
when it is shown. A unit that reserves nothing has no rate at all, never 0 % and never infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from kernel.labels import Labelled
from kernel.money import Money, total
from kernel.periods import days_gone
from kernel.sharing import half_up

NO_RATE = "—"

# The ladder of domain.md §1.8, in points behind (below) the calendar.
YELLOW_BELOW = Fraction(-5)
RED_BELOW = Fraction(-20)
HALF_YEAR = (6, 30)

# Half the width of the forecast's band: the rhythm of earlier years, so many days early or late.
SHIFT = timedelta(days=14)
# Before this much of an earlier year had been counted, its rhythm says nothing yet.
LEAST_SHARE = Fraction(1, 10)


def rate(done: Money, target: Money) -> Fraction | None:
    """完成率 C ÷ R; None where nothing is reserved."""
    return Fraction(done.fen, target.fen) if target.fen > 0 else None


def group_rate(parts: Iterable[tuple[Money, Money]]) -> Fraction | None:
    """ΣC ÷ ΣR of (done, target) pairs: never the mean of rates (G7)."""
    pairs = list(parts)
    return rate(total(done for done, _ in pairs), total(target for _, target in pairs))


def pace(day: date, year: int) -> Fraction:
    """序时进度 of `year` on `day`: days gone ÷ days of the year; 0 before it and 1 after it."""
    if day.year != year:
        return Fraction(int(day.year > year))
    return Fraction(*days_gone(day))


def gap_points(reached: Fraction | None, expected: Fraction) -> Fraction | None:
    """差距 = 完成率 − 序时进度, in percentage points; negative is behind."""
    return None if reached is None else (reached - expected) * 100


def growth(now: Money, before: Money) -> Fraction | None:
    """同比增幅 (this − last) ÷ last; None where there was nothing to grow from."""
    return Fraction(now.fen - before.fen, before.fen) if before.fen > 0 else None


class Light(Labelled):
    """The warning ladder. WAITING has not filed and still may; UNRATED has nothing to reach."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    BLACK = "black"
    WAITING = "waiting"
    UNRATED = "unrated"


class Duty(Labelled):
    """Whether a unit must file a share, and why not (domain.md §1.3)."""

    MUST_FILE = "must_file"
    NO_CANTEEN = "no_canteen"
    REPRESENTED = "represented"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ladder says of one unit, with what it says it from."""

    light: Light
    rate: Fraction | None
    gap: Fraction | None
    started: bool
    counting: bool


def standing(
    *,
    duty: Duty,
    filed: bool,
    reserved: Money,
    ordered: Money,
    counted: Money,
    day: date,
    year: int,
    filing_to: date,
) -> Standing:
    """One unit on the ladder: black after the deadline without a filing, then by its gap.

    Green down to −5 points, yellow down to −20, red below, and red after 30 June without an order.
    """
    reached = rate(counted, reserved) if filed else None
    gap = gap_points(reached, pace(day, year))
    light = _light(duty, filed, gap, bool(ordered), day, year, filing_to)
    return Standing(light, reached, gap, started=bool(ordered), counting=bool(counted))


def _light(
    duty: Duty,
    filed: bool,
    gap: Fraction | None,
    started: bool,
    day: date,
    year: int,
    filing_to: date,
) -> Light:
    if duty is not Duty.MUST_FILE:
        return Light.UNRATED
    if not filed:
        return Light.BLACK if day > filing_to else Light.WAITING
    if gap is None:
        return Light.UNRATED
    if gap < RED_BELOW or (not started and day > date(year, *HALF_YEAR)):
        return Light.RED
    return Light.YELLOW if gap < YELLOW_BELOW else Light.GREEN


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many: 填报率, 激活率, 开展率."""

    count: int
    of: int

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.count, self.of) if self.of else None


def filing_share(units: Iterable[tuple[Duty, bool]]) -> Share:
    """填报率: filed ÷ (units − no canteen − represented − exempt) (G28)."""
    must = [filed for duty, filed in units if duty is Duty.MUST_FILE]
    return Share(sum(must), len(must))


def started_share(units: Iterable[tuple[Money, Money]]) -> Share:
    """开展率: units with something counted ÷ units that reserve something; (counted, reserved)."""
    reserving = [bool(counted) for counted, reserved in units if reserved]
    return Share(sum(reserving), len(reserving))


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How much of an earlier year's counted amount had come by this day of it, and by two weeks
    earlier and later."""

    year: int
    early: Fraction
    by_now: Fraction
    late: Fraction


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the year will come to if it goes on as earlier years did, and the band around it."""

    expected: Money
    low: Money
    high: Money
    years: tuple[int, ...]
    came_later: Fraction


def rhythm(days: Iterable[tuple[date, Money]], *, year: int, day: date) -> Rhythm | None:
    """The rhythm of `year` from its counted rows, seen from `day` of a later year; None when the
    year counted nothing. Rows dated after the year's end belong to its last day."""
    rows = list(days)
    whole = total(amount for _, amount in rows).fen
    if whole <= 0:
        return None
    same = same_day(day, year)

    def share_by(until: date) -> Fraction:
        came = total(amount for on, amount in rows if on <= until)
        return Fraction(came.fen, whole) if until < date(year, 12, 31) else Fraction(1)

    return Rhythm(year, share_by(same - SHIFT), share_by(same), share_by(same + SHIFT))


def forecast(counted: Money, rhythms: Sequence[Rhythm]) -> Forecast | None:
    """The amount at the year's end: what is counted now ÷ the share that had come by this day.

    The band is the same rhythm two weeks early and two weeks late, over all the years known; it
    never falls below what is counted already. None while the rhythm says nothing.
    """
    usable = [each for each in rhythms if each.early >= LEAST_SHARE]
    if not usable or counted.fen <= 0:
        return None
    share = sum((each.by_now for each in usable), Fraction()) / len(usable)
    return Forecast(
        expected=max(counted, _divided(counted, share)),
        low=max(counted, _divided(counted, max(each.late for each in usable))),
        high=_divided(counted, min(each.early for each in usable)),
        years=tuple(each.year for each in usable),
        came_later=1 - share,
    )


def same_day(day: date, year: int) -> date:
    """This day of another year; 29 February becomes the 28th."""
    if (day.month, day.day) == (2, 29):
        day -= timedelta(days=1)
    return day.replace(year=year)


def rounded(value: Fraction | None, decimals: int = 2) -> str:
    """A fraction for people, rounded half up once; `—` for None."""
    if value is None:
        return NO_RATE
    scale = 10**decimals
    scaled = half_up(value.numerator * scale, value.denominator)
    whole, rest = divmod(abs(scaled), scale)
    return f"{'−' if scaled < 0 else ''}{whole:,}" + (f".{rest:0{decimals}}" if decimals else "")


def in_percent(value: Fraction | None) -> str:
    """`35.87`, two decimals, without the sign of percent; `—` for None."""
    return rounded(None if value is None else value * 100)


def _divided(amount: Money, share: Fraction) -> Money:
    return Money(half_up(amount.fen * share.denominator, share.numerator))
