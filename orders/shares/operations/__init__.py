"""Publishing rules, taking goods in at a price, splitting settled lines and reversing them."""

from orders.shares.operations.losing import decide_slip, report_loss
from orders.shares.operations.reversing import reverse_line
from orders.shares.operations.ruling import Cost, publish_rule
from orders.shares.operations.settling import (
    SettledLine,
    Slice,
    settle_line,
    settle_lines,
)
from orders.shares.operations.showing import show_receipt, take_back_receipt
from orders.shares.operations.storing import take_in_slips, write_off

__all__ = [
    "Cost",
    "SettledLine",
    "Slice",
    "decide_slip",
    "publish_rule",
    "report_loss",
    "reverse_line",
    "settle_line",
    "settle_lines",
    "show_receipt",
    "take_back_receipt",
    "take_in_slips",
    "write_off",
]
