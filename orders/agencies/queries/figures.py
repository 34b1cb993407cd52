"""Ordered, settled, counted against what is reserved: of one unit, or of many at once.

Pages of today read the monthly roll-up; a past day or one channel is summed from the signed rows
themselves (rows on or before that day). Whatever the number of units, the number of statements is
the same. No rule of the house reads any of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.money import ZERO, Money
from kernel.regions import prefix
from orders.agencies.models import (
    Basis,
    CanteenType,
    FilingState,
    Policy,
    Purpose,
    UnitKind,
)
from orders.agencies.queries.scope import Scope
from orders.agencies.queries.sums import sums_of_units, units_with_filings
from orders.agencies.queries.units import NATION
from orders.agencies.rules.rates import Duty, Standing, rate, standing

# Without a policy row for the region and year, shares are due at the end of March.
USUAL_FILING_TO = (3, 31)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is reserved and the three figures, always in this order; the parts of the third."""

    reserved: Money = ZERO
    ordered: Money = ZERO
    settled: Money = ZERO
    counted: Money = ZERO
    counted_union: Money = ZERO
    counted_staff: Money = ZERO

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.reserved + other.reserved,
            self.ordered + other.ordered,
            self.settled + other.settled,
            self.counted + other.counted,
            self.counted_union + other.counted_union,
            self.counted_staff + other.counted_staff,
        )

    @property
    def counted_canteen(self) -> Money:
        return self.counted - self.counted_union - self.counted_staff

    @property
    def rate(self) -> Fraction | None:
        """总完成率."""
        return rate(self.counted, self.reserved)

    @property
    def canteen_rate(self) -> Fraction | None:
        """食堂口径完成率: without union and staff purchases (domain.md §1.6)."""
        return rate(self.counted_canteen, self.reserved)

    def rate_of(self, basis: Basis) -> Fraction | None:
        return rate(self.of(basis), self.reserved)

    def of(self, basis: Basis) -> Money:
        return {
            Basis.ORDERED: self.ordered,
            Basis.SETTLED: self.settled,
            Basis.COUNTED: self.counted,
        }[basis]

    @property
    def missing(self) -> Money:
        """reserved − counted = to_review + to_settle + to_order, to the fen."""
        return self.reserved - self.counted

    @property
    def to_review(self) -> Money:
        """已付款待评价"""
        return self.settled - self.counted

    @property
    def to_settle(self) -> Money:
        """已下单待验收付款"""
        return self.ordered - self.settled

    @property
    def to_order(self) -> Money:
        """尚须新下单; negative when more is ordered than reserved."""
        return self.reserved - self.ordered


def sum_figures(parts: Iterable[Figures]) -> Figures:
    return sum(parts, Figures())


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One unit's row of the overview."""

    unit_id: int
    name: str
    short_name: str
    kind: UnitKind
    system: str
    canteen_type: CanteenType
    region_code: str
    supervisor_id: int | None
    supervisor: str
    representative: str
    duty: Duty
    filed: bool
    base: Money
    ratio_bp: int
    figures: Figures
    last_order_on: date | None
    standing: Standing
    policy: Policy | None

    @property
    def gap(self) -> Fraction | None:
        return self.standing.gap


def unit_figures(
    session: Session,
    scope: Scope,
    *,
    year: int,
    as_of: date,
    today: date,
    channel: str | None = None,
) -> list[UnitFigures]:
    """Every unit of the scope, by name: three statements, whatever their number."""
    policies = list(session.scalars(sa.select(Policy).where(Policy.year == year)))
    sums = sums_of_units(session, scope, year, as_of if as_of < today else None, channel)
    return [
        _unit_row(row, sums[row.id], policies, year, as_of)
        for row in session.execute(units_with_filings(scope, year, as_of, channel))
    ]


def _unit_row(
    row: sa.Row[*tuple[Any, ...]],
    sums: dict[tuple[Basis, Purpose], Money],
    policies: Sequence[Policy],
    year: int,
    as_of: date,
) -> UnitFigures:
    filed = row.filing_state is not None
    duty = duty_of(row.filed_type or row.canteen_type, row.filing_state)
    figures = _figures(row.reserved if filed else ZERO, sums)
    policy = narrowest(policies, row.region_code)
    return UnitFigures(
        unit_id=row.id,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        system=row.system,
        canteen_type=row.filed_type or row.canteen_type,
        region_code=row.region_code,
        supervisor_id=row.supervisor_id,
        supervisor=row.supervisor or "",
        representative=row.representative or "",
        duty=duty,
        filed=filed,
        base=row.base or ZERO,
        ratio_bp=row.ratio_bp or 0,
        figures=figures,
        last_order_on=row.last_order_on,
        standing=standing(
            duty=duty,
            filed=filed,
            reserved=figures.reserved,
            ordered=figures.ordered,
            counted=figures.counted,
            day=as_of,
            year=year,
            filing_to=policy.filing_to if policy else date(year, *USUAL_FILING_TO),
        ),
        policy=policy,
    )


def duty_of(canteen: CanteenType, filing: FilingState | None) -> Duty:
    """Who need not file: no canteen, eats with another unit, or noted as exempt."""
    if canteen is CanteenType.NONE:
        return Duty.NO_CANTEEN
    if canteen is CanteenType.SHARED:
        return Duty.REPRESENTED
    return Duty.EXEMPT if filing is FilingState.NOTED else Duty.MUST_FILE


def narrowest(policies: Iterable[Policy], region_code: str) -> Policy | None:
    """The policy of the smallest region that holds this code."""
    fitting = [each for each in policies if region_code.startswith(_reach(each.region_code))]
    return max(fitting, key=lambda each: len(_reach(each.region_code)), default=None)


def _reach(region_code: str) -> str:
    return "" if region_code == NATION else prefix(region_code)


def _figures(reserved: Money, sums: dict[tuple[Basis, Purpose], Money]) -> Figures:
    def over(basis: Basis) -> Money:
        return sum((sums.get((basis, purpose), ZERO) for purpose in Purpose), ZERO)

    return Figures(
        reserved=reserved,
        ordered=over(Basis.ORDERED),
        settled=over(Basis.SETTLED),
        counted=over(Basis.COUNTED),
        counted_union=sums.get((Basis.COUNTED, Purpose.UNION), ZERO),
        counted_staff=sums.get((Basis.COUNTED, Purpose.STAFF), ZERO),
    )
