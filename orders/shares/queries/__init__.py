"""Which rule holds, what a line was split into, and where the money of a period went."""

from orders.shares.queries.going import (
    Going,
    household_totals,
    of_order,
    parts_of_order,
    where_the_yuan_went,
)
from orders.shares.queries.ruling import (
    Composition,
    composition,
    compositions,
    rules_in_force,
)

__all__ = [
    "Composition",
    "Going",
    "composition",
    "compositions",
    "household_totals",
    "of_order",
    "parts_of_order",
    "rules_in_force",
    "where_the_yuan_went",
]
