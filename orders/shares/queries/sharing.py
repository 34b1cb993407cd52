"""How a product's price divides: the rule in force with the price at the farm gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import BROUGHT
from catalog.products.models import (
    Grade,
    Product,
    PurchasePrice,
)
from kernel.db import sum_whole
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from orders.shares.models import BenefitRule, RuleCost
from orders.shares.rules import split


@dataclass(frozen=True, slots=True)
class Sharing:
    """The benefit rule in force for a product, and what its goods cost at the farm gate."""

    rule_id: int
    version: int
    valid_from: date
    resolution: str
    terms: split.Terms
    farm_prices: dict[Grade, Price]

    def parts(self, grade: Grade, price: Money, content: int, unit: BaseUnit) -> list[split.Part]:
        """A citizen's pack as it would be settled today; empty while nobody knows what its goods
        cost at the farm gate."""
        return split.split_price(self.terms, self.farm_prices.get(grade), price, content, unit)

    def to_households(self, grade: Grade, price: Money, content: int, unit: BaseUnit) -> Money:
        """What of the price reaches those who grew it."""
        return split.reaching_households(self.parts(grade, price, content, unit))


_IDS: sa.BindParameter[int] = sa.bindparam("product_ids", expanding=True)
_TODAY = sa.bindparam("today", type_=sa.Date())


def sharing_of(session: Session, product_ids: Sequence[int], today: date) -> dict[int, Sharing]:
    """Product → its rule in force with the farm-gate prices; one query, whatever the number."""
    values = {"product_ids": list(product_ids), "today": today}
    by_product: dict[int, list[Any]] = {}
    for row in session.execute(_rules_in_force(), values):
        by_product.setdefault(row.product_id, []).append(row)
    return {product_id: _sharing(found) for product_id, found in by_product.items()}


@cache
def _rules_in_force() -> sa.Select[*tuple[Any, ...]]:
    """Built once: building a statement costs more than asking it."""
    farm = _farm_gate()
    newest = (
        sa.select(
            BenefitRule.id,
            sa.func.row_number()
            .over(
                partition_by=BenefitRule.product_id,
                order_by=(BenefitRule.valid_from.desc(), BenefitRule.version.desc()),
            )
            .label("place"),
        )
        .where(BenefitRule.product_id.in_(_IDS), BenefitRule.valid_from <= _TODAY)
        .cte("newest")
    )
    return (
        sa.select(
            BenefitRule.id, BenefitRule.product_id, BenefitRule.version, BenefitRule.model,
            BenefitRule.valid_from, BenefitRule.retained_bp, BenefitRule.resolution,
            Product.base_unit,
            RuleCost.id.label("cost_id"), RuleCost.kind, RuleCost.per_unit, RuleCost.share_bp,
            RuleCost.citizens_only,
            farm.c.grade, farm.c.price, farm.c.cost, farm.c.quantity,
        )
        .join(newest, sa.and_(newest.c.id == BenefitRule.id, newest.c.place == 1))
        .join(Product, Product.id == BenefitRule.product_id)
        .outerjoin(RuleCost, RuleCost.rule_id == BenefitRule.id)
        .outerjoin(farm, farm.c.product_id == BenefitRule.product_id)
        .order_by(BenefitRule.product_id, RuleCost.id)
    )  # fmt: skip


def _farm_gate() -> sa.CTE:
    """By product and grade: the published purchase price, and what the goods in store had cost
    (for what is made of other goods, which nobody brings to the scale)."""
    nothing = sa.cast(sa.null(), sa.BigInteger)
    published = sa.select(
        PurchasePrice.product_id,
        PurchasePrice.grade,
        sa.type_coerce(PurchasePrice.price, sa.BigInteger).label("price"),
        nothing.label("cost"),
        nothing.label("quantity"),
    ).where(
        PurchasePrice.product_id.in_(_IDS),
        PurchasePrice.valid_from <= _TODAY,
        sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= _TODAY),
    )
    in_store = (
        sa.select(
            Lot.product_id,
            Lot.grade,
            nothing,
            sum_whole(sa.type_coerce(Contribution.cost, sa.BigInteger)),
            sum_whole(Contribution.quantity),
        )
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(
            Lot.product_id.in_(_IDS),
            Contribution.household_id.is_not(None),
            Contribution.on_hand > 0,
            BROUGHT,
        )
        .group_by(Lot.product_id, Lot.grade)
    )
    return sa.union_all(published, in_store).cte("farm_gate")


def _sharing(rows: Sequence[Any]) -> Sharing:
    first = rows[0]
    costs = {row.cost_id: _cost_term(row) for row in rows if row.cost_id is not None}
    farm_prices = {
        row.grade: Price.from_total(Money(int(row.cost)), int(row.quantity), first.base_unit)
        for row in rows
        if row.cost and row.quantity
    } | {row.grade: Price(int(row.price)) for row in rows if row.price is not None}
    return Sharing(
        first.id, first.version, first.valid_from, first.resolution,
        split.Terms(first.model.value, first.retained_bp, tuple(costs.values())), farm_prices,
    )  # fmt: skip


def _cost_term(row: Any) -> split.CostTerm:
    return split.CostTerm(row.kind.value, row.per_unit, row.share_bp, row.citizens_only)
