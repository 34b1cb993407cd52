"""Products: one row each, and one more for every further pack. A new one begins as a draft."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.products import operations
from catalog.products.models import Category, Grade, Pack, Product, ProductState, Shelf
from catalog.products.queries import categories, versions_in_short
from catalog.products.queries.versions import OPEN
from catalog.suppliers.models import Supplier
from kernel.errors import Invalid, Text
from kernel.quantities import BaseUnit, kilograms, parse_quantity
from kernel.text import pinyin, plain_number
from shop.excel.columns import ADDED, Change, Desk, Done, Kind, Row, Said, differences
from shop.excel.kinds.looking_up import Products
from shop.excel.kinds.product_columns import COLUMNS, missing

# Column → what a version of the product calls it.
_WRITTEN = {
    "name_zh": "name_zh", "name_en": "name_en", "summary_zh": "summary_zh",
    "summary_en": "summary_en", "storage_zh": "storage_zh", "storage_en": "storage_en",
    "shelf_life": "shelf_life_days", "harvest": "harvest",
}  # fmt: skip
# What the goods are: said once, when the product is created.
_LASTING = {
    "fresh": "fresh", "needs_certificate": "needs_certificate",
    "most_yield": "most_yield_kg_per_mu",
}  # fmt: skip
_DESCRIBED = _WRITTEN | _LASTING
_PACK = ("shelf", "grade", "pack_zh", "pack_en", "content", "price", "unit_price")

PackKey = tuple[Shelf, Grade, int]


@dataclass(slots=True)
class _Held:
    """A product as its editor shows it: the version being written, else what the shop has."""

    product: Product
    written: Mapping[str, Any]
    packs: dict[PackKey, dict[str, Any]] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        told = {key: getattr(self.product, name) for key, name in _DESCRIBED.items()}
        told |= {key: self.written[name] for key, name in _WRITTEN.items() if name in self.written}
        category = self.written.get("category_id", self.product.category_id)
        return told | {"category": category, "base_unit": self.product.base_unit}


class _Handling:
    def __init__(self, session: Session, desk: Desk, now: datetime) -> None:
        self._session, self._desk, self._now = session, desk, now
        self._products = Products(session, desk)
        self._categories = categories(session)
        self._held = {each.product.code: each for each in _held_by(session, desk)}

    def subjects(self, row: Row) -> list[Said]:
        code = row.values["code"]
        said: list[Said] = [(("product", code), (*_DESCRIBED, "category", "base_unit"))]
        if "content" in row.values:
            pack = (row.get("shelf"), row.get("grade"), row.values["content"])
            said.append((("pack", code, *pack), ("pack_zh", "price", "unit_price")))
        return said

    def apply(self, row: Row) -> Done:
        held = self._held.get(row.values["code"])
        if held is None:
            held, changes, new = self._create(row), [], True
        else:
            changes, new = self._describe(held, row), False
        pack = self._add_pack(held, row)
        self._held[held.product.code] = held
        return ADDED if new else Done.of([*changes, *pack])

    def _create(self, row: Row) -> _Held:
        needed = [key for key in ("category", "shelf_life") if key not in row.values]
        if needed:
            raise missing(*needed)
        code = row.values["code"]
        if not re.fullmatch(r"[A-Z0-9]{1,8}", code):
            raise Invalid({"code": Text("A product's code has only letters A–Z and digits.")})
        category = self._category(row)
        told = {name: row.values[key] for key, name in _DESCRIBED.items() if key in row.values}
        made = operations.create_product(
            self._session, supplier_id=self._supplier_id(row), category_id=category.id, code=code,
            slug=f"{pinyin(row.values['name_zh'])[:48]}-{code.lower()}",
            base_unit=row.get("base_unit") or BaseUnit.GRAM,
            **{"name_en": row.values["name_zh"], "summary_zh": "", "summary_en": "", **told},
            by=self._desk.by, now=self._now,
        )  # fmt: skip
        return _Held(made, {})

    def _supplier_id(self, row: Row) -> int:
        asked = row.get("supplier")
        own = self._desk.supplier
        if own is not None:
            if asked not in (None, own.code):
                raise Invalid({"supplier": Text("This product would be another supplier's.")})
            return own.id
        if asked is None:
            raise missing("supplier")
        found = self._session.scalar(sa.select(Supplier.id).where(Supplier.code == asked))
        if found is None:
            raise Invalid({"supplier": Text("There is no supplier %(code)s.", code=asked)})
        return found

    def _category(self, row: Row) -> Category:
        asked = row.values["category"].lower()
        for each in self._categories:
            if asked in (each.slug, each.name_zh, each.name_en.lower()):
                return each
        raise Invalid(
            {
                "category": Text(
                    "Write one of: %(words)s.", words=[each.name_zh for each in self._categories]
                )
            }
        )

    def _describe(self, held: _Held, row: Row) -> list[Change]:
        asked = row.get("supplier")
        if asked is not None and self._desk.supplier and asked != self._desk.supplier.code:
            raise Invalid({"supplier": Text("This product would be another supplier's.")})
        wanted = dict(row.values)
        if "category" in wanted:
            wanted["category"] = self._category(row).id
        changes = differences(
            held.values(), Row(row.number, wanted, row.places),
            (*_DESCRIBED, "category", "base_unit"),
        )  # fmt: skip
        if lasting := [each.key for each in changes if each.key in (*_LASTING, "base_unit")]:
            sentence = Text("This was said when the product was created and does not change.")
            raise Invalid(dict.fromkeys(lasting, sentence))
        if not changes:
            return []
        told = {_WRITTEN[each.key]: wanted[each.key] for each in changes if each.key in _WRITTEN}
        if "category" in {each.key for each in changes}:
            told["category_id"] = wanted["category"]
        version = operations.save_version(
            self._session, held.product.id, told, by=self._desk.by, now=self._now
        )
        held.written = version.content
        names = {each.id: each.name_zh for each in self._categories}
        return [
            Change("category", names[each.before], names[each.after])
            if each.key == "category"
            else each
            for each in changes
        ]

    def _add_pack(self, held: _Held, row: Row) -> list[Change]:
        if not any(key in row.values for key in ("shelf", "content", "price", "unit_price")):
            return []
        if absent := [key for key in ("shelf", "grade", "content") if key not in row.values]:
            raise missing(*absent)
        shelf, grade = row.values["shelf"], row.values["grade"]
        content = _content(row.values["content"], held.product.base_unit)
        asked = "price" if shelf is Shelf.CITIZENS else "unit_price"
        key = (shelf, grade, content)
        told = {each: row.values[each] for each in ("price", "unit_price") if each in row.values}
        known = held.packs.get(key)
        if known is not None:
            for name, value in told.items():
                if known.get(name) != value:
                    raise Invalid(
                        {
                            name: Text(
                                "This pack is sold at another price already (%(price)s); "
                                "prices on sale are not changed by a table.",
                                price=known.get(name) or "—",
                            )
                        }
                    )
            return []
        if asked not in told:
            raise missing(asked)
        if held.product.state is not ProductState.DRAFT:
            raise Invalid(
                {
                    "content": Text(
                        "A new pack of a product in the shop is added on its page, "
                        "so that the operator can look at it."
                    )
                }
            )
        name = row.get("pack_zh") or row.values["content"]
        made = operations.add_pack(
            self._session, held.product.id, shelf=shelf, grade=grade, name_zh=name,
            name_en=row.get("pack_en") or name, content=content, **told,
            by=self._desk.by, now=self._now,
        )  # fmt: skip
        held.packs[key] = _told(made)
        return [Change("pack_zh", None, name), Change(asked, None, told[asked])]


def _content(text: str, unit: BaseUnit) -> int:
    plain = plain_number(text).lower()
    if unit is BaseUnit.PIECE:
        plain = re.sub(r"[件个枚只盒袋瓶包箱]$", "", plain)
    try:
        return parse_quantity(plain, unit)
    except ValueError:
        sentence = (
            Text("Enter a weight to the gram, such as 12.5 (kilograms) or 25斤.")
            if unit is BaseUnit.GRAM
            else Text("Enter a whole number of pieces, such as 12.")
        )
        raise Invalid({"content": sentence}) from None


def _key(pack: Pack) -> PackKey:
    return pack.shelf, pack.grade, pack.content


def _told(pack: Pack) -> dict[str, Any]:
    return {"price": pack.price, "unit_price": pack.unit_price}


def _of(desk: Desk) -> sa.Select[Any]:
    query = sa.select(Product).order_by(Product.position, Product.id)
    return query if desk.supplier is None else query.where(Product.supplier_id == desk.supplier.id)


def _held_by(session: Session, desk: Desk) -> list[_Held]:
    products = session.scalars(_of(desk).options(selectinload(Product.packs))).all()
    versions = versions_in_short(session, [each.id for each in products])
    return [
        _Held(
            each,
            found.content if (found := versions.get(each.id)) and found.state in OPEN else {},
            {_key(pack): _told(pack) for pack in each.packs},
        )
        for each in products
    ]


class _Products(Kind):
    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> _Handling:
        return _Handling(session, desk, now)

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        names = {each.id: each.name_zh for each in categories(session)}
        codes = dict(session.execute(sa.select(Supplier.id, Supplier.code)).all())
        for held in _held_by(session, desk):
            product, told = held.product, held.values()
            whole = told | {
                "code": product.code, "category": names[told["category"]],
                "supplier": codes[product.supplier_id],
            }  # fmt: skip
            yield from (whole | _pack_row(each, product) for each in product.packs)
            if not product.packs:
                yield whole


def _pack_row(pack: Pack, product: Product) -> dict[str, Any]:
    weighed = product.base_unit is BaseUnit.GRAM
    content = f"{kilograms(pack.content, 0).replace(',', '')}kg" if weighed else str(pack.content)
    return {
        "shelf": pack.shelf, "grade": pack.grade, "pack_zh": pack.name_zh,
        "pack_en": pack.name_en, "content": content, **_told(pack),
    }  # fmt: skip


PRODUCTS = _Products(
    key="products",
    title=Text("Products"),
    about=Text("What you sell and in which packs. A new product begins as a draft."),
    columns=COLUMNS,
    labels=("code", "name_zh", "pack_zh"),
    fields={"shelf_life_days": "shelf_life", "most_yield_kg_per_mu": "most_yield"},
)
