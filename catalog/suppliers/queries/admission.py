"""Who has applied, how far each is, what was submitted and every move since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers.models import (
    Application,
    Supplier,
    SupplierEvent,
    SupplierKind,
    SupplierState,
)
from kernel.people import Organisation, User
from kernel.regions import within


@dataclass(frozen=True, slots=True)
class SupplierRow:
    """One line of the register. `since` is when it came into its state; None before the first
    recorded move. `certificates` are counted whatever their state."""

    id: int
    code: str
    name: str
    short_name: str
    uscc: str | None
    kind: SupplierKind
    state: SupplierState
    since: datetime | None


def supplier_rows(
    session: Session,
    *,
    states: Sequence[SupplierState] | None = None,
    region_prefixes: Sequence[str] | None = None,
    words: str = "",
    offset: int = 0,
    limit: int = 50,
) -> list[SupplierRow]:
    """Suppliers by code: of these states, in these regions, with this in their name or code."""
    latest = (
        sa.select(sa.func.max(SupplierEvent.made_at))
        .where(SupplierEvent.supplier_id == Supplier.id)
        .scalar_subquery()
    )
    rows = (
        sa.select(
            Supplier.id,
            Supplier.code,
            Organisation.name,
            Organisation.short_name,
            Organisation.uscc,
            Supplier.kind,
            Supplier.state,
            latest,
        )
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .order_by(Supplier.code)
        .offset(offset)
        .limit(limit)
    )
    if states is not None:
        rows = rows.where(Supplier.state.in_(states))
    if region_prefixes is not None:
        rows = rows.where(within(Organisation.region_code, list(region_prefixes)))
    if words:
        rows = rows.where(
            sa.or_(
                Organisation.name.contains(words, autoescape=True),
                Organisation.uscc == words.upper(),
                Supplier.code == words.upper(),
            )
        )
    return [SupplierRow(*row) for row in session.execute(rows)]


def events_of(session: Session, supplier_id: int) -> list[SupplierEvent]:
    """Oldest first, with who made each."""
    return list(
        session.scalars(
            sa.select(SupplierEvent)
            .options(joinedload(SupplierEvent.made_by))
            .where(SupplierEvent.supplier_id == supplier_id)
            .order_by(SupplierEvent.id)
        )
    )


def latest_application(session: Session, supplier_id: int) -> Application | None:
    """The newest round with its frozen version; None before the first."""
    return session.scalar(
        sa.select(Application)
        .options(joinedload(Application.frozen))
        .where(Application.supplier_id == supplier_id)
        .order_by(Application.id.desc())
        .limit(1)
    )


def reviewers_of(session: Session, application: Application | None) -> Mapping[int, str]:
    """User id → name of whoever reviewed this round."""
    if application is None:
        return {}
    people = {
        application.agriculture_by_id,
        application.revitalisation_by_id,
        application.platform_by_id,
    } - {None}
    return dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(people))).all())
