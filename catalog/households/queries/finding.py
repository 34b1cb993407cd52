"""Finding households: always inside a region, or a helper's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import HelperAssignment, Household
from kernel.errors import Missing, Text
from kernel.regions import Region, within
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
    found = session.execute(
        _rows()
        .where(within(Household.region_code, list(prefixes)), matches(words))
        .order_by(
            sa.case(
                (Household.name == words, 0), (Household.initials == words.lower(), 1), else_=2
            ),
            Household.pinyin,
            Household.id,
        )
        .limit(limit)
    )
    return [_row(each) for each in found]


def matches(words: str) -> sa.ColumnElement[bool]:
    """SQL: part of the name, beginning of its pinyin or initials, or part of the code."""
    plain = words.lower().replace(" ", "").replace("'", "")
    code = words.upper().replace(" ", "")
    like = escaped(plain)
    found = [
        Household.name.like(f"%{escaped(words)}%", escape="\\"),
        Household.code.like(f"%{escaped(code)}%", escape="\\"),
    ]
    if plain.isascii():
        found += [
            Household.pinyin.like(f"{like}%", escape="\\"),
            Household.initials.like(f"{like}%", escape="\\"),
        ]
    return sa.or_(*found)


def escaped(text: str) -> str:
    """For LIKE with a backslash as the escape character."""
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


def household_row(session: Session, household_id: int) -> HouseholdRow:
    """The household; the caller has checked the scope."""
    found = session.execute(_rows().where(Household.id == household_id)).first()
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
