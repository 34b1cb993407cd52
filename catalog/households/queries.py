"""Households as each reader may see them; always inside a region or a helper's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
    PayoutAccount,
    Plot,
)
from catalog.households.rules import Detail, Viewer
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.regions import Level, Region, within
from kernel.text import tidy


@dataclass(frozen=True, slots=True)
class HouseholdRow:
    """One household in a list, for readers who may know its name."""

    id: int
    code: str
    name: str
    village_code: str
    village: str
    group_no: int
    people: int


def _rows() -> sa.Select[int, str, str, str, str, int, int]:
    return sa.select(
        Household.id,
        Household.code,
        Household.name,
        Household.region_code,
        Region.name,
        Household.group_no,
        Household.people,
    ).join(Region, Region.code == Household.region_code)


def _row(found: sa.Row[int, str, str, str, str, int, int]) -> HouseholdRow:
    number, code, name, village_code, village, group_no, people = found
    return HouseholdRow(number, code, name, village_code, short_name(village), group_no, people)


def short_name(village: str) -> str:
    """大山村村民委员会 → 大山村"""
    return village.removesuffix("村民委员会").removesuffix("居民委员会")


def find_households(
    session: Session, text: str, *, prefixes: Sequence[str], limit: int = 10
) -> list[HouseholdRow]:
    """By part of the name, beginning of its pinyin or initials, or code; the exact name first."""
    words = tidy(text)
    if not words:
        return []
    plain = words.lower().replace(" ", "").replace("'", "")
    code = words.upper().replace(" ", "")
    like = _escaped(plain)
    matches = [
        Household.name.like(f"%{_escaped(words)}%", escape="\\"),
        Household.code.like(f"%{_escaped(code)}%", escape="\\"),
    ]
    if plain.isascii():
        matches += [
            Household.pinyin.like(f"{like}%", escape="\\"),
            Household.initials.like(f"{like}%", escape="\\"),
        ]
    found = session.execute(
        _rows()
        .where(within(Household.region_code, list(prefixes)), sa.or_(*matches))
        .order_by(
            sa.case((Household.name == words, 0), (Household.initials == plain, 1), else_=2),
            Household.pinyin,
            Household.id,
        )
        .limit(limit)
    )
    return [_row(each) for each in found]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def households_in(
    session: Session, prefixes: Sequence[str], *, offset: int = 0, limit: int = 50
) -> list[HouseholdRow]:
    """By village, group and name."""
    found = session.execute(
        _rows()
        .where(within(Household.region_code, list(prefixes)))
        .order_by(Household.region_code, Household.group_no, Household.pinyin, Household.id)
        .offset(offset)
        .limit(limit)
    )
    return [_row(each) for each in found]


def households_of_helper(session: Session, user_id: int, *, today: date) -> list[HouseholdRow]:
    """Those this person helps today."""
    found = session.execute(
        _rows()
        .join(HelperAssignment, HelperAssignment.household_id == Household.id)
        .where(
            HelperAssignment.user_id == user_id,
            HelperAssignment.valid_from <= today,
            sa.or_(HelperAssignment.valid_to.is_(None), HelperAssignment.valid_to >= today),
        )
        .order_by(Household.region_code, Household.group_no, Household.pinyin, Household.id)
    )
    return [_row(each) for each in found]


def household_of_user(session: Session, user_id: int) -> HouseholdRow:
    """The household this person signs in for, or Missing."""
    found = session.execute(_rows().where(Household.user_id == user_id)).first()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return _row(found)


def household_in(session: Session, code: str, *, prefixes: Sequence[str]) -> HouseholdRow:
    """The household of that code inside these regions, or Missing."""
    found = session.execute(
        _rows().where(Household.code == code, within(Household.region_code, list(prefixes)))
    ).first()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return _row(found)


@dataclass(frozen=True, slots=True)
class MemberShown:
    name: str
    relation: str
    identity: str
    is_head: bool


@dataclass(frozen=True, slots=True)
class StatusShown:
    lifted: bool
    monitor_type: str
    risk_status: str
    as_of: date
    source: str


@dataclass(frozen=True, slots=True)
class PlotShown:
    place: str
    area_mu_100: int
    crop: str
    year: int


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household as one kind of reader may see it: what is hidden is not in the object."""

    id: int
    code: str
    name: str
    village: str
    group_no: int | None
    people: int
    phone: str
    bank: str
    account: str
    members: tuple[MemberShown, ...]
    status: StatusShown | None
    plots: tuple[PlotShown, ...]


def household_card(
    session: Session, household_id: int, *, viewer: Viewer, year: int
) -> HouseholdCard:
    """Masked by the matrix before it leaves the query. The caller has checked the scope."""
    found = session.execute(
        sa.select(Household, Region.name)
        .join(Region, Region.code == Household.region_code)
        .where(Household.id == household_id)
    ).one_or_none()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    household, village = found
    account = session.scalar(
        sa.select(PayoutAccount).where(
            PayoutAccount.household_id == household_id, PayoutAccount.valid_to.is_(None)
        )
    )
    place, group_no = rules.shown_place(short_name(village), household.group_no, viewer)
    seen = rules.display(Detail.ACCOUNT, viewer) is not rules.Display.NEVER
    return HouseholdCard(
        id=household.id,
        code=rules.shown(Detail.CODE, household.code, viewer),
        name=rules.shown(Detail.NAME, household.name, viewer),
        village=place,
        group_no=group_no,
        people=household.people,
        phone=rules.shown(Detail.PHONE, household.phone, viewer),
        bank=account.bank if account and seen else "",
        account=rules.shown(Detail.ACCOUNT, account.last4, viewer) if account else "",
        members=_members(session, household_id, viewer),
        status=_status(session, household_id, viewer),
        plots=_plots(session, household_id, year),
    )


