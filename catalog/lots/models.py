"""Weigh slips, lots, the households' contributions to them, and every move of stock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from catalog.lots.rules import bag_code
from catalog.products.models import Grade, Pack, Product, PurchasePrice
from catalog.suppliers.models import Supplier
from kernel.crypto import Sealed
from kernel.db import DERIVED, Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money, Price


class LotState(Labelled):
    OPEN = "open"
    QUARANTINE = "quarantine"
    HOLD = "hold"
    CLOSED = "closed"


class Lot(Made, Model):
    """Goods of one product and grade that entered the store together and expire together."""

    __tablename__ = "lots"
    __table_args__ = (sa.Index("ix_lots_open", "product_id", "grade", "state", "best_before"),)

    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    trace_key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    grade: Mapped[Grade]
    state: Mapped[LotState]
    state_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    harvested_on: Mapped[date]
    available_from: Mapped[date]
    best_before: Mapped[date]
    certificate_no: Mapped[str] = mapped_column(sa.String(40), default="")

    product: Mapped[Product] = related()
    supplier: Mapped[Supplier] = related()
    contributions: Mapped[list[Contribution]] = related(back_populates="lot")


class Contribution(Made, Model):
    """One household's part of a lot: what it brought, what of that is there, what is spoken for.

    Stock is reserved here, so that every sold gram has its household. `household_id` is empty for
    goods of the cooperative's own base. `on_hand` and `reserved` repeat the moves and the open
    allocations, so that the database itself can refuse to sell what is not there.
    """

    __tablename__ = "contributions"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="not_oversold"),
        sa.CheckConstraint("on_hand <= quantity", name="not_more_than_came"),
        sa.Index("ix_contributions_free", "product_id", "lot_id"),
    )

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    household_id: Mapped[int | None] = mapped_column(sa.ForeignKey("households.id"), index=True)
    quantity: Mapped[int]
    cost: Mapped[Money]
    on_hand: Mapped[int] = mapped_column(info=DERIVED)
    reserved: Mapped[int] = mapped_column(default=0, info=DERIVED)

    lot: Mapped[Lot] = related(back_populates="contributions")
    household: Mapped[Household | None] = related()


class SlipState(Labelled):
    """收购单 (domain.md §4.5)."""

    WEIGHED = "weighed"
    CONFIRMED = "confirmed"
    TAKEN_IN = "taken_in"
    VOID = "void"


class Confirmation(Labelled):
    """How the household said yes."""

    SIGNATURE = "signature"
    TEXT_CODE = "text_code"
    FINGERPRINT = "fingerprint"
    PROXY = "proxy"


class WeighSlip(Made, Model):
    """What one household brought to the scale. Net = (gross − tare) × (1 − deduction)."""

    __tablename__ = "weigh_slips"
    __table_args__ = (
        sa.UniqueConstraint("device", "device_seq"),
        sa.CheckConstraint("gross_g > tare_g AND tare_g >= 0", name="gross_above_tare"),
        sa.CheckConstraint("deduction_bp >= 0 AND deduction_bp < 10000", name="deduction"),
        sa.CheckConstraint("net_g > 0", name="net_positive"),
        sa.Index("ix_weigh_slips_state", "supplier_id", "state"),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    product_id: Mapped[int] = mapped_column(sa.ForeignKey("products.id"))
    grade: Mapped[Grade]
    weighed_at: Mapped[datetime] = mapped_column(index=True)
    gross_g: Mapped[int]
    tare_g: Mapped[int]
    deduction_bp: Mapped[int]
    net_g: Mapped[int]
    purchase_price_id: Mapped[int] = mapped_column(sa.ForeignKey("purchase_prices.id"))
    price: Mapped[Price]
    amount: Mapped[Money]
    state: Mapped[SlipState]
    confirmation: Mapped[Confirmation | None]
    confirmed_by: Mapped[str] = mapped_column(sa.String(60), default="")
    confirmed_at: Mapped[datetime | None]
    # The strokes of a signature on the screen, as an SVG path in a field of 300 × 90.
    signature: Mapped[str | None] = mapped_column(Sealed)
    taken_in_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    taken_in_at: Mapped[datetime | None]
    contribution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contributions.id"))
    void_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    device: Mapped[str] = mapped_column(sa.String(40))
    device_seq: Mapped[str] = mapped_column(sa.String(40))

    household: Mapped[Household] = related()
    product: Mapped[Product] = related()
    purchase_price: Mapped[PurchasePrice] = related()
    contribution: Mapped[Contribution | None] = related()


class MoveKind(Labelled):
    """库存变动 (domain.md §4.5). Reserving is not a move: nothing leaves its place."""

    TAKEN_IN = "taken_in"
    RETURNED = "returned"
    TO_PROCESSING = "to_processing"
    FROM_PROCESSING = "from_processing"
    SHIPPED = "shipped"
    SPOILED = "spoiled"
    COUNT_SURPLUS = "count_surplus"
    COUNT_SHORTAGE = "count_shortage"


class StockMove(Made, Model):
    """One signed change of what lies in the store, with its unique cause. Written once."""

    __tablename__ = "stock_moves"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("quantity <> 0", name="something_moved"),)

    contribution_id: Mapped[int] = mapped_column(sa.ForeignKey("contributions.id"), index=True)
    kind: Mapped[MoveKind]
    quantity: Mapped[int]
    cause: Mapped[str] = mapped_column(sa.String(80), unique=True)


class LotEventKind(Labelled):
    """What happened to a lot on its way (NY/T 4712-2025: own step, where from, where to)."""

    SOWN = "sown"
    HARVESTED = "harvested"
    WEIGHED = "weighed"
    TESTED = "tested"
    PROCESSED = "processed"
    PACKED = "packed"
    HELD = "held"
    RECALLED = "recalled"
    RELEASED = "released"


class LotEvent(Made, Model):
    __tablename__ = "lot_events"
    __append_only__ = True

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    kind: Mapped[LotEventKind]
    on: Mapped[date]
    note_zh: Mapped[str] = mapped_column(sa.String(200))
    note_en: Mapped[str] = mapped_column(sa.String(300), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Processing(Made, Model):
    """加工单: so much of some lots became so much of another, with its loss (domain.md §2.3)."""

    __tablename__ = "processings"

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    request_key: Mapped[str | None] = mapped_column(sa.String(80), unique=True)
    output_lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), unique=True)
    step: Mapped[str] = mapped_column(sa.String(40))
    input_quantity: Mapped[int]
    output_quantity: Mapped[int]
    on: Mapped[date]

    inputs: Mapped[list[ProcessingInput]] = related(back_populates="processing")


class ProcessingInput(Model):
    __tablename__ = "processing_inputs"

    processing_id: Mapped[int] = mapped_column(sa.ForeignKey("processings.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    quantity: Mapped[int]

    processing: Mapped[Processing] = related(back_populates="inputs")


class LabelRun(Made, Model):
    """标签: numbers of one lot's bags, taken together for one pack. A bag is no row: its code is
    made from the lot, its number and the run's key (`rules.bag_code`)."""

    __tablename__ = "label_runs"
    __table_args__ = (
        sa.UniqueConstraint("lot_id", "first_serial"),
        sa.CheckConstraint("count > 0 AND first_serial > 0", name="some_bags"),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    pack_id: Mapped[int] = mapped_column(sa.ForeignKey("packs.id"))
    first_serial: Mapped[int]
    count: Mapped[int]
    seal_key: Mapped[str] = mapped_column(sa.String(32))

    lot: Mapped[Lot] = related()
    pack: Mapped[Pack] = related()
    prints: Mapped[list[LabelPrint]] = related(back_populates="run", order_by="LabelPrint.copy")

    @property
    def last_serial(self) -> int:
        return self.first_serial + self.count - 1

    def code_of(self, serial: int) -> str:
        """The code of one bag; the lot must be loaded."""
        return bag_code(self.lot.code, serial, self.seal_key)


class LabelLayout(Labelled):
    """One label of 100 × 70 mm a page, or eight on a sheet of A4."""

    SINGLE = "single"
    SHEET = "sheet"


class LabelPrint(Made, Model):
    """Labels sent to the printer. What is printed again says so on its face, and why here."""

    __tablename__ = "label_prints"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("run_id", "copy"),
        sa.CheckConstraint("first_serial <= last_serial", name="some_bags"),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("label_runs.id"))
    copy: Mapped[int]
    first_serial: Mapped[int]
    last_serial: Mapped[int]
    layout: Mapped[LabelLayout]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")

    run: Mapped[LabelRun] = related(back_populates="prints")


class TraceScan(Model):
    """A trace page was opened: which lot or bag, when, in which language. Nothing of the person:
    no address, no browser."""

    __tablename__ = "trace_scans"
    __audited__ = False
    __table_args__ = (sa.Index("ix_trace_scans_lot", "lot_id", "at"),)

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    serial: Mapped[int | None]
    at: Mapped[datetime]
    lang: Mapped[str] = mapped_column(sa.String(5))
