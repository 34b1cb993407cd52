"""Suppliers, their admission, their certificates and their links to households, read."""

from catalog.suppliers.queries.admission import (
    SupplierRow,
    events_of,
    latest_application,
    reviewers_of,
    supplier_rows,
)
from catalog.suppliers.queries.certificates import (
    CertificateRow,
    certificate_of,
    certificate_rows,
    certificates_of,
    expiring_certificates,
    lapsed_kinds,
)
from catalog.suppliers.queries.linkage import (
    LinkRow,
    link_of,
    link_payments,
    links_of,
    reviews_of,
    unreviewed,
)
from catalog.suppliers.queries.register import (
    all_suppliers,
    catchment,
    managers_of,
    origins_of,
    place_names,
    profile_of,
    supplier_by_code,
    supplier_of,
    supplier_sheet,
)

__all__ = [
    "CertificateRow",
    "LinkRow",
    "SupplierRow",
    "all_suppliers",
    "catchment",
    "certificate_of",
    "certificate_rows",
    "certificates_of",
    "events_of",
    "expiring_certificates",
    "lapsed_kinds",
    "latest_application",
    "link_of",
    "link_payments",
    "links_of",
    "managers_of",
    "origins_of",
    "place_names",
    "profile_of",
    "reviewers_of",
    "reviews_of",
    "supplier_by_code",
    "supplier_of",
    "supplier_rows",
    "supplier_sheet",
    "unreviewed",
]
