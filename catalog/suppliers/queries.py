"""Suppliers and their certificates."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers import rules
from catalog.suppliers.models import Certificate, Supplier
from kernel.errors import Missing, Text
from kernel.regions import prefixes


def supplier_of(session: Session, organisation_id: int | None) -> Supplier:
    """The supplier this organisation is, with its organisation loaded; or Missing."""
    found = session.scalar(
        sa.select(Supplier)
        .options(joinedload(Supplier.organisation))
        .where(Supplier.organisation_id == organisation_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def supplier_sheet(session: Session, supplier_id: int) -> Supplier:
    """The supplier with its organisation loaded; or Missing."""
    found = session.scalar(
        sa.select(Supplier)
        .options(joinedload(Supplier.organisation))
        .where(Supplier.id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def all_suppliers(session: Session) -> list[Supplier]:
    """Every supplier with its organisation, by code."""
    return list(
        session.scalars(
            sa.select(Supplier).options(joinedload(Supplier.organisation)).order_by(Supplier.code)
        )
    )


def certificates_of(session: Session, supplier_id: int) -> list[Certificate]:
    """Newest validity first within a kind."""
    return list(
        session.scalars(
            sa.select(Certificate)
            .where(Certificate.supplier_id == supplier_id)
            .order_by(Certificate.kind, Certificate.valid_from.desc(), Certificate.id)
        )
    )


def lapsed_kinds(session: Session, today: date) -> dict[int, set[str]]:
    """Supplier id → kinds of certificate it once held and holds no longer (G24)."""
    held: dict[int, list[tuple[str, date | None]]] = {}
    for supplier_id, kind, until in session.execute(
        sa.select(Certificate.supplier_id, Certificate.kind, Certificate.valid_to)
    ):
        held.setdefault(supplier_id, []).append((kind.value, until))
    found = {key: rules.lapsed(certificates, today) for key, certificates in held.items()}
    return {key: kinds for key, kinds in found.items() if kinds}


def catchment(session: Session, supplier: Supplier) -> list[str]:
    """Prefixes of the township whose households this supplier collects from, old codes too."""
    return prefixes(session, supplier.organisation.region_code[:9] + "000")
