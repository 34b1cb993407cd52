"""Benefit rules, the frozen parts that every accepted line was split into, receipts made public."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from catalog.products.models import Product
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money, Price


class BenefitModel(Labelled):
    """How a household is paid for goods (domain.md §4.1)."""

    BUY_OUT = "buy_out"
    CONSIGNMENT = "consignment"
    FLOOR_AND_REBATE = "floor_and_rebate"


class BenefitRule(Made, Model):
    """The rule in force for a product from a day on; an order keeps the one it was placed under."""

    __tablename__ = "benefit_rules"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("product_id", "version"),
        sa.CheckConstraint("retained_bp BETWEEN 0 AND 10000", name="retained"),
        sa.CheckConstraint("retained_bp = 0 OR resolution <> ''", name="retained_by_resolution"),
    )

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    version: Mapped[int]
    model: Mapped[BenefitModel]
    valid_from: Mapped[date]
    retained_bp: Mapped[int]
    resolution: Mapped[str] = mapped_column(sa.String(60))

    product: Mapped[Product] = related()
    costs: Mapped[list[RuleCost]] = related(order_by="RuleCost.id")


class CostKind(Labelled):
    FREIGHT = "freight"
    PACKAGING = "packaging"
    SORTING = "sorting"
    PROCESSING = "processing"
    PAYMENT_FEE = "payment_fee"


class RuleCost(Model):
    """One cost of a line: per kg (or piece), or in basis points of the line's amount."""

    __tablename__ = "rule_costs"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("(per_unit IS NULL) <> (share_bp IS NULL)", name="one_measure"),
    )

    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("benefit_rules.id"), index=True)
    kind: Mapped[CostKind]
    citizens_only: Mapped[bool] = mapped_column(default=False)
    per_unit: Mapped[Price | None]
    share_bp: Mapped[int | None]


class PartKind(Labelled):
    """Where a part of a line goes. The first four reach households."""

    FARM_GATE = "farm_gate"
    CONSIGNED = "consigned"
    REBATE = "rebate"
    FREIGHT = "freight"
    PACKAGING = "packaging"
    SORTING = "sorting"
    PROCESSING = "processing"
    PAYMENT_FEE = "payment_fee"
    RETAINED = "retained"
    COOPERATIVE = "cooperative"


HOUSEHOLD_PARTS = (PartKind.FARM_GATE, PartKind.CONSIGNED, PartKind.REBATE)


class SplitPart(Made, Model):
    """One part of one settled line. Parts of a subject add up to what was accepted (or refunded).

    `subject` is the settled thing (`acceptance_line:45`), `line` the order line (`line:123`); a
    refund writes parts of the opposite sign with its own subject. FARM_GATE was paid to the
    household when the goods were weighed in; here it only gives the cost of the goods back.
    """

    __tablename__ = "split_parts"
    __append_only__ = True
    __table_args__ = (
        sa.Index("ix_split_parts_household", "household_id", "on"),
        sa.Index("ix_split_parts_contribution", "contribution_id", "kind"),
    )

    subject: Mapped[str] = mapped_column(sa.String(60), index=True)
    line: Mapped[str] = mapped_column(sa.String(40), index=True)
    order: Mapped[str] = mapped_column(sa.String(40), index=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("benefit_rules.id"))
    kind: Mapped[PartKind]
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("households.id"))
    contribution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contributions.id"))
    quantity: Mapped[int]
    amount: Mapped[Money]
    on: Mapped[date] = mapped_column(index=True)
    cause: Mapped[str] = mapped_column(sa.String(120), unique=True)

    household: Mapped[Household | None] = related()
    product: Mapped[Product] = related()


class ShownReceipt(Made, Model):
    """Where an order's money went, on a page of its own that its buyer may pass on: nothing of the
    buyer is on it. `code` is its address; taken back, it leads nowhere for good, and showing the
    receipt again makes another one."""

    __tablename__ = "shown_receipts"

    order: Mapped[str] = mapped_column(sa.String(40), unique=True)
    code: Mapped[str] = mapped_column(sa.String(16), unique=True)
    taken_back_at: Mapped[datetime | None]
