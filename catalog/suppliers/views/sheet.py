"""What every desk shows of a supplier, and the moves its reader may make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from catalog.suppliers import operations, queries, rules
from catalog.suppliers.forms import read_reasoned
from catalog.suppliers.models import (
    MOVES,
    OPEN_CHANGES,
    AdmissionReason,
    ChangeState,
    EnterpriseSize,
    LinkMechanism,
    MandateState,
    RegisterChange,
    Supplier,
    SupplierKind,
    SupplierState,
)
from kernel.actors import Actor, Role
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.periods import business_day

_S = SupplierState

# The road, as a strip shows it; what comes after admission replaces its last station.
ROAD = (
    _S.DRAFT,
    _S.APPLIED,
    _S.AGRICULTURE_REVIEW,
    _S.REVITALISATION_REVIEW,
    _S.RECOMMENDED,
    _S.PLATFORM_REVIEW,
    _S.ADMITTED,
)

Verb = Callable[..., Any]
_VERBS: dict[SupplierState, Verb] = {
    _S.AGRICULTURE_REVIEW: operations.begin_review,
    _S.REVITALISATION_REVIEW: operations.pass_agriculture,
    _S.RECOMMENDED: operations.pass_revitalisation,
    _S.PLATFORM_REVIEW: operations.begin_platform_review,
    _S.ADMITTED: operations.admit_supplier,
    _S.DRAFT: operations.return_application,
    _S.RECTIFYING: operations.order_rectification,
    _S.SUSPENDED: operations.suspend_supplier,
    _S.REMOVED: operations.remove_supplier,
}
_WORDS: dict[SupplierState, Text] = {
    _S.AGRICULTURE_REVIEW: Text("Begin the review"),
    _S.REVITALISATION_REVIEW: Text("Production and quality are as declared"),
    _S.RECOMMENDED: Text("The link to households is proven: recommend it"),
    _S.PLATFORM_REVIEW: Text("Begin the platform's review"),
    _S.ADMITTED: Text("Admit it"),
    _S.DRAFT: Text("Send it back"),
    _S.RECTIFYING: Text("Have it put something right"),
    _S.SUSPENDED: Text("Suspend it"),
    _S.REMOVED: Text("Remove it for good"),
}
_DONE: dict[SupplierState, Text] = {
    _S.AGRICULTURE_REVIEW: Text("The review has begun."),
    _S.REVITALISATION_REVIEW: Text("Passed. Somebody else of the county looks at the households."),
    _S.RECOMMENDED: Text("Recommended. The platform reviews it next."),
    _S.PLATFORM_REVIEW: Text("The review has begun."),
    _S.ADMITTED: Text("Admitted. Its products may be put on sale."),
    _S.DRAFT: Text("Sent back. The applicant reads the reason."),
    _S.RECTIFYING: Text("It reads what has to be put right."),
    _S.SUSPENDED: Text("Suspended. Its products are off sale."),
    _S.REMOVED: Text("Removed. Its products are off sale."),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: where it leads, what it says, whether it asks for a reason."""

    to: SupplierState
    words: Text
    reason: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A change of the register with what its frozen version says."""

    change: RegisterChange
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str


def choices(state: SupplierState, role: Role | None) -> list[Choice]:
    """What this role may do with a supplier in this state, by the table of moves."""
    return [
        Choice(to, _WORDS[to], move.reason)
        for (frm, to), move in MOVES.items()
        if frm is state and role in move.roles
    ]


def make_move(
    session: Session,
    supplier: Supplier,
    to: str,
    form: Mapping[str, str],
    *,
    by: Actor,
    now: datetime,
) -> Text:
    """The move that was pressed; returns what to say about it."""
    target = next((each for each in _VERBS if each.value == to), None)
    if target is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    reasons: dict[str, Any] = {}
    if target in (_S.DRAFT, _S.RECTIFYING, _S.SUSPENDED, _S.REMOVED):
        given = read_reasoned(form)
        reasons = {"reason": given.reason, "sentence": given.sentence}
    _VERBS[target](session, supplier.id, **reasons, by=by, now=now)
    return _DONE[target]


def sheet(session: Session, supplier: Supplier, today: date) -> dict[str, Any]:
    """Everything a page of one supplier shows, in a fixed number of queries."""
    application = queries.latest_application(session, supplier.id)
    events = queries.events_of(session, supplier.id)
    profile = queries.profile_of(session, supplier.id)
    content = application.frozen.content() if application else None
    changes = [
        Asked(each, **each.frozen.content()) for each in queries.changes_of(session, supplier.id)
    ]
    entry = queries.register_entry(supplier, profile)
    told = [
        entry,
        content or {},
        *(each.before for each in changes),
        *(each.after for each in changes),
    ]
    return {
        "entry": entry,
        "changes": changes,
        "waits": next((each for each in changes if each.change.state in OPEN_CHANGES), None),
        "people": queries.people_of_changes(session, [each.change for each in changes]),
        "mandates": queries.mandates_of(session, supplier.id, today),
        "supplier": supplier,
        "profile": profile,
        "application": application,
        "content": content,
        "place": queries.place_names(
            session,
            sorted(
                {
                    said[key]
                    for said in told
                    for key in ("region_code", "origin_code")
                    if key in said
                }
            ),
        ),
        "reviewers": queries.reviewers_of(session, application),
        "certificates": queries.certificate_rows(session, supplier.id, today),
        "events": events[::-1],
        "steps": _steps(supplier, events),
        "doubt": rules.uscc_doubt(supplier.kind.value, supplier.organisation.uscc or ""),
        "points": rules.credit_points(
            [(each.to_state.value, business_day(each.made_at)) for each in events], today
        ),
        "kinds": {each.value: each for each in SupplierKind},
        "sizes": {each.value: each for each in EnterpriseSize},
        "mechanisms": {each.value: each for each in LinkMechanism},
        "reasons": AdmissionReason,
        "States": SupplierState,
        "in_register": (_S.ADMITTED, _S.RECTIFYING, _S.SUSPENDED),
        "Changes": ChangeState,
        "MandateStates": MandateState,
        "Money": Money,
    }


def _steps(supplier: Supplier, events: Sequence[Any]) -> list[dict[str, Any]]:
    """The stations of the road with the day each was reached in the round that counts."""
    begun = max((i for i, each in enumerate(events) if each.to_state is _S.DRAFT), default=-1)
    reached = {each.to_state: each.made_at for each in events[begun + 1 :]}
    now_at = supplier.state if supplier.state in ROAD else _S.ADMITTED
    here = ROAD.index(now_at)
    found = [
        {
            "state": "now"
            if i == here and now_at is not _S.ADMITTED
            else ("" if i <= here else "todo"),
            "is": station,
            "on": reached.get(station),
        }
        for i, station in enumerate(ROAD)
    ]
    if supplier.state not in ROAD:
        found[-1]["state"] = ""
        found.append({"state": "bad", "is": supplier.state, "on": reached.get(supplier.state)})
    return found
