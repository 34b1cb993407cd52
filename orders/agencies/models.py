"""Budget units, the policy they live under, filings, bulk orders, acceptance, and what counts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import DERIVED, Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.storage import StoredFile
from kernel.versions import FrozenVersion
from orders.sales.models import Order, OrderLine, Shipment


class UnitKind(Labelled):
    OFFICE = "office"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    INSTITUTION = "institution"


class CanteenType(Labelled):
    OWN = "own"
    OUTSOURCED = "outsourced"
    SHARED_LEADING = "shared_leading"
    SHARED = "shared"
    NONE = "none"


class Unit(Made, Model):
    """预算单位: an organisation that must reserve a share of its food budget."""

    __tablename__ = "units"
    __table_args__ = (
        sa.CheckConstraint(
            "(canteen_type = 'shared') = (representative_id IS NOT NULL)", name="represented"
        ),
        sa.CheckConstraint(
            "representative_id IS NULL OR representative_id <> id", name="not_itself"
        ),
    )

    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"), unique=True)
    kind: Mapped[UnitKind]
    system: Mapped[str] = mapped_column(sa.String(20), default="")
    canteen_type: Mapped[CanteenType]
    representative_id: Mapped[int | None] = mapped_column(sa.ForeignKey("units.id"))
    activated_on: Mapped[date | None]
    delivery_place: Mapped[str] = mapped_column(sa.String(60), default="食堂")
    diners: Mapped[int] = mapped_column(default=0)
    contact: Mapped[str] = mapped_column(sa.String(40), default="")
    contact_phone: Mapped[str] = mapped_column(sa.String(20), default="")

    organisation: Mapped[Organisation] = related()
    representative: Mapped[Unit | None] = related(remote_side="Unit.id")


class YearRule(Labelled):
    """Which day puts an order into a year (G9)."""

    BY_COMPLETION = "by_completion"
    BY_ORDER_DATE = "by_order_date"


class Policy(Made, Model):
    """The rules of one region and year: rows, never constants (domain.md §0.3). The narrowest
    region that has a row wins."""

    __tablename__ = "policies"
    __table_args__ = (sa.UniqueConstraint("region_code", "year"),)

    region_code: Mapped[str] = mapped_column(sa.String(12))
    year: Mapped[int]
    ratio_floor_bp: Mapped[int]
    needs_review: Mapped[bool]
    countable_channels: Mapped[list[Any]]
    year_rule: Mapped[YearRule]
    freight_counts: Mapped[bool]
    union_share_bp: Mapped[int | None]
    filing_from: Mapped[date]
    filing_to: Mapped[date]
    approval_threshold: Mapped[Money]
    tolerance_bp: Mapped[int]
    annual_cap: Mapped[Money | None]
    document_no: Mapped[str] = mapped_column(sa.String(60))
    # A price further from what the same costs elsewhere is flagged (domain.md §9, 1).
    price_band_bp: Mapped[int] = mapped_column(default=1_500, info=added(1_500))
    # Whether staff's own purchases count for their unit, and how many days after ordering they
    # may still be credited or taken back (domain.md §1.2, §10).
    staff_counts: Mapped[bool] = mapped_column(default=True, info=added(True))
    staff_credit_days: Mapped[int] = mapped_column(default=90, info=added(90))


class FilingState(Labelled):
    """填报单 (domain.md §1.4)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    EFFECTIVE = "effective"
    RETURNED = "returned"
    NOTED = "noted"
    SUPERSEDED = "superseded"


