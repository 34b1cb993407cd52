"""Everything that happens between the first day of trade and today, put on the agenda."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shop.demo.canteens import Flow, plan_grid
from shop.demo.citizens import Fate, plan_parcel
from shop.demo.menus import Grid, Parcel
from shop.demo.payouts import plan_payouts
from shop.demo.register import plan_register
from shop.demo.statements import Till
from shop.demo.tables import UnitRow
from shop.demo.today import asked_for_money_back, parcels_of_today, plan_today, specials
from shop.demo.town import Town

# Of every so many parcels one is our sample citizen's.
ONE_IN = 24
LAST_OF_TODAY = 5


def plan_story(
    town: Town, grids: Sequence[tuple[UnitRow, str, Grid]], parcels: Sequence[Parcel]
) -> None:
    """Canteens order, citizens order, the bank tells, households are paid."""
    till = Till(town)
    till.plan_statements()
    plan_payouts(town, till)
    for row, key, grid in grids:
        plan_grid(Flow(town, till, row, key, grid, town.chance(f"flow:{key}:{grid.number}")))
    for each in specials(town):
        chance = town.chance(f"flow:{each.key}:{each.grid.number}")
        flow = Flow(town, till, each.row, each.key, each.grid, chance, until=each.until)
        plan_grid(flow, each.moment)
    for number, parcel in enumerate(parcels):
        buyer = town.citizen if number % ONE_IN == 0 else None
        plan_parcel(town, parcel, town.chance(f"parcel:{parcel.number}"), buyer)
    for number, parcel in enumerate(parcels_of_today(town)):
        moment = town.services.clock() - timedelta(hours=1 + 3 * number)
        buyer = town.citizen if number == 0 else None
        # The last one paid a yuan too little: a person must look at it.
        fate = Fate(pays=True, refund="", reviews=False, pays_wrongly=number == LAST_OF_TODAY)
        plan_parcel(town, parcel, town.chance(f"parcel:{parcel.number}"), buyer, moment, fate)
    for parcel in asked_for_money_back(town):
        fate = Fate(pays=True, refund="asked", reviews=False)
        plan_parcel(town, parcel, town.chance(f"parcel:{parcel.number}"), fate=fate)
    plan_register(town)
    plan_today(town)
