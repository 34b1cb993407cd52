"""How a supplier is admitted: the table of moves, what it submitted, and every move it made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from catalog.suppliers.models.register import Supplier, SupplierState
from kernel.actors import Role
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.people import User
from kernel.versions import FrozenVersion


class AdmissionReason(Labelled):
    """Why an application goes back, or why an admitted supplier is stopped (domain.md §2.1)."""

    PAPERS_MISSING = "papers_missing"
    WRONG_ORIGIN = "wrong_origin"
    ODD_PRICE = "odd_price"
    UNTRUE_DESCRIPTION = "untrue_description"
    NO_LINKAGE = "no_linkage"
    POOR_QUALITY = "poor_quality"
    FALSE_STATEMENT = "false_statement"
    PAPERS_EXPIRED = "papers_expired"
    ASKED_ITSELF = "asked_itself"


@dataclass(frozen=True, slots=True)
class Move:
    """Who may make it, and whether it needs a reason of the list and a sentence."""

    roles: tuple[Role, ...]
    reason: bool = False


_S = SupplierState
_OPERATOR = (Role.OPERATOR,)
_DISTRICT = (Role.DISTRICT,)

# 草稿 → 已申请 → 县农业农村审核 → 县乡村振兴审核 → 县级推荐 → 平台审核 → 已入驻 → 整改中|暂停|清退.
# What is not here does not happen. Removed is the end.
MOVES: dict[tuple[SupplierState, SupplierState], Move] = {
    (_S.DRAFT, _S.APPLIED): Move((Role.MANAGER,)),
    (_S.APPLIED, _S.DRAFT): Move((Role.MANAGER,)),
    (_S.APPLIED, _S.AGRICULTURE_REVIEW): Move(_DISTRICT),
    (_S.AGRICULTURE_REVIEW, _S.REVITALISATION_REVIEW): Move(_DISTRICT),
    (_S.AGRICULTURE_REVIEW, _S.DRAFT): Move(_DISTRICT, reason=True),
    (_S.REVITALISATION_REVIEW, _S.RECOMMENDED): Move(_DISTRICT),
    (_S.REVITALISATION_REVIEW, _S.DRAFT): Move(_DISTRICT, reason=True),
    (_S.RECOMMENDED, _S.PLATFORM_REVIEW): Move(_OPERATOR),
    (_S.PLATFORM_REVIEW, _S.ADMITTED): Move(_OPERATOR),
    (_S.PLATFORM_REVIEW, _S.DRAFT): Move(_OPERATOR, reason=True),
    (_S.ADMITTED, _S.RECTIFYING): Move(_OPERATOR, reason=True),
    (_S.ADMITTED, _S.SUSPENDED): Move(_OPERATOR, reason=True),
    (_S.ADMITTED, _S.REMOVED): Move(_OPERATOR, reason=True),
    (_S.RECTIFYING, _S.ADMITTED): Move(_OPERATOR),
    (_S.RECTIFYING, _S.SUSPENDED): Move(_OPERATOR, reason=True),
    (_S.RECTIFYING, _S.REMOVED): Move(_OPERATOR, reason=True),
    (_S.SUSPENDED, _S.ADMITTED): Move(_OPERATOR),
    (_S.SUSPENDED, _S.RECTIFYING): Move(_OPERATOR, reason=True),
    (_S.SUSPENDED, _S.REMOVED): Move(_OPERATOR, reason=True),
}


class Application(Made, Model):
    """One round of applying: the frozen version of what was submitted, and who looked at it.

    The county's two reviews are made by two people; the database refuses one person for both.
    """

    __tablename__ = "applications"
    __table_args__ = (
        sa.CheckConstraint("agriculture_by_id <> revitalisation_by_id", name="two_reviewers"),
    )

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    number: Mapped[str] = mapped_column(sa.String(16), unique=True)
    frozen_id: Mapped[int] = mapped_column(sa.ForeignKey("frozen_versions.id"), unique=True)
    agriculture_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    agriculture_at: Mapped[datetime | None]
    revitalisation_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    revitalisation_at: Mapped[datetime | None]
    platform_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    platform_at: Mapped[datetime | None]

    supplier: Mapped[Supplier] = related()
    frozen: Mapped[FrozenVersion] = related()


def _word(kind: type[Labelled]) -> sa.Enum:
    """A column that says one of these words; written by our own code only, so not checked again."""
    return sa.Enum(
        kind,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class SupplierEvent(Made, Model):
    """One move of a supplier's state: by whom, in which role, and why. Written once."""

    __tablename__ = "supplier_events"
    __append_only__ = True

    supplier_id: Mapped[int] = mapped_column(sa.ForeignKey("suppliers.id"), index=True)
    application_id: Mapped[int | None] = mapped_column(sa.ForeignKey("applications.id"))
    from_state: Mapped[SupplierState] = mapped_column(_word(SupplierState))
    to_state: Mapped[SupplierState] = mapped_column(_word(SupplierState))
    role: Mapped[Role | None] = mapped_column(_word(Role))
    reason: Mapped[AdmissionReason | None]
    sentence: Mapped[str] = mapped_column(sa.String(300), default="")

    made_by: Mapped[User | None] = related(
        primaryjoin="foreign(SupplierEvent.made_by_id) == User.id", viewonly=True
    )
