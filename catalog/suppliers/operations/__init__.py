"""Suppliers apply and are admitted; their certificates, their links to households, the reviews."""

from catalog.suppliers.operations.admission import (
    admit_supplier,
    begin_platform_review,
    begin_review,
    order_rectification,
    pass_agriculture,
    pass_revitalisation,
    remove_supplier,
    return_application,
    submit_application,
    suspend_supplier,
    withdraw_application,
)
from catalog.suppliers.operations.certificates import (
    add_certificate,
    renew_certificate,
    warn_of_expiry,
    withdraw_certificate,
)
from catalog.suppliers.operations.linkage import (
    correct_link_payment,
    end_link,
    open_link,
    record_link_payment,
    remind_of_review,
    review_linkage,
)
from catalog.suppliers.operations.register import Declared, register_supplier, save_profile

__all__ = [
    "Declared",
    "add_certificate",
    "admit_supplier",
    "begin_platform_review",
    "begin_review",
    "correct_link_payment",
    "end_link",
    "open_link",
    "order_rectification",
    "pass_agriculture",
    "pass_revitalisation",
    "record_link_payment",
    "register_supplier",
    "remind_of_review",
    "remove_supplier",
    "renew_certificate",
    "return_application",
    "review_linkage",
    "save_profile",
    "submit_application",
    "suspend_supplier",
    "warn_of_expiry",
    "withdraw_application",
    "withdraw_certificate",
]
