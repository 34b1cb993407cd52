"""An organisation is registered as a supplier and declares what the register asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers.models import (
    EnterpriseSize,
    LinkMechanism,
    Supplier,
    SupplierKind,
    SupplierProfile,
    SupplierState,
)
from catalog.suppliers.queries import origins_of, profile_of, supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.codes import uscc_problem
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money
from kernel.people import Organisation
from kernel.text import plain_number, tidy

# An enterprise up to medium size is owed what the payment rules owe to small ones (§3.4).
PROTECTED = (EnterpriseSize.MICRO, EnterpriseSize.SMALL, EnterpriseSize.MEDIUM)


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
    """A supplier in draft: it has still to apply. `code` names it in account codes for good."""
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
        state=SupplierState.DRAFT,
        phone=plain_number(phone),
        bank=tidy(bank),
        bank_account=plain_number(bank_account),
        **stamp(by, now),
    )
    session.add(supplier)
    session.flush()  # so that the caller can speak of supplier.id
    audit.note(session, "register_supplier", f"supplier:{supplier.id}", by=by, now=now, code=code)
    return supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The application form (domain.md §2.2 end). `capacity_g` grams a year, area in mu × 100."""

    kind: SupplierKind
    uscc: str
    legal_person: str
    origin_code: str
    base_mu_100: int
    capacity_g: int
    main_products: str
    contact: str
    phone: str
    bank: str
    bank_account: str
    annual_sales: Money
    enterprise_size: EnterpriseSize
    mechanisms: tuple[LinkMechanism, ...]
    linkage_statement: str


def save_profile(
    session: Session, supplier_id: int, declared: Declared, *, by: Actor, now: datetime
) -> SupplierProfile:
    """What the supplier declares is kept, as often as it likes, until it submits.

    Afterwards the register is what was reviewed: it changes with the next application only.
    """
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    supplier = supplier_sheet(session, supplier.id)
    if supplier.state is not SupplierState.DRAFT:
        raise Refusal(
            "What was submitted is being reviewed or in force; it is changed in draft only."
        )
    _check(session, supplier, declared)
    supplier.kind = declared.kind
    supplier.phone, supplier.bank = declared.phone, declared.bank
    supplier.bank_account = declared.bank_account
    supplier.is_small_enterprise = declared.enterprise_size in PROTECTED
    supplier.organisation.uscc = declared.uscc
    values = {
        "legal_person": declared.legal_person,
        "origin_code": declared.origin_code,
        "base_mu_100": declared.base_mu_100,
        "capacity_g": declared.capacity_g,
        "main_products": declared.main_products,
        "contact": declared.contact,
        "annual_sales": declared.annual_sales,
        "enterprise_size": declared.enterprise_size,
        "mechanisms": [each.value for each in LinkMechanism if each in declared.mechanisms],
        "linkage_statement": declared.linkage_statement,
    }
    profile = profile_of(session, supplier.id)
    if profile is None:
        profile = SupplierProfile(supplier_id=supplier.id, **values, **stamp(by, now))
        session.add(profile)
    else:
        for name, value in values.items():
            setattr(profile, name, value)
    session.flush()
    audit.note(session, "save_profile", f"supplier:{supplier.id}", by=by, now=now)
    return profile


def _check(session: Session, supplier: Supplier, declared: Declared) -> None:
    errors: dict[str, Text] = {}
    if problem := uscc_problem(declared.uscc):
        errors["uscc"] = problem
    elif session.scalar(
        sa.select(Organisation.id).where(
            Organisation.uscc == declared.uscc, Organisation.id != supplier.organisation_id
        )
    ):
        errors["uscc"] = Text("Another organisation is registered under this code.")
    known = {each.code for each in origins_of(session, supplier)}
    if declared.origin_code not in known | {supplier.organisation.region_code}:
        errors["origin"] = Text("Please choose one.")
    if not declared.mechanisms:
        errors["mechanisms"] = Text("Choose at least one way in which households are taken along.")
    if errors:
        raise Invalid(errors)
