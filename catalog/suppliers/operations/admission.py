"""A supplier moves from draft to admitted, and after that only with a reason (domain.md §2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from catalog.suppliers import rules
from catalog.suppliers.models import (
    MOVES,
    AdmissionReason,
    Application,
    Certificate,
    CertificateKind,
    Supplier,
    SupplierEvent,
    SupplierProfile,
    SupplierState,
)
from catalog.suppliers.operations.letters import tell_of_move
from catalog.suppliers.queries import (
    certificate_rows,
    latest_application,
    mandates_of,
    profile_of,
    register_entry,
    supplier_sheet,
)
from kernel import audit
from kernel.actors import Actor, Door
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.text import tidy
from kernel.versions import freeze

_S = SupplierState
FORMAT = 1


def submit_application(
    session: Session, supplier_id: int, *, by: Actor, now: datetime
) -> Application:
    """What the supplier declared and holds is frozen and waits for the county.

    Refused with everything that is still missing. Submitting twice answers the first application.
    """
    supplier = _locked(session, supplier_id)
    if supplier.state is _S.APPLIED and (sent := latest_application(session, supplier.id)):
        return sent
    _may_move(supplier, _S.APPLIED, by)
    profile = profile_of(session, supplier.id)
    papers = [row for row in certificate_rows(session, supplier.id, business_day(now)) if row.holds]
    reasons = []
    if profile is None:
        reasons.append(Text("Fill in the application form first."))
    if not any(row.certificate.kind is CertificateKind.LICENCE for row in papers):
        reasons.append(Text("Record your business licence first."))
    if supplier.kind.value in rules.ONLY_FOR_OTHERS and not any(
        row.holds and row.mandate.agent_id == supplier.id
        for row in mandates_of(session, supplier.id, business_day(now))
    ):
        reasons.append(Text("You sell for others: record a mandate and have it agreed to first."))
    if reasons or profile is None:
        raise Refusal(Text("This application is not complete yet."), tuple(reasons))
    frozen = freeze(
        session,
        f"supplier:{supplier.id}",
        _content(supplier, profile, [row.certificate for row in papers]),
        format=FORMAT,
        by=by,
        now=now,
    )
    application = Application(
        supplier_id=supplier.id,
        number=next_number(session, "RZ", now),
        frozen_id=frozen.id,
        **stamp(by, now),
    )
    session.add(application)
    session.flush()  # so that the event can point to application.id
    _move(session, supplier, _S.APPLIED, application, by=by, now=now)
    return application


def _content(
    supplier: Supplier, profile: SupplierProfile, papers: list[Certificate]
) -> dict[str, Any]:
    return register_entry(supplier, profile) | {
        "certificates": [
            {
                "kind": each.kind.value,
                "number": each.number,
                "valid_from": each.valid_from.isoformat(),
                "valid_to": each.valid_to.isoformat() if each.valid_to else None,
            }
            for each in papers
        ],
    }


def withdraw_application(
    session: Session, supplier_id: int, *, by: Actor, now: datetime
) -> Supplier:
    """The applicant takes it back before anybody looked at it; the frozen version stays."""
    return _step(session, supplier_id, _S.DRAFT, frm=_S.APPLIED, by=by, now=now)


def begin_review(session: Session, supplier_id: int, *, by: Actor, now: datetime) -> Supplier:
    """The county begins to look at it; from now on the applicant cannot take it back."""
    return _step(session, supplier_id, _S.AGRICULTURE_REVIEW, by=by, now=now)


def pass_agriculture(session: Session, supplier_id: int, *, by: Actor, now: datetime) -> Supplier:
    """Production, capability and quality are as declared; 乡村振兴 looks next."""
    return _step(
        session, supplier_id, _S.REVITALISATION_REVIEW, signs="agriculture", by=by, now=now
    )


def pass_revitalisation(
    session: Session, supplier_id: int, *, by: Actor, now: datetime
) -> Supplier:
    """The link to households is proven, says somebody else; the county recommends it."""
    application = latest_application(session, _locked(session, supplier_id).id)
    if application and by.user_id is not None and application.agriculture_by_id == by.user_id:
        raise Refusal("You made the agriculture review yourself; somebody else must make this one.")
    return _step(session, supplier_id, _S.RECOMMENDED, signs="revitalisation", by=by, now=now)


def begin_platform_review(
    session: Session, supplier_id: int, *, by: Actor, now: datetime
) -> Supplier:
    """The operator begins to look at what the county recommended."""
    return _step(session, supplier_id, _S.PLATFORM_REVIEW, by=by, now=now)


def admit_supplier(session: Session, supplier_id: int, *, by: Actor, now: datetime) -> Supplier:
    """From now on its products may be put on sale: after the platform's review, or again after it
    was stopped. Admitting twice changes nothing."""
    reviewed = _locked(session, supplier_id).state is _S.PLATFORM_REVIEW
    signs = "platform" if reviewed else ""
    return _step(session, supplier_id, _S.ADMITTED, signs=signs, by=by, now=now)


def return_application(
    session: Session,
    supplier_id: int,
    *,
    reason: AdmissionReason,
    sentence: str,
    by: Actor,
    now: datetime,
) -> Supplier:
    """Whoever reviews it sends it back; the applicant reads why, corrects it and applies again."""
    supplier = _locked(session, supplier_id)
    if supplier.state not in (_S.AGRICULTURE_REVIEW, _S.REVITALISATION_REVIEW, _S.PLATFORM_REVIEW):
        raise _no_such_move(supplier.state, _S.DRAFT)
    return _step(session, supplier_id, _S.DRAFT, reason, sentence, by=by, now=now)


def order_rectification(
    session: Session,
    supplier_id: int,
    *,
    reason: AdmissionReason,
    sentence: str,
    by: Actor,
    now: datetime,
) -> Supplier:
    """It has to put something right; what is on sale stays, nothing new is put on sale."""
    return _step(session, supplier_id, _S.RECTIFYING, reason, sentence, by=by, now=now)


def suspend_supplier(
    session: Session,
    supplier_id: int,
    *,
    reason: AdmissionReason,
    sentence: str,
    by: Actor,
    now: datetime,
) -> Supplier:
    """It may not sell until it is admitted again; whoever calls this takes its products off."""
    return _step(session, supplier_id, _S.SUSPENDED, reason, sentence, by=by, now=now)


def remove_supplier(
    session: Session,
    supplier_id: int,
    *,
    reason: AdmissionReason,
    sentence: str,
    by: Actor,
    now: datetime,
) -> Supplier:
    """For good: a removed supplier never sells here again. Its history stays."""
    return _step(session, supplier_id, _S.REMOVED, reason, sentence, by=by, now=now)


def _step(
    session: Session,
    supplier_id: int,
    to: SupplierState,
    reason: AdmissionReason | None = None,
    sentence: str = "",
    *,
    frm: SupplierState | None = None,
    signs: str = "",
    by: Actor,
    now: datetime,
) -> Supplier:
    """One move of the table under the supplier's lock; a state it is already in stays. `signs`:
    which of the application's three reviews this is."""
    supplier = _locked(session, supplier_id)
    if supplier.state is to:
        return supplier
    if frm is not None and supplier.state is not frm:
        raise _no_such_move(supplier.state, to)
    _may_move(supplier, to, by)
    sentence = tidy(sentence)
    if MOVES[supplier.state, to].reason:
        errors = {}
        if reason is None:
            errors["reason"] = Text("Please choose one.")
        if not sentence:
            errors["sentence"] = Text("Say why.")
        elif len(sentence) > 300:
            errors["sentence"] = Text(
                "At most %(most)s characters; this has %(n)s.", most=300, n=len(sentence)
            )
        if errors:
            raise Invalid(errors)
    application = latest_application(session, supplier.id)
    if application is not None and signs:
        setattr(application, f"{signs}_by_id", by.user_id)
        setattr(application, f"{signs}_at", now)
    _move(session, supplier, to, application, reason, sentence, by=by, now=now)
    return supplier


