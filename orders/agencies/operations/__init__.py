"""Everything that changes a unit, a filing or a bulk order; the three figures move with it."""

from orders.agencies.operations.accepting import (
    accept_rest_as_shipped,
    open_acceptance,
    record_acceptance_line,
    sign_acceptance,
)
from orders.agencies.operations.closing import (
    release_rest,
)
from orders.agencies.operations.contracts import (
    approve_order,
    cancel_order,
    close_unsigned_orders,
    reject_order,
    sign_order,
)
from orders.agencies.operations.correcting import (
    CreditLine,
    correct_unit,
    refund_after,
)
from orders.agencies.operations.filings import (
    confirm_filing,
    correct_filing,
    make_effective,
    return_filing,
    save_filing,
    submit_filing,
)
from orders.agencies.operations.fulfilling import call_back_shipment, replace_lot
from orders.agencies.operations.giving_back import (
    agree_line,
    decline_line,
    propose_line,
    take_off_line,
)
from orders.agencies.operations.ordering import (
    GridLine,
    save_draft,
    submit_order,
)
from orders.agencies.operations.promising import agree_day, bring_in_harvest
from orders.agencies.operations.settling import (
    check_invoice,
    recognise_payment,
    record_invoice,
    review_order,
)
from orders.agencies.operations.staff import (
    credit_order,
    follow_staff_order,
    take_credit_back,
)
from orders.agencies.operations.units import (
    create_unit,
    set_policy,
)
from orders.agencies.operations.warning import warn_of_harvests

__all__ = [
    "CreditLine",
    "GridLine",
    "accept_rest_as_shipped",
    "agree_day",
    "agree_line",
    "approve_order",
    "bring_in_harvest",
    "call_back_shipment",
    "cancel_order",
    "check_invoice",
    "close_unsigned_orders",
    "confirm_filing",
    "correct_filing",
    "correct_unit",
    "create_unit",
    "credit_order",
    "decline_line",
    "follow_staff_order",
    "make_effective",
    "open_acceptance",
    "propose_line",
    "recognise_payment",
    "record_acceptance_line",
    "record_invoice",
    "refund_after",
    "reject_order",
    "release_rest",
    "replace_lot",
    "return_filing",
    "review_order",
    "save_draft",
    "save_filing",
    "set_policy",
    "sign_acceptance",
    "sign_order",
    "submit_filing",
    "submit_order",
    "take_credit_back",
    "take_off_line",
    "warn_of_harvests",
]
