"""Products, packs, prices and benefit rules, decided and put on sale."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from catalog.products.models import Grade, Shelf
from catalog.products.operations import (
    add_category,
    add_pack,
    create_product,
    publish_purchase_price,
    put_on_sale,
)
from kernel.actors import Role
from kernel.money import Price, parse_money, parse_price
from kernel.periods import business_day
from orders.shares.models import BenefitModel, CostKind
from orders.shares.operations import Cost, publish_rule
from shop.demo import tables
from shop.demo.town import Town, at


def stock_shelf(town: Town, session: Session, now: datetime) -> None:
    """Everything that is sold, and what it is made of."""
    operator = town.actor("platform", Role.OPERATOR)
    categories = {
        row["slug"]: add_category(
            session, slug=row["slug"], name_zh=row["name_zh"], name_en=row["name_en"],
            position=position, by=operator, now=now,
        ).id
        for position, row in enumerate(tables.categories())
    }  # fmt: skip
    for code, row in tables.products().items():
        manager = town.actor(row["supplier"], Role.MANAGER)
        product = create_product(
            session,
            supplier_id=town.suppliers[row["supplier"]],
            category_id=categories[row["category"]],
            code=code,
            slug=row["slug"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            summary_zh=row["summary_zh"],
            summary_en=row["summary_en"],
            story_zh=row.get("story_zh", ""),
            story_en=row.get("story_en", ""),
            storage_zh=row.get("storage_zh", ""),
            storage_en=row.get("storage_en", ""),
            illustration=row["illustration"],
            position=row["position"],
            fresh=row.get("fresh", True),
            needs_certificate=row.get("certificate", row.get("fresh", True)),
            shelf_life_days=row["shelf"],
            harvest=row["harvest"],
            stored=row["stored"],
            most_yield_kg_per_mu=row.get("most_yield"),
            by=manager,
            now=now,
        )
        town.products[code] = product.id
        _packs(town, session, code, row, now)
        decide(town, code, session, now)
        if row.get("sold", True):
            put_on_sale(session, product.id, by=operator, now=now)


def _packs(town: Town, session: Session, code: str, row: dict[str, Any], now: datetime) -> None:
    for position, pack in enumerate(row.get("pack", [])):
        citizens = pack["shelf"] == "citizens"
        made = add_pack(
            session,
            town.products[code],
            shelf=Shelf(pack["shelf"]),
            grade=Grade(pack["grade"]),
            name_zh=pack["name_zh"],
            name_en=pack["name_en"],
            note_zh=pack.get("note_zh", ""),
            note_en=pack.get("note_en", ""),
            content=pack["grams"],
            price=parse_money(pack["price"]) if citizens else None,
            unit_price=None if citizens else parse_price(pack["price"]),
            most_per_order=20,
            position=position,
            by=town.actor(row["supplier"], Role.MANAGER),
            now=now,
        )
        town.packs[code, position] = made.id


def plan_decisions(town: Town) -> None:
    """Every new year the members decide anew what is paid and how the money is shared."""
    for year in range(town.span.begin.year + 1, town.span.today.year + 1):
        for code in tables.products():
            town.plan(at(date(year, 1, 2), 9), decide, town, code)


def decide(town: Town, code: str, session: Session, now: datetime) -> None:
    """Purchase prices and the benefit rule of one product, from today on."""
    day = business_day(now)
    _decide_prices(town, session, code, day, now)
    _decide_rule(town, session, code, day, now)


def _decide_prices(
    town: Town, session: Session, code: str, valid_from: date, now: datetime
) -> None:
    row = tables.products()[code]
    for grade, price in row.get("buys", []):
        publish_purchase_price(
            session,
            town.products[code],
            grade=Grade(grade),
            price=_of_year(parse_price(price), valid_from.year, town),
            valid_from=valid_from,
            resolution=row["rule"]["resolution"].format(year=valid_from.year),
            by=town.actor(row["supplier"], Role.MANAGER),
            now=now,
        )


def _of_year(price: Price, year: int, town: Town) -> Price:
    """Before this year households were paid a little less."""
    if year == town.span.today.year:
        return price
    return Price(price.per_unit * 95 // 100 // 500 * 500)


def _decide_rule(town: Town, session: Session, code: str, valid_from: date, now: datetime) -> None:
    row = tables.products()[code]
    costs = [_cost(kind, value, citizens=False) for kind, value in row.get("costs", [])]
    costs += [_cost(kind, value, citizens=True) for kind, value in row.get("citizens", [])]
    publish_rule(
        session,
        town.products[code],
        model=BenefitModel(row["rule"]["model"]),
        retained_bp=row["rule"]["retained"],
        resolution=row["rule"]["resolution"].format(year=valid_from.year),
        costs=costs,
        valid_from=valid_from,
        by=town.actor(row["supplier"], Role.MANAGER),
        now=now,
    )


def _cost(kind: str, value: str, *, citizens: bool) -> Cost:
    share = int(value.removesuffix("bp")) if value.endswith("bp") else None
    return Cost(
        kind=CostKind(kind),
        citizens_only=citizens,
        per_unit=None if share is not None else parse_price(value),
        share_bp=share,
    )
