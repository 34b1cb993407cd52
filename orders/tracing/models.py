"""Recalls: what must come back, from whom, and what became of it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.lots.models import Lot
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from orders.sales.models import Order


class RecallKind(Labelled):
    """A drill holds nothing and tells nobody: it measures how long finding everybody takes."""

    REAL = "real"
    DRILL = "drill"


class Recall(Made, Model):
    """召回: a lot and everything made of it is called back. `made_at` is when it began; `listed_at`
    is when somebody first had the list of whom to call in hand."""

    __tablename__ = "recalls"
    __table_args__ = (sa.CheckConstraint("(closed_at IS NULL) = (conclusion = '')", name="closed"),)

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    kind: Mapped[RecallKind]
    reason: Mapped[str] = mapped_column(sa.String(200))
    advice: Mapped[str] = mapped_column(sa.String(300))
    listed_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    conclusion: Mapped[str] = mapped_column(sa.String(300), default="")

    lot: Mapped[Lot] = related()
    lots: Mapped[list[RecallLot]] = related(back_populates="recall", order_by="RecallLot.id")
    lines: Mapped[list[RecallLine]] = related(back_populates="recall", order_by="RecallLine.id")


class RecallLot(Model):
    """A lot that the recall reaches, with what of it lay in the store when it began."""

    __tablename__ = "recall_lots"
    __table_args__ = (sa.UniqueConstraint("recall_id", "lot_id"),)

    recall_id: Mapped[int] = mapped_column(sa.ForeignKey("recalls.id"))
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    on_hand: Mapped[int]
    reserved: Mapped[int]

    recall: Mapped[Recall] = related(back_populates="lots")
    lot: Mapped[Lot] = related()


class RecallLine(Model):
    """So much of one of these lots was shipped to one order; its buyer is told once."""

    __tablename__ = "recall_lines"
    __table_args__ = (
        sa.UniqueConstraint("recall_id", "order_id", "lot_id"),
        sa.CheckConstraint("shipped > 0", name="shipped_positive"),
    )

    recall_id: Mapped[int] = mapped_column(sa.ForeignKey("recalls.id"))
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    shipped: Mapped[int]
    read_at: Mapped[datetime | None]
    read_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    recall: Mapped[Recall] = related(back_populates="lines")
    order: Mapped[Order] = related()
    lot: Mapped[Lot] = related()
    reports: Mapped[list[RecallReport]] = related(back_populates="line", order_by="RecallReport.id")


class RecallOutcome(Labelled):
    """What became of goods that were called back."""

    RETURNED = "returned"
    DESTROYED = "destroyed"
    CONSUMED = "consumed"
    MISSING = "missing"


class RecallReport(Made, Model):
    """What a buyer said became of so much of it, in base units. A mistake is taken back by a row
    of the opposite sign."""

    __tablename__ = "recall_reports"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("quantity <> 0", name="something_said"),)

    line_id: Mapped[int] = mapped_column(sa.ForeignKey("recall_lines.id"), index=True)
    outcome: Mapped[RecallOutcome]
    quantity: Mapped[int]
    note: Mapped[str] = mapped_column(sa.String(200), default="")

    line: Mapped[RecallLine] = related(back_populates="reports")
