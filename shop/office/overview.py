"""What the first page of the office says: the figures of all units, who to remind, and the road."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.money import ZERO, Money
from orders.agencies.models import BulkOrder, Policy, Reminder, Stage
from orders.agencies.queries.figures import Figures, UnitFigures, sum_figures, unit_figures
from orders.agencies.queries.movements import Course, course
from orders.agencies.queries.scope import Scope
from orders.agencies.rules import rates
from orders.agencies.rules.rates import Duty, Forecast, Light, Share

MOST_TO_REMIND = 8


@dataclass(frozen=True, slots=True)
class Standings:
    """Many units at once: their sum, how it stands against the calendar, and each of them."""

    year: int
    as_of: date
    units: list[UnitFigures]
    total: Figures
    pace: Fraction
    gap: Fraction | None
    lights: Counter[Light]
    filing: Share
    started: Share

    @property
    def assessed(self) -> list[UnitFigures]:
        return [unit for unit in self.units if unit.duty is Duty.MUST_FILE]

    def many(self, light: str) -> int:
        """How many units stand on this light."""
        return self.lights[Light(light)]

    @property
    def policy(self) -> Policy | None:
        """The policy most units of the scope live under; the page's note quotes it."""
        found = Counter(unit.policy.id for unit in self.units if unit.policy)
        most = found.most_common(1)
        return next((u.policy for u in self.units if u.policy and u.policy.id == most[0][0]), None)

    @property
    def full_scale(self) -> Fraction:
        """The rate at the right end of every bar, so that one goal line serves all rows."""
        longest = max(
            (rates.rate(each, unit.figures.reserved) or Fraction(0)
             for unit in self.units
             for each in (unit.figures.ordered, unit.figures.settled, unit.figures.counted)),
            default=Fraction(1),
        )  # fmt: skip
        return max(Fraction(115, 100), longest + Fraction(2, 100))


@dataclass(frozen=True, slots=True)
class ToRemind:
    """A unit that is far behind, with what is known about why."""

    unit: UnitFigures
    idle_days: int | None
    unpaid: int
    overdue: int
    most_days_late: int
    to_accept: int
    reminders: int
    last_reminded_at: datetime | None
    last_read_at: datetime | None


def standings(
    session: Session,
    scope: Scope,
    *,
    year: int,
    as_of: date,
    today: date,
    channel: str | None = None,
) -> Standings:
    """Every unit of the scope and their sum: ΣC ÷ ΣR, never a mean of rates."""
    units = unit_figures(session, scope, year=year, as_of=as_of, today=today, channel=channel)
    total = sum_figures(unit.figures for unit in units)
    pace = rates.pace(as_of, year)
    return Standings(
        year=year,
        as_of=as_of,
        units=units,
        total=total,
        pace=pace,
        gap=rates.gap_points(total.rate, pace),
        lights=Counter(unit.standing.light for unit in units),
        filing=rates.filing_share((unit.duty, unit.filed) for unit in units),
        started=rates.started_share(
            (unit.figures.counted, unit.figures.reserved) for unit in units
        ),
    )


@dataclass(frozen=True, slots=True)
class Month:
    """One row of the table: counted in the month and up to its end, this year and last."""

    number: int
    counted: Money | None
    so_far: Money | None
    last_year: Money
    last_year_so_far: Money


@dataclass(frozen=True, slots=True)
class YearSoFar:
    """The course of the year beside last year's, and where it will end if it goes on like that."""

    course: Course
    forecast: Forecast | None
    counted: Money
    same_day_last_year: Money
    last_year: Money
    december: Fraction | None

    def months(self) -> list[Month]:
        """The table under the curve; months that have not begun have no figures of this year."""
        rows, this, before = [], ZERO, ZERO
        for number in range(1, 13):
            counted = self.course.month(self.course.year, number)
            last = self.course.month(self.course.year - 1, number)
            this, before = this + counted, before + last
            came = number <= self.course.as_of.month
            rows.append(
                Month(number, counted if came else None, this if came else None, last, before)
            )
        return rows

    @property
    def growth(self) -> Fraction | None:
        return rates.growth(self.counted, self.same_day_last_year)


def year_so_far(
    session: Session, scope: Scope, *, year: int, as_of: date, channel: str | None = None
) -> YearSoFar:
    found = course(session, scope, year=year, as_of=as_of, channel=channel)
    counted = found.amount(year)
    last = found.amount(year - 1)
    return YearSoFar(
        course=found,
        forecast=rates.forecast(counted, found.rhythms()) if as_of < date(year, 12, 31) else None,
        counted=counted,
        same_day_last_year=found.amount(year - 1, rates.same_day(as_of, year - 1)),
        last_year=last,
        december=rates.rate(found.month(year - 1, 12), last),
    )


