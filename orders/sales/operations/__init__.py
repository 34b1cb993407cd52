"""Everything that changes an order: placing, moving its state, shipping, giving goods back."""

from orders.sales.operations.arriving import Arrival, bring_in_harvest
from orders.sales.operations.baskets import (
    acknowledge_prices,
    empty_basket,
    forget_baskets,
    keep_people,
    merge_baskets,
    put_in_basket,
)
from orders.sales.operations.carrying import (
    limit_pack,
    publish_freight,
    save_carrier,
    save_point,
    weigh_pack,
)
from orders.sales.operations.choosing import OutOfStock
from orders.sales.operations.moving import complete_order, confirm_order, mark_received
from orders.sales.operations.placing import NotServed, place_order
from orders.sales.operations.replacing import replace_lot
from orders.sales.operations.returning import close_expired_holds, give_back, release_lines
from orders.sales.operations.reviewing import review_line
from orders.sales.operations.shipping import (
    Transport,
    cancel_shipment,
    correct_transport,
    ship_order,
)
from orders.sales.operations.telling import tell_buyer
from orders.sales.operations.wanting import (
    Contact,
    Gift,
    Invoice,
    Placing,
    Recipient,
    Wanted,
)

__all__ = [
    "Arrival",
    "Contact",
    "Gift",
    "Invoice",
    "NotServed",
    "OutOfStock",
    "Placing",
    "Recipient",
    "Transport",
    "Wanted",
    "acknowledge_prices",
    "bring_in_harvest",
    "cancel_shipment",
    "close_expired_holds",
    "complete_order",
    "confirm_order",
    "correct_transport",
    "empty_basket",
    "forget_baskets",
    "give_back",
    "keep_people",
    "limit_pack",
    "mark_received",
    "merge_baskets",
    "place_order",
    "publish_freight",
    "put_in_basket",
    "release_lines",
    "replace_lot",
    "review_line",
    "save_carrier",
    "save_point",
    "ship_order",
    "tell_buyer",
    "weigh_pack",
]
