"""Everything that changes payments, refunds and what is known of the bank."""

from orders.payments.operations.banking import (
    import_statement,
    match_bank_line,
    recognise_provider_transfer,
)
from orders.payments.operations.completing import (
    cancel_citizen_order,
    close_unpaid_orders,
    complete_citizen_order,
)
from orders.payments.operations.events import take_event
from orders.payments.operations.paying import (
    Received,
    close_pages,
    expire_payment,
    fail_payment,
    first_payment,
    keep_page,
    settle_payment,
    start_payment,
)
from orders.payments.operations.refunding import (
    approve_refund,
    decline_refund,
    record_refund,
    refund_order_lines,
    refund_payment,
    settle_refund_by_hand,
)
from orders.payments.operations.transferring import (
    TRANSFER,
    TRANSFER_HOLD,
    await_transfer,
    recognise_transfer,
)

__all__ = [
    "TRANSFER",
    "TRANSFER_HOLD",
    "Received",
    "approve_refund",
    "await_transfer",
    "cancel_citizen_order",
    "close_pages",
    "close_unpaid_orders",
    "complete_citizen_order",
    "decline_refund",
    "expire_payment",
    "fail_payment",
    "first_payment",
    "import_statement",
    "keep_page",
    "match_bank_line",
    "recognise_provider_transfer",
    "recognise_transfer",
    "record_refund",
    "refund_order_lines",
    "refund_payment",
    "settle_payment",
    "settle_refund_by_hand",
    "start_payment",
    "take_event",
]
