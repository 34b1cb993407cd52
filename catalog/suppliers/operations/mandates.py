"""One supplier lets another sell its goods: brought by the seller, agreed by the grower."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers import rules
from catalog.suppliers.models import Mandate, MandateState, Supplier, SupplierState
from catalog.suppliers.operations.letters import tell
from catalog.suppliers.queries import (
    ending_mandates,
    managers_of,
    mandate_of,
    operators,
    possible_principals,
    supplier_sheet,
)
from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.people import User
from kernel.periods import business_day
from kernel.storage import Blob, keep_file
from kernel.text import plain_number, tidy

_S = MandateState


def propose_mandate(
    session: Session,
    agent_id: int,
    *,
    principal_id: int,
    number: str,
    covers: str,
    valid_from: date,
    valid_to: date,
    paper: Blob,
    by: Actor,
    now: datetime,
) -> Mandate:
    """The seller brings the signed paper; nothing may be sold under it before the grower agrees.

    The same paper again answers the first.
    """
    agent = supplier_sheet(session, get_or_missing(session, Supplier, agent_id, lock=True).id)
    _only(by, Role.MANAGER)
    number, covers = plain_number(number), tidy(covers)
    errors = {}
    if principal_id not in {each.id for each in possible_principals(session, agent.id)}:
        errors["principal"] = Text("Choose an admitted supplier that produces itself.")
    if not number or len(number) > 40:
        errors["number"] = Text("Enter the number of the paper, up to 40 characters.")
    if not covers or len(covers) > 200:
        errors["covers"] = Text("Say which goods, in up to 200 characters.")
    if valid_to < valid_from:
        errors["valid_to"] = Text("It ends before it begins.")
    elif valid_to < business_day(now):
        errors["valid_to"] = Text("It is over already.")
    if errors:
        raise Invalid(errors)
    known = session.scalar(
        sa.select(Mandate).where(
            Mandate.principal_id == principal_id,
            Mandate.agent_id == agent.id,
            Mandate.number == number,
            Mandate.valid_from == valid_from,
        )
    )
    if known is not None:
        if (known.valid_to, known.covers) == (valid_to, covers):
            return known
        raise Refusal("The mandate %(number)s is recorded already, otherwise.", number=number)
    mandate = Mandate(
        principal_id=principal_id,
        agent_id=agent.id,
        number=number,
        covers=covers,
        valid_from=valid_from,
        valid_to=valid_to,
        file_id=keep_file(session, paper, by=by, now=now).id,
        state=_S.PROPOSED,
        **stamp(by, now),
    )
    session.add(mandate)
    session.flush()  # so that goods can point to mandate.id
    audit.note(
        session, "propose_mandate", f"supplier:{agent.id}", by=by, now=now,
        mandate=mandate.id, number=number,
    )  # fmt: skip
    principal = supplier_sheet(session, principal_id)
    tell(
        session,
        managers_of(session, principal.organisation_id, business_day(now)),
        Text("%(agent)s says that it sells for you", agent=agent.organisation.name),
        Text(
            "%(agent)s has recorded the mandate %(number)s until %(day)s: %(covers)s. Agree to it"
            " or decline it under “Sold for others”; before you agree nothing is sold under it.",
            agent=agent.organisation.name,
            number=number,
            day=valid_to,
            covers=covers,
        ),
        key=f"mandate:{mandate.id}:proposed",
        but=by,
        now=now,
    )
    return mandate


def agree_mandate(
    session: Session, principal_id: int, mandate_id: int, *, by: Actor, now: datetime
) -> Mandate:
    """The grower says that the paper is its own; never whoever brought it. Twice is once."""
    mandate = _decided_by(session, principal_id, mandate_id, by)
    if mandate.state is _S.AGREED:
        return mandate
    if mandate.state is not _S.PROPOSED:
        raise Refusal("This mandate is decided already: %(state)s.", state=mandate.state)
    if by.user_id is not None and by.user_id == mandate.made_by_id:
        raise Refusal("You brought this mandate yourself; somebody else must agree to it.")
    if mandate.principal.state not in (SupplierState.ADMITTED, SupplierState.RECTIFYING):
        raise Refusal("Only a supplier that is admitted lets others sell its goods.")
    if mandate.valid_to < business_day(now):
        raise Refusal("It is over already.")
    mandate.state, mandate.agreed_by_id, mandate.agreed_at = _S.AGREED, by.user_id, now
    _note_and_tell(session, mandate, "agree_mandate", by=by, now=now)
    return mandate


def decline_mandate(
    session: Session, principal_id: int, mandate_id: int, *, sentence: str, by: Actor, now: datetime
) -> Mandate:
    """The grower knows nothing of it, or no longer wants it; says why."""
    mandate = _decided_by(session, principal_id, mandate_id, by)
    if mandate.state is _S.DECLINED:
        return mandate
    if mandate.state is not _S.PROPOSED:
        raise Refusal("This mandate is decided already: %(state)s.", state=mandate.state)
    _close(session, mandate, _S.DECLINED, sentence, "decline_mandate", by=by, now=now)
    return mandate


def end_mandate(
    session: Session,
    supplier_id: int | None,
    mandate_id: int,
    *,
    sentence: str,
    by: Actor,
    now: datetime,
) -> Mandate:
    """Over from now on, says either side or the operator (no supplier). Whoever calls this takes
    the goods behind it off sale. Twice changes nothing."""
    mandate = _locked(session, supplier_id, mandate_id)
    _only(by, Role.MANAGER if supplier_id is not None else Role.OPERATOR)
    if mandate.state is _S.ENDED:
        return mandate
    if mandate.state is _S.DECLINED:
        raise Refusal("This mandate is decided already: %(state)s.", state=mandate.state)
    _close(session, mandate, _S.ENDED, sentence, "end_mandate", by=by, now=now)
    return mandate


def _locked(session: Session, supplier_id: int | None, mandate_id: int) -> Mandate:
    get_or_missing(session, Mandate, mandate_id, lock=True)
    return mandate_of(session, supplier_id, mandate_id)


def _decided_by(session: Session, principal_id: int, mandate_id: int, by: Actor) -> Mandate:
    mandate = _locked(session, principal_id, mandate_id)
    _only(by, Role.MANAGER)
    if mandate.principal_id != principal_id:
        raise Refusal("Whoever grew the goods decides about it, not whoever sells them.")
    return mandate


def _only(by: Actor, role: Role) -> None:
    if by.role is not role:
        raise Forbidden(Text("Your account may not enter here."))


def _close(
    session: Session,
    mandate: Mandate,
    state: MandateState,
    sentence: str,
    verb: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    if not tidy(sentence):
        raise Invalid({"sentence": Text("Say why.")})
    mandate.state, mandate.sentence = state, tidy(sentence)[:300]
    mandate.ended_by_id, mandate.ended_at = by.user_id, now
    _note_and_tell(session, mandate, verb, by=by, now=now)


def _note_and_tell(
    session: Session, mandate: Mandate, verb: str, *, by: Actor, now: datetime
) -> None:
    session.flush()
    audit.note(
        session, verb, f"supplier:{mandate.agent_id}", by=by, now=now,
        mandate=mandate.id, sentence=mandate.sentence,
    )  # fmt: skip
    tell(
        session,
        _both_sides(session, mandate, business_day(now)),
        Text("Mandate %(number)s: %(state)s", number=mandate.number, state=mandate.state),
        Text(
            "%(principal)s lets %(agent)s sell its goods (%(covers)s), until %(day)s:"
            " %(state)s. %(sentence)s",
            principal=mandate.principal.organisation.name,
            agent=mandate.agent.organisation.name,
            covers=mandate.covers,
            day=mandate.valid_to,
            state=mandate.state,
            sentence=mandate.sentence,
        ),
        key=f"mandate:{mandate.id}:{mandate.state.value}",
        but=by,
        now=now,
    )


def _both_sides(session: Session, mandate: Mandate, today: date) -> list[User]:
    return [
        *managers_of(session, mandate.agent.organisation_id, today),
        *managers_of(session, mandate.principal.organisation_id, today),
    ]


def warn_of_mandates(session: Session, *, now: datetime) -> int:
    """30, 15 and 7 days before a mandate ends both sides and the platform get a letter, each once;
    returns how many letters were due."""
    today, letters = business_day(now), 0
    platform = operators(session, today)
    for mandate in ending_mandates(session, today):
        days = rules.warning_due(mandate.valid_to, today)
        letters += tell(
            session,
            [*_both_sides(session, mandate, today), *platform],
            Text(
                "The mandate %(number)s ends on %(day)s",
                number=mandate.number,
                day=mandate.valid_to,
            ),
            Text(
                "%(principal)s lets %(agent)s sell its goods until %(day)s. Record the next mandate"
                " under “Sold for others” before then. The day after, the goods go off sale by"
                " themselves.",
                principal=mandate.principal.organisation.name,
                agent=mandate.agent.organisation.name,
                day=mandate.valid_to,
            ),
            key=f"mandate:{mandate.id}:{days}",
            now=now,
        )
    return letters
