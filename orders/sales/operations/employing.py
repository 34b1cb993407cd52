"""A citizen names the unit they work for, the unit agrees, and either side ends it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.people import User
from kernel.periods import business_day
from orders.sales.models import EmployerCode, Employment, EmploymentState
from orders.sales.queries.own import employer_by_code, last_employment, open_employment

NOT_YOURS = Text("There is nothing at this address, or it is not yours.")
AGREED_ALREADY = Text("This was decided already, perhaps by a colleague.")


def renew_employer_code(
    session: Session, organisation_id: int, *, by: Actor, now: datetime
) -> EmployerCode:
    """A code the unit tells its staff; the one before works no longer."""
    found = session.scalar(
        sa.select(EmployerCode)
        .where(EmployerCode.organisation_id == organisation_id)
        .with_for_update()
    )
    if found is None:
        found = EmployerCode(organisation_id=organisation_id, code=new_code(8), **stamp(by, now))
        session.add(found)
    else:
        found.code = new_code(8)
    session.flush()
    audit.note(session, "renew_employer_code", f"org:{organisation_id}", by=by, now=now)
    return found


def ask_employer(
    session: Session,
    user_id: int,
    *,
    code: str,
    name: str,
    remark: str = "",
    by: Actor,
    now: datetime,
) -> Employment:
    """Ask the unit with this code to agree. One unit at a time; asking it again changes nothing."""
    session.get_one(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    organisation = employer_by_code(session, code)
    if organisation is None:
        raise Invalid({"code": Text("No unit has this code. Ask your unit for it.")})
    known = open_employment(session, user_id)
    if known is not None:
        if known.organisation_id == organisation.id:
            return known
        raise Refusal("You are bound to %(unit)s. End that first.", unit=known.organisation.name)
    made = Employment(
        user_id=user_id,
        organisation=organisation,
        state=EmploymentState.ASKED,
        name=name,
        remark=remark,
        **stamp(by, now),
    )
    session.add(made)
    session.flush()
    audit.note(session, "ask_employer", f"employment:{made.id}", by=by, now=now)
    return made


def agree_employment(
    session: Session,
    employment_id: int,
    *,
    organisation_id: int,
    valid_from: date,
    by: Actor,
    now: datetime,
) -> Employment:
    """The unit says: one of ours, from that day of this year on. Nobody agrees to themselves."""
    found = _of_unit(session, employment_id, organisation_id, by)
    if found.state is EmploymentState.CONFIRMED and found.valid_from == valid_from:
        return found
    if found.state is not EmploymentState.ASKED:
        raise Refusal(AGREED_ALREADY)
    today = business_day(now)
    least = max(date(today.year, 1, 1), _free_from(session, found.user_id))
    if not least <= valid_from <= today:
        raise Invalid(
            {
                f"from-{found.id}": Text(
                    "Choose a day from %(least)s to today.", least=min(least, today)
                )
            }
        )
    found.state, found.valid_from = EmploymentState.CONFIRMED, valid_from
    found.decided_at, found.decided_by_id = now, by.user_id
    session.flush()
    audit.note(session, "agree_employment", f"employment:{found.id}", by=by, now=now)
    return found


def decline_employment(
    session: Session,
    employment_id: int,
    *,
    organisation_id: int,
    reason: str,
    by: Actor,
    now: datetime,
) -> Employment:
    """The unit does not know this person, or does not want to."""
    found = _of_unit(session, employment_id, organisation_id, by)
    if found.state is EmploymentState.DECLINED:
        return found
    if found.state is not EmploymentState.ASKED:
        raise Refusal(AGREED_ALREADY)
    found.state, found.reason = EmploymentState.DECLINED, reason[:200]
    found.decided_at, found.decided_by_id = now, by.user_id
    audit.note(session, "decline_employment", f"employment:{found.id}", by=by, now=now)
    return found


def end_employment(
    session: Session,
    employment_id: int,
    *,
    organisation_id: int | None = None,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> Employment:
    """Either side ends it, today included: what is ordered from tomorrow on is not credited.

    Without `organisation_id` the person themselves does; what was only asked is withdrawn.
    """
    found = (
        _of_unit(session, employment_id, organisation_id, by)
        if organisation_id is not None
        else _of_person(session, employment_id, by)
    )
    if found.state in (EmploymentState.ENDED, EmploymentState.WITHDRAWN):
        return found
    if found.state is EmploymentState.ASKED and organisation_id is None:
        found.state = EmploymentState.WITHDRAWN
    elif found.state is EmploymentState.CONFIRMED:
        assert found.valid_from is not None
        found.state = EmploymentState.ENDED
        found.valid_to = max(found.valid_from, business_day(now))
    else:
        raise Refusal(AGREED_ALREADY)
    found.ended_at, found.ended_by_id, found.reason = now, by.user_id, reason[:200]
    session.flush()
    audit.note(session, "end_employment", f"employment:{found.id}", by=by, now=now)
    return found


def _free_from(session: Session, user_id: int) -> date:
    """The first day on which this person is bound to nobody else any more."""
    last = last_employment(session, user_id)
    return date.min if last is None or last.valid_to is None else last.valid_to + timedelta(days=1)


def _of_unit(session: Session, employment_id: int, organisation_id: int, by: Actor) -> Employment:
    found = _locked(session, Employment.organisation_id == organisation_id, employment_id)
    if found.user_id == by.user_id:
        raise Refusal("Somebody else in your unit must decide about you.")
    return found


def _of_person(session: Session, employment_id: int, by: Actor) -> Employment:
    return _locked(session, Employment.user_id == (by.user_id or 0), employment_id)


def _locked(session: Session, whose: sa.ColumnElement[bool], employment_id: int) -> Employment:
    found = session.scalar(
        sa.select(Employment)
        .where(Employment.id == employment_id, whose)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found
