"""A payout run from draft to bank and back, and the objections of those who are paid."""

from orders.payouts.operations.confirming import Confirmed, confirm_from_statement, fail_line
from orders.payouts.operations.exporting import BankFile, FileKind, export_run
from orders.payouts.operations.objecting import answer_objection, raise_objection
from orders.payouts.operations.reversing import decide_slip_reversal, propose_slip_reversal
from orders.payouts.operations.running import approve_run, draft_run, reject_run, review_run

__all__ = [
    "BankFile",
    "Confirmed",
    "FileKind",
    "answer_objection",
    "approve_run",
    "confirm_from_statement",
    "decide_slip_reversal",
    "draft_run",
    "export_run",
    "fail_line",
    "propose_slip_reversal",
    "raise_objection",
    "reject_run",
    "review_run",
]
