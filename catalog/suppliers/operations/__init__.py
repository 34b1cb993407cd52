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
from catalog.suppliers.operations.changes import (
    pass_change,
    refuse_change,
    request_change,
    take_back_change,
)
from catalog.suppliers.operations.letters import tell
from catalog.suppliers.operations.linkage import (
    correct_link_payment,
    end_link,
    open_link,
    record_link_payment,
    remind_of_review,
    review_linkage,
)
from catalog.suppliers.operations.mandates import (
    agree_mandate,
    decline_mandate,
    end_mandate,
    propose_mandate,
    warn_of_mandates,
)
from catalog.suppliers.operations.register import Declared, register_supplier, save_profile

__all__ = [
    "Declared",
    "add_certificate",
    "admit_supplier",
    "agree_mandate",
    "begin_platform_review",
    "begin_review",
    "correct_link_payment",
    "decline_mandate",
    "end_link",
    "end_mandate",
    "open_link",
    "order_rectification",
    "pass_agriculture",
    "pass_change",
    "pass_revitalisation",
    "propose_mandate",
    "record_link_payment",
    "refuse_change",
    "register_supplier",
    "remind_of_review",
    "remove_supplier",
    "renew_certificate",
    "request_change",
    "return_application",
    "review_linkage",
    "save_profile",
    "submit_application",
    "suspend_supplier",
    "take_back_change",
    "tell",
    "warn_of_expiry",
    "warn_of_mandates",
    "withdraw_application",
    "withdraw_certificate",
]
