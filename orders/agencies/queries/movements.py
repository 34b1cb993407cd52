"""The rows behind every figure, and how they came through the year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.db import sum_money
from kernel.money import Money
from kernel.people import Organisation
from orders.agencies.models import Basis, Purpose, QuotaMovement, Unit
from orders.agencies.queries.scope import Scope
from orders.agencies.rules.counting import month_of
from orders.agencies.rules.rates import Rhythm, rhythm
from orders.sales.models import Channel, Order


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One signed row of a figure, with the order it points to."""

    id: int
    year: int
    on: date
    unit_id: int
    unit: str
    basis: Basis
    purpose: Purpose
    channel: str
    order_id: int
    order_number: str
    order_code: str
    amount: Money
    cause: str

    @property
    def looked_through(self) -> bool:
        """Whether its order may be opened: what staff buy for themselves is their own business."""
        return self.purpose is not Purpose.STAFF

    @property
    def channel_value(self) -> Channel | None:
        return next((each for each in Channel if each.value == self.channel), None)


@dataclass(frozen=True, slots=True)
class MovementList:
    """One page of rows; `amount` and `count` are of all of them, not of the page."""

    rows: list[MovementRow]
    count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a figure: the same words that choose the figure itself."""

    year: int | None
    as_of: date
    basis: Basis | None = None
    purpose: Purpose | None = None
    channel: str | None = None
    month: int | None = None
    order_id: int | None = None

    def tests(self) -> list[sa.ColumnElement[bool]]:
        tests: list[sa.ColumnElement[bool]] = [QuotaMovement.on <= self.as_of]
        if self.year:
            tests.append(QuotaMovement.year == self.year)
        if self.order_id:
            tests.append(QuotaMovement.order_id == self.order_id)
        if self.basis:
            tests.append(QuotaMovement.basis == self.basis)
        if self.purpose:
            tests.append(QuotaMovement.purpose == self.purpose)
        if self.channel:
            tests.append(QuotaMovement.channel == self.channel)
        if self.month:
            tests.append(sa.extract("month", QuotaMovement.on) == self.month)
        return tests


def movement_rows(
    session: Session, scope: Scope, wanted: Wanted, *, limit: int = 100, offset: int = 0
) -> MovementList:
    """The rows that add up to a figure, newest first, with their sum."""
    chosen = [QuotaMovement.unit_id.in_(scope.unit_ids()), *wanted.tests()]
    count, amount = session.execute(
        sa.select(sa.func.count(), sum_money(QuotaMovement.amount)).where(*chosen)
    ).one()
    rows = session.execute(
        sa.select(
            QuotaMovement.id,
            QuotaMovement.year,
            QuotaMovement.on,
            QuotaMovement.unit_id,
            Organisation.short_name,
            QuotaMovement.basis,
            QuotaMovement.purpose,
            QuotaMovement.channel,
            QuotaMovement.order_id,
            Order.number,
            Order.code,
            QuotaMovement.amount,
            QuotaMovement.cause,
        )
        .join(Unit, Unit.id == QuotaMovement.unit_id)
        .join(Organisation, Organisation.id == Unit.organisation_id)
        .join(Order, Order.id == QuotaMovement.order_id)
        .where(*chosen)
        .order_by(QuotaMovement.on.desc(), QuotaMovement.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return MovementList([MovementRow(*tuple(row)) for row in rows], count, amount)


@dataclass(frozen=True, slots=True)
class Course:
    """What was counted day by day, this year up to a day and earlier years whole."""

    year: int
    as_of: date
    days: dict[int, list[tuple[date, Money]]]

    def amount(self, year: int, until: date | None = None) -> Money:
        """Counted in `year`, up to and including a day."""
        rows = self.days.get(year, [])
        return sum((amount for on, amount in rows if until is None or on <= until), Money(0))

    def month(self, year: int, month: int) -> Money:
        """Counted in one month; what came after the year's end stands in December."""
        rows = self.days.get(year, [])
        return sum((amount for on, amount in rows if month_of(on, year) == month), Money(0))

    def rhythms(self) -> list[Rhythm]:
        """How the earlier years had come along by this day of theirs, latest year first."""
        earlier = sorted((year for year in self.days if year < self.year), reverse=True)
        found = (rhythm(self.days[year], year=year, day=self.as_of) for year in earlier)
        return [each for each in found if each]


def course(
    session: Session,
    scope: Scope,
    *,
    year: int,
    as_of: date,
    channel: str | None = None,
    earlier_years: int = 3,
) -> Course:
    """One statement: counted amounts by day, of this year and of up to three before it."""
    query = (
        sa.select(QuotaMovement.year, QuotaMovement.on, sum_money(QuotaMovement.amount))
        .where(
            QuotaMovement.unit_id.in_(scope.unit_ids()),
            QuotaMovement.basis == Basis.COUNTED,
            # Named one by one, so that the index is entered at each.
            QuotaMovement.year.in_(range(year - earlier_years, year + 1)),
            sa.or_(QuotaMovement.year < year, QuotaMovement.on <= as_of),
        )
        .group_by(QuotaMovement.year, QuotaMovement.on)
        .order_by(QuotaMovement.year, QuotaMovement.on)
    )
    if channel:
        query = query.where(QuotaMovement.channel == channel)
    days: dict[int, list[tuple[date, Money]]] = defaultdict(list)
    for of_year, on, amount in session.execute(query):
        days[of_year].append((on, amount))
    return Course(year, as_of, dict(days))


def years_with_figures(session: Session, scope: Scope) -> Sequence[int]:
    """The years that have at least one row, latest first."""
    return session.scalars(
        sa.select(QuotaMovement.year)
        .where(QuotaMovement.unit_id.in_(scope.unit_ids()))
        .distinct()
        .order_by(QuotaMovement.year.desc())
    ).all()
