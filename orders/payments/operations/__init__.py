"""Everything that changes payments, refunds and what is known of the bank."""

from orders.payments.operations.banking import (
    import_statement,
    match_bank_line,
    recognise_provider_transfer,
)
from orders.payments.operations.completing import (
    cancel_citizen_order,
    cancel_lines,
    close_unpaid_orders,
    complete_citizen_order,
    receive_citizen_order,
)
from orders.payments.operations.events import take_event
from orders.payments.operations.forgetting import forget_payer
from orders.payments.operations.invoicing import ask_invoice, file_invoice
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
from orders.payments.operations.refunding.answering import (
    accept_offer,
    approve_refund,
    ask_goods_back,
    decide_refund,
    decline_refund,
    escalate_refund,
    lapse_offer,
    offer_refund,
    offers_to_lapse,
)
from orders.payments.operations.refunding.asking import refund_order_lines, withdraw_refund
from orders.payments.operations.refunding.returning import (
    Found,
    inspect_return,
    lapse_return,
    receive_return,
    returns_to_lapse,
    save_return_address,
    send_return,
)
from orders.payments.operations.refunding.sending import (
    record_refund,
    refund_payment,
    settle_refund_by_hand,
)
from orders.payments.operations.refunding.telling import tell_staff
from orders.payments.operations.transferring import (
    TRANSFER,
    TRANSFER_HOLD,
    await_transfer,
    recognise_transfer,
)

__all__ = [
    "TRANSFER",
    "TRANSFER_HOLD",
    "Found",
    "Received",
    "accept_offer",
    "approve_refund",
    "ask_goods_back",
    "ask_invoice",
    "await_transfer",
    "cancel_citizen_order",
    "cancel_lines",
    "close_pages",
    "close_unpaid_orders",
    "complete_citizen_order",
    "decide_refund",
    "decline_refund",
    "escalate_refund",
    "expire_payment",
    "fail_payment",
    "file_invoice",
    "first_payment",
    "forget_payer",
    "import_statement",
    "inspect_return",
    "keep_page",
    "lapse_offer",
    "lapse_return",
    "match_bank_line",
    "offer_refund",
    "offers_to_lapse",
    "receive_citizen_order",
    "receive_return",
    "recognise_provider_transfer",
    "recognise_transfer",
    "record_refund",
    "refund_order_lines",
    "refund_payment",
    "returns_to_lapse",
    "save_return_address",
    "send_return",
    "settle_payment",
    "settle_refund_by_hand",
    "start_payment",
    "take_event",
    "tell_staff",
    "withdraw_refund",
]
