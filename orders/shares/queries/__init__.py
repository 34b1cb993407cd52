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
from orders.shares.queries.paying import Shares, lot_paid, order_paid
from orders.shares.queries.ruling import rules_in_force
from orders.shares.queries.sharing import Sharing, sharing_of
from orders.shares.queries.showing import shown_receipt, shown_receipt_of

__all__ = [
    "PER_PAGE",
    "Going",
    "Shares",
    "Sharing",
    "by_product",
    "household_totals",
    "lot_paid",
    "of_order",
    "order_paid",
    "parts_of_order",
    "rules_in_force",
    "settled_lines",
    "sharing_of",
    "shown_receipt",
    "shown_receipt_of",
    "where_the_yuan_went",
]
