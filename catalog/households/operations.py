"""Households come into the books, change, and say what may be shown of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import (
    Consent,
    ConsentPurpose,
    HelperAssignment,
    Household,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    Plot,
    RiskStatus,
    Sex,
)
from kernel import audit
from kernel.actors import Actor
from kernel.codes import identity_problem, new_code
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.regions import Region
from kernel.text import initials, pinyin, plain_number, tidy


def register_household(
    session: Session,
    *,
    name: str,
    region_code: str,
    group_no: int,
    people: int,
    phone: str | None = None,
    by: Actor,
    now: datetime,
) -> Household:
    """A household with a random code, in a village that exists."""
    name = tidy(name)
    _check_household(session, name=name, region_code=region_code, people=people)
    household = Household(
        code=_free_code(session),
        region_code=region_code,
        group_no=group_no,
        name=name,
        pinyin=pinyin(name),
        initials=initials(name)[:20],
        people=people,
        phone=phone or None,
        phone_hash=keyed_hash(phone) if phone else None,
        **stamp(by, now),
    )
    session.add(household)
    session.flush()  # so that the caller can speak of household.id
    audit.note(session, "register_household", f"household:{household.id}", by=by, now=now)
    return household


def _check_household(session: Session, *, name: str, region_code: str, people: int) -> None:
    errors: dict[str, Text] = {}
    if not name:
        errors["name"] = Text("Enter the name of the head of the household.")
    if people < 1:
        errors["people"] = Text("A household has at least one person.")
    if session.scalar(sa.select(Region.id).where(Region.code == region_code)) is None:
        errors["region_code"] = Text(
            "There is no village with the code %(code)s.", code=region_code
        )
    if errors:
        raise Invalid(errors)


def correct_household(
    session: Session,
    household_id: int,
    *,
    name: str,
    region_code: str,
    group_no: int,
    people: int,
    phone: str | None,
    by: Actor,
    now: datetime,
) -> Household:
    """What is said of a household was wrong or is no longer so. The same again changes nothing."""
    household = get_or_missing(session, Household, household_id, lock=True)
    name = tidy(name)
    _check_household(session, name=name, region_code=region_code, people=people)
    household.name, household.pinyin = name, pinyin(name)
    household.initials = initials(name)[:20]
    household.region_code, household.group_no = region_code, group_no
    household.people = people
    if household.phone != (phone or None):
        household.phone = phone or None
        household.phone_hash = keyed_hash(phone) if phone else None
    audit.note(session, "correct_household", f"household:{household.id}", by=by, now=now)
    return household


def _free_code(session: Session) -> str:
    while True:
        code = f"H-{new_code(4)}-{new_code(2)}"
        if session.scalar(sa.select(Household.id).where(Household.code == code)) is None:
            return code


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
    _check_identity(session, number, sex, business_day(now))
    if is_head and _head_of(session, household.id) is not None:
        raise Refusal("This household has a head already.")
    member = HouseholdMember(
        household_id=household.id,
        name=tidy(name),
        relation=relation,
        sex=sex,
        identity=number,
        identity_hash=keyed_hash(number) if number else None,
        is_head=is_head,
        can_work=can_work,
        **stamp(by, now),
    )
    session.add(member)
    session.flush()  # the unique identity number is checked here and now
    audit.note(session, "add_member", f"household:{household.id}", by=by, now=now, member=member.id)
    return member


def _check_identity(session: Session, number: str | None, sex: Sex, today: date) -> None:
    if number is None:
        return
    if problem := identity_problem(number, today=today, sex=sex.value):
        raise Invalid({"identity": problem})
    taken = sa.select(HouseholdMember.id).where(HouseholdMember.identity_hash == keyed_hash(number))
    if session.scalar(taken) is not None:
        raise Invalid({"identity": Text("This identity number is registered already.")})


def _head_of(session: Session, household_id: int) -> int | None:
    return session.scalar(
        sa.select(HouseholdMember.id).where(
            HouseholdMember.household_id == household_id, HouseholdMember.is_head
        )
    )


def open_payout_account(
    session: Session,
    household_id: int,
    *,
    holder: str,
    bank: str,
    number: str,
    proof: str,
    by: Actor,
    now: datetime,
) -> PayoutAccount:
    """Where the household is paid from now on; the account before it closes (domain.md §4.5).

    The same account again changes nothing.
    """
    household = get_or_missing(session, Household, household_id, lock=True)
    number = plain_number(number)
    holder, proof = tidy(holder), tidy(proof)
    _check_account(session, household, holder, number, proof)
    today = business_day(now)
    current = session.scalar(
        sa.select(PayoutAccount).where(
            PayoutAccount.household_id == household.id, PayoutAccount.valid_to.is_(None)
        )
    )
    if current is not None:
        if (current.number_hash, current.holder) == (keyed_hash(number), holder):
            return current
        if not proof:
            raise Invalid({"proof": Text("Name the paper that proves the new account.")})
        current.valid_to = today
    account = PayoutAccount(
        household_id=household.id,
        holder=holder,
        bank=tidy(bank),
        number=number,
        number_hash=keyed_hash(number),
        last4=number[-4:],
        valid_from=today,
        proof=proof,
        **stamp(by, now),
    )
    session.add(account)
    session.flush()  # so that the caller can point to account.id
    audit.note(
        session,
        "open_payout_account",
        f"household:{household.id}",
        by=by,
        now=now,
        last4=account.last4,
    )
    return account


def _check_account(
    session: Session, household: Household, holder: str, number: str, proof: str
) -> None:
    errors: dict[str, Text] = {}
    if not (number.isdigit() and 8 <= len(number) <= 30):
        errors["number"] = Text("An account number has 8 to 30 digits.")
    members = session.scalars(
        sa.select(HouseholdMember.name).where(HouseholdMember.household_id == household.id)
    )
    if rules.needs_mandate(holder, [household.name, *members]) and not proof:
        errors["proof"] = Text(
            "%(holder)s does not belong to this household: name the written mandate.", holder=holder
        )
    if errors:
        raise Invalid(errors)


def record_status(
    session: Session,
    household_id: int,
    *,
    lifted: bool,
    monitor_type: MonitorType,
    risk_status: RiskStatus,
    as_of: date,
    source: str,
    by: Actor,
    now: datetime,
) -> HouseholdStatus:
    """The official status as somebody else decided it, with source and date. Never ours (§5.4).

    The same status of the same day and source again changes nothing.
    """
    household = get_or_missing(session, Household, household_id)
    if monitor_type is MonitorType.UNSTABLE and not lifted:
        raise Invalid(
            {"monitor_type": Text("Only a household once lifted out of poverty can be unstable.")}
        )
    if monitor_type is MonitorType.MARGINAL and lifted:
        raise Invalid(
            {"monitor_type": Text("A household once lifted out of poverty is never marginal.")}
        )
    known = session.scalar(
        sa.select(HouseholdStatus).where(
            HouseholdStatus.household_id == household.id,
            HouseholdStatus.as_of == as_of,
            HouseholdStatus.source == source,
        )
    )
    if known is not None:
        if (known.lifted, known.monitor_type, known.risk_status) == (
            lifted,
            monitor_type,
            risk_status,
        ):
            return known
        raise Refusal("%(source)s already gave another status for that day.", source=source)
    status = HouseholdStatus(
        household_id=household.id,
        lifted=lifted,
        monitor_type=monitor_type,
        risk_status=risk_status,
        as_of=as_of,
        source=source,
        **stamp(by, now),
    )
    session.add(status)
    audit.note(session, "record_status", f"household:{household.id}", by=by, now=now)
    return status


def add_plot(
    session: Session,
    household_id: int,
    *,
    place: str,
    area_mu_100: int,
    crop: str,
    year: int,
    by: Actor,
    now: datetime,
) -> Plot:
    """A field and what grows on it this year; `crop` is a product's code."""
    household = get_or_missing(session, Household, household_id)
    if area_mu_100 <= 0:
        raise Invalid({"area": Text("Enter an area above zero.")})
    plot = Plot(
        household_id=household.id,
        place=tidy(place),
        area_mu_100=area_mu_100,
        crop=crop,
        year=year,
        **stamp(by, now),
    )
    session.add(plot)
    audit.note(
        session, "add_plot", f"household:{household.id}", by=by, now=now, crop=crop, year=year
    )
    return plot


