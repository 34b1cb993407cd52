"""A masked detail is read in clear: for a reason that stays, and not unnoticed when it is many."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import Household, HouseholdMember, PayoutAccount, Reveal
from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Missing, Text
from kernel.mail import send_later
from kernel.people import Membership, User
from kernel.periods import business_day, day_end, day_start
from kernel.speech import say_in
from kernel.text import tidy

REVEALS_AT = "/audit/reveals"


def reveal(
    session: Session,
    household_id: int,
    detail: rules.Detail,
    *,
    reason: str,
    member_id: int | None = None,
    by: Actor,
    now: datetime,
) -> str:
    """A masked detail in clear, for a reason that stays in the audit trail (domain.md §5.5).

    The name and number of the head, or of the given member; a child's name stays masked for whom
    it is. Reading many in a day is told to the auditors by mail.
    """
    household = get_or_missing(session, Household, household_id)
    viewer = rules.viewer_of(by.role)
    member = _member(session, household, member_id)
    asked = _asked(detail, member, now)
    if not rules.may_reveal(asked, viewer):
        raise Forbidden("You may not see this in clear.")
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why you need to see it; the reason is kept.")})
    value = _in_clear(session, household, detail, member)
    session.add(
        Reveal(
            household_id=household.id,
            member_id=member.id if member else None,
            detail=detail.value,
            reason=tidy(reason)[:200],
            role=by.role,
            organisation_id=by.organisation_id,
            **stamp(by, now),
        )
    )
    audit.note(
        session,
        "reveal",
        f"household:{household.id}",
        by=by,
        now=now,
        detail=detail,
        reason=tidy(reason)[:200],
    )
    _warn_of_many(session, by, now)
    return value


def _member(
    session: Session, household: Household, member_id: int | None
) -> HouseholdMember | None:
    if member_id is None:
        return None
    member = session.get(HouseholdMember, member_id)
    if member is None or member.household_id != household.id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return member


def _asked(detail: rules.Detail, member: HouseholdMember | None, now: datetime) -> rules.Detail:
    """Who asks for the name of a child asks for a child's name."""
    if detail is not rules.Detail.NAME or member is None:
        return detail
    return rules.name_of_member(member.is_head, member.identity, business_day(now))


def _in_clear(
    session: Session,
    household: Household,
    detail: rules.Detail,
    member: HouseholdMember | None,
) -> str:
    if detail is rules.Detail.NAME:
        return member.name if member else household.name
    if detail is rules.Detail.IDENTITY and member is not None:
        return member.identity or ""
    if detail is rules.Detail.IDENTITY:
        found = session.scalar(
            sa.select(HouseholdMember.identity).where(
                HouseholdMember.household_id == household.id, HouseholdMember.is_head
            )
        )
    else:
        assert detail is rules.Detail.ACCOUNT, detail
        found = session.scalar(
            sa.select(PayoutAccount.number).where(
                PayoutAccount.household_id == household.id, PayoutAccount.valid_to.is_(None)
            )
        )
    return found or ""


def _warn_of_many(session: Session, by: Actor, now: datetime) -> None:
    """One letter to every auditor, once a day for each person who reads that many in clear."""
    today = business_day(now)
    session.flush()
    count = session.scalar(
        sa.select(sa.func.count())
        .select_from(Reveal)
        .where(
            Reveal.made_by_id == by.user_id,
            Reveal.made_at >= day_start(today),
            Reveal.made_at < day_end(today),
        )
    )
    if not count or count < rules.MANY_REVEALS or by.user_id is None:
        return
    reader = session.scalar(sa.select(User.name).where(User.id == by.user_id))
    subject = Text("Many details of households were read in clear")
    body = Text(
        "%(name)s read %(count)s details in clear on %(day)s. Who, what and why: %(address)s",
        name=reader or "",
        count=count,
        day=today,
        address=REVEALS_AT,
    )
    for auditor_id, email, locale in session.execute(_auditors(today)):
        send_later(
            session,
            to=email,
            subject=say_in(subject, locale),
            body=say_in(body, locale),
            now=now,
            key=f"reveals:{by.user_id}:{today}:{auditor_id}",
        )


def _auditors(today: object) -> sa.Select[int, str, str]:
    return (
        sa.select(User.id, User.email, User.locale)
        .join(Membership, Membership.user_id == User.id)
        .where(
            Membership.role == Role.AUDITOR,
            User.active,
            Membership.valid_from <= today,
            sa.or_(Membership.valid_to.is_(None), Membership.valid_to >= today),
        )
        .distinct()
        .order_by(User.id)
    )
