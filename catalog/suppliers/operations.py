"""Suppliers apply, are admitted, suspended; their certificates are recorded."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers.models import (
    Certificate,
    CertificateKind,
    Supplier,
    SupplierKind,
    SupplierState,
)
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.people import Organisation
from kernel.text import plain_number, tidy

MOVES: dict[SupplierState, frozenset[SupplierState]] = {
    SupplierState.APPLIED: frozenset({SupplierState.ADMITTED, SupplierState.REMOVED}),
    SupplierState.ADMITTED: frozenset({SupplierState.SUSPENDED, SupplierState.REMOVED}),
    SupplierState.SUSPENDED: frozenset({SupplierState.ADMITTED, SupplierState.REMOVED}),
    SupplierState.REMOVED: frozenset(),
}


def register_supplier(
    session: Session,
    *,
    organisation_id: int,
    code: str,
    kind: SupplierKind,
    phone: str,
    bank: str,
    bank_account: str,
    by: Actor,
    now: datetime,
) -> Supplier:
    """An organisation applies to sell. `code` names it in account codes and never changes."""
    get_or_missing(session, Organisation, organisation_id)
    code = code.strip().upper()
    if not (code.isascii() and code.isalnum() and len(code) <= 8):
        raise Invalid({"code": Text("A supplier's code has up to 8 letters and digits.")})
    taken = session.scalar(
        sa.select(Supplier.id).where(
            sa.or_(Supplier.code == code, Supplier.organisation_id == organisation_id)
        )
    )
    if taken is not None:
        raise Refusal("This organisation or this code is registered already.")
    supplier = Supplier(
        organisation_id=organisation_id,
        code=code,
        kind=kind,
        state=SupplierState.APPLIED,
        phone=plain_number(phone),
        bank=tidy(bank),
        bank_account=plain_number(bank_account),
        **stamp(by, now),
    )
    session.add(supplier)
    session.flush()  # so that the caller can speak of supplier.id
    audit.note(session, "register_supplier", f"supplier:{supplier.id}", by=by, now=now, code=code)
    return supplier


def admit_supplier(session: Session, supplier_id: int, *, by: Actor, now: datetime) -> Supplier:
    """From now on its products may be put on sale. Admitting twice changes nothing."""
    return _move(session, supplier_id, SupplierState.ADMITTED, reason="", by=by, now=now)


def suspend_supplier(
    session: Session, supplier_id: int, *, reason: str, by: Actor, now: datetime
) -> Supplier:
    """Nothing more of its goods is offered until it is admitted again."""
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why.")})
    return _move(session, supplier_id, SupplierState.SUSPENDED, reason=tidy(reason), by=by, now=now)


def _move(
    session: Session, supplier_id: int, to: SupplierState, *, reason: str, by: Actor, now: datetime
) -> Supplier:
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    if supplier.state is to:
        return supplier
    if to not in MOVES[supplier.state]:
        raise Refusal(
            "A supplier that is “%(state)s” cannot become “%(to)s”.", state=supplier.state, to=to
        )
    supplier.state = to
    audit.note(
        session, "move_supplier", f"supplier:{supplier.id}", by=by, now=now, to=to, reason=reason
    )
    return supplier


def add_certificate(
    session: Session,
    supplier_id: int,
    *,
    kind: CertificateKind,
    number: str,
    valid_from: date,
    valid_to: date | None,
    by: Actor,
    now: datetime,
) -> Certificate:
    """A certificate that the supplier holds. The same one again changes nothing."""
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    number = plain_number(number).upper()
    if not number:
        raise Invalid({"number": Text("Enter the certificate's number.")})
    if valid_to is not None and valid_to < valid_from:
        raise Invalid({"valid_to": Text("It ends before it begins.")})
    known = session.scalar(
        sa.select(Certificate).where(Certificate.kind == kind, Certificate.number == number)
    )
    if known is not None:
        same = (known.supplier_id, known.valid_from, known.valid_to)
        if same == (supplier.id, valid_from, valid_to):
            return known
        raise Refusal("The certificate %(number)s is recorded already, otherwise.", number=number)
    certificate = Certificate(
        supplier_id=supplier.id,
        kind=kind,
        number=number,
        valid_from=valid_from,
        valid_to=valid_to,
        **stamp(by, now),
    )
    session.add(certificate)
    session.flush()  # so that the caller can point to certificate.id
    audit.note(
        session,
        "add_certificate",
        f"supplier:{supplier.id}",
        by=by,
        now=now,
        kind=kind,
        number=number,
    )
    return certificate