def give_consent(
    session: Session,
    household_id: int,
    *,
    purpose: ConsentPurpose,
    content: str,
    given_on: date,
    by: Actor,
    now: datetime,
) -> Consent:
    """What may be shown in public from now on; an earlier consent of that purpose ends."""
    household = get_or_missing(session, Household, household_id, lock=True)
    for earlier in session.scalars(
        sa.select(Consent).where(
            Consent.household_id == household.id,
            Consent.purpose == purpose,
            Consent.withdrawn_on.is_(None),
        )
    ):
        if (earlier.content, earlier.given_on) == (content, given_on):
            return earlier
        earlier.withdrawn_on = given_on
    consent = Consent(
        household_id=household.id,
        purpose=purpose,
        content=content,
        given_on=given_on,
        **stamp(by, now),
    )
    session.add(consent)
    session.flush()  # so that it can be withdrawn by its id
    audit.note(
        session, "give_consent", f"household:{household.id}", by=by, now=now, purpose=purpose
    )
    return consent


def withdraw_consent(session: Session, consent_id: int, *, by: Actor, now: datetime) -> None:
    """It disappears from every public page at once. Taking it back twice changes nothing."""
    consent = get_or_missing(session, Consent, consent_id, lock=True)
    if consent.withdrawn_on is None:
        consent.withdrawn_on = business_day(now)
    audit.note(session, "withdraw_consent", f"household:{consent.household_id}", by=by, now=now)


