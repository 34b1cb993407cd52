"""The shelf of the shop and of the canteens: what is on sale, with what is really free of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.asking import (
    EVERYTHING,
    PER_UNIT,
    TODAY,
    UNTIL,
    Asked,
    Narrower,
    Shape,
    chosen_products,
    for_citizens,
)
from catalog.lots.queries.stock import FREE, plain_values, sellable
from catalog.lots.queries.villages import villages_of
from catalog.products import rules
from catalog.products.models import Category, Grade, Pack, Product, Shelf
from catalog.products.queries import matching, offered
from catalog.suppliers.models import Supplier
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.quantities import BaseUnit


class Sorting(Labelled):
    RECOMMENDED = "recommended"
    LOWEST_PRICE = "lowest_price"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class ShelfRow:
    """One product on the shelf. `free` are base units of the pack's grade; 0 is sold out."""

    product_id: int
    slug: str
    name_zh: str
    name_en: str
    summary_zh: str
    summary_en: str
    illustration: str
    base_unit: BaseUnit
    category_slug: str
    category_zh: str
    category_en: str
    supplier_id: int
    pack_id: int
    pack_zh: str
    pack_en: str
    grade: Grade
    content: int
    price: Money
    packs: int
    free: int
    newest: date | None
    gallery: list[dict[str, Any]]
    villages: tuple[str, ...]
    in_harvest: bool
    in_season: bool

    @property
    def unit_price(self) -> Price:
        """Per kilogram or piece, of one pack: below its first tier a pack costs its own price."""
        return Price.from_total(self.price, self.content, self.base_unit)

    @property
    def packs_free(self) -> int:
        """How many of this pack could be bought now."""
        return self.free // self.content


def shelf(
    session: Session,
    *,
    today: date,
    category: str | None = None,
    text: str | None = None,
    village: str | None = None,
    narrower: Narrower = EVERYTHING,
    sort: Sorting = Sorting.RECOMMENDED,
    offset: int = 0,
    limit: int = 24,
) -> list[ShelfRow]:
    """Products on sale to citizens, each with its cheapest pack per unit. Two queries, whatever
    the number of products: the rows with what is free, and the villages of those rows.

    `category` is a slug, `village` a region code, `text` what a person searches for.
    """
    asked = Asked.of(session, category=category, text=text, village=village, narrower=narrower)
    if asked is None:
        return []
    values = {**asked.values(today), "skipped": offset, "most": limit}
    found = session.execute(_statement(asked.shape, sort), values).all()
    places = villages_of(session, [row.id for row in found], today)
    return [
        ShelfRow(
            *plain_values(
                row[:22],
                tuple(places.get(row.id, ())),
                rules.in_season(row.harvest, today),
                rules.in_season([*row.harvest, *row.stored], today),
            )
        )
        for row in found
    ]


@cache
def _statement(shape: Shape, sort: Sorting) -> sa.Select[*tuple[Any, ...]]:
    order = _order(shape, sort)
    page = (
        chosen_products(shape)
        .order_by(*order)
        .offset(sa.bindparam("skipped", type_=sa.Integer()))
        .limit(sa.bindparam("most", type_=sa.Integer()))
        .cte()
    )
    return _with_stock(page).order_by(*order)


def _order(shape: Shape, sort: Sorting) -> list[Any]:
    if sort is Sorting.LOWEST_PRICE:
        price = sa.select(sa.func.min(PER_UNIT)).where(for_citizens()).correlate(Product)
        return [price.scalar_subquery(), Product.id]
    if sort is Sorting.NEWEST:
        newest = sa.select(sa.func.max(Lot.harvested_on)).where(Lot.product_id == Product.id)
        return [newest.correlate(Product).scalar_subquery().desc().nulls_last(), Product.id]
    if shape.text:
        # A name that holds the words comes before a description that does.
        pattern = sa.bindparam("pattern", type_=sa.Text())
        named = sa.or_(
            Product.name_zh.like(pattern, escape="\\"),
            Product.name_en.ilike(pattern, escape="\\"),
        )
        return [sa.case((named, 0), else_=1), Product.position, Product.id]
    return [Product.position, Product.id]


