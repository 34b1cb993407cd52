"""冲销单: a weigh slip that is in the store already is taken back by a paper of its own."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.lots.models import WeighSlip
from catalog.lots.models.papers import AdjustmentState
from kernel.db import Made, Model, related


class SlipReversal(Made, Model):
    """One person says why a slip is wrong, another agrees; then its goods and its claim go back.

    The slip itself stays as it was written (domain.md §4.5). `replacement` is the slip that says
    what it should have said. A slip has one reversal that was not refused (partial unique index).
    """

    __tablename__ = "slip_reversals"
    __table_args__ = (
        sa.CheckConstraint("replacement_id <> slip_id", name="another_slip"),
        sa.CheckConstraint(
            "state = 'approved' OR replacement_id IS NULL", name="replaced_when_approved"
        ),
        sa.Index(
            "uq_slip_reversals_slip",
            "slip_id",
            unique=True,
            sqlite_where=sa.text("state <> 'refused'"),
            postgresql_where=sa.text("state <> 'refused'"),
        ),
    )

    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    slip_id: Mapped[int] = mapped_column(sa.ForeignKey("weigh_slips.id"))
    reason: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[AdjustmentState]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(sa.String(200), default="")
    replacement_id: Mapped[int | None] = mapped_column(sa.ForeignKey("weigh_slips.id"), unique=True)

    slip: Mapped[WeighSlip] = related(foreign_keys="SlipReversal.slip_id")
    replacement: Mapped[WeighSlip | None] = related(foreign_keys="SlipReversal.replacement_id")
