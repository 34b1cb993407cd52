"""Filing the reserved share: saved, submitted, confirmed, in force; returned or corrected.

填报单 (domain.md §1.4): every submission is frozen; after effect only a correction, which is a new
version that goes the same way and supersedes the old one when it takes effect.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money
from kernel.periods import business_day
from kernel.regions import prefixes
from kernel.versions import freeze
from orders.agencies.models import CanteenType, Filing, FilingState, Unit
from orders.agencies.operations.units import as_representative
from orders.agencies.queries.units import (
    declaration,
    filing_in_force,
    last_year,
    open_filing,
    policy_for,
    unit_sheet,
)
from orders.agencies.rules import filing as rules

CHANGEABLE = (FilingState.DRAFT, FilingState.RETURNED)
FILING_FORMAT = 1


def save_filing(
    session: Session,
    unit_id: int,
    year: int,
    *,
    canteen_type: CanteenType,
    base: Money,
    ratio_bp: int,
    representative_id: int | None = None,
    union_budget: Money = ZERO,
    exemption: str = "",
    explanation: str = "",
    contact: str,
    contact_phone: str,
    by: Actor,
    now: datetime,
) -> Filing:
    """The unit's draft of a year holds these values. Nothing is checked but that it may be written:
    a draft may be wrong. Refused while a version is under review or in force (then: correct it)."""
    unit = _own_unit(session, unit_id, by)
    filing = open_filing(session, unit_id, year)
    if filing is None:
        if filing_in_force(session, unit_id, year):
            raise Refusal("The filing of %(year)s is in force; ask for a correction.", year=year)
        filing = _new_version(session, unit_id, year)
    elif filing.state not in CHANGEABLE:
        raise Refusal("The filing of %(year)s is being reviewed.", year=year)
    duty = rules.must_reserve(canteen_type.value)
    values = {
        "canteen_type": canteen_type,
        "representative_id": representative_id if canteen_type is CanteenType.SHARED else None,
        "base": base if duty else ZERO,
        "ratio_bp": ratio_bp if duty else 0,
        "reserved": rules.reserved_share(canteen_type.value, base, ratio_bp),
        "union_budget": union_budget,
        "exemption": exemption.strip(),
        "explanation": explanation.strip(),
        "contact": contact.strip(),
        "contact_phone": contact_phone.strip(),
    }
    for name, value in values.items():
        setattr(filing, name, value)
    if filing.id is None:
        for name, value in stamp(by, now).items():
            setattr(filing, name, value)
        session.add(filing)
    session.flush()
    audit.note(
        session, "save_filing", f"filing:{filing.id}", by=by, now=now, year=year, unit=unit.id
    )
    return filing


def submit_filing(session: Session, filing_id: int, *, by: Actor, now: datetime) -> Filing:
    """The draft goes to the department, frozen. All faults are said at once.

    The window of the policy is true to the second; a filing that was sent back, and a correction
    of one in force, may be submitted after it. Submitting twice freezes once.
    """
    filing = _filing(session, filing_id)
    unit = _own_unit(session, filing.unit_id, by)
    if filing.state in (FilingState.SUBMITTED, FilingState.CONFIRMED):
        return filing
    if filing.state not in CHANGEABLE:
        raise Refusal("This version of the filing is closed.")
    policy = policy_for(session, unit.organisation.region_code, filing.year)
    first = filing.state is FilingState.DRAFT and not filing_in_force(session, unit.id, filing.year)
    closed = rules.window_problem(policy.filing_from, policy.filing_to, now) if first else None
    if closed:
        raise Refusal(closed)
    declared = declaration(session, filing, unit)
    before = last_year(session, unit.id, filing.year)
    if problems := rules.faults(declared, floor_bp=policy.ratio_floor_bp, last_year=before):
        raise Invalid(problems)

    doubts = rules.doubts(declared, floor_bp=policy.ratio_floor_bp, last_year=before)
    filing.warnings = [each.value for each in doubts]
    filing.state = FilingState.SUBMITTED
    filing.submitted_at = now
    filing.submitted_by_id = by.user_id
    filing.return_reason = ""
    if unit.activated_on is None:
        unit.activated_on = business_day(now)
    content = _content(filing, unit, policy.document_no, now)
    frozen = freeze(
        session, f"filing:{unit.id}:{filing.year}", content, by=by, now=now, format=FILING_FORMAT
    )
    filing.frozen_id = frozen.id
    session.flush()
    audit.note(
        session, "submit_filing", f"filing:{filing.id}", by=by, now=now,
        sha256=frozen.sha256, reserved=filing.reserved,
    )  # fmt: skip
    return filing


def confirm_filing(session: Session, filing_id: int, *, by: Actor, now: datetime) -> Filing:
    """The supervising department agrees; it is the district finance's turn."""
    filing = _filing(session, filing_id)
    _supervised(session, filing, by)
    if filing.state is FilingState.CONFIRMED:
        return filing
    if filing.state is not FilingState.SUBMITTED:
        raise Refusal("This filing is not waiting for confirmation.")
    if by.user_id is not None and by.user_id == filing.submitted_by_id:
        raise Refusal("Whoever submitted a filing cannot confirm it.")
    filing.state = FilingState.CONFIRMED
    filing.confirmed_at = now
    session.flush()
    audit.note(session, "confirm_filing", f"filing:{filing.id}", by=by, now=now)
    return filing


