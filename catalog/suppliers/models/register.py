"""The register: a supplier and what it declares about itself (domain.md §2.2, last paragraph)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money
from kernel.people import Organisation


class SupplierKind(Labelled):
    COOPERATIVE = "cooperative"
    COMPANY = "company"
    FAMILY_FARM = "family_farm"
    WORKSHOP = "workshop"
    COLLECTIVE = "collective"
    # Produces nothing: it sells for admitted suppliers, with their mandate (domain.md §2.1).
    TRADER = "trader"


class SupplierState(Labelled):
    """入驻状态 (domain.md §2.1); who may move it where stands in `admission.MOVES`."""

    DRAFT = "draft"
    APPLIED = "applied"
    AGRICULTURE_REVIEW = "agriculture_review"
    REVITALISATION_REVIEW = "revitalisation_review"
    RECOMMENDED = "recommended"
    PLATFORM_REVIEW = "platform_review"
    ADMITTED = "admitted"
    RECTIFYING = "rectifying"
    SUSPENDED = "suspended"
    REMOVED = "removed"


class Supplier(Made, Model):
    """An organisation that collects from households and ships. Its bank account is a company's."""

    __tablename__ = "suppliers"

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), unique=True)
    code: Mapped[str] = mapped_column(sa.String(8), unique=True)
    kind: Mapped[SupplierKind]
    state: Mapped[SupplierState]
    phone: Mapped[str] = mapped_column(sa.String(20), default="")
    bank: Mapped[str] = mapped_column(sa.String(60), default="")
    bank_account: Mapped[str] = mapped_column(sa.String(30), default="")
    is_small_enterprise: Mapped[bool] = mapped_column(default=True)

    organisation: Mapped[Organisation] = related()


class EnterpriseSize(Labelled):
    """中小企业类型声明: stated by the supplier when it contracts (domain.md §3.4)."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    NO_ENTERPRISE = "no_enterprise"


class SupplierProfile(Made, Model):
    """What a supplier declares when it applies. Areas are hundredths of a mu, capacity is grams a
    year; `annual_sales` is what it says it sold last year, not what we know."""

    __tablename__ = "supplier_profiles"
    __table_args__ = (
        sa.CheckConstraint("base_mu_100 >= 0 AND capacity_g >= 0", name="not_negative"),
    )

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), unique=True)
    legal_person: Mapped[str] = mapped_column(sa.String(40))
    origin_code: Mapped[str] = mapped_column(sa.String(12))
    base_mu_100: Mapped[int]
    capacity_g: Mapped[int]
    main_products: Mapped[str] = mapped_column(sa.String(200))
    contact: Mapped[str] = mapped_column(sa.String(40))
    annual_sales: Mapped[Money]
    enterprise_size: Mapped[EnterpriseSize]
    # Values of LinkMechanism, in their order, and how they work in the supplier's own words.
    mechanisms: Mapped[list[Any]]
    linkage_statement: Mapped[str] = mapped_column(sa.String(500))

    supplier: Mapped[Supplier] = related()
