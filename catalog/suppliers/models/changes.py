"""An admitted supplier asks for its entry in the register to be changed (domain.md §2.1, §2.2)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models.register import Supplier
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.storage import StoredFile
from kernel.versions import FrozenVersion


class ChangeWeight(Labelled):
    """Who has to look at a change: nobody, the county, or the county and then the platform."""

    AT_ONCE = "at_once"
    COUNTY = "county"
    COUNTY_AND_PLATFORM = "county_and_platform"


class ChangeState(Labelled):
    """待县级审核 → (待平台审核) → 已生效; refused and taken back are ends of their own."""

    AT_COUNTY = "at_county"
    AT_PLATFORM = "at_platform"
    IN_FORCE = "in_force"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"


OPEN_CHANGES = (ChangeState.AT_COUNTY, ChangeState.AT_PLATFORM)
_OPEN = "state IN ('at_county', 'at_platform')"


class RegisterChange(Made, Model):
    """One change: what stood there and what shall stand there, frozen, and who decided about it.

    A supplier has one open change at a time. Whoever asked, the county and the platform are
    different people; the database refuses one person for two of them.
    """

    __tablename__ = "register_changes"
    __table_args__ = (
        sa.CheckConstraint("made_by_id <> county_by_id", name="county_is_somebody_else"),
        sa.CheckConstraint("made_by_id <> platform_by_id", name="platform_is_somebody_else"),
        sa.CheckConstraint("county_by_id <> platform_by_id", name="two_reviewers"),
        sa.CheckConstraint("(state = 'in_force') = (in_force_at IS NOT NULL)", name="in_force"),
        sa.CheckConstraint("weight <> 'county_and_platform' OR file_id IS NOT NULL", name="proof"),
        sa.Index(
            "uq_register_changes_open",
            "supplier_id",
            unique=True,
            sqlite_where=sa.text(_OPEN),
            postgresql_where=sa.text(_OPEN),
        ),
    )

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    frozen_id: Mapped[int] = mapped_column(sa.ForeignKey("frozen_versions.id"), unique=True)
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_files.id"))
    weight: Mapped[ChangeWeight]
    state: Mapped[ChangeState]
    county_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    county_at: Mapped[datetime | None]
    platform_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    platform_at: Mapped[datetime | None]
    in_force_at: Mapped[datetime | None]
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    ended_at: Mapped[datetime | None]
    # Why it was refused.
    sentence: Mapped[str] = mapped_column(sa.String(300), default="")

    supplier: Mapped[Supplier] = related()
    frozen: Mapped[FrozenVersion] = related()
    file: Mapped[StoredFile | None] = related()
