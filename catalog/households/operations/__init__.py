"""Households come into the books, change, and say what may be shown of them."""

from catalog.households.operations.accounts import give_account, open_payout_account
from catalog.households.operations.consents import give_consent, withdraw_consent
from catalog.households.operations.exporting import note_export
from catalog.households.operations.helping import assign_helper
from catalog.households.operations.members import add_member, correct_member, leave_household
from catalog.households.operations.plots import add_plot, correct_plot, retire_plot
from catalog.households.operations.registering import correct_household, register_household
from catalog.households.operations.revealing import reveal
from catalog.households.operations.status import record_status

__all__ = [
    "add_member",
    "add_plot",
    "assign_helper",
    "correct_household",
    "correct_member",
    "correct_plot",
    "give_account",
    "give_consent",
    "leave_household",
    "note_export",
    "open_payout_account",
    "record_status",
    "register_household",
    "retire_plot",
    "reveal",
    "withdraw_consent",
]
