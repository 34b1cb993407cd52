"""Suppliers: who they are, how they were admitted, what they hold, whom they take along."""

from catalog.suppliers.models.admission import (
    MOVES,
    AdmissionReason,
    Application,
    Move,
    SupplierEvent,
)
from catalog.suppliers.models.certificates import (
    Certificate,
    CertificateKind,
    CertificatePaper,
    CertificateWithdrawal,
)
from catalog.suppliers.models.changes import (
    OPEN_CHANGES,
    ChangeState,
    ChangeWeight,
    RegisterChange,
)
from catalog.suppliers.models.linkage import (
    HouseholdLink,
    LinkageReview,
    LinkMechanism,
    LinkPayment,
)
from catalog.suppliers.models.mandates import Mandate, MandateState
from catalog.suppliers.models.register import (
    EnterpriseSize,
    Supplier,
    SupplierKind,
    SupplierProfile,
    SupplierState,
)

__all__ = [
    "MOVES",
    "OPEN_CHANGES",
    "AdmissionReason",
    "Application",
    "Certificate",
    "CertificateKind",
    "CertificatePaper",
    "CertificateWithdrawal",
    "ChangeState",
    "ChangeWeight",
    "EnterpriseSize",
    "HouseholdLink",
    "LinkMechanism",
    "LinkPayment",
    "LinkageReview",
    "Mandate",
    "MandateState",
    "Move",
    "RegisterChange",
    "Supplier",
    "SupplierEvent",
    "SupplierKind",
    "SupplierProfile",
    "SupplierState",
]
