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
from orders.sales.operations.belonging import adopt_orders, forget_buyer
from orders.sales.operations.carrying import (
    limit_pack,
    publish_freight,
    save_carrier,
    save_point,
    weigh_pack,
)
from orders.sales.operations.choosing import OutOfStock
from orders.sales.operations.employing import (
    agree_employment,
    ask_employer,
    decline_employment,
    end_employment,
    renew_employer_code,
)
from orders.sales.operations.keeping import (
    Keep,
    change_address,
    drop_address,
    keep_address,
)
from orders.sales.operations.moving import complete_order, confirm_order, mark_received
from orders.sales.operations.placing import NotServed, place_order
from orders.sales.operations.reordering import Again, put_again
from orders.sales.operations.replacing import replace_lot
from orders.sales.operations.returning import close_expired_holds, give_back, release_lines
from orders.sales.operations.reviewing import (
    HAS_IT,
    cover_review,
    reply_to_review,
    review_line,
    uncover_review,
)
from orders.sales.operations.shipping import (
    Transport,
    cancel_shipment,
    correct_transport,
    ship_order,
)
from orders.sales.operations.telling import tell_buyer
from orders.sales.operations.wanting import Contact, Gift, Placing, Recipient, Wanted
from orders.sales.operations.withdrawing import withdraw_line

__all__ = [
    "HAS_IT",
    "Again",
    "Arrival",
    "Contact",
    "Gift",
    "Keep",
    "NotServed",
    "OutOfStock",
    "Placing",
    "Recipient",
    "Transport",
    "Wanted",
    "acknowledge_prices",
    "adopt_orders",
    "agree_employment",
    "ask_employer",
    "bring_in_harvest",
    "cancel_shipment",
    "change_address",
    "close_expired_holds",
    "complete_order",
    "confirm_order",
    "correct_transport",
    "cover_review",
    "decline_employment",
    "drop_address",
    "empty_basket",
    "end_employment",
    "forget_baskets",
    "forget_buyer",
    "give_back",
    "keep_address",
    "keep_people",
    "limit_pack",
    "mark_received",
    "merge_baskets",
    "place_order",
    "publish_freight",
    "put_again",
    "put_in_basket",
    "release_lines",
    "renew_employer_code",
    "replace_lot",
    "reply_to_review",
    "review_line",
    "save_carrier",
    "save_point",
    "ship_order",
    "tell_buyer",
    "uncover_review",
    "weigh_pack",
    "withdraw_line",
]
