"""Everything that changes an order: placing, moving its state, shipping, giving goods back."""

from orders.sales.operations.baskets import (
    acknowledge_prices,
    empty_basket,
    merge_baskets,
    put_in_basket,
)
from orders.sales.operations.moving import complete_order, confirm_order, mark_received
from orders.sales.operations.placing import (
    Contact,
    OutOfStock,
    Placing,
    Wanted,
    place_order,
)
from orders.sales.operations.returning import close_expired_holds, give_back, release_lines
from orders.sales.operations.reviewing import review_line
from orders.sales.operations.shipping import ship_order
from orders.sales.operations.telling import tell_buyer

__all__ = [
    "Contact",
    "OutOfStock",
    "Placing",
    "Wanted",
    "acknowledge_prices",
    "close_expired_holds",
    "complete_order",
    "confirm_order",
    "empty_basket",
    "give_back",
    "mark_received",
    "merge_baskets",
    "place_order",
    "put_in_basket",
    "release_lines",
    "review_line",
    "ship_order",
    "tell_buyer",
]
