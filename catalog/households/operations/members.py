"""Who belongs to a household: somebody comes, is written down wrongly, leaves."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import Household, HouseholdMember, Sex
from kernel import audit
from kernel.actors import Actor
from kernel.codes import identity_problem
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.regions import Region
from kernel.text import initials, pinyin, plain_number, tidy


def add_member(
    session: Session,
    household_id: int,
    *,
    name: str,
    relation: str,
    sex: Sex,
    identity: str | None,
    is_head: bool = False,
    can_work: bool = True,
    by: Actor,
    now: datetime,
) -> HouseholdMember:
    """One more person of a household; an identity number belongs to one person only."""
    household = get_or_missing(session, Household, household_id, lock=True)
    number = plain_number(identity).upper() if identity else None
    _check(session, name, number, sex, by=by, now=now)
    if is_head and _head_of(session, household.id) is not None:
        raise Refusal("This household has a head already.")
    member = put_member(
        session, household, name=tidy(name), relation=tidy(relation), sex=sex, number=number,
        is_head=is_head, can_work=can_work, by=by, now=now,
    )  # fmt: skip
    audit.note(session, "add_member", f"household:{household.id}", by=by, now=now, member=member.id)
    return member


def put_member(
    session: Session,
    household: Household,
    *,
    name: str,
    relation: str,
    sex: Sex,
    number: str | None,
    is_head: bool,
    can_work: bool,
    by: Actor,
    now: datetime,
) -> HouseholdMember:
    """The row of a member whose facts were checked."""
    member = HouseholdMember(
        household_id=household.id,
        name=name,
        relation=relation,
        sex=sex,
        identity=number,
        identity_hash=keyed_hash(number) if number else None,
        is_head=is_head,
        can_work=can_work,
        **stamp(by, now),
    )
    session.add(member)
    _write(session)
    return member


def _write(session: Session) -> None:
    """The unique identity number is checked here and now: somebody else may have been faster."""
    try:
        session.flush()
    except IntegrityError as clash:
        if "identity" not in str(clash.orig):
            raise
        raise Invalid({"identity": Text("This identity number is registered already.")}) from clash


def correct_member(
    session: Session,
    household_id: int,
    member_id: int,
    *,
    name: str,
    relation: str,
    sex: Sex,
    identity: str | None = None,
    is_head: bool = False,
    can_work: bool = True,
    by: Actor,
    now: datetime,
) -> HouseholdMember:
    """What was written down of somebody is put right; the trail keeps what it was.

    `identity` None leaves the number as it is, an empty text takes it away. A new head takes over
    from the present one, and the household is called after the new one.
    """
    household, member = _present(session, household_id, member_id)
    number = plain_number(identity).upper() if identity else None
    _check(session, name, number, sex, by=by, now=now, but=member.id)
    if identity is None and member.identity:
        _fits(member.identity, sex, business_day(now))
    if member.is_head and not is_head:
        raise Invalid({"is_head": Text("Make somebody else the head; this one then is not.")})
    before = {"relation": member.relation, "head": member.is_head}
    renamed = tidy(name) != member.name
    if is_head and not member.is_head:
        _take_over(session, household)
    member.name, member.relation = tidy(name), tidy(relation)
    member.sex, member.can_work, member.is_head = sex, can_work, is_head
    if identity is not None:
        member.identity = number
        member.identity_hash = keyed_hash(number) if number else None
    if is_head:
        take_name(household, member.name)
    _write(session)
    audit.note(
        session,
        "correct_member",
        f"household:{household.id}",
        by=by,
        now=now,
        member=member.id,
        was=before,
        name="changed" if renamed else "",
        identity="changed" if identity is not None else "",
    )
    return member


def take_name(household: Household, name: str) -> None:
    """The household is called so from now on, and found so."""
    household.name = name
    household.pinyin, household.initials = pinyin(name)[:120], initials(name)[:20]


def leave_household(
    session: Session,
    household_id: int,
    member_id: int,
    *,
    left_on: date,
    why: str,
    by: Actor,
    now: datetime,
) -> HouseholdMember:
    """Somebody married out, moved away or died; the row stays with its day and reason."""
    household, member = _present(session, household_id, member_id)
    errors: dict[str, Text] = {}
    if left_on > business_day(now):
        errors["left_on"] = Text("Choose %(day)s or earlier.", day=business_day(now))
    if not tidy(why):
        errors["why"] = Text("Please fill this in.")
    if member.is_head and _others(session, member):
        errors["left_on"] = Text(
            "%(name)s is the head of the household: make somebody else the head first.",
            name=member.name,
        )
    if errors:
        raise Invalid(errors)
    member.left_on, member.left_why, member.is_head = left_on, tidy(why)[:120], False
    audit.note(
        session, "leave_household", f"household:{household.id}", by=by, now=now, member=member.id
    )
    return member


def _present(
    session: Session, household_id: int, member_id: int
) -> tuple[Household, HouseholdMember]:
    household = get_or_missing(session, Household, household_id, lock=True)
    member = session.get(HouseholdMember, member_id)
    if member is None or member.household_id != household.id or member.left_on is not None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return household, member


def _check(
    session: Session,
    name: str,
    number: str | None,
    sex: Sex,
    *,
    by: Actor,
    now: datetime,
    but: int | None = None,
) -> None:
    errors: dict[str, Text] = {}
    if not tidy(name):
        errors["name"] = Text("Please fill this in.")
    if number is not None:
        problem = check_identity(session, number, sex, today=business_day(now), by=by, but=but)
        if problem is not None:
            errors["identity"] = problem
    if errors:
        raise Invalid(errors)


def _fits(number: str, sex: Sex, today: date) -> None:
    if problem := identity_problem(number, today=today, sex=sex.value):
        raise Invalid({"sex": problem})


def check_identity(
    session: Session, number: str, sex: Sex, *, today: date, by: Actor, but: int | None = None
) -> Text | None:
    """Why this number cannot be entered, or None. Whoever may read codes is told whose it is, as
    far as their own township; nobody learns of people of another place."""
    if problem := identity_problem(number, today=today, sex=sex.value):
        return problem
    found = session.execute(
        sa.select(Household.code, Household.region_code, Region.name)
        .join(HouseholdMember, HouseholdMember.household_id == Household.id)
        .outerjoin(Region, Region.code == Household.region_code)
        .where(
            HouseholdMember.identity_hash == keyed_hash(number),
            HouseholdMember.left_on.is_(None),
            HouseholdMember.id != (but or 0),
        )
    ).first()
    if found is None:
        return None
    code, region_code, village = found
    near = bool(by.region_code) and region_code[:9] == str(by.region_code)[:9]
    code = rules.shown(rules.Detail.CODE, code, rules.viewer_of(by.role))
    if near and code:
        return Text(
            "This identity number is registered already, with household %(code)s in %(village)s. "
            "Open that one, or write down there that this person has left.",
            code=code,
            village=Region(name=village or "").short_name,
        )
    return Text("This identity number is registered already.")


def _take_over(session: Session, household: Household) -> None:
    for head in session.scalars(
        sa.select(HouseholdMember).where(
            HouseholdMember.household_id == household.id, HouseholdMember.is_head
        )
    ):
        head.is_head = False
        if head.relation == "户主":
            head.relation = "家人"


def _others(session: Session, member: HouseholdMember) -> bool:
    others = sa.select(HouseholdMember.id).where(
        HouseholdMember.household_id == member.household_id,
        HouseholdMember.id != member.id,
        HouseholdMember.left_on.is_(None),
    )
    return session.scalar(others.limit(1)) is not None


def _head_of(session: Session, household_id: int) -> int | None:
    return session.scalar(
        sa.select(HouseholdMember.id).where(
            HouseholdMember.household_id == household_id, HouseholdMember.is_head
        )
    )