def _locked(session: Session, supplier_id: int) -> Supplier:
    get_or_missing(session, Supplier, supplier_id, lock=True)
    return supplier_sheet(session, supplier_id)


def _may_move(supplier: Supplier, to: SupplierState, by: Actor) -> None:
    move = MOVES.get((supplier.state, to))
    if move is None:
        raise _no_such_move(supplier.state, to)
    # A command of the machine is the operator's own hand: there is no role to ask for.
    if by.door is Door.COMMAND and by.user_id is None:
        return
    if by.role not in move.roles:
        raise Forbidden(Text("Your account may not enter here."))


def _no_such_move(state: SupplierState, to: SupplierState) -> Refusal:
    return Refusal("A supplier that is “%(state)s” cannot become “%(to)s”.", state=state, to=to)


def _move(
    session: Session,
    supplier: Supplier,
    to: SupplierState,
    application: Application | None,
    reason: AdmissionReason | None = None,
    sentence: str = "",
    *,
    by: Actor,
    now: datetime,
) -> None:
    event = SupplierEvent(
        supplier_id=supplier.id,
        application_id=application.id if application else None,
        from_state=supplier.state,
        to_state=to,
        role=by.role,
        reason=reason,
        sentence=sentence,
        **stamp(by, now),
    )
    session.add(event)
    supplier.state = to
    session.flush()
    audit.note(
        session, "move_supplier", f"supplier:{supplier.id}", by=by, now=now, to=to,
        reason=reason, sentence=sentence,
    )  # fmt: skip
    tell_of_move(session, supplier, event, application, by=by, now=now)
