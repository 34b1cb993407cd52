"""Which rule holds, what a line was split into, and where the money of a period went."""

from orders.shares.queries.going import (
    PER_PAGE,
    Going,
    by_product,
    household_totals,
    of_order,
    parts_of_order,
    settled_lines,
    where_the_yuan_went,
)
from orders.shares.queries.ruling import (
    Composition,
    composition,
    compositions,
    rules_in_force,
)

__all__ = [
    "PER_PAGE",
    "Composition",
    "Going",
    "by_product",
    "composition",
    "compositions",
    "household_totals",
    "of_order",
    "parts_of_order",
    "rules_in_force",
    "settled_lines",
    "where_the_yuan_went",
]