def assign_helper(
    session: Session,
    household_id: int,
    user_id: int,
    *,
    valid_from: date,
    by: Actor,
    now: datetime,
) -> HelperAssignment:
    """This person helps the household from that day; who did before stays in the history (§5.4)."""
    household = get_or_missing(session, Household, household_id, lock=True)
    current = session.scalar(
        sa.select(HelperAssignment).where(
            HelperAssignment.household_id == household.id, HelperAssignment.valid_to.is_(None)
        )
    )
    if current is not None:
        if current.user_id == user_id:
            return current
        if valid_from <= current.valid_from:
            raise Refusal(
                "The present helper began on %(day)s; choose a later day.", day=current.valid_from
            )
        current.valid_to = valid_from - timedelta(days=1)
    assignment = HelperAssignment(
        household_id=household.id, user_id=user_id, valid_from=valid_from, **stamp(by, now)
    )
    session.add(assignment)
    audit.note(session, "assign_helper", f"household:{household.id}", by=by, now=now, user=user_id)
    return assignment


def give_account(
    session: Session, household_id: int, user_id: int, *, by: Actor, now: datetime
) -> None:
    """This person signs in as the household and reads its passbook."""
    household = get_or_missing(session, Household, household_id, lock=True)
    household.user_id = user_id
    audit.note(session, "give_account", f"household:{household.id}", by=by, now=now, user=user_id)


def reveal(
    session: Session,
    household_id: int,
    detail: rules.Detail,
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> str:
    """A masked detail in clear, for a reason that stays in the audit trail (domain.md §5.5)."""
    household = get_or_missing(session, Household, household_id)
    viewer = rules.viewer_of(by.role)
    if not rules.may_reveal(detail, viewer):
        raise Forbidden("You may not see this in clear.")
    if not tidy(reason):
        raise Invalid({"reason": Text("Say why you need to see it; the reason is kept.")})
    value = _in_clear(session, household, detail)
    audit.note(
        session,
        "reveal",
        f"household:{household.id}",
        by=by,
        now=now,
        detail=detail,
        reason=tidy(reason),
    )
    return value


def _in_clear(session: Session, household: Household, detail: rules.Detail) -> str:
    if detail is rules.Detail.NAME:
        return household.name
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
