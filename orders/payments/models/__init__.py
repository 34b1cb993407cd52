"""Payments and refunds through the provider; bank statements and what their lines pay for."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Made, Model, added, related
from kernel.labels import Labelled
from kernel.money import Money
from orders.sales.models import Order, OrderLine

if TYPE_CHECKING:
    from orders.payments.models.after import RefundEvent, RefundPhoto, ReturnParcel


class PaymentState(Labelled):
    STARTED = "started"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    MISMATCHED = "mismatched"
    REFUNDED = "refunded"


class Payment(Made, Model):
    """One attempt to pay an order through the provider. PAID by a signed message or fetch only."""

    __tablename__ = "payments"

    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    state: Mapped[PaymentState]
    amount: Mapped[Money]
    received: Mapped[Money | None]
    method: Mapped[str] = mapped_column(sa.String(20), default="")
    session_id: Mapped[str | None] = mapped_column(sa.String(120), unique=True)
    intent_id: Mapped[str | None] = mapped_column(sa.String(120), unique=True)
    url: Mapped[str] = mapped_column(sa.String(500), default="")
    paid_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(sa.String(200), default="")

    order: Mapped[Order] = related()


class ProviderEvent(Model):
    """A signed message of the provider, kept once under its id, with what came of it."""

    __tablename__ = "provider_events"

    event_id: Mapped[str] = mapped_column(sa.String(120), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(60))
    received_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    outcome: Mapped[str] = mapped_column(sa.String(120))


class RefundState(Labelled):
    """Asked for by a buyer, granted by the cooperative (or at once), sent, done.

    OFFERED: the cooperative would give a part, the buyer decides. ESCALATED: the buyer did not
    agree with the answer (or got none in time), the platform decides.
    """

    REQUESTED = "requested"
    OFFERED = "offered"
    ESCALATED = "escalated"
    APPROVED = "approved"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


# Nothing is decided yet: goods and money of the order stay where they are.
UNDECIDED = (RefundState.REQUESTED, RefundState.OFFERED, RefundState.ESCALATED)

# A refund in one of these states takes up what can still be refunded.
STANDING = tuple(
    state for state in RefundState if state not in (RefundState.DECLINED, RefundState.WITHDRAWN)
)

REFUND_MOVES: dict[RefundState, frozenset[RefundState]] = {
    RefundState.REQUESTED: frozenset(
        {
            RefundState.OFFERED,
            RefundState.ESCALATED,
            RefundState.APPROVED,
            RefundState.DECLINED,
            RefundState.WITHDRAWN,
        }
    ),
    RefundState.OFFERED: frozenset(
        {RefundState.ESCALATED, RefundState.APPROVED, RefundState.WITHDRAWN}
    ),
    RefundState.ESCALATED: frozenset(
        {RefundState.APPROVED, RefundState.DECLINED, RefundState.WITHDRAWN}
    ),
    RefundState.DECLINED: frozenset({RefundState.ESCALATED}),
    RefundState.APPROVED: frozenset({RefundState.SENT, RefundState.DONE, RefundState.FAILED}),
    RefundState.SENT: frozenset({RefundState.DONE, RefundState.FAILED}),
    RefundState.FAILED: frozenset({RefundState.SENT, RefundState.DONE}),
    RefundState.DONE: frozenset(),
    RefundState.WITHDRAWN: frozenset(),
}


class RefundKind(Labelled):
    """Why money goes back."""

    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    PAID_TWICE = "paid_twice"
    WRONG_AMOUNT = "wrong_amount"
    DAMAGED = "damaged"
    SHORT_WEIGHT = "short_weight"
    UNOPENED = "unopened"
    QUALITY = "quality"
    RECALLED = "recalled"


class Refund(Made, Model):
    """Money going back for named lines, or the whole of a payment that came too late."""

    __tablename__ = "refunds"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"), index=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    state: Mapped[RefundState]
    amount: Mapped[Money]
    kind: Mapped[RefundKind]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    answer: Mapped[str] = mapped_column(sa.String(200), default="")
    provider_id: Mapped[str | None] = mapped_column(sa.String(120), unique=True)
    done_at: Mapped[datetime | None]
    # What the buyer asked for, when less than that was given; what the cooperative offered.
    asked: Mapped[Money | None] = mapped_column(info=added(None))
    offer: Mapped[Money | None] = mapped_column(info=added(None))
    answered_at: Mapped[datetime | None] = mapped_column(info=added(None))
    escalated_at: Mapped[datetime | None] = mapped_column(info=added(None))

    order: Mapped[Order] = related()
    payment: Mapped[Payment] = related()
    lines: Mapped[list[RefundLine]] = related(back_populates="refund", order_by="RefundLine.id")
    freights: Mapped[list[RefundFreight]] = related(
        back_populates="refund", order_by="RefundFreight.id"
    )
    photos: Mapped[list[RefundPhoto]] = related(order_by="RefundPhoto.id")
    events: Mapped[list[RefundEvent]] = related(order_by="RefundEvent.id")
    parcel: Mapped[ReturnParcel | None] = related(back_populates="refund")


class RefundLine(Model):
    """Refunds of a line never exceed it: guarded under the order's lock, by a trigger, and by
    `selfcheck`. `asked` is what the buyer asked for, when less of it was granted."""

    __tablename__ = "refund_lines"
    __table_args__ = (sa.CheckConstraint("amount > 0 AND quantity >= 0", name="something"),)

    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"), index=True)
    line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_lines.id"), index=True)
    quantity: Mapped[int]
    amount: Mapped[Money]
    asked: Mapped[int | None] = mapped_column(info=added(None))

    refund: Mapped[Refund] = related(back_populates="lines")
    line: Mapped[OrderLine] = related()


class RefundFreight(Model):
    """Carriage that goes back with a refund, because nothing of that supplier's was sent."""

    __tablename__ = "refund_freights"
    __append_only__ = True
    __table_args__ = (
        sa.UniqueConstraint("refund_id", "supplier_id"),
        sa.CheckConstraint("amount > 0", name="something"),
    )

    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("refunds.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    amount: Mapped[Money]

    refund: Mapped[Refund] = related(back_populates="freights")


class BankStatement(Made, Model):
    """One imported statement file; the same file again is the same statement."""

    __tablename__ = "bank_statements"
    __table_args__ = (sa.UniqueConstraint("supplier_id", "sha256"),)

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(200))

    lines: Mapped[list[BankLine]] = related(back_populates="statement")


