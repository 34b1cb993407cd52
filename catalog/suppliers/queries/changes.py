"""The register as it stands, as it stood, and what was asked to be changed in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers.models import (
    OPEN_CHANGES,
    ChangeState,
    RegisterChange,
    Supplier,
    SupplierProfile,
)
from kernel.errors import Missing, Text
from kernel.people import Organisation, User
from kernel.regions import within


def register_entry(supplier: Supplier, profile: SupplierProfile | None) -> dict[str, Any]:
    """What the register says of a supplier, as values that JSON can hold; `supplier` with its
    organisation. Empty where it never declared anything."""
    body = supplier.organisation
    return {
        "name": body.name,
        "code": supplier.code,
        "kind": supplier.kind.value,
        "uscc": body.uscc,
        "region_code": body.region_code,
        "legal_person": profile.legal_person if profile else "",
        "origin_code": profile.origin_code if profile else "",
        "base_mu_100": profile.base_mu_100 if profile else 0,
        "capacity_g": profile.capacity_g if profile else 0,
        "main_products": profile.main_products if profile else "",
        "contact": profile.contact if profile else "",
        "phone": supplier.phone,
        "bank": supplier.bank,
        "bank_account": supplier.bank_account,
        "annual_sales": profile.annual_sales.fen if profile else 0,
        "enterprise_size": profile.enterprise_size.value if profile else "",
        "mechanisms": list(profile.mechanisms) if profile else [],
        "linkage_statement": profile.linkage_statement if profile else "",
    }


def changes_of(session: Session, supplier_id: int) -> list[RegisterChange]:
    """Every change it asked for, the newest first, with the frozen version and the proof."""
    return list(
        session.scalars(
            sa.select(RegisterChange)
            .options(joinedload(RegisterChange.frozen), joinedload(RegisterChange.file))
            .where(RegisterChange.supplier_id == supplier_id)
            .order_by(RegisterChange.id.desc())
        )
    )


def change_of(session: Session, supplier_id: int, number: str) -> RegisterChange:
    """This supplier's change of that number; or Missing."""
    found = session.scalar(
        sa.select(RegisterChange)
        .options(joinedload(RegisterChange.frozen), joinedload(RegisterChange.file))
        .where(RegisterChange.supplier_id == supplier_id, RegisterChange.number == number)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def open_change(session: Session, supplier_id: int) -> RegisterChange | None:
    """The one that waits; None if none does."""
    return session.scalar(
        sa.select(RegisterChange)
        .options(joinedload(RegisterChange.frozen))
        .where(RegisterChange.supplier_id == supplier_id, RegisterChange.state.in_(OPEN_CHANGES))
    )


def waiting_changes(
    session: Session,
    state: ChangeState,
    *,
    region_prefixes: Sequence[str] | None = None,
    limit: int = 50,
) -> list[RegisterChange]:
    """Changes that wait at this desk, the oldest first, with supplier and organisation."""
    wanted = (
        sa.select(RegisterChange)
        .join(RegisterChange.supplier)
        .join(Supplier.organisation)
        .options(joinedload(RegisterChange.supplier).joinedload(Supplier.organisation))
        .where(RegisterChange.state == state)
        .order_by(RegisterChange.id)
        .limit(limit)
    )
    if region_prefixes is not None:
        wanted = wanted.where(within(Organisation.region_code, list(region_prefixes)))
    return list(session.scalars(wanted))


def people_of_changes(session: Session, changes: Sequence[RegisterChange]) -> Mapping[int, str]:
    """User id → name of everybody who asked for or decided about these."""
    keys = {
        key
        for each in changes
        for key in (each.made_by_id, each.county_by_id, each.platform_by_id, each.ended_by_id)
    } - {None}
    return dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(keys))).all())


def account_at(session: Session, supplier: Supplier, at: datetime | None) -> tuple[str, str]:
    """(bank, account number) that the register said at that instant; today's for None.

    What was agreed under an account keeps it: the first later change of a field says what it was.
    """
    if at is None:
        return supplier.bank, supplier.bank_account
    later = session.scalars(
        sa.select(RegisterChange)
        .options(joinedload(RegisterChange.frozen))
        .where(
            RegisterChange.supplier_id == supplier.id,
            RegisterChange.state == ChangeState.IN_FORCE,
            RegisterChange.in_force_at > at,
        )
        .order_by(RegisterChange.in_force_at.desc(), RegisterChange.id.desc())
    )
    said = {"bank": supplier.bank, "bank_account": supplier.bank_account}
    for change in later:
        before = change.frozen.content()["before"]
        said |= {key: before[key] for key in said if key in before}
    return said["bank"], said["bank_account"]
