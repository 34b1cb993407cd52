"""销售委托: an admitted supplier lets another body sell its goods for a time (domain.md §2.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models.register import Supplier
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.storage import StoredFile


class MandateState(Labelled):
    """待委托方确认 → 已确认 | 未同意; either may end as 已终止."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    ENDED = "ended"


class Mandate(Made, Model):
    """`principal` grew or made the goods and lets `agent` sell them from one day to another, both
    counted in. The agent brings the paper, the principal says that it is true."""

    __tablename__ = "mandates"
    __table_args__ = (
        sa.CheckConstraint("principal_id <> agent_id", name="two_suppliers"),
        sa.CheckConstraint("valid_to >= valid_from", name="validity"),
        sa.CheckConstraint("made_by_id <> agreed_by_id", name="two_people"),
        sa.CheckConstraint("state <> 'agreed' OR agreed_at IS NOT NULL", name="agreed"),
        sa.UniqueConstraint("principal_id", "agent_id", "number", "valid_from"),
    )

    principal_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"))
    agent_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(40))
    covers: Mapped[str] = mapped_column(sa.String(200))
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))
    state: Mapped[MandateState]
    agreed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    agreed_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    # Why it was declined or ended before its time.
    sentence: Mapped[str] = mapped_column(sa.String(300), default="")

    principal: Mapped[Supplier] = related(foreign_keys=[principal_id])
    agent: Mapped[Supplier] = related(foreign_keys=[agent_id])
    file: Mapped[StoredFile] = related()
