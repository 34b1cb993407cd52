"""The papers of the store: transfers, losses, counts, and the figures that are watched."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.lots.models import Lot, Processing, StepKind, Store
from catalog.products.models import Product
from kernel.db import Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import Money
from kernel.storage import StoredFile


class YieldBand(Made, Model):
    """得率标准: what a step should bring out of 100 kg, in basis points (domain.md §2.3).

    The newest row of the same goods and step is in force.
    """

    __tablename__ = "yield_bands"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("least_bp >= 0 AND least_bp <= most_bp", name="in_order"),
        sa.Index("ix_yield_bands_of", "input_product_id", "output_product_id", "kind"),
    )

    input_product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    output_product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    kind: Mapped[StepKind]
    least_bp: Mapped[int]
    most_bp: Mapped[int]


class StoreTransfer(Made, Model):
    """调拨单: goods on their way to another store, as a lot of their own that opens on arrival.

    An empty store is the main one. `arrived` is what was counted at the other end.
    """

    __tablename__ = "store_transfers"
    __table_args__ = (sa.CheckConstraint("arrived >= 0", name="not_negative"),)

    processing_id: Mapped[int] = mapped_column(sa.ForeignKey("processings.id"), unique=True)
    from_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    to_store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    arrived: Mapped[int | None]
    arrived_at: Mapped[datetime | None]
    arrived_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    processing: Mapped[Processing] = related()
    from_store: Mapped[Store | None] = related(foreign_keys="StoreTransfer.from_store_id")
    to_store: Mapped[Store | None] = related(foreign_keys="StoreTransfer.to_store_id")


class CountState(Labelled):
    COUNTING = "counting"
    FINISHED = "finished"
    GIVEN_UP = "given_up"


class StockCount(Made, Model):
    """盘点: one store counted by two people, neither of whom sees what the other wrote."""

    __tablename__ = "stock_counts"

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"))
    on: Mapped[date]
    state: Mapped[CountState]
    ended_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    store: Mapped[Store | None] = related()


class CountEntry(Made, Model):
    """What one person counted of one lot, beside what the book said at that very moment.

    Counted again: a new row; the newest of each person holds.
    """

    __tablename__ = "count_entries"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("counted >= 0 AND book >= 0", name="not_negative"),)

    count_id: Mapped[int] = mapped_column(sa.ForeignKey("stock_counts.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    counted: Mapped[int]
    book: Mapped[int]


class AdjustmentKind(Labelled):
    """Why there is less (or more) in a lot than the book says."""

    SPOILED = "spoiled"
    SHRINK = "shrink"
    COUNT = "count"
    TRANSFER = "transfer"


class AdjustmentState(Labelled):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


class Adjustment(Made, Model):
    """损溢单: so much less (negative) or more of a lot, why, and who agreed.

    Stock moves when it is approved; `cost` is what was written off then (a gain is negative). One
    that takes another back (`reverses_id`) moves the same goods the other way.
    """

    __tablename__ = "adjustments"
    __table_args__ = (
        sa.CheckConstraint("quantity <> 0", name="something"),
        sa.CheckConstraint("(state = 'approved') = (cost IS NOT NULL)", name="cost_when_approved"),
        sa.Index("ix_adjustments_state", "supplier_id", "state"),
        sa.Index(
            "uq_adjustments_reverses",
            "reverses_id",
            unique=True,
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
        ),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    request_key: Mapped[str | None] = mapped_column(sa.String(80), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    kind: Mapped[AdjustmentKind]
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(200))
    photo_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    count_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stock_counts.id"), index=True)
    transfer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("store_transfers.id"))
    reverses_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("adjustments.id"), info=added(None)
    )
    state: Mapped[AdjustmentState]
    cost: Mapped[Money | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(sa.String(200), default="")

    lot: Mapped[Lot] = related()
    photo: Mapped[StoredFile | None] = related()


class StockLevel(Made, Model):
    """库存下限: below this the product is on the list of what runs low. The newest row holds."""

    __tablename__ = "stock_levels"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("least >= 0", name="not_negative"),)

    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"), index=True)
    least: Mapped[int]

    product: Mapped[Product] = related()
