"""A household comes into the register, and what was entered wrongly is put right."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household, HouseholdMember, Sex
from catalog.households.operations.members import check_identity, put_member, take_name
from kernel import audit
from kernel.actors import Actor
from kernel.codes import mask_name, new_code
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Text
from kernel.periods import business_day
from kernel.regions import Region
from kernel.text import plain_number, tidy

MOST_PEOPLE = 30


def register_household(
    session: Session,
    *,
    name: str,
    region_code: str,
    group_no: int,
    people: int,
    phone: str | None = None,
    sex: Sex | None = None,
    identity: str | None = None,
    namesake_known: bool = True,
    by: Actor,
    now: datetime,
) -> Household:
    """A household with a random code, in a village that exists.

    With `sex` its head is entered as a member too, with `identity` as the number; a number that
    somebody carries already is refused and says where. Without `namesake_known` a household of the
    same name in the same village is refused once, to be looked at.
    """
    name = tidy(name)
    number = plain_number(identity).upper() if identity else None
    errors = _problems(session, name, region_code, people)
    if number is not None and sex is None:
        errors["sex"] = Text("Please choose one.")
    if number is not None and sex is not None and "region_code" not in errors:
        problem = check_identity(session, number, sex, today=business_day(now), by=by)
        errors |= {"identity": problem} if problem else {}
    if not errors and not namesake_known and (twin := _namesake(session, name, region_code)):
        errors["namesake"] = Text(
            "There is a household of this name in this village: %(code)s, group %(n)s. "
            "Tick the box if this is another one.",
            code=twin.code,
            n=twin.group_no,
        )
    if errors:
        raise Invalid(errors)
    household = Household(
        code=_free_code(session),
        region_code=region_code,
        group_no=group_no,
        people=people,
        phone=phone or None,
        phone_hash=keyed_hash(phone) if phone else None,
        organisation_id=by.organisation_id,
        **stamp(by, now),
    )
    take_name(household, name)
    session.add(household)
    session.flush()  # so that the caller can speak of household.id
    if sex is not None:
        put_member(
            session, household, name=name, relation="户主", sex=sex, number=number, is_head=True,
            can_work=True, by=by, now=now,
        )  # fmt: skip
    audit.note(session, "register_household", f"household:{household.id}", by=by, now=now)
    return household


def correct_household(
    session: Session,
    household_id: int,
    *,
    name: str,
    region_code: str,
    group_no: int,
    people: int,
    phone: str | None = None,
    by: Actor,
    now: datetime,
) -> Household:
    """What was entered wrongly, or has changed, is put right; the trail keeps what it was.

    `phone` None leaves the number as it is, an empty text takes it away. A head who carries the
    household's name is renamed with it. The same facts again change nothing.
    """
    household = get_or_missing(session, Household, household_id, lock=True)
    name = tidy(name)
    if errors := _problems(session, name, region_code, people):
        raise Invalid(errors)
    before = _facts(household)
    if name != household.name:
        _rename(session, household, name)
    household.region_code, household.group_no, household.people = region_code, group_no, people
    new_phone = phone is not None and (phone or None) != household.phone
    if new_phone:
        household.phone = phone or None
        household.phone_hash = keyed_hash(phone) if phone else None
    # A name is kept out of the trail, which more people read than may read names.
    changed = {
        f"was_{key}": mask_name(str(old)) if key == "name" else old
        for key, old in before.items()
        if old != _facts(household)[key]
    }
    if changed or new_phone:
        audit.note(
            session, "correct_household", f"household:{household.id}", by=by, now=now,
            phone="changed" if new_phone else "", **changed,
        )  # fmt: skip
    return household


def _facts(household: Household) -> dict[str, object]:
    return {
        "name": household.name,
        "region_code": household.region_code,
        "group_no": household.group_no,
        "people": household.people,
    }


def _rename(session: Session, household: Household, name: str) -> None:
    head = session.scalar(
        sa.select(HouseholdMember).where(
            HouseholdMember.household_id == household.id, HouseholdMember.is_head
        )
    )
    if head is not None and head.name == household.name:
        head.name = name
    take_name(household, name)


def _problems(session: Session, name: str, region_code: str, people: int) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    if not name:
        errors["name"] = Text("Enter the name of the head of the household.")
    elif len(name) > 40:
        errors["name"] = Text("At most %(most)s characters; this has %(n)s.", most=40, n=len(name))
    if people < 1:
        errors["people"] = Text("A household has at least one person.")
    elif people > MOST_PEOPLE:
        errors["people"] = Text(
            "A household has at most %(most)s people; enter each family by itself.",
            most=MOST_PEOPLE,
        )
    if session.scalar(sa.select(Region.id).where(Region.code == region_code)) is None:
        errors["region_code"] = Text(
            "There is no village with the code %(code)s.", code=region_code
        )
    return errors


def _namesake(session: Session, name: str, region_code: str) -> Household | None:
    return session.scalar(
        sa.select(Household)
        .where(Household.region_code == region_code, Household.name == name)
        .order_by(Household.id)
        .limit(1)
    )


def _free_code(session: Session) -> str:
    while True:
        code = f"H-{new_code(4)}-{new_code(2)}"
        if session.scalar(sa.select(Household.id).where(Household.code == code)) is None:
            return code
