"""Suppliers and the certificates they hold."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.people import Organisation


class SupplierKind(Labelled):
    COOPERATIVE = "cooperative"
    COMPANY = "company"
    WORKSHOP = "workshop"
    COLLECTIVE = "collective"


class SupplierState(Labelled):
    APPLIED = "applied"
    ADMITTED = "admitted"
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


class CertificateKind(Labelled):
    LICENCE = "licence"
    FOOD_PRODUCTION = "food_production"
    FOOD_TRADE = "food_trade"
    GREEN_FOOD = "green_food"
    GEOGRAPHICAL = "geographical"


class Certificate(Made, Model):
    __tablename__ = "certificates"
    __table_args__ = (sa.UniqueConstraint("kind", "number"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    kind: Mapped[CertificateKind]
    number: Mapped[str] = mapped_column(sa.String(40))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    supplier: Mapped[Supplier] = related()
