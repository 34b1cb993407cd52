"""What of the shelf somebody wants to see: the words, the filters, and the statement they make."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import FREE, sellable
from catalog.lots.queries.villages import SEASON, grown_in
from catalog.lots.rules import citizens_until
from catalog.products.models import Category, Pack, Product, Shelf
from catalog.products.queries import asked_for, dialect_of, matches, offered
from kernel.money import Money


@dataclass(frozen=True, slots=True)
class Narrower:
    """Filters beside kind, village and words. `least` and `most` are what the shown pack costs;
    `suppliers` are those whose parcels come in time: only what is in store counts then."""

    in_season: bool = False
    certified: bool = False
    least: Money | None = None
    most: Money | None = None
    suppliers: Collection[int] | None = None

    @property
    def any(self) -> bool:
        """Whether it takes anything away."""
        return self != Narrower()


EVERYTHING = Narrower()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a statement depends on besides its values: each shape is built once, since building a
    statement costs more than asking it."""

    dialect: str
    category: bool
    text: bool
    village: bool
    in_season: bool = False
    certified: bool = False
    least: bool = False
    most: bool = False
    in_time: bool = False

    @property
    def of_pack(self) -> bool:
        """Whether the shown pack itself is asked about."""
        return self.least or self.most or self.in_time


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the shelf somebody wants to see."""

    shape: Shape
    category: str | None
    text: str
    found_by: str
    village: str | None
    narrower: Narrower = field(default=EVERYTHING)

    @classmethod
    def of(
        cls,
        session: Session,
        *,
        category: str | None,
        text: str | None,
        village: str | None,
        narrower: Narrower = EVERYTHING,
    ) -> Asked | None:
        """None when the text holds nothing that could be found."""
        found_by = None if text is None else asked_for(session, text)
        if text is not None and found_by is None:
            return None
        shape = Shape(
            dialect_of(session),
            bool(category),
            text is not None,
            bool(village),
            narrower.in_season,
            narrower.certified,
            narrower.least is not None,
            narrower.most is not None,
            narrower.suppliers is not None,
        )
        return cls(shape, category, text or "", found_by or "", village, narrower)

    def values(self, today: date) -> dict[str, object]:
        wanted: dict[str, object] = {
            "today": today,
            "until": citizens_until(today),
            "since": today - SEASON,
        }
        shape, narrower = self.shape, self.narrower
        if shape.category:
            wanted["category"] = self.category
        if shape.text:
            wanted |= {"found_by": self.found_by, "pattern": f"%{_escaped(self.text)}%"}
        if shape.village:
            wanted["village"] = self.village
        if shape.in_season:
            wanted["month_day"] = today.strftime("%m-%d")
        if narrower.least is not None:
            wanted["least_fen"] = narrower.least.fen
        if narrower.most is not None:
            wanted["most_fen"] = narrower.most.fen
        if narrower.suppliers is not None:
            wanted["suppliers"] = sorted(narrower.suppliers)
        return wanted


TODAY = sa.bindparam("today", type_=sa.Date())
UNTIL = sa.bindparam("until", type_=sa.Date())
SINCE = sa.bindparam("since", type_=sa.Date())

# Multiplied out of whole numbers, so that both databases compare packs of any size alike.
PER_UNIT = sa.type_coerce(Pack.price, sa.BigInteger) * 100_000 / Pack.content


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def for_citizens() -> sa.ColumnElement[bool]:
    """SQL: a pack of the product at hand that citizens may buy."""
    return sa.and_(Pack.product_id == Product.id, Pack.shelf == Shelf.CITIZENS, Pack.on_sale)


def chosen_products(shape: Shape) -> sa.Select[*tuple[Any, ...]]:
    """Which products, each with the pack that is shown of it; stock is looked at only for a
    village's goods, for certificates, and for what can come in time."""
    cheapest = (
        sa.select(Pack.id)
        .where(for_citizens())
        .order_by(PER_UNIT, Pack.position, Pack.id)
        .limit(1)
        .correlate(Product)
        .scalar_subquery()
    )
    chosen = sa.select(Product.id.label("product_id"), cheapest.label("pack_id")).where(
        offered(TODAY), sa.exists().where(for_citizens())
    )
    if shape.category:
        chosen = chosen.join(Category).where(Category.slug == sa.bindparam("category"))
    if shape.text:
        chosen = chosen.where(matches(shape.dialect, sa.bindparam("found_by", type_=sa.Text())))
    if shape.village:
        chosen = chosen.where(grown_in(sa.bindparam("village", type_=sa.String()), SINCE))
    if shape.in_season:
        seasons = (Product.harvest, Product.stored)
        chosen = chosen.where(sa.or_(*(_holds_today(each, shape.dialect) for each in seasons)))
    if shape.certified:
        chosen = chosen.where(_in_store(Lot.certificate_no != ""))
    return _of_pack(chosen, shape, cheapest) if shape.of_pack else chosen


def _of_pack(
    chosen: sa.Select[*tuple[Any, ...]], shape: Shape, cheapest: sa.ScalarSelect[Any]
) -> sa.Select[*tuple[Any, ...]]:
    shown = sa.orm.aliased(Pack, name="shown")
    chosen = chosen.join(shown, shown.id == cheapest)
    price = sa.type_coerce(shown.price, sa.BigInteger)
    if shape.least:
        chosen = chosen.where(price >= sa.bindparam("least_fen", type_=sa.BigInteger))
    if shape.most:
        chosen = chosen.where(price <= sa.bindparam("most_fen", type_=sa.BigInteger))
    if shape.in_time:
        free = (
            sa.select(sa.cast(sa.func.coalesce(sa.func.sum(FREE), 0), sa.BigInteger))
            .select_from(Lot)
            .join(Contribution, Contribution.lot_id == Lot.id)
            .where(Lot.product_id == Product.id, Lot.grade == shown.grade, sellable(TODAY))
            .correlate(Product, shown)
            .scalar_subquery()
        )
        chosen = chosen.where(
            Product.supplier_id.in_(sa.bindparam("suppliers", expanding=True)),
            free >= shown.content,
        )
    return chosen


def _in_store(also: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists(
        sa.select(Contribution.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Lot.product_id == Product.id, sellable(TODAY), FREE > 0, also)
        .correlate(Product)
    )


def _holds_today(column: Any, dialect: str) -> sa.ColumnElement[bool]:
    """SQL: the day lies in one of the spans; `rules.in_season` says the same of a row."""
    unfold = sa.func.json_array_elements if dialect == "postgresql" else sa.func.json_each
    span = unfold(column).table_valued("value", name="span")
    begin, end = (
        sa.cast(span.c.value.op("->>")(sa.literal_column(at)), sa.String) for at in ("0", "1")
    )
    day = sa.bindparam("month_day", type_=sa.String())
    inside = sa.case(
        (begin <= end, sa.and_(begin <= day, day <= end)), else_=sa.or_(day >= begin, day <= end)
    )
    return sa.exists(sa.select(sa.literal(1)).select_from(span).where(inside).correlate(Product))