def _with_stock(page: sa.CTE) -> sa.Select[*tuple[Any, ...]]:
    """The chosen rows with what a page shows; stock is summed for these rows only."""
    here = sa.and_(Lot.product_id == Product.id, Lot.grade == Pack.grade, sellable(TODAY, UNTIL))
    free = (
        sa.select(sa.cast(sa.func.coalesce(sa.func.sum(FREE), 0), sa.BigInteger))
        .select_from(Lot)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(here)
        .correlate(Product, Pack)
        .scalar_subquery()
    )
    newest = (
        sa.select(sa.func.max(Lot.harvested_on))
        .where(here)
        .correlate(Product, Pack)
        .scalar_subquery()
    )
    other = Pack.__table__.alias("other_packs")
    packs = (
        sa.select(sa.func.count())
        .select_from(other)
        .where(other.c.product_id == Product.id, other.c.shelf == Shelf.CITIZENS, other.c.on_sale)
        .correlate(Product)
        .scalar_subquery()
    )
    return (
        sa.select(
            Product.id,
            Product.slug,
            Product.name_zh,
            Product.name_en,
            Product.summary_zh,
            Product.summary_en,
            Product.illustration,
            Product.base_unit,
            Category.slug,
            Category.name_zh,
            Category.name_en,
            Product.supplier_id,
            Pack.id,
            Pack.name_zh,
            Pack.name_en,
            Pack.grade,
            Pack.content,
            Pack.price,
            packs,
            free,
            newest.label("newest"),
            Product.gallery,
            Product.harvest,
            Product.stored,
        )
        .join(page, page.c.product_id == Product.id)
        .join(Pack, Pack.id == page.c.pack_id)
        .join(Category, Category.id == Product.category_id)
    )


def count_shelf(
    session: Session,
    *,
    today: date,
    category: str | None = None,
    text: str | None = None,
    village: str | None = None,
    narrower: Narrower = EVERYTHING,
    most: int = 1000,
) -> int:
    """How many products the shelf has, counted no further than `most`."""
    asked = Asked.of(session, category=category, text=text, village=village, narrower=narrower)
    if asked is None:
        return 0
    values = {**asked.values(today), "most": most}
    return session.scalar(_counting(asked.shape), values) or 0


@cache
def _counting(shape: Shape) -> sa.Select[int]:
    most = sa.bindparam("most", type_=sa.Integer())
    bare = chosen_products(shape).with_only_columns(Product.id).limit(most).subquery()
    return sa.select(sa.func.count()).select_from(bare)


def packs_for_canteens(
    session: Session, *, today: date, text: str | None = None, supplier_id: int | None = None
) -> list[tuple[Product, Pack, int]]:
    """Everything units can order, with what is free today: (product, pack, base units)."""
    free = (
        sa.select(
            Lot.product_id,
            Lot.grade,
            sa.cast(sa.func.sum(FREE), sa.BigInteger).label("free"),
        )
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(sellable(today))
        .group_by(Lot.product_id, Lot.grade)
        .subquery()
    )
    chosen = (
        sa.select(Product, Pack, sa.func.coalesce(free.c.free, 0))
        .join(Pack, Pack.product_id == Product.id)
        .outerjoin(free, sa.and_(free.c.product_id == Product.id, free.c.grade == Pack.grade))
        .options(
            joinedload(Product.category),
            joinedload(Product.supplier).joinedload(Supplier.organisation),
        )
        .where(offered(today), Pack.shelf == Shelf.CANTEENS, Pack.on_sale)
        .order_by(Product.category_id, Product.position, Product.id, Pack.position, Pack.id)
    )
    if text is not None:
        chosen = chosen.where(matching(session, text))
    if supplier_id is not None:
        chosen = chosen.where(Product.supplier_id == supplier_id)
    return [(product, pack, int(base)) for product, pack, base in session.execute(chosen)]
