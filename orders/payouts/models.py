"""Payout runs and their lines, and the objections of those who were paid."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.households.models import Household
from catalog.suppliers.models import Supplier
from kernel.crypto import Sealed
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.money import Money


class RunState(Labelled):
    """发放批次 (domain.md §4.5)."""

    DRAFTED = "drafted"
    REVIEWED = "reviewed"
    APPROVED = "approved"
    EXPORTED = "exported"
    SETTLED = "settled"
    REJECTED = "rejected"


RUN_MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.DRAFTED: frozenset({RunState.REVIEWED, RunState.REJECTED}),
    RunState.REVIEWED: frozenset({RunState.APPROVED, RunState.REJECTED}),
    RunState.APPROVED: frozenset({RunState.EXPORTED, RunState.REJECTED}),
    RunState.EXPORTED: frozenset({RunState.SETTLED}),
    RunState.SETTLED: frozenset(),
    RunState.REJECTED: frozenset(),
}


class PayoutRun(Made, Model):
    """What one cooperative pays its households in one go. Drafted, reviewed and approved by three
    steps of at least two people; `made_by_id` drafted it."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        sa.CheckConstraint(
            "reviewed_by_id IS NULL OR reviewed_by_id <> made_by_id", name="four_eyes"
        ),
        sa.CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> made_by_id", name="approver"
        ),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    request_key: Mapped[str] = mapped_column(sa.String(80), unique=True)
    state: Mapped[RunState]
    up_to: Mapped[date]
    total: Mapped[Money]
    count: Mapped[int]
    reviewed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    reviewed_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    approved_at: Mapped[datetime | None]
    exported_at: Mapped[datetime | None]
    file_sha256: Mapped[str] = mapped_column(sa.String(64), default="")
    reason: Mapped[str] = mapped_column(sa.String(200), default="")

    supplier: Mapped[Supplier] = related()
    lines: Mapped[list[PayoutLine]] = related(back_populates="run", order_by="PayoutLine.id")


class PayoutState(Labelled):
    PENDING = "pending"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"
    DROPPED = "dropped"


class FailureReason(Labelled):
    """Why the bank did not pay (domain.md §4.5). The first three want another account first."""

    WRONG_ACCOUNT = "wrong_account"
    NAME_MISMATCH = "name_mismatch"
    ACCOUNT_CLOSED = "account_closed"
    OTHER = "other"


ACCOUNT_AT_FAULT = (
    FailureReason.WRONG_ACCOUNT,
    FailureReason.NAME_MISMATCH,
    FailureReason.ACCOUNT_CLOSED,
)


class PayoutLine(Made, Model):
    """One household's part of a run, with the account as it stood when it was drafted.

    A household is in at most one run that is under way (partial unique index).
    """

    __tablename__ = "payout_lines"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "household_id"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "uq_payout_lines_under_way",
            "supplier_id",
            "household_id",
            unique=True,
            sqlite_where=sa.text("state IN ('pending', 'sent')"),
            postgresql_where=sa.text("state IN ('pending', 'sent')"),
        ),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("payout_runs.id"))
    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    amount: Mapped[Money]
    holder: Mapped[str] = mapped_column(sa.String(40))
    bank: Mapped[str] = mapped_column(sa.String(60))
    account: Mapped[str] = mapped_column(Sealed)
    account_last4: Mapped[str] = mapped_column(sa.String(4))
    reference: Mapped[str] = mapped_column(sa.String(20), unique=True)
    state: Mapped[PayoutState]
    bank_ref: Mapped[str] = mapped_column(sa.String(40), default="")
    failure: Mapped[FailureReason | None]
    failure_note: Mapped[str] = mapped_column(sa.String(120), default="")
    done_at: Mapped[datetime | None]

    run: Mapped[PayoutRun] = related(back_populates="lines")
    household: Mapped[Household] = related()


class ObjectionState(Labelled):
    OPEN = "open"
    ANSWERED = "answered"


class Objection(Made, Model):
    """「我有疑问」: what a household (or its helper) questions; answered in five working days."""

    __tablename__ = "objections"

    household_id: Mapped[int] = mapped_column(sa.ForeignKey("households.id"), index=True)
    text: Mapped[str] = mapped_column(sa.String(500))
    due_on: Mapped[date]
    state: Mapped[ObjectionState] = mapped_column(default=ObjectionState.OPEN)
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    answered_at: Mapped[datetime | None]

    household: Mapped[Household] = related()