class Filing(Made, Model):
    """A unit's declared food budget of a year and the share it reserves.

    EFFECTIVE (or NOTED: no canteen, represented) is the one row that counts; a correction is a new
    row that supersedes it.
    """

    __tablename__ = "filings"
    __table_args__ = (
        sa.UniqueConstraint("unit_id", "year", "version"),
        sa.CheckConstraint(
            "base >= 0 AND reserved >= 0 AND union_budget >= 0", name="not_negative"
        ),
        sa.Index(
            "uq_filings_effective",
            "unit_id",
            "year",
            unique=True,
            sqlite_where=sa.text("state IN ('effective', 'noted')"),
            postgresql_where=sa.text("state IN ('effective', 'noted')"),
        ),
    )

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"))
    year: Mapped[int]
    version: Mapped[int]
    state: Mapped[FilingState]
    canteen_type: Mapped[CanteenType]
    representative_id: Mapped[int | None] = mapped_column(sa.ForeignKey("units.id"))
    base: Mapped[Money]
    ratio_bp: Mapped[int]
    reserved: Mapped[Money]
    union_budget: Mapped[Money] = mapped_column(default=ZERO)
    exemption: Mapped[str] = mapped_column(sa.String(60), default="")
    explanation: Mapped[str] = mapped_column(sa.String(500), default="")
    contact: Mapped[str] = mapped_column(sa.String(40))
    contact_phone: Mapped[str] = mapped_column(sa.String(20))
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    confirmed_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]
    return_reason: Mapped[str] = mapped_column(sa.String(300), default="")
    frozen_id: Mapped[int | None] = mapped_column(sa.ForeignKey("frozen_versions.id"))

    unit: Mapped[Unit] = related(foreign_keys=[unit_id])
    frozen: Mapped[FrozenVersion | None] = related()


class Purpose(Labelled):
    """What the money is for; shown apart everywhere (domain.md §1.6)."""

    CANTEEN = "canteen"
    UNION = "union"
    STAFF = "staff"


class OrderDraft(Made, Model):
    """A grid that is being filled in: pack id → base units. Promises and reserves nothing."""

    __tablename__ = "order_drafts"

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(60))
    deliver_on: Mapped[date | None]
    lines: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]

    unit: Mapped[Unit] = related()


class Stage(Labelled):
    """Where a bulk order stands for its unit; derived facts live in the rows beside it."""

    PENDING_APPROVAL = "pending_approval"
    TO_SIGN = "to_sign"
    IN_DELIVERY = "in_delivery"
    TO_INVOICE = "to_invoice"
    TO_PAY = "to_pay"
    TO_REVIEW = "to_review"
    DONE = "done"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


STAGE_MOVES: dict[Stage, frozenset[Stage]] = {
    Stage.PENDING_APPROVAL: frozenset({Stage.TO_SIGN, Stage.REJECTED, Stage.CANCELLED}),
    Stage.TO_SIGN: frozenset({Stage.IN_DELIVERY, Stage.CANCELLED}),
    Stage.IN_DELIVERY: frozenset({Stage.TO_INVOICE, Stage.CANCELLED}),
    Stage.TO_INVOICE: frozenset({Stage.TO_PAY}),
    Stage.TO_PAY: frozenset({Stage.TO_REVIEW}),
    Stage.TO_REVIEW: frozenset({Stage.DONE}),
    Stage.DONE: frozenset(),
    Stage.REJECTED: frozenset(),
    Stage.CANCELLED: frozenset(),
}


class BulkOrder(Made, Model):
    """What makes an order a unit's: purpose, payer, approval, contract, term of payment.

    `due_on` follows domain.md §3.4: days after the last acceptance, 30 by law, 60 at most.
    """

    __tablename__ = "bulk_orders"
    __table_args__ = (
        sa.CheckConstraint("payment_days BETWEEN 1 AND 60", name="payment_term"),
        sa.CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> made_by_id", name="four_eyes"
        ),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"), index=True)
    payer_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    purpose: Mapped[Purpose]
    stage: Mapped[Stage] = mapped_column(index=True)
    payment_days: Mapped[int] = mapped_column(default=30)
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    signed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    signed_at: Mapped[datetime | None]
    contract_id: Mapped[int | None] = mapped_column(sa.ForeignKey("frozen_versions.id"))
    accepted_on: Mapped[date | None]
    due_on: Mapped[date | None]
    paid_on: Mapped[date | None]
    reviewed_on: Mapped[date | None]

    order: Mapped[Order] = related()
    unit: Mapped[Unit] = related()
    payer: Mapped[Organisation] = related()


