"""The register: many households as one reader may see them, found, filtered, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.households import rules
from catalog.households.models import (
    HelperAssignment,
    Household,
    HouseholdMember,
    HouseholdStatus,
    MonitorType,
    PayoutAccount,
    Plot,
)
from catalog.households.queries.finding import escaped, matches, short_name
from catalog.households.queries.whose import Listing, Wanted, Whose, holds, listings_for
from catalog.households.rules import Detail, Display
from kernel.crypto import keyed_hash
from kernel.db import sum_whole
from kernel.people import User
from kernel.regions import Region
from kernel.text import plain_number, tidy


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """One household of the list; what its reader may not know is empty."""

    id: int
    code: str
    name: str
    village_code: str
    village: str
    group_no: int | None
    people: int
    phone: str
    helper: str
    lifted: bool
    monitor_type: MonitorType
    area_mu_100: int
    has_account: bool
    own: bool


@dataclass(frozen=True, slots=True)
class RegisterPage:
    rows: list[RegisterRow]
    households: int
    people: int


def register(
    session: Session,
    whose: Whose,
    wanted: Wanted,
    *,
    today: date,
    offset: int = 0,
    limit: int = 50,
) -> RegisterPage:
    """One page by village, group and name, and how many there are in all: two statements."""
    chosen = _chosen(whose, wanted, today)
    count, people = session.execute(
        sa.select(sa.func.count(Household.id), sum_whole(Household.people))
        .join(Region, Region.code == Household.region_code)
        .where(*chosen)
    ).one()
    named = rules.display(Detail.NAME, whose.viewer) is Display.FULL
    order = (Household.group_no, Household.pinyin) if named else (Household.code,)
    found = session.execute(
        _columns(whose, today)
        .where(*chosen)
        .order_by(Household.region_code, *order, Household.id)
        .offset(offset)
        .limit(limit)
    )
    return RegisterPage([_row(whose, row) for row in found], int(count), int(people))


def _columns(whose: Whose, today: date) -> sa.Select[*tuple[Any, ...]]:
    helping, helper, status = aliased(HelperAssignment), aliased(User), aliased(HouseholdStatus)
    latest = (
        sa.select(HouseholdStatus.id)
        .where(HouseholdStatus.household_id == Household.id)
        .order_by(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc())
        .limit(1)
        .correlate(Household)
        .scalar_subquery()
    )
    area = (
        sa.select(sum_whole(Plot.area_mu_100))
        .where(
            Plot.household_id == Household.id, Plot.year == today.year, Plot.retired_on.is_(None)
        )
        .correlate(Household)
        .scalar_subquery()
    )
    return (
        sa.select(
            Household.id,
            Household.code,
            Household.name,
            Household.region_code,
            Region.name,
            Household.group_no,
            Household.people,
            Household.phone,
            helper.name,
            status.lifted,
            status.monitor_type,
            area,
            _has_account(),
            whose.is_own(),
        )
        .join(Region, Region.code == Household.region_code)
        .outerjoin(helping, sa.and_(helping.household_id == Household.id, holds(helping, today)))
        .outerjoin(helper, helper.id == helping.user_id)
        .outerjoin(status, status.id == latest)
    )


def _has_account() -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(PayoutAccount.household_id == Household.id, PayoutAccount.valid_to.is_(None))
        .correlate(Household)
    )


def _row(whose: Whose, row: sa.Row[*tuple[Any, ...]]) -> RegisterRow:
    (key, code, name, village_code, village, group_no, people, phone, helper, lifted, monitor,
     area, has_account, own) = row  # fmt: skip
    viewer = whose.viewer_of(bool(own))
    place, group = rules.shown_place(short_name(village), group_no, viewer)
    status = rules.display(Detail.STATUS, viewer) is Display.FULL
    account = rules.display(Detail.ACCOUNT, viewer) is not Display.NEVER
    return RegisterRow(
        id=key,
        code=rules.shown(Detail.CODE, code, viewer),
        name=rules.shown(Detail.NAME, name, viewer),
        village_code=village_code,
        village=place,
        group_no=group,
        people=people,
        phone=rules.shown(Detail.PHONE, phone, viewer),
        helper=(helper or "") if status else "",
        lifted=bool(lifted) if status else False,
        monitor_type=(monitor or MonitorType.NONE) if status else MonitorType.NONE,
        area_mu_100=int(area or 0),
        has_account=bool(has_account) if account else False,
        own=bool(own),
    )


def _chosen(whose: Whose, wanted: Wanted, today: date) -> list[sa.ColumnElement[bool]]:
    chosen = [whose.reached(today)]
    if wanted.village:
        chosen.append(Household.region_code == wanted.village)
    if words := tidy(wanted.text):
        chosen.append(_found(whose, words))
    if wanted.listing in listings_for(whose):
        chosen += _listed(whose, wanted.listing, today)
    return chosen


def _found(whose: Whose, words: str) -> sa.ColumnElement[bool]:
    """SQL: the words find the household, as far as this reader may find it by them."""
    code = words.upper().replace(" ", "")
    found = [
        Household.code.like(f"%{escaped(code)}%", escape="\\"),
        Region.name.like(f"%{escaped(words)}%", escape="\\"),
        Household.name == words,
    ]
    if rules.finds_by_part(whose.viewer):
        found.append(sa.and_(whose.is_own(), matches(words)))
    number = plain_number(words).replace("-", "").upper()
    seen = rules.display(Detail.IDENTITY, whose.viewer) is not Display.NEVER
    if seen and re.fullmatch(r"\d{17}[\dX]", number):
        found.append(
            Household.id.in_(
                sa.select(HouseholdMember.household_id).where(
                    HouseholdMember.identity_hash == keyed_hash(number),
                    HouseholdMember.left_on.is_(None),
                )
            )
        )
    if seen and re.fullmatch(r"\d{11}", number):
        found.append(Household.phone_hash == keyed_hash(number))
    return sa.or_(*found)


def _listed(whose: Whose, listing: Listing, today: date) -> list[sa.ColumnElement[bool]]:
    if listing is Listing.OWN:
        return [whose.is_own()]
    if listing is Listing.NO_HELPER:
        helped = sa.exists().where(
            HelperAssignment.household_id == Household.id, holds(HelperAssignment, today)
        )
        return [~helped]
    if listing is Listing.NO_ACCOUNT:
        return [~_has_account()]
    if listing is Listing.NO_FIELDS:
        tilled = sa.exists().where(
            Plot.household_id == Household.id, Plot.year == today.year, Plot.retired_on.is_(None)
        )
        return [~tilled]
    if listing in (Listing.LIFTED, Listing.MONITORED):
        later = aliased(HouseholdStatus)
        newest = ~sa.exists().where(
            later.household_id == HouseholdStatus.household_id,
            sa.or_(
                later.as_of > HouseholdStatus.as_of,
                sa.and_(later.as_of == HouseholdStatus.as_of, later.id > HouseholdStatus.id),
            ),
        )
        what = (
            HouseholdStatus.lifted
            if listing is Listing.LIFTED
            else HouseholdStatus.monitor_type != MonitorType.NONE
        )
        return [Household.id.in_(sa.select(HouseholdStatus.household_id).where(newest, what))]
    return []
