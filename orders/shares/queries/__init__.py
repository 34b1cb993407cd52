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
from orders.shares.queries.ruling import rules_in_force
from orders.shares.queries.sharing import Sharing, sharing_of

__all__ = [
    "PER_PAGE",
    "Going",
    "Sharing",
    "by_product",
    "household_totals",
    "of_order",
    "parts_of_order",
    "rules_in_force",
    "settled_lines",
    "sharing_of",
    "where_the_yuan_went",
]
