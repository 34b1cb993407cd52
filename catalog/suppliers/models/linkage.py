"""联农带农: households a supplier takes along, by which mechanism, and what they got."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money
from kernel.storage import StoredFile
from kernel.versions import FrozenVersion


class LinkMechanism(Labelled):
    """带动方式 (domain.md §2.2). INPUT lowers costs and is not counted alone."""

    ORDER = "order"
    LAND = "land"
    WORK = "work"
    SHARE = "share"
    DIVIDEND = "dividend"
    CUSTODY = "custody"
    INPUT = "input"
    REBATE = "rebate"


class HouseholdLink(Made, Model):
    """One household, one mechanism, one contract with its evidence. Counts only by its payments."""

    __tablename__ = "household_links"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "household_id", "mechanism", "since"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    mechanism: Mapped[LinkMechanism]
    since: Mapped[date]
    until: Mapped[date | None]
    terms: Mapped[str] = mapped_column(sa.String(200))
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))

    household: Mapped[Household] = related()
    file: Mapped[StoredFile] = related()
    payments: Mapped[list[LinkPayment]] = related(back_populates="link", order_by="LinkPayment.id")


class LinkPayment(Made, Model):
    """Money a household got under a link outside of our own payout runs, with its proof.

    `cost` is what the household is known to have spent for it. A mistake is taken back by a row
    with the same amounts below zero that points to it. Written once.
    """

    __tablename__ = "link_payments"
    __append_only__ = True
    __table_args__ = (
        sa.Index(
            "uq_link_payments_reference",
            "link_id",
            "reference",
            unique=True,
            sqlite_where=sa.text("corrects_id IS NULL"),
            postgresql_where=sa.text("corrects_id IS NULL"),
        ),
        sa.CheckConstraint("(corrects_id IS NULL) = (amount > 0)", name="sign"),
    )

    link_id: Mapped[int] = mapped_column(sa.ForeignKey("household_links.id"), index=True)
    paid_on: Mapped[date]
    amount: Mapped[Money]
    cost: Mapped[Money]
    reference: Mapped[str] = mapped_column(sa.String(60))
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    corrects_id: Mapped[int | None] = mapped_column(sa.ForeignKey("link_payments.id"), unique=True)

    link: Mapped[HouseholdLink] = related(back_populates="payments")
    file: Mapped[StoredFile | None] = related()


class LinkageReview(Made, Model):
    """年度复核: the district certifies (or does not) what a supplier did for households in a year.

    The figures and the rows behind them are frozen as they stood. Written once per year.
    """

    __tablename__ = "linkage_reviews"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("supplier_id", "year"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    year: Mapped[int]
    certified: Mapped[bool]
    households: Mapped[int]
    gross: Mapped[Money]
    sentence: Mapped[str] = mapped_column(sa.String(300), default="")
    frozen_id: Mapped[int] = mapped_column(sa.ForeignKey("frozen_versions.id"), unique=True)

    frozen: Mapped[FrozenVersion] = related()