class ProposalState(Labelled):
    """A proposal to take something off a signed order, until the other side has answered."""

    OPEN = "open"
    AGREED = "agreed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class LineProposal(Made, Model):
    """One side asks the other to take so much of a line off a signed order (domain.md §3.2: after
    signing by mutual consent). Nothing changes before the other side agrees."""

    __tablename__ = "line_proposals"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        sa.CheckConstraint("(state = 'agreed') = (withdrawal_id IS NOT NULL)", name="carried_out"),
        sa.Index(
            "uq_line_proposals_open",
            "line_id",
            unique=True,
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
    )

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"))
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisations.id"))
    quantity: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(120))
    state: Mapped[ProposalState]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    answer: Mapped[str] = mapped_column(sa.String(200), default="")
    withdrawal_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("line_withdrawals.id"), unique=True
    )

    order: Mapped[Order] = related()
    line: Mapped[OrderLine] = related()
    organisation: Mapped[Organisation] = related()


class HarvestWorry(Labelled):
    """What people are told of a harvest that has not come in."""

    SHORT = "short"
    NEAR = "near"
    OVERDUE = "overdue"


class HarvestWarning(Made, Model):
    """People were told of one worry: of an order's line, or (overdue) of a harvest as a whole.

    `quantity` is what was short, near or still expected when they were told; zero says that it is
    made good. The last row of a line and worry is what its people know, so nobody is told twice.
    """

    __tablename__ = "harvest_warnings"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        sa.Index("ix_harvest_warnings_of", "lot_id", "worry", "line_id"),
    )

    lot_id: Mapped[int] = mapped_column(sa.ForeignKey("lots.id"))
    line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_lines.id"))
    worry: Mapped[HarvestWorry]
    quantity: Mapped[int]


class Disposition(Labelled):
    """What happens with what was not accepted (domain.md §3.3)."""

    RETURN = "return"
    REPLENISH = "replenish"
    EXCHANGE = "exchange"
    REDUCED_PRICE = "reduced_price"


class AcceptanceState(Labelled):
    OPEN = "open"
    SIGNED = "signed"


class Acceptance(Made, Model):
    """验收单: what a canteen took of one shipment. Signed by at least two, then frozen for good.
    Nothing is payable and nothing counts without one."""

    __tablename__ = "acceptances"

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    shipment_id: Mapped[int] = mapped_column(sa.ForeignKey("shipments.id"), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    state: Mapped[AcceptanceState]
    signed_at: Mapped[datetime | None]
    amount: Mapped[Money] = mapped_column(default=ZERO)
    deemed: Mapped[bool] = mapped_column(default=False)
    frozen_id: Mapped[int | None] = mapped_column(sa.ForeignKey("frozen_versions.id"))

    order: Mapped[Order] = related()
    shipment: Mapped[Shipment] = related()
    frozen: Mapped[FrozenVersion | None] = related()
    lines: Mapped[list[AcceptanceLine]] = related(order_by="AcceptanceLine.id")
    signatures: Mapped[list[AcceptanceSignature]] = related(order_by="AcceptanceSignature.id")


class AcceptanceLine(Made, Model):
    """accepted = min(weighed, shipped) − rejected, in base units (domain.md §3.3)."""

    __tablename__ = "acceptance_lines"
    __table_args__ = (
        sa.UniqueConstraint("acceptance_id", "line_id"),
        sa.CheckConstraint(
            "accepted >= 0 AND rejected >= 0 AND accepted + rejected <= shipped", name="within"
        ),
        sa.CheckConstraint("deduction_bp BETWEEN 0 AND 10000", name="deduction"),
    )

    acceptance_id: Mapped[int] = mapped_column(sa.ForeignKey("acceptances.id"))
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    shipped: Mapped[int]
    weighed: Mapped[int]
    rejected: Mapped[int]
    accepted: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(60), default="")
    disposition: Mapped[Disposition | None]
    deduction_bp: Mapped[int] = mapped_column(default=0)
    amount: Mapped[Money]

    line: Mapped[OrderLine] = related()
    photos: Mapped[list[AcceptancePhoto]] = related()


class AcceptancePhoto(Made, Model):
    __tablename__ = "acceptance_photos"

    acceptance_line_id: Mapped[int] = mapped_column(
        sa.ForeignKey("acceptance_lines.id"), index=True
    )
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))

    file: Mapped[StoredFile] = related()


