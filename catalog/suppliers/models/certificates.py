"""The papers a supplier holds: numbers, validity, scans, and what was withdrawn."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models.register import Supplier
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.storage import StoredFile


class CertificateKind(Labelled):
    """Kinds of domain.md §2.3; the number of each has its pattern in `rules.certificates`."""

    LICENCE = "licence"
    FOOD_PRODUCTION = "food_production"
    FOOD_TRADE = "food_trade"
    SMALL_WORKSHOP = "small_workshop"
    TEST_REPORT = "test_report"
    GREEN_FOOD = "green_food"
    ORGANIC = "organic"
    GEOGRAPHICAL = "geographical"
    QUARANTINE = "quarantine"
    HEALTH = "health"
    COLD_CHAIN = "cold_chain"


class Certificate(Made, Model):
    """One paper for one term. A renewed paper often keeps its number: the day tells them apart."""

    __tablename__ = "certificates"
    __table_args__ = (sa.UniqueConstraint("kind", "number", "valid_from"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    kind: Mapped[CertificateKind]
    number: Mapped[str] = mapped_column(sa.String(40))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    supplier: Mapped[Supplier] = related()
    paper: Mapped[CertificatePaper | None] = related(
        back_populates="certificate", foreign_keys="CertificatePaper.certificate_id"
    )
    withdrawal: Mapped[CertificateWithdrawal | None] = related(back_populates="certificate")


class CertificatePaper(Made, Model):
    """The scan of a certificate, what or whom it covers, and which one it renews. Written once."""

    __tablename__ = "certificate_papers"
    __append_only__ = True

    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("certificates.id"), unique=True)
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    covers: Mapped[str] = mapped_column(sa.String(120), default="")
    renews_id: Mapped[int | None] = mapped_column(sa.ForeignKey("certificates.id"), unique=True)

    certificate: Mapped[Certificate] = related(
        back_populates="paper", foreign_keys="CertificatePaper.certificate_id"
    )
    file: Mapped[StoredFile | None] = related()


class CertificateWithdrawal(Made, Model):
    """From that day the certificate counts no longer, whatever stands on it. Written once."""

    __tablename__ = "certificate_withdrawals"
    __append_only__ = True

    certificate_id: Mapped[int] = mapped_column(sa.ForeignKey("certificates.id"), unique=True)
    withdrawn_on: Mapped[date]
    reason: Mapped[str] = mapped_column(sa.String(200))

    certificate: Mapped[Certificate] = related(back_populates="withdrawal")
