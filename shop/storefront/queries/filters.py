"""What the shelf can be narrowed down to, and the seasons of what stands on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.queries import short_name
from catalog.products.models import (
    Category,
    Pack,
    Product,
    Shelf,
)
from catalog.products.queries import offered
from catalog.suppliers.models import Supplier
from kernel.people import Organisation
from kernel.regions import Level, Region


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of the shelf's filters."""

    key: str
    name_zh: str
    name_en: str
    count: int


def filters(session: Session, today: date) -> tuple[list[Choice], list[Choice]]:
    """Categories with what they hold, and the villages around the suppliers. One query."""
    categories = (
        sa.select(
            sa.literal("category"), Category.slug, Category.name_zh, Category.name_en,
            sa.func.count(Product.id.distinct()), Category.position,
        )
        .join(Product, Product.category_id == Category.id)
        .join(Pack, Pack.product_id == Product.id)
        .where(offered(today), Pack.shelf == Shelf.CITIZENS, Pack.on_sale)
        .group_by(Category.id)
    )  # fmt: skip
    townships = (
        sa.select(sa.func.substr(Organisation.region_code, 1, 9) + "000")
        .join(Supplier, Supplier.organisation_id == Organisation.id)
        .distinct()
    )
    villages = sa.select(
        sa.literal("village"), Region.code, Region.name, Region.name, sa.literal(0), sa.literal(0)
    ).where(
        Region.parent_code.in_(townships),
        Region.level == Level.VILLAGE,
        Region.successor_code.is_(None),
    )
    found = session.execute(
        sa.union_all(categories, villages).order_by(sa.literal_column("6"), sa.literal_column("2"))
    )
    shelves: list[Choice] = []
    places: list[Choice] = []
    for kind, key, zh, en, count, _position in found:
        (shelves if kind == "category" else places).append(
            Choice(
                key,
                zh if kind == "category" else short_name(zh),
                en if kind == "category" else short_name(en),
                count,
            )
        )
    return shelves, places


def seasons_of(
    session: Session, product_ids: Sequence[int]
) -> dict[int, tuple[list[list[str]], list[list[str]]]]:
    """Product → (harvest, stored)."""
    return {
        key: (harvest, stored)
        for key, harvest, stored in session.execute(
            sa.select(Product.id, Product.harvest, Product.stored).where(
                Product.id.in_(product_ids)
            )
        )
    }