def far_behind(found: Standings) -> list[UnitFigures]:
    """The units that stand on red or black, worst first; no more than fit beside the curve."""
    late = (Light.RED, Light.BLACK)
    worst = [unit for unit in worst_first(found.units) if unit.standing.light in late]
    return worst[:MOST_TO_REMIND]


def to_remind(session: Session, found: Standings) -> list[ToRemind]:
    """The units that are far behind, with what their rows of today say about why."""
    late = far_behind(found)
    ids = [unit.unit_id for unit in late]
    reminders = _reminders(session, ids, found.as_of.year)
    stages = _open_orders(session, ids, found.as_of)
    return [
        ToRemind(
            unit=unit,
            idle_days=(found.as_of - unit.last_order_on).days if unit.last_order_on else None,
            unpaid=stages[unit.unit_id].unpaid,
            overdue=stages[unit.unit_id].overdue,
            most_days_late=stages[unit.unit_id].most_days_late,
            to_accept=stages[unit.unit_id].to_accept,
            reminders=reminders.get(unit.unit_id, (0, None, None))[0],
            last_reminded_at=reminders.get(unit.unit_id, (0, None, None))[1],
            last_read_at=reminders.get(unit.unit_id, (0, None, None))[2],
        )
        for unit in late
    ]


@dataclass(slots=True)
class _Open:
    unpaid: int = 0
    overdue: int = 0
    most_days_late: int = 0
    to_accept: int = 0


def _open_orders(session: Session, unit_ids: Sequence[int], day: date) -> dict[int, _Open]:
    found = {unit_id: _Open() for unit_id in unit_ids}
    rows = session.execute(
        sa.select(BulkOrder.unit_id, BulkOrder.stage, BulkOrder.due_on).where(
            BulkOrder.unit_id.in_(unit_ids),
            BulkOrder.stage.in_([Stage.IN_DELIVERY, Stage.TO_INVOICE, Stage.TO_PAY]),
        )
    )
    for unit_id, stage, due_on in rows:
        each = found[unit_id]
        if stage is Stage.IN_DELIVERY:
            each.to_accept += 1
            continue
        each.unpaid += 1
        if due_on and due_on < day:
            each.overdue += 1
            each.most_days_late = max(each.most_days_late, (day - due_on).days)
    return found


def _reminders(
    session: Session, unit_ids: Sequence[int], year: int
) -> dict[int, tuple[int, datetime | None, datetime | None]]:
    rows = session.execute(
        sa.select(
            Reminder.unit_id,
            sa.func.count(),
            sa.func.max(Reminder.made_at),
            sa.func.max(Reminder.read_at),
        )
        .where(Reminder.unit_id.in_(unit_ids), sa.extract("year", Reminder.made_at) == year)
        .group_by(Reminder.unit_id)
    )
    return {unit_id: (count, made_at, read_at) for unit_id, count, made_at, read_at in rows}


SORTS: dict[str, Callable[[UnitFigures], object]] = {
    "unit": lambda unit: unit.name,
    "system": lambda unit: (unit.system, unit.name),
    "reserved": lambda unit: unit.figures.reserved,
    "ordered": lambda unit: unit.figures.ordered,
    "settled": lambda unit: unit.figures.settled,
    "counted": lambda unit: unit.figures.counted,
    "rate": lambda unit: unit.standing.rate or Fraction(0),
    "gap": lambda unit: unit.gap or Fraction(0),
    "last": lambda unit: unit.last_order_on or date.min,
}


def worst_first(units: Sequence[UnitFigures]) -> list[UnitFigures]:
    """Who has not filed first, then by gap; who is not assessed at the end, by name."""

    def place(unit: UnitFigures) -> tuple[int, Fraction, str]:
        rank = {Light.BLACK: 0, Light.WAITING: 2, Light.UNRATED: 3}
        return rank.get(unit.standing.light, 1), unit.gap or Fraction(0), unit.name

    return sorted(units, key=place)


def sort_units(units: Sequence[UnitFigures], by: str) -> list[UnitFigures]:
    """By one column, `-column` downwards; who is not assessed stays at the end."""
    column, downwards = by.removeprefix("-"), by.startswith("-")
    if column not in SORTS or by == "gap":
        return worst_first(units)
    key = SORTS[column]
    assessed = [unit for unit in units if unit.standing.light is not Light.UNRATED]
    rest = [unit for unit in units if unit.standing.light is Light.UNRATED]
    return [
        *sorted(assessed, key=lambda unit: (key(unit), unit.name), reverse=downwards),  # type: ignore[arg-type, return-value]
        *sorted(rest, key=lambda unit: unit.name),
    ]
