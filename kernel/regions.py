"""统计用区划代码: 12 digits, and the code that followed a renaming (domain.md §6.1)."""

from __future__ import annotations

import csv
import enum
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from kernel.db import Model

SOURCE = Path(__file__).parent.parent / "data" / "regions.csv"


class Level(enum.Enum):
    PROVINCE = "province"
    PREFECTURE = "prefecture"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


# Significant digits of a level; the rest of the twelve are zeros.
DIGITS = {
    Level.PROVINCE: 2,
    Level.PREFECTURE: 4,
    Level.COUNTY: 6,
    Level.TOWNSHIP: 9,
    Level.VILLAGE: 12,
}


class Region(Model):
    """A place of the country. Old codes stay, and point to their successor."""

    __tablename__ = "regions"
    __audited__ = False

    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60), index=True)
    level: Mapped[Level]
    parent_code: Mapped[str | None] = mapped_column(sa.String(12), index=True)
    successor_code: Mapped[str | None] = mapped_column(sa.String(12))

    @property
    def short_name(self) -> str:
        """大山村村民委员会 → 大山村; 水市社区居民委员会 → 水市社区"""
        return self.name.removesuffix("村民委员会").removesuffix("居民委员会")


def prefix(code: str) -> str:
    """The significant digits of a code: everything inside the region begins with them."""
    stripped = code.rstrip("0")
    for digits in sorted(DIGITS.values()):
        if len(stripped) <= digits:
            return code[:digits]
    return code


def prefixes(session: Session, code: str) -> list[str]:
    """Prefixes that roll up to this region: its own and those of the codes it succeeded (G30)."""
    older = session.scalars(
        sa.select(Region.code).where(Region.successor_code == code).order_by(Region.code)
    )
    return [prefix(code), *(prefix(each) for each in older)]


def within(column: sa.ColumnElement[str] | Mapped[str], found: list[str]) -> sa.ColumnElement[bool]:
    """SQL: the column's code lies in one of these prefixes."""
    return sa.or_(*(sa.and_(column >= each, column < each + "~") for each in found))


class County(NamedTuple):
    """With the names of what it lies in."""

    code: str
    name: str
    prefecture: str
    province: str


_counties: WeakKeyDictionary[object, Sequence[County]] = WeakKeyDictionary()


def counties(session: Session) -> Sequence[County]:
    """Every county of today, in code order.

    Asked once in a process's life: regions come with a new version, which begins new processes.
    """
    bind = session.get_bind()
    if bind not in _counties:
        prefecture, province = aliased(Region), aliased(Region)
        rows = session.execute(
            sa.select(Region.code, Region.name, prefecture.name, province.name)
            .join(prefecture, prefecture.code == Region.parent_code)
            .join(province, province.code == prefecture.parent_code)
            .where(Region.level == Level.COUNTY, Region.successor_code.is_(None))
            .order_by(Region.code)
        )
        _counties[bind] = [County(*row) for row in rows]
    return _counties[bind]


def load_regions(session: Session, path: Path = SOURCE) -> int:
    """Every region of the file is in the table; returns how many rows were new. Repeatable."""
    known = set(session.scalars(sa.select(Region.code)))
    with path.open(encoding="utf-8", newline="") as file:
        fresh = [
            {
                "code": row["code"],
                "name": row["name"],
                "level": Level(row["level"]),
                "parent_code": row["parent_code"] or None,
                "successor_code": row["successor_code"] or None,
            }
            for row in csv.DictReader(file)
            if row["code"] not in known
        ]
    if fresh:
        session.execute(sa.insert(Region), fresh)
    return len(fresh)