def make_effective(session: Session, filing_id: int, *, by: Actor, now: datetime) -> Filing:
    """District finance puts a confirmed filing in force; the version before it is superseded.

    A unit without a supervising department needs no confirmation before. Without canteen, or
    represented, the filing is noted: it reserves nothing (domain.md §1.3).
    """
    filing = _filing(session, filing_id)
    unit = _supervised(session, filing, by)
    if filing.state in (FilingState.EFFECTIVE, FilingState.NOTED):
        return filing
    ready = filing.state is FilingState.CONFIRMED or (
        filing.state is FilingState.SUBMITTED and unit.organisation.parent_id is None
    )
    if not ready:
        raise Refusal("The department has not confirmed this filing yet.")
    if by.user_id is not None and by.user_id == filing.submitted_by_id:
        raise Refusal("Whoever submitted a filing cannot put it in force.")
    _settle_representation(session, filing, unit)
    before = filing_in_force(session, unit.id, filing.year)
    if before is not None:
        before.state = FilingState.SUPERSEDED
        session.flush()  # at most one row in force: the old one steps back first
    duty = rules.must_reserve(filing.canteen_type.value)
    filing.state = FilingState.EFFECTIVE if duty else FilingState.NOTED
    filing.effective_at = now
    session.flush()
    audit.note(
        session, "make_effective", f"filing:{filing.id}", by=by, now=now,
        reserved=filing.reserved, supersedes=before.id if before else None,
    )  # fmt: skip
    return filing


def return_filing(
    session: Session, filing_id: int, *, reason: str, by: Actor, now: datetime
) -> Filing:
    """Department or finance sends a filing back with a reason; the unit may change and resubmit."""
    filing = _filing(session, filing_id)
    _supervised(session, filing, by)
    if not reason.strip():
        raise Invalid({"reason": Text("Say what has to be corrected.")})
    if filing.state is FilingState.RETURNED and filing.return_reason == reason.strip():
        return filing
    if filing.state not in (FilingState.SUBMITTED, FilingState.CONFIRMED):
        raise Refusal("This filing is not under review.")
    filing.state = FilingState.RETURNED
    filing.return_reason = reason.strip()
    filing.confirmed_at = None
    session.flush()
    audit.note(session, "return_filing", f"filing:{filing.id}", by=by, now=now, reason=reason)
    return filing