class BankLine(Made, Model):
    """One movement on a cooperative's bank account: positive in, negative out.

    `bank_ref` is the bank's own number: one slip is used once (R19).
    """

    __tablename__ = "bank_lines"
    __table_args__ = (
        sa.UniqueConstraint("supplier_id", "bank_ref"),
        sa.CheckConstraint("amount <> 0", name="something_moved"),
    )

    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("bank_statements.id"), index=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    bank_ref: Mapped[str] = mapped_column(sa.String(40))
    on: Mapped[date]
    amount: Mapped[Money]
    counterparty: Mapped[str] = mapped_column(sa.String(120))
    account_last4: Mapped[str] = mapped_column(sa.String(4), default="")
    memo: Mapped[str] = mapped_column(sa.String(200), default="")

    statement: Mapped[BankStatement] = related(back_populates="lines")
    matches: Mapped[list[BankMatch]] = related(back_populates="bank_line")


class BankMatch(Made, Model):
    """So much of a bank line pays that: `order:123`, `payout_line:45`. Written once."""

    __tablename__ = "bank_matches"
    __append_only__ = True
    __table_args__ = (sa.UniqueConstraint("bank_line_id", "target"),)

    bank_line_id: Mapped[int] = mapped_column(sa.ForeignKey("bank_lines.id"))
    target: Mapped[str] = mapped_column(sa.String(40), index=True)
    amount: Mapped[Money]

    bank_line: Mapped[BankLine] = related(back_populates="matches")
