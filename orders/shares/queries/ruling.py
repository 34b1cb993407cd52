"""The rule in force, and what a pack's price comes apart into under it (「怎么算的」)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import BROUGHT
from catalog.products.models import Grade, Pack, Product, PurchasePrice, Shelf
from kernel.db import sum_money, sum_whole
from kernel.money import ZERO, Money, Price, total
from kernel.sharing import half_up
from orders.shares.models import HOUSEHOLD_PARTS, BenefitModel, BenefitRule, PartKind
from orders.shares.queries.splitting import products_by_id, rules_by_id, terms_of
from orders.shares.rules.split import Piece, split_line


def rules_in_force(session: Session, product_ids: Sequence[int], day: date) -> dict[int, int]:
    """Product → id of the rule that orders of that day are placed under; absent: none."""
    newest = (
        sa.select(
            BenefitRule.product_id,
            BenefitRule.id,
            sa.func.row_number()
            .over(
                partition_by=BenefitRule.product_id,
                order_by=(BenefitRule.valid_from.desc(), BenefitRule.version.desc()),
            )
            .label("place"),
        )
        .where(BenefitRule.product_id.in_(product_ids), BenefitRule.valid_from <= day)
        .subquery()
    )
    rows = session.execute(
        sa.select(newest.c.product_id, newest.c.id)
        .where(newest.c.place == 1)
        .order_by(newest.c.product_id)
    )
    return {int(product_id): int(rule_id) for product_id, rule_id in rows}


@dataclass(frozen=True, slots=True)
class Composition:
    """What one pack's price comes apart into. The parts add up to it, to the fen.

    `purchase_price` is what households are paid at the scale per kg (or piece); None for goods on
    consignment and for goods that were made of others.
    """

    amount: Money
    parts: tuple[tuple[PartKind, Money], ...]
    rule: BenefitRule
    purchase_price: Price | None

    def part(self, kind: PartKind) -> Money:
        return total(amount for each, amount in self.parts if each is kind)

    @property
    def to_households(self) -> Money:
        """其中 ¥37.60 归种它的农户"""
        return total(amount for kind, amount in self.parts if kind in HOUSEHOLD_PARTS)

    @property
    def to_households_bp(self) -> int:
        """Of each yuan, in hundredths of a fen: 6483 is 64.83 fen."""
        return half_up(self.to_households.fen * 10_000, max(self.amount.fen, 1))


def composition(session: Session, pack: Pack, day: date) -> Composition | None:
    """How this pack's price is divided; None while no rule is in force or it has no price."""
    return compositions(session, [pack], day).get(pack.id)


def compositions(
    session: Session,
    packs: Sequence[Pack],
    day: date,
    costing: Mapping[int, Money] | None = None,
) -> dict[int, Composition]:
    """Pack → its composition, in a fixed number of queries; absent without a rule in force.
    `costing`: what one pack costs here, where that is not its own price (tiers)."""
    product_ids = sorted({pack.product_id for pack in packs})
    in_force = rules_in_force(session, product_ids, day)
    rules = rules_by_id(session, in_force.values())
    products = products_by_id(session, product_ids)
    prices = _purchase_prices(session, product_ids, day)
    costs = _costs_in_store(session, product_ids)
    return {
        pack.id: _compose(
            pack,
            products[pack.product_id],
            rules[in_force[pack.product_id]],
            prices.get((pack.product_id, pack.grade)),
            costs.get((pack.product_id, pack.grade)),
            (costing or {}).get(pack.id),
        )
        for pack in packs
        if pack.product_id in in_force
    }


def _compose(
    pack: Pack,
    product: Product,
    rule: BenefitRule,
    purchase_price: Price | None,
    in_store: tuple[Money, int] | None,
    price: Money | None,
) -> Composition:
    unit = product.base_unit
    amount = price or pack.price or ZERO
    if price is None and pack.unit_price is not None:
        amount = pack.unit_price.of(pack.content, unit)
    if rule.model is BenefitModel.CONSIGNMENT:
        purchase_price, farm = None, ZERO
    elif purchase_price is not None:
        farm = purchase_price.of(pack.content, unit)
    elif in_store is not None:
        farm = Price.from_total(in_store[0], in_store[1], unit).of(pack.content, unit)
    else:
        farm = ZERO
    piece = Piece(0, 1, pack.content, pack.content, farm)
    citizen = pack.shelf is Shelf.CITIZENS
    parts = split_line(terms_of(rule), amount, unit, [piece], citizen=citizen)
    return Composition(
        amount,
        tuple((PartKind(part.kind), part.amount) for part in parts if part.amount),
        rule,
        purchase_price,
    )


def _purchase_prices(
    session: Session, product_ids: Sequence[int], day: date
) -> dict[tuple[int, Grade], Price]:
    rows = session.execute(
        sa.select(PurchasePrice.product_id, PurchasePrice.grade, PurchasePrice.price)
        .where(
            PurchasePrice.product_id.in_(product_ids),
            PurchasePrice.valid_from <= day,
            sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= day),
        )
        .order_by(PurchasePrice.valid_from)
    )
    return {(product_id, grade): price for product_id, grade, price in rows}


def _costs_in_store(
    session: Session, product_ids: Sequence[int]
) -> dict[tuple[int, Grade], tuple[Money, int]]:
    """(product, grade) → what the goods that came in had cost, and how much that was. For what is
    made of other goods: nobody sells it to us over the scale."""
    rows = session.execute(
        sa.select(
            Contribution.product_id,
            Lot.grade,
            sum_money(Contribution.cost),
            sum_whole(Contribution.quantity),
        )
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(
            Contribution.product_id.in_(product_ids),
            Contribution.household_id.is_not(None),
            Contribution.on_hand > 0,
            BROUGHT,
        )
        .group_by(Contribution.product_id, Lot.grade)
    )
    return {(key, grade): (cost, int(quantity)) for key, grade, cost, quantity in rows if cost}
