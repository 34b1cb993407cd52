"""Everything that happens between the first day of trade and today, put on the agenda."""

from __future__ import annotations

from collections.abc import Sequence

from shop.demo.canteens import Flow, plan_grid
from shop.demo.citizens import plan_parcel
from shop.demo.menus import Grid, Parcel
from shop.demo.statements import Till
from shop.demo.tables import UnitRow
from shop.demo.town import Town


def plan_story(
    town: Town, grids: Sequence[tuple[UnitRow, str, Grid]], parcels: Sequence[Parcel]
) -> None:
    """Canteens order, citizens order, the bank tells, households are paid."""
    till = Till(town)
    till.plan_statements()
    for row, key, grid in grids:
        plan_grid(Flow(town, till, row, key, grid, town.chance(f"flow:{key}:{grid.number}")))
    for parcel in parcels:
        plan_parcel(town, parcel, town.chance(f"parcel:{parcel.number}"))
