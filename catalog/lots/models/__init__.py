"""Weigh slips, lots, the households' contributions to them, and every move of stock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from catalog.products.models import Grade, Product, PurchasePrice
from catalog.suppliers.models import Supplier
from kernel.crypto import Sealed
from kernel.db import DERIVED, Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.people import User
from kernel.storage import StoredFile


class LotState(Labelled):
    """Only open lots are sold. What waits for a test, is held back or recalled may be released;
    what is under way to another store opens on arrival; a closed lot is empty for good. An expected
    lot carries promises of a harvest (`models.harvests`) and never goods.
    """

    OPEN = "open"
    AWAITING_TEST = "awaiting_test"
    IN_TRANSIT = "in_transit"
    QUARANTINE = "quarantine"
    HOLD = "hold"
    CLOSED = "closed"
    EXPECTED = "expected"


class Store(Made, Model):
    """A room or cellar of a supplier beside its main store, which needs no row."""

    __tablename__ = "stores"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "name"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    name: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[str] = mapped_column(sa.String(120), default="")


class Lot(Made, Model):
    """Goods of one product and grade that entered the store together and expire together."""

    __tablename__ = "lots"
    __table_args__ = (
        sa.Index("ix_lots_open", "product_id", "grade", "state", "best_before"),
        sa.Index("uq_lots_uid", "uid", unique=True),
    )

    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    trace_key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    # A UUID that a phone can give the lot while it is off the network, long before its code is
    # printed. Lots of the first schema have none.
    uid: Mapped[str | None] = mapped_column(sa.String(36), info=added(None))
    # Empty: the cooperative's main store. Never changes: what is carried elsewhere is a new lot.
    store_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stores.id"), info=added(None))
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
    store: Mapped[Store | None] = related()
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
    # The slip that brought it was reversed (冲销): it never counted as a part of the lot.
    reversed_at: Mapped[datetime | None] = mapped_column(info=added(None))

    lot: Mapped[Lot] = related(back_populates="contributions")
    household: Mapped[Household | None] = related()


class SlipState(Labelled):
    """收购单 (domain.md §4.5). Void before it was taken in, reversed afterwards: neither counts."""

    WEIGHED = "weighed"
    CONFIRMED = "confirmed"
    TAKEN_IN = "taken_in"
    VOID = "void"
    REVERSED = "reversed"

    @property
    def stands(self) -> bool:
        """Whether what the slip says holds."""
        return self not in (SlipState.VOID, SlipState.REVERSED)


class Confirmation(Labelled):
    """How the household said yes."""

    SIGNATURE = "signature"
    TEXT_CODE = "text_code"
    FINGERPRINT = "fingerprint"
    PROXY = "proxy"
    CARD_CODE = "card_code"


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


class ReviewReason(Labelled):
    """Why a slip waits for a second person (domain.md §4.5)."""

    YIELD = "above_yield"
    CAP = "above_cap"
    PRICE = "other_price"


class SlipReview(Made, Model):
    """复核: what must be looked at before this slip's goods may enter the store.

    It stands beside the slip's state: the household confirms meanwhile. It is open until somebody
    other than the weigher has approved it, or the slip is void.
    """

    __tablename__ = "slip_reviews"

    slip_id: Mapped[int] = mapped_column(sa.ForeignKey("weigh_slips.id"), unique=True)
    # Values of ReviewReason, in the order of that class.
    reasons: Mapped[list[Any]]
    note: Mapped[str] = mapped_column(sa.String(200), default="")
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    approval_note: Mapped[str] = mapped_column(sa.String(200), default="")

    slip: Mapped[WeighSlip] = related()

    @property
    def why(self) -> list[ReviewReason]:
        return [ReviewReason(each) for each in self.reasons]


class SlipPhoto(Made, Model):
    """What the scale showed. One picture per slip, never changed."""

    __tablename__ = "slip_photos"
    __append_only__ = True

    slip_id: Mapped[int] = mapped_column(sa.ForeignKey("weigh_slips.id"), unique=True)
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))

    file: Mapped[StoredFile] = related()


class PurchaseCap(Made, Model):
    """年度收购上限: the most a supplier buys from one household in a year, by resolution.

    The newest row of a year counts; one without an amount lifts the cap.
    """

    __tablename__ = "purchase_caps"
    __append_only__ = True
    __table_args__ = (sa.Index("ix_purchase_caps_year", "supplier_id", "year"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    year: Mapped[int]
    amount: Mapped[Money | None]
    resolution: Mapped[str] = mapped_column(sa.String(60))


class ScaleCard(Made, Model):
    """农户卡: what a household shows at the scale, with its QR and its short code.

    The newest serial counts: a lost card is replaced by another, whose short code is another.
    """

    __tablename__ = "scale_cards"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("household_id", "serial"),)

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"))
    serial: Mapped[int]


class OfflineState(Labelled):
    """What became of a slip that was weighed without network."""

    WRITTEN = "written"
    HANDED_OVER = "handed_over"
    DISMISSED = "dismissed"


class OfflineSlip(Made, Model):
    """离线单: what a phone weighed without network and sent later.

    (device, device_seq) is its identity: the same content again is the same slip, other content is
    a conflict. `made_at` is when it arrived, `weighed_at` when the phone says it was weighed.
    `payload` is what was sent, kept for slips that no rule let in and the manager must settle.
    """

    __tablename__ = "offline_slips"
    __table_args__ = (
        sa.UniqueConstraint("device", "device_seq"),
        sa.CheckConstraint("(state = 'written') = (slip_id IS NOT NULL)", name="written_has_slip"),
        sa.Index("ix_offline_slips_state", "supplier_id", "state"),
    )

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    device: Mapped[str] = mapped_column(sa.String(40))
    device_seq: Mapped[str] = mapped_column(sa.String(40))
    weighed_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(sa.String(64))
    state: Mapped[OfflineState]
    payload: Mapped[str] = mapped_column(Sealed)
    photo_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    said: Mapped[str] = mapped_column(sa.String(300), default="")
    slip_id: Mapped[int | None] = mapped_column(sa.ForeignKey("weigh_slips.id"), unique=True)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(sa.String(200), default="")

    slip: Mapped[WeighSlip | None] = related()
    made_by: Mapped[User | None] = related(foreign_keys="OfflineSlip.made_by_id")


class MoveKind(Labelled):
    """库存变动 (domain.md §4.5). Reserving is not a move: nothing leaves its place.

    Moved out and in: a split, a repacking or a transfer to another store; the goods stay what they
    are and become another lot. Undone: the reverse of a step that nothing has followed yet.
    Reversed: the slip that brought the goods was wrong; they never came like this. What takes a
    loss or a count back is of the kind of what it takes back, with the other sign.
    Expected: what of a coming harvest may be promised. No goods move then, and no money.
    """

    TAKEN_IN = "taken_in"
    RETURNED = "returned"
    TO_PROCESSING = "to_processing"
    FROM_PROCESSING = "from_processing"
    MOVED_OUT = "moved_out"
    MOVED_IN = "moved_in"
    UNDONE = "undone"
    REVERSED = "reversed"
    SHIPPED = "shipped"
    SPOILED = "spoiled"
    COUNT_SURPLUS = "count_surplus"
    COUNT_SHORTAGE = "count_shortage"
    EXPECTED = "expected"


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
    SET_APART = "set_apart"
    SPLIT = "split"
    REPACKED = "repacked"
    SENT = "sent"
    ARRIVED = "arrived"
    UNDONE = "undone"
    REVERSED = "reversed"
    CLOSED = "closed"


class LotEvent(Made, Model):
    __tablename__ = "lot_events"
    __append_only__ = True

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    kind: Mapped[LotEventKind]
    on: Mapped[date]
    note_zh: Mapped[str] = mapped_column(sa.String(200))
    note_en: Mapped[str] = mapped_column(sa.String(300), default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class StepKind(Labelled):
    """加工单 of which step. The last three leave the goods what they are: nothing may be lost."""

    SORT = "sort"
    WASH = "wash"
    DRY = "dry"
    MILL = "mill"
    PACK = "pack"
    OTHER = "other"
    SPLIT = "split"
    REPACK = "repack"
    TRANSFER = "transfer"


class Processing(Made, Model):
    """加工单: so much of some lots became so much of another, with its loss (domain.md §2.3).

    Sorting brings out several lots on one slip: `output_lot` is the first, `others` the further
    ones, `output_quantity` all of them; `waste` is what was thrown away before anybody saw it.

    `least_bp` and `most_bp` freeze the yield that was expected when it was written; outside of
    them `reason` says why. Slips of the first schema have no kind. An undone one keeps its row.
    """

    __tablename__ = "processings"

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    request_key: Mapped[str | None] = mapped_column(sa.String(80), unique=True)
    output_lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), unique=True)
    step: Mapped[str] = mapped_column(sa.String(40))
    input_quantity: Mapped[int]
    output_quantity: Mapped[int]
    on: Mapped[date]
    kind: Mapped[StepKind | None] = mapped_column(info=added(None))
    least_bp: Mapped[int | None] = mapped_column(info=added(None))
    most_bp: Mapped[int | None] = mapped_column(info=added(None))
    reason: Mapped[str | None] = mapped_column(sa.String(200), info=added(None))
    undone_at: Mapped[datetime | None] = mapped_column(info=added(None))
    undone_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), info=added(None))
    undone_reason: Mapped[str | None] = mapped_column(sa.String(200), info=added(None))
    waste: Mapped[int | None] = mapped_column(info=added(None))

    output_lot: Mapped[Lot] = related()
    inputs: Mapped[list[ProcessingInput]] = related(back_populates="processing")
    others: Mapped[list[ProcessingOutput]] = related(
        back_populates="processing", order_by="ProcessingOutput.id"
    )

    @property
    def outputs(self) -> list[tuple[Lot, int]]:
        """Every lot that came out, with how much of it; the first one first."""
        more = [(each.lot, each.quantity) for each in self.others]
        return [
            (self.output_lot, self.output_quantity - sum(each for _, each in more)),
            *more,
        ]


class ProcessingInput(Model):
    __tablename__ = "processing_inputs"

    processing_id: Mapped[int] = mapped_column(sa.ForeignKey("processings.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    quantity: Mapped[int]

    lot: Mapped[Lot] = related()
    processing: Mapped[Processing] = related(back_populates="inputs")


class ProcessingOutput(Made, Model):
    """A further lot that came out of a sorting slip, beside the slip's `output_lot`."""

    __tablename__ = "processing_outputs"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    processing_id: Mapped[int] = mapped_column(sa.ForeignKey("processings.id"), index=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), unique=True)
    quantity: Mapped[int]

    lot: Mapped[Lot] = related()
    processing: Mapped[Processing] = related(back_populates="others")


class CommitmentBasis(Labelled):
    """承诺依据: what the promise rests on (domain.md §2.3)."""

    ENTRUSTED_TEST = "entrusted_test"
    OWN_TEST = "own_test"
    INTERNAL_CONTROL = "internal_control"
    OWN_PROMISE = "own_promise"


class ConformityCertificate(Made, Model):
    """承诺达标合格证 of a lot, or of one household's part before it was mixed. Written once.

    `content` is what it says, word for word: product, quantity, origin, who answers for it, the
    promise. A lot that grows or is mixed gets a new one that names its sources.
    """

    __tablename__ = "conformity_certificates"
    __append_only__ = True

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"), index=True)
    contribution_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contributions.id"))
    basis: Mapped[CommitmentBasis]
    issued_on: Mapped[date]
    quantity: Mapped[int]
    content: Mapped[dict[str, Any]]
    # Numbers of the certificates this one was made from, in order.
    sources: Mapped[list[Any]]
