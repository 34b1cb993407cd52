"""The canteens' reserved shares of a year that is over; a running year waits for its bulletin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.db import sum_money
from kernel.money import ZERO, Money
from kernel.people import Organisation
from orders.agencies.models import Basis, QuotaMovement, Unit
from orders.agencies.queries.figures import Figures, sum_figures, unit_figures
from orders.agencies.queries.scope import Scope


@dataclass(frozen=True, slots=True)
class YearOfShares:
    """What the units of a year reserved and bought. `months` are the counted sums of each month;
    `left_out` says how many units may not be published."""

    year: int
    units: int
    left_out: int
    figures: Figures
    months: tuple[Money, ...]

    @property
    def course(self) -> list[tuple[float, float]]:
        """The curve in ten thousands of yuan: (fraction of the year, counted until then)."""
        points, so_far = [(0.0, 0.0)], ZERO
        for number, amount in enumerate(self.months, 1):
            so_far += amount
            points.append((round(number / 12, 4), so_far.fen / 1_000_000))
        return points


def year_of_shares(session: Session, year: int, today: date) -> YearOfShares | None:
    """None while the year runs, and for a year in which nothing was reserved."""
    if year >= today.year:
        return None
    hidden = set(
        session.scalars(sa.select(Unit.id).join(Unit.organisation).where(Organisation.sensitive))
    )
    found = unit_figures(session, Scope(), year=year, as_of=today, today=today)
    shown = [unit for unit in found if unit.unit_id not in hidden and unit.figures.reserved]
    if not shown:
        return None
    left_out = sum(1 for unit in found if unit.unit_id in hidden)
    months = _months(session, year, [unit.unit_id for unit in shown])
    return YearOfShares(
        year, len(shown), left_out, sum_figures(unit.figures for unit in shown), months
    )


def _months(session: Session, year: int, unit_ids: list[int]) -> tuple[Money, ...]:
    """What was counted late, after the year's end, stands in December."""
    rows = session.execute(
        sa.select(QuotaMovement.on, sum_money(QuotaMovement.amount))
        .where(
            QuotaMovement.unit_id.in_(unit_ids),
            QuotaMovement.year == year,
            QuotaMovement.basis == Basis.COUNTED,
        )
        .group_by(QuotaMovement.on)
    )
    months = [ZERO] * 12
    for on, amount in rows:
        months[(on.month if on.year == year else 12) - 1] += amount
    return tuple(months)
