"""The register of an admitted supplier is changed: asked for, looked at, then in force."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers import rules
from catalog.suppliers.models import (
    OPEN_CHANGES,
    ChangeState,
    ChangeWeight,
    EnterpriseSize,
    RegisterChange,
    Supplier,
    SupplierProfile,
    SupplierState,
)
from catalog.suppliers.operations.letters import tell
from catalog.suppliers.operations.register import PROTECTED
from catalog.suppliers.queries import (
    change_of,
    county_of,
    managers_of,
    open_change,
    operators,
    origins_of,
    profile_of,
    register_entry,
    supplier_sheet,
)
from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.money import Money
from kernel.numbering import next_number
from kernel.people import Organisation
from kernel.periods import business_day
from kernel.storage import Blob, keep_file
from kernel.text import tidy
from kernel.versions import freeze

_S = ChangeState
# Who may have its entry changed: whoever was admitted and not removed.
_MAY_CHANGE = (SupplierState.ADMITTED, SupplierState.RECTIFYING, SupplierState.SUSPENDED)


def request_change(
    session: Session,
    supplier_id: int,
    wanted: Mapping[str, Any],
    *,
    seen: str,
    reason: str = "",
    proof: Blob | None = None,
    by: Actor,
    now: datetime,
) -> RegisterChange:
    """What shall stand in the register, as values of `register_entry`; frozen with what it was.

    `seen` is the `rules.edition` that was in front of whoever wrote it. What only concerns whom one
    calls is in force at once; the rest waits for whom `rules.weight_of` names. The same request
    again answers the one that waits.
    """
    supplier = _locked(session, supplier_id)
    if by.role is not Role.MANAGER:
        raise Forbidden(Text("Your account may not enter here."))
    if supplier.state not in _MAY_CHANGE:
        raise Refusal("Only a supplier that was admitted has its entry changed.")
    profile = profile_of(session, supplier.id)
    entry = register_entry(supplier, profile)
    fields = rules.differing(entry, wanted)
    after = {each: wanted[each] for each in fields}
    waiting = open_change(session, supplier.id)
    if waiting is not None and waiting.frozen.content()["after"] == after:
        return waiting
    _check(session, supplier, wanted, after)
    if seen != rules.edition(entry):
        raise Refusal("The register has changed since you opened this page; open it again.")
    if not fields:
        raise Refusal("Nothing is different from what stands in the register.")
    weight = ChangeWeight(rules.weight_of(fields))
    if waiting is not None and (
        weight is not ChangeWeight.AT_ONCE or set(fields) & set(waiting.frozen.content()["after"])
    ):
        raise Refusal(
            "The change %(number)s still waits; take it back first.", number=waiting.number
        )
    if weight is ChangeWeight.COUNTY_AND_PLATFORM and proof is None:
        raise Invalid(
            {
                "proof": Text(
                    "A name, a legal representative or an account needs a paper: choose it."
                )
            }
        )
    change = _keep(session, supplier, entry, after, weight, reason, proof, by=by, now=now)
    audit.note(
        session, "request_change", f"supplier:{supplier.id}", by=by, now=now,
        number=change.number, fields=list(fields), weight=weight, state=change.state,
    )  # fmt: skip
    if weight is ChangeWeight.AT_ONCE:
        _put_in_force(session, supplier, profile, change, by=by, now=now)
    else:
        _tell_next(session, supplier, change, by=by, now=now)
    return change


def _keep(
    session: Session,
    supplier: Supplier,
    entry: Mapping[str, Any],
    after: Mapping[str, Any],
    weight: ChangeWeight,
    reason: str,
    proof: Blob | None,
    *,
    by: Actor,
    now: datetime,
) -> RegisterChange:
    file = keep_file(session, proof, by=by, now=now) if proof else None
    content = {
        "before": {each: entry[each] for each in after},
        "after": dict(after),
        "reason": tidy(reason)[:300],
    }
    frozen = freeze(session, f"register:{supplier.id}", content, by=by, now=now)
    at_once = weight is ChangeWeight.AT_ONCE
    change = RegisterChange(
        supplier_id=supplier.id,
        number=next_number(session, "BG", now),
        frozen_id=frozen.id,
        file_id=file.id if file else None,
        weight=weight,
        state=_S.IN_FORCE if at_once else _S.AT_COUNTY,
        in_force_at=now if at_once else None,
        **stamp(by, now),
    )
    change.frozen = frozen
    session.add(change)
    session.flush()
    return change


def _check(
    session: Session, supplier: Supplier, wanted: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    errors: dict[str, Text] = {}
    # Whoever was admitted before declarations were kept declares everything with its first change.
    if wanted["enterprise_size"] not in {each.value for each in EnterpriseSize}:
        errors["enterprise_size"] = Text("Please choose one.")
    if "origin_code" in after:
        known = {each.code for each in origins_of(session, supplier)}
        if after["origin_code"] not in known | {supplier.organisation.region_code}:
            errors["origin"] = Text("Please choose one.")
    if "mechanisms" in after and not after["mechanisms"]:
        errors["mechanisms"] = Text("Choose at least one way in which households are taken along.")
    if "name" in after and session.scalar(
        sa.select(Organisation.id).where(Organisation.name == after["name"])
    ):
        errors["name"] = Text("Another organisation has this name.")
    if errors:
        raise Invalid(errors)


def take_back_change(
    session: Session, supplier_id: int, number: str, *, by: Actor, now: datetime
) -> RegisterChange:
    """The supplier no longer wants it; nothing in the register has changed. Twice changes
    nothing."""
    _locked(session, supplier_id)
    change = change_of(session, supplier_id, number)
    if by.role is not Role.MANAGER:
        raise Forbidden(Text("Your account may not enter here."))
    if change.state is not _S.TAKEN_BACK:
        _must_wait(change)
        _end(session, change, _S.TAKEN_BACK, by=by, now=now)
        audit.note(
            session, "take_back_change", f"supplier:{supplier_id}", by=by, now=now, number=number
        )
    return change


def pass_change(
    session: Session, supplier_id: int, number: str, *, by: Actor, now: datetime
) -> RegisterChange:
    """Whoever it waits for has compared it with the proof: it is in force, or goes on to the
    platform. Refused to whoever asked for it or has passed it already."""
    supplier = _locked(session, supplier_id)
    change = change_of(session, supplier.id, number)
    _may_decide(change, by)
    county = change.state is _S.AT_COUNTY
    if county:
        change.county_by_id, change.county_at = by.user_id, now
    else:
        change.platform_by_id, change.platform_at = by.user_id, now
    goes_on = county and change.weight is ChangeWeight.COUNTY_AND_PLATFORM
    change.state = _S.AT_PLATFORM if goes_on else _S.IN_FORCE
    if goes_on:
        session.flush()
        _tell_next(session, supplier, change, by=by, now=now)
    else:
        change.in_force_at = now
        profile = profile_of(session, supplier.id)
        _put_in_force(session, supplier, profile, change, by=by, now=now)
        _tell_decided(session, supplier, change, by=by, now=now)
    audit.note(
        session, "pass_change", f"supplier:{supplier.id}", by=by, now=now,
        number=number, state=change.state, fields=list(change.frozen.content()["after"]),
    )  # fmt: skip
    return change


def refuse_change(
    session: Session, supplier_id: int, number: str, *, sentence: str, by: Actor, now: datetime
) -> RegisterChange:
    """Whoever it waits for says no and why; the register stays as it is."""
    supplier = _locked(session, supplier_id)
    change = change_of(session, supplier.id, number)
    _may_decide(change, by)
    if not tidy(sentence):
        raise Invalid({"sentence": Text("Say why.")})
    change.sentence = tidy(sentence)[:300]
    _end(session, change, _S.REFUSED, by=by, now=now)
    audit.note(
        session, "refuse_change", f"supplier:{supplier.id}", by=by, now=now,
        number=number, sentence=change.sentence,
    )  # fmt: skip
    _tell_decided(session, supplier, change, by=by, now=now)
    return change


def _locked(session: Session, supplier_id: int) -> Supplier:
    get_or_missing(session, Supplier, supplier_id, lock=True)
    return supplier_sheet(session, supplier_id)


def _must_wait(change: RegisterChange) -> None:
    if change.state not in OPEN_CHANGES:
        raise Refusal("This change is decided already: %(state)s.", state=change.state)


def _may_decide(change: RegisterChange, by: Actor) -> None:
    _must_wait(change)
    role = Role.DISTRICT if change.state is _S.AT_COUNTY else Role.OPERATOR
    if by.role is not role:
        raise Forbidden(Text("Your account may not enter here."))
    if by.user_id is not None and by.user_id in (change.made_by_id, change.county_by_id):
        raise Refusal("You asked for it or passed it yourself; somebody else must look at it.")


def _end(
    session: Session, change: RegisterChange, state: ChangeState, *, by: Actor, now: datetime
) -> None:
    change.state, change.ended_by_id, change.ended_at = state, by.user_id, now
    session.flush()


def _put_in_force(
    session: Session,
    supplier: Supplier,
    profile: SupplierProfile | None,
    change: RegisterChange,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """The register says what was asked for, if it still says what it said then."""
    content = change.frozen.content()
    entry = register_entry(supplier, profile)
    if any(entry[each] != said for each, said in content["before"].items()):
        raise Refusal("The register has changed since this was asked for; refuse it.")
    after = entry | content["after"]
    supplier.organisation.name = after["name"]
    supplier.phone = after["phone"]
    supplier.bank, supplier.bank_account = after["bank"], after["bank_account"]
    if after["enterprise_size"]:
        supplier.is_small_enterprise = EnterpriseSize(after["enterprise_size"]) in PROTECTED
    if profile is None:
        profile = SupplierProfile(supplier_id=supplier.id, **stamp(by, now))
        session.add(profile)
    for field in (
        "legal_person", "origin_code", "base_mu_100", "capacity_g", "main_products", "contact",
        "mechanisms", "linkage_statement",
    ):  # fmt: skip
        setattr(profile, field, after[field])
    profile.annual_sales = Money(after["annual_sales"])
    profile.enterprise_size = EnterpriseSize(after["enterprise_size"])
    session.flush()


def _tell_next(
    session: Session, supplier: Supplier, change: RegisterChange, *, by: Actor, now: datetime
) -> None:
    today, body = business_day(now), supplier.organisation
    county = change.state is _S.AT_COUNTY
    tell(
        session,
        county_of(session, body.region_code, today) if county else operators(session, today),
        Text("%(supplier)s asks for a change of its entry", supplier=body.name),
        Text(
            "The change %(number)s of %(supplier)s waits for your review. What stands in the"
            " register and what shall stand there is side by side under “Suppliers”.",
            number=change.number,
            supplier=body.name,
        ),
        key=f"register_change:{change.id}:{change.state.value}",
        but=by,
        now=now,
    )


def _tell_decided(
    session: Session, supplier: Supplier, change: RegisterChange, *, by: Actor, now: datetime
) -> None:
    said = (
        Text("Reason: %(reason)s The register stays as it is.", reason=change.sentence)
        if change.state is _S.REFUSED
        else Text("The register says so from now on. What was agreed before keeps what it says.")
    )
    tell(
        session,
        managers_of(session, supplier.organisation_id, business_day(now)),
        Text(
            "Change %(number)s of the register: %(state)s", number=change.number, state=change.state
        ),
        said,
        key=f"register_change:{change.id}:decided",
        but=by,
        now=now,
    )
