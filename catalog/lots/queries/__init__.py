"""What lies in the store, who brought it, and the road it came."""

from catalog.lots.queries.sheet import ProductSheet, product_sheet
from catalog.lots.queries.shelf import (
    ShelfRow,
    Sorting,
    count_shelf,
    packs_for_canteens,
    shelf,
)
from catalog.lots.queries.slips import (
    Producer,
    producers,
    recent_slips,
    seasons,
    slip_of,
    slips_in_state,
    slips_of_day,
    slips_of_household,
)
from catalog.lots.queries.stock import Candidate, available, candidates, lock_pools, sellable
from catalog.lots.queries.store import LotRow, LotSheet, expiring, lot_of, lot_sheet, lots_of
from catalog.lots.queries.tracing import Affected, Balance, TraceSheet, affected_by, trace
from catalog.lots.queries.villages import (
    VillageCount,
    VillageSheet,
    village_products,
    village_sheets,
    villages_of,
)

__all__ = [
    "Affected",
    "Balance",
    "Candidate",
    "LotRow",
    "LotSheet",
    "Producer",
    "ProductSheet",
    "ShelfRow",
    "Sorting",
    "TraceSheet",
    "VillageCount",
    "VillageSheet",
    "affected_by",
    "available",
    "candidates",
    "count_shelf",
    "expiring",
    "lock_pools",
    "lot_of",
    "lot_sheet",
    "lots_of",
    "packs_for_canteens",
    "producers",
    "product_sheet",
    "recent_slips",
    "seasons",
    "sellable",
    "shelf",
    "slip_of",
    "slips_in_state",
    "slips_of_day",
    "slips_of_household",
    "trace",
    "village_products",
    "village_sheets",
    "villages_of",
]