def _members(session: Session, household_id: int, viewer: Viewer) -> tuple[MemberShown, ...]:
    return tuple(
        MemberShown(
            name=rules.shown(Detail.NAME, member.name, viewer),
            relation=member.relation,
            identity=rules.shown(Detail.IDENTITY, member.identity, viewer),
            is_head=member.is_head,
        )
        for member in session.scalars(
            sa.select(HouseholdMember)
            .where(HouseholdMember.household_id == household_id)
            .order_by(HouseholdMember.is_head.desc(), HouseholdMember.id)
        )
    )


def _status(session: Session, household_id: int, viewer: Viewer) -> StatusShown | None:
    if rules.display(Detail.STATUS, viewer) is not rules.Display.FULL:
        return None
    found = session.scalar(
        sa.select(HouseholdStatus)
        .where(HouseholdStatus.household_id == household_id)
        .order_by(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc())
        .limit(1)
    )
    if found is None:
        return None
    return StatusShown(
        found.lifted, found.monitor_type.value, found.risk_status.value, found.as_of, found.source
    )


def _plots(session: Session, household_id: int, year: int) -> tuple[PlotShown, ...]:
    return tuple(
        PlotShown(plot.place, plot.area_mu_100, plot.crop, plot.year)
        for plot in session.scalars(
            sa.select(Plot)
            .where(Plot.household_id == household_id, Plot.year == year)
            .order_by(Plot.id)
        )
    )


def plot_area(session: Session, household_id: int, *, crop: str, year: int) -> int:
    """Hundredths of a mu this household grows of a crop that year."""
    return (
        session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(Plot.area_mu_100), 0)).where(
                Plot.household_id == household_id, Plot.crop == crop, Plot.year == year
            )
        )
        or 0
    )


def plot_areas(session: Session, household_id: int, *, year: int) -> dict[str, int]:
    """Crop (a product's code) → hundredths of a mu of it that year."""
    rows = session.execute(
        sa.select(Plot.crop, sum_whole(Plot.area_mu_100))
        .where(Plot.household_id == household_id, Plot.year == year)
        .group_by(Plot.crop)
    )
    return {crop: int(area) for crop, area in rows}


def villages(session: Session, township_code: str) -> list[Region]:
    """The villages and communities of a township that are still valid, by code."""
    return list(
        session.scalars(
            sa.select(Region)
            .where(
                Region.parent_code == township_code,
                Region.level == Level.VILLAGE,
                Region.successor_code.is_(None),
            )
            .order_by(Region.code)
        )
    )


def count_by_village(session: Session, prefixes: Sequence[str]) -> dict[str, int]:
    """Village code → households. For the public, `shown_count` of it."""
    counts = session.execute(
        sa.select(Household.region_code, sa.func.count())
        .where(within(Household.region_code, list(prefixes)))
        .group_by(Household.region_code)
        .order_by(Household.region_code)
    )
    return {code: count for code, count in counts}  # noqa: C416  rows are not pairs to mypy


def latest_statuses(session: Session, household_ids: Sequence[int]) -> dict[int, HouseholdStatus]:
    """The newest imported status of each of these households."""
    newest = (
        sa.select(
            HouseholdStatus.id,
            sa.func.row_number()
            .over(
                partition_by=HouseholdStatus.household_id,
                order_by=(HouseholdStatus.as_of.desc(), HouseholdStatus.id.desc()),
            )
            .label("place"),
        )
        .where(HouseholdStatus.household_id.in_(household_ids))
        .subquery()
    )
    return {
        status.household_id: status
        for status in session.scalars(
            sa.select(HouseholdStatus)
            .join(newest, newest.c.id == HouseholdStatus.id)
            .where(newest.c.place == 1)
        )
    }


@dataclass(frozen=True, slots=True)
class Voice:
    """What a household let us say of it in public: an alias, perhaps a story. Never its name."""

    alias: str
    village: str
    story: str


def consented_voices(session: Session, household_ids: Sequence[int]) -> list[Voice]:
    """Only households that gave an alias and have not taken it back."""
    consents: dict[int, dict[ConsentPurpose, str]] = {}
    places: dict[int, str] = {}
    for household_id, purpose, content, village in session.execute(
        sa.select(Consent.household_id, Consent.purpose, Consent.content, Region.name)
        .join(Household, Household.id == Consent.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(Consent.household_id.in_(household_ids), Consent.withdrawn_on.is_(None))
        .order_by(Consent.household_id, Consent.id)
    ):
        consents.setdefault(household_id, {})[purpose] = content
        places[household_id] = short_name(village)
    return [
        Voice(given[ConsentPurpose.ALIAS], places[key], given.get(ConsentPurpose.STORY, ""))
        for key, given in consents.items()
        if ConsentPurpose.ALIAS in given
    ]
