"""The same units summed by supervising department or by region."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.regions import Region, prefixes
from orders.agencies.queries.figures import Figures, UnitFigures, sum_figures
from orders.agencies.rules import rates
from orders.agencies.rules.rates import Light, Share


@dataclass(frozen=True, slots=True)
class Group:
    """One department or region: its units' sums, never a mean of their rates."""

    key: str
    name: str
    units: int
    filing: Share
    started: Share
    figures: Figures
    gap: Fraction | None
    lights: Counter[Light]


def by_department(units: Sequence[UnitFigures], *, year: int, as_of: date) -> list[Group]:
    return _grouped(
        ((str(unit.supervisor_id or ""), unit.supervisor, unit) for unit in units), year, as_of
    )


def by_region(
    session: Session, units: Sequence[UnitFigures], *, year: int, as_of: date
) -> list[Group]:
    """By township; a renamed one with its old code, what belongs to the county on its own (G30)."""
    codes = {_township(unit.region_code) for unit in units}
    regions = {
        region.code: region
        for region in session.scalars(sa.select(Region).where(Region.code.in_(sorted(codes))))
    }
    successors = {
        code: region.successor_code for code, region in regions.items() if region.successor_code
    }
    missing = set(successors.values()) - regions.keys()
    if missing:
        for region in session.scalars(sa.select(Region).where(Region.code.in_(sorted(missing)))):
            regions[region.code] = region

    def place(unit: UnitFigures) -> tuple[str, str]:
        code = _township(unit.region_code)
        code = successors.get(code, code)
        return code, regions[code].name if code in regions else code

    return _grouped(((*place(unit), unit) for unit in units), year, as_of)


def in_region(session: Session, units: Sequence[UnitFigures], code: str) -> list[UnitFigures]:
    """The units of one of these groups, by its key."""
    townships = {_township(each.ljust(12, "0")) for each in prefixes(session, code)}
    return [unit for unit in units if _township(unit.region_code) in townships]


def _township(code: str) -> str:
    return code[:9] + "000"


def _grouped(rows: Iterable[tuple[str, str, UnitFigures]], year: int, as_of: date) -> list[Group]:
    members: dict[tuple[str, str], list[UnitFigures]] = {}
    for key, name, unit in rows:
        members.setdefault((key, name), []).append(unit)
    pace = rates.pace(as_of, year)
    groups = [_group(key, name, units, pace) for (key, name), units in members.items()]
    return sorted(groups, key=lambda group: (group.gap is None, group.gap or 0, group.name))


def _group(key: str, name: str, units: list[UnitFigures], pace: Fraction) -> Group:
    total = sum_figures(unit.figures for unit in units)
    return Group(
        key=key,
        name=name,
        units=len(units),
        filing=rates.filing_share((unit.duty, unit.filed) for unit in units),
        started=rates.started_share(
            (unit.figures.counted, unit.figures.reserved) for unit in units
        ),
        figures=total,
        gap=rates.gap_points(total.rate, pace),
        lights=Counter(unit.standing.light for unit in units),
    )