def correct_filing(
    session: Session, filing_id: int, *, explanation: str, by: Actor, now: datetime
) -> Filing:
    """调整申请: a new draft version of a filing in force, which holds until the new one does.

    Asking twice answers the draft that is there.
    """
    filing = _filing(session, filing_id)
    unit = _own_unit(session, filing.unit_id, by)
    if filing.state not in (FilingState.EFFECTIVE, FilingState.NOTED):
        raise Refusal("Only a filing in force is corrected; a draft is simply changed.")
    if not explanation.strip():
        raise Invalid({"explanation": Text("Say why the filing must be corrected.")})
    if (under_way := open_filing(session, unit.id, filing.year)) is not None:
        return under_way
    fresh = _new_version(session, unit.id, filing.year)
    for name in (
        "canteen_type", "representative_id", "base", "ratio_bp", "reserved", "union_budget",
        "exemption", "contact", "contact_phone",
    ):  # fmt: skip
        setattr(fresh, name, getattr(filing, name))
    fresh.explanation = explanation.strip()
    for name, value in stamp(by, now).items():
        setattr(fresh, name, value)
    session.add(fresh)
    session.flush()
    audit.note(session, "correct_filing", f"filing:{fresh.id}", by=by, now=now, corrects=filing.id)
    return fresh


def _new_version(session: Session, unit_id: int, year: int) -> Filing:
    last = session.scalar(
        sa.select(sa.func.max(Filing.version)).where(Filing.unit_id == unit_id, Filing.year == year)
    )
    return Filing(
        unit_id=unit_id, year=year, version=(last or 0) + 1, state=FilingState.DRAFT, warnings=[]
    )


def _filing(session: Session, filing_id: int) -> Filing:
    """The filing, locked; its unit is locked before it, as everywhere."""
    filing = get_or_missing(session, Filing, filing_id)
    get_or_missing(session, Unit, filing.unit_id, lock=True)
    return get_or_missing(session, Filing, filing_id, lock=True)


def _own_unit(session: Session, unit_id: int, by: Actor) -> Unit:
    """The unit, locked, if the actor works for it."""
    get_or_missing(session, Unit, unit_id, lock=True)
    unit = unit_sheet(session, unit_id)
    if by.organisation_id != unit.organisation_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return unit


def _supervised(session: Session, filing: Filing, by: Actor) -> Unit:
    """The filing's unit, if the actor is its department or the finance of its district."""
    unit = unit_sheet(session, filing.unit_id)
    if by.role is Role.DEPARTMENT and by.organisation_id == unit.organisation.parent_id:
        return unit
    if by.role is Role.DISTRICT and by.region_code is not None:
        region = unit.organisation.region_code
        if any(region.startswith(each) for each in prefixes(session, by.region_code)):
            return unit
    if by.role in (Role.DEPARTMENT, Role.DISTRICT):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    raise Forbidden(Text("Only the department or the district decides on filings."))


def _settle_representation(session: Session, filing: Filing, unit: Unit) -> None:
    """The unit is now what its filing says; the chain rule is asked once more under the lock."""
    representative = None
    if filing.representative_id is not None:
        representative = get_or_missing(session, Unit, filing.representative_id, lock=True)
    represents = session.scalar(
        sa.select(Unit.id).where(Unit.representative_id == unit.id).limit(1)
    )
    problem = rules.representation_problem(
        unit_id=unit.id,
        canteen_type=filing.canteen_type.value,
        representative=as_representative(representative),
        represents_others=represents is not None,
    )
    if problem:
        raise Refusal(problem)
    unit.canteen_type = filing.canteen_type
    unit.representative_id = filing.representative_id


def _content(filing: Filing, unit: Unit, document_no: str, now: datetime) -> dict[str, object]:
    """What is frozen: everything the paper shows, with the unit as it was on that day."""
    return {
        "unit": {
            "name": unit.organisation.name,
            "uscc": unit.organisation.uscc,
            "region": unit.organisation.region_code,
            "kind": unit.kind.value,
            "department": unit.organisation.parent.name if unit.organisation.parent else None,
            "diners": unit.diners,
        },
        "year": filing.year,
        "version": filing.version,
        "canteen_type": filing.canteen_type.value,
        "representative_id": filing.representative_id,
        "base_fen": filing.base.fen,
        "ratio_bp": filing.ratio_bp,
        "reserved_fen": filing.reserved.fen,
        "union_budget_fen": filing.union_budget.fen,
        "exemption": filing.exemption,
        "explanation": filing.explanation,
        "contact": filing.contact,
        "contact_phone": filing.contact_phone,
        "warnings": list(filing.warnings),
        "policy": document_no,
        "submitted_at": now.isoformat(),
    }
