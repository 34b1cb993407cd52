"""How rows name what is there already: villages, households, products. Never beyond the desk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel.errors import Invalid, Text
from kernel.people import Organisation
from kernel.regions import Level, Region, within
from shop.excel.columns import Desk, Row

Q = TypeVar("Q", bound=sa.Select[Any])

_WITH_GROUP = re.compile(r"(.+?)第?(\d{1,2}|[一二三四五六七八九十]{1,2})[组社]")
_NUMERALS = "零一二三四五六七八九十"


class Villages:
    """Names and codes of the villages that a file speaks of."""

    def __init__(self, session: Session, desk: Desk, texts: Iterable[str]) -> None:
        bare = {split_village(text)[0] for text in texts}
        wide = {each for name in bare for each in
                (name, f"{name}村民委员会", f"{name}居民委员会", f"{name}社区居民委员会",
                 f"{name.removesuffix('村')}村村民委员会")}  # fmt: skip
        query = sa.select(Region.code, Region.name).where(
            Region.level == Level.VILLAGE,
            Region.successor_code.is_(None),
            sa.or_(Region.name.in_(wide), Region.code.in_(wide)),
        )
        if desk.prefixes:
            query = query.where(within(Region.code, list(desk.prefixes)))
        self._codes: dict[str, set[str]] = defaultdict(set)
        self.names: dict[str, str] = {}
        for code, name in session.execute(query.order_by(Region.code)):
            self.names[code] = short_name(name)
            for word in (code, name, short_name(name), short_name(name).removesuffix("村")):
                self._codes[word].add(code)

    def code_of(self, text: str) -> str:
        """Raises Invalid (`village`)."""
        name = split_village(text)[0]
        found = self._codes.get(name, set())
        if not found:
            raise Invalid({"village": Text("There is no village %(name)s here.", name=name)})
        if len(found) > 1:
            raise Invalid(
                {"village": Text("There are several villages %(name)s; write the code.", name=name)}
            )
        return next(iter(found))


def split_village(text: str) -> tuple[str, int | None]:
    """`大山村3组` → ("大山村", 3)"""
    text = text.replace(" ", "")
    found = _WITH_GROUP.fullmatch(text)
    if not found:
        return text, None
    return found[1], _number(found[2])


def _number(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text.startswith("十"):
        return 10 + (_NUMERALS.index(text[1]) if len(text) > 1 else 0)
    if text.endswith("十"):
        return _NUMERALS.index(text[0]) * 10
    return _NUMERALS.index(text[0])


@dataclass(frozen=True, slots=True)
class Named:
    """A household as rows find it."""

    id: int
    code: str
    region_code: str
    group_no: int
    name: str


class Households:
    """The households that a file may mean, by code or by village, group and name."""

    def __init__(self, session: Session, desk: Desk, rows: Iterable[Row]) -> None:
        rows = list(rows)
        self.villages = Villages(
            session, desk, {row.values["village"] for row in rows if "village" in row.values}
        )
        codes = {row.values["code"] for row in rows if "code" in row.values}
        names = {row.values["name"] for row in rows if "name" in row.values}
        query = sa.select(
            Household.id, Household.code, Household.region_code, Household.group_no, Household.name
        ).where(sa.or_(Household.code.in_(codes), Household.name.in_(names)))
        if desk.prefixes:
            query = query.where(within(Household.region_code, list(desk.prefixes)))
        self._by_code: dict[str, Named] = {}
        self._by_name: dict[str, list[Named]] = defaultdict(list)
        for found in session.execute(query.order_by(Household.id)):
            self.learn(Named(*found))

    def learn(self, household: Named) -> None:
        self._by_code[household.code] = household
        self._by_name[household.name].append(household)

    def all(self) -> list[Named]:
        return list(self._by_code.values())

    def place_of(self, row: Row) -> tuple[str | None, int | None]:
        """(village code, group) as far as the row says them."""
        text = row.get("village")
        if text is None:
            return None, row.get("group")
        inside = split_village(text)[1]
        group = row.get("group")
        if group is not None and inside is not None and group != inside:
            raise Invalid({"group": Text("The village says group %(n)s.", n=inside)})
        return self.villages.code_of(text), group if group is not None else inside

    def find(self, row: Row) -> Named | None:
        """The one household that the row means; None if there is none. A code must exist."""
        if "code" in row.values:
            found = self._by_code.get(row.values["code"])
            if found is None:
                raise Invalid(
                    {"code": Text("There is no household %(code)s here.", code=row.values["code"])}
                )
            return found
        village, group = self.place_of(row)
        alike = [
            each
            for each in self._by_name.get(row.get("name") or "", ())
            if village in (None, each.region_code) and group in (None, each.group_no)
        ]
        if len(alike) > 1:
            raise Invalid(
                {
                    "name": Text(
                        "There are %(n)s households of this name here; write the household's code.",
                        n=len(alike),
                    )
                }
            )
        return alike[0] if alike else None


def of_desk(desk: Desk, query: Q) -> Q:
    """Of a query that names products those of this supplier, or of the suppliers in these
    regions."""
    if desk.supplier is not None:
        return query.where(Product.supplier_id == desk.supplier.id)
    if desk.prefixes:
        inside = within(Organisation.region_code, list(desk.prefixes))
        return query.where(Product.supplier.has(Supplier.organisation.has(inside)))
    return query


class Products:
    """The products of this desk, by code or Chinese or English name."""

    def __init__(self, session: Session, desk: Desk, *, everybodys: bool = False) -> None:
        query = sa.select(Product).order_by(Product.id)
        if not everybodys:
            query = of_desk(desk, query)
        self._found: dict[str, list[Product]] = defaultdict(list)
        for product in session.scalars(query):
            self.learn(product)

    def learn(self, product: Product) -> None:
        for word in {product.code, product.name_zh, product.name_en.upper()}:
            self._found[word].append(product)

    def by_code(self, code: str) -> Product | None:
        return next((each for each in self._found.get(code, ()) if each.code == code), None)

    def of(self, text: str, key: str = "product") -> Product:
        """Raises Invalid naming the column `key`."""
        found = self._found.get(text) or self._found.get(text.upper(), [])
        exact = [each for each in found if each.code == text.upper()]
        if len(exact or found) != 1:
            sentence = (
                Text("There are several products %(name)s; write the code.", name=text)
                if found
                else Text("There is no product %(name)s here.", name=text)
            )
            raise Invalid({key: sentence})
        return (exact or found)[0]
