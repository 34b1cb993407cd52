"""What the sample is made from, read from `shop/demo/data`."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from catalog.products.rules import in_season
from kernel.money import Money, parse_money

FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class VillageRow:
    code: str
    name: str
    registered: int
    people: int
    konjac_registered: int
    others: int
    konjac_others: int
    crops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A budget unit: what it is, what it reserves, and the habits of its people."""

    key: str
    name: str
    short: str
    kind: str
    system: str
    department: str
    canteen: str
    leader: str
    region: str
    reserved: Money
    reserved_before: Money
    ratio_bp: int
    diners: int
    pace: int
    pace_before: int
    grids: int
    paying: str
    reviewing: str
    story: str
    sensitive: bool


@cache
def villages() -> tuple[VillageRow, ...]:
    return tuple(
        VillageRow(
            code=row["code"],
            name=row["name"],
            registered=int(row["registered"]),
            people=int(row["people"]),
            konjac_registered=int(row["konjac_registered"]),
            others=int(row["others"]),
            konjac_others=int(row["konjac_others"]),
            crops=tuple(row["crops"].split()),
        )
        for row in _rows("villages.csv")
    )


@cache
def units() -> tuple[UnitRow, ...]:
    whole = ("ratio_bp", "diners", "pace", "pace_before", "grids")
    money = ("reserved", "reserved_before")
    found = []
    for row in _rows("units.csv"):
        values: dict[str, Any] = dict(row)
        values |= {name: int(row[name]) for name in whole}
        values |= {name: parse_money(row[name]) for name in money}
        values["sensitive"] = row["sensitive"] == "yes"
        found.append(UnitRow(**values))
    return tuple(found)


def bodies() -> list[dict[str, str]]:
    """Departments and offices that run no canteen here."""
    return _rows("bodies.csv")


def suppliers() -> list[dict[str, str]]:
    return _rows("suppliers.csv")


@cache
def words() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))


@cache
def _goods() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "products.toml").read_text(encoding="utf-8"))


def categories() -> list[dict[str, str]]:
    found: list[dict[str, str]] = _goods()["category"]
    return found


@cache
def products() -> dict[str, dict[str, Any]]:
    """By code, in the order of the file."""
    return {row["code"]: row for row in _goods()["product"]}


@dataclass(frozen=True, slots=True)
class PackRow:
    """One way of buying; `key` is the product's code and the position of the pack."""

    product: str
    position: int
    shelf: str
    grade: str
    grams: int
    price: Money

    @property
    def supplier(self) -> str:
        return str(products()[self.product]["supplier"])


@cache
def packs(shelf: str) -> tuple[PackRow, ...]:
    return tuple(
        PackRow(
            code, position, pack["shelf"], pack["grade"], pack["grams"], parse_money(pack["price"])
        )
        for code, row in products().items()
        for position, pack in enumerate(row.get("pack", []))
        if pack["shelf"] == shelf
    )


def to_be_had(code: str, day: Any) -> bool:
    """Whether the product is being harvested, or lies in store, at that time of the year."""
    row = products()[code]
    return in_season([*row["harvest"], *row["stored"]], day)


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