class AcceptanceSignature(Made, Model):
    """One person's signature under a protocol as it read then; nobody signs the same text twice.

    `sha256` is of the lines that were signed: whoever changes a line afterwards makes the
    signatures under the old text count for nothing.
    """

    __tablename__ = "acceptance_signatures"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("acceptance_id", "user_id", "sha256"),)

    acceptance_id: Mapped[int] = mapped_column(sa.ForeignKey("acceptances.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(sa.String(60))
    capacity: Mapped[str] = mapped_column(sa.String(20))
    sha256: Mapped[str] = mapped_column(sa.String(64))


class Invoice(Made, Model):
    """数电票: 20 digits; its amount is what was accepted, to the fen (R6)."""

    __tablename__ = "invoices"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    amount: Mapped[Money]
    issued_on: Mapped[date]
    checked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    checked_at: Mapped[datetime | None]

    order: Mapped[Order] = related()


class CreditNote(Made, Model):
    """红冲: so much of a paid order goes back to the unit, for named lines, and why."""

    __tablename__ = "credit_notes"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(sa.String(200))
    on: Mapped[date]

    order: Mapped[Order] = related()
    lines: Mapped[list[CreditNoteLine]] = related(order_by="CreditNoteLine.id")


class CreditNoteLine(Model):
    """Credits of a line never exceed what was accepted of it: guarded under the order's lock."""

    __tablename__ = "credit_note_lines"
    __append_only__ = True
    __table_args__ = (sa.CheckConstraint("amount > 0 AND quantity >= 0", name="something"),)

    credit_note_id: Mapped[int] = mapped_column(sa.ForeignKey("credit_notes.id"), index=True)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    amount: Mapped[Money]

    line: Mapped[OrderLine] = related()


class Basis(Labelled):
    """The three figures, always in this order."""

    ORDERED = "ordered"
    SETTLED = "settled"
    COUNTED = "counted"


class QuotaMovement(Made, Model):
    """One signed row of one of the three figures, pointing to what caused it. Written once.

    A unit's figure of a year is the sum of its rows; there is no counter (architecture,
    invariant 5).
    """

    __tablename__ = "quota_movements"
    __append_only__ = True
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="something_moved"),
        # Everything a figure, its course and its last day are made of, so that sums read only this.
        sa.Index("ix_quota_movements_figure", "unit_id", "year", "basis", "on", "amount"),
    )

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"))
    year: Mapped[int]
    basis: Mapped[Basis]
    purpose: Mapped[Purpose]
    channel: Mapped[str] = mapped_column(sa.String(32))
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    amount: Mapped[Money]
    on: Mapped[date]
    cause: Mapped[str] = mapped_column(sa.String(80), unique=True)

    unit: Mapped[Unit] = related()
    order: Mapped[Order] = related()


class StaffCredit(Made, Model):
    """A citizen's order that is, or once was, credited to the unit they work for: once per order.

    Its movements follow what happens to the order. `followed_to` is the instant of the last thing
    that they know of.
    """

    __tablename__ = "staff_credits"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), unique=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"), index=True)
    followed_to: Mapped[datetime] = mapped_column(index=True, info=DERIVED)

    order: Mapped[Order] = related()
    unit: Mapped[Unit] = related()


class QuotaMonth(Model):
    """A roll-up for pages only: Σ movements by unit, month, basis and purpose. No rule reads it."""

    __tablename__ = "quota_months"
    __audited__ = False
    __table_args__ = (
        sa.UniqueConstraint("unit_id", "year", "month", "basis", "purpose"),
        sa.Index("ix_quota_months_sums", "year", "unit_id", "basis", "purpose", "amount"),
    )

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"))
    year: Mapped[int]
    month: Mapped[int]
    basis: Mapped[Basis]
    purpose: Mapped[Purpose]
    amount: Mapped[Money]


class Reminder(Made, Model):
    """催办: to whom, how, why, and when it was read."""

    __tablename__ = "reminders"

    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("units.id"), index=True)
    channel: Mapped[str] = mapped_column(sa.String(20))
    text: Mapped[str] = mapped_column(sa.String(500))
    read_at: Mapped[datetime | None]

    unit: Mapped[Unit] = related()
