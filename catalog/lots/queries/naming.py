"""Products by their names only: what a search box proposes, a calendar lists, a visitor saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.queries.asking import TODAY, Asked, Shape, chosen_products, for_citizens
from catalog.products.models import Category, Product
from catalog.products.queries import offered


@dataclass(frozen=True, slots=True)
class NamedProduct:
    """A product on the shelf without its stock and price."""

    id: int
    slug: str
    name_zh: str
    name_en: str
    category_zh: str
    category_en: str
    illustration: str
    gallery: list[dict[str, Any]]
    harvest: list[list[str]]
    stored: list[list[str]]


_COLUMNS = (
    Product.id,
    Product.slug,
    Product.name_zh,
    Product.name_en,
    Category.name_zh,
    Category.name_en,
    Product.illustration,
    Product.gallery,
    Product.harvest,
    Product.stored,
)


def suggestions(session: Session, text: str, *, today: date, limit: int = 8) -> list[NamedProduct]:
    """What the words typed so far find, names before descriptions. One query."""
    asked = Asked.of(session, category=None, text=text, village=None)
    if asked is None:
        return []
    found = session.execute(_suggesting(asked.shape), {**asked.values(today), "rows": limit})
    return [NamedProduct(*row) for row in found]


@cache
def _suggesting(shape: Shape) -> sa.Select[*tuple[Any, ...]]:
    page = chosen_products(shape).cte()
    pattern = sa.bindparam("pattern", type_=sa.Text())
    named = sa.or_(
        Product.name_zh.like(pattern, escape="\\"), Product.name_en.ilike(pattern, escape="\\")
    )
    return (
        sa.select(*_COLUMNS)
        .join(page, page.c.product_id == Product.id)
        .join(Category, Category.id == Product.category_id)
        .order_by(sa.case((named, 0), else_=1), Product.position, Product.id)
        .limit(sa.bindparam("rows", type_=sa.Integer()))
    )


def names_on_shelf(session: Session, *, today: date) -> list[NamedProduct]:
    """Everything citizens may buy that day, in the order of the shelf. One query."""
    found = session.execute(
        sa.select(*_COLUMNS)
        .join(Category, Category.id == Product.category_id)
        .where(offered(TODAY), sa.exists().where(for_citizens()))
        .order_by(Category.position, Product.position, Product.id),
        {"today": today},
    )
    return [NamedProduct(*row) for row in found]


def named_by_slug(
    session: Session, slugs: Sequence[str], *, today: date
) -> dict[str, NamedProduct]:
    """Those of these products that are on the shelf. One query."""
    found = session.execute(
        sa.select(*_COLUMNS)
        .join(Category, Category.id == Product.category_id)
        .where(offered(TODAY), Product.slug.in_(list(slugs))),
        {"today": today},
    )
    return {row.slug: NamedProduct(*row) for row in found}
