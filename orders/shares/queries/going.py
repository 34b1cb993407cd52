"""Where the money went: of an order, of a period, to each household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import Product
from kernel.db import sum_money
from kernel.money import ZERO, Money, total
from kernel.sharing import half_up
from orders.shares.models import HOUSEHOLD_PARTS, PartKind, SplitPart


def parts_of_order(session: Session, order_key: str) -> list[SplitPart]:
    """Every part of every line of `order:12`, refunds included, with household and product."""
    return list(
        session.scalars(
            sa.select(SplitPart)
            .where(SplitPart.order == order_key)
            .options(joinedload(SplitPart.household), joinedload(SplitPart.product))
            .order_by(SplitPart.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Going:
    """Sums of parts, by kind; `to_households` counts only parts that have a household."""

    parts: dict[PartKind, Money]
    to_households: Money

    @property
    def total(self) -> Money:
        """What was accepted, less what was refunded."""
        return total(self.parts.values())

    def part(self, kind: PartKind) -> Money:
        return self.parts.get(kind, ZERO)

    @property
    def to_households_bp(self) -> int:
        """Of each yuan, in hundredths of a fen; 0 while nothing was sold."""
        return half_up(self.to_households.fen * 10_000, self.total.fen) if self.total else 0


def where_the_yuan_went(
    session: Session,
    start: date,
    end: date,
    *,
    supplier_id: int | None = None,
    product_id: int | None = None,
    order_key: str | None = None,
) -> Going:
    """All lines settled from `start` to `end`, both days included, refunds taken off."""
    conditions = [SplitPart.on >= start, SplitPart.on <= end]
    if supplier_id is not None:
        conditions.append(SplitPart.supplier_id == supplier_id)
    if product_id is not None:
        conditions.append(SplitPart.product_id == product_id)
    if order_key is not None:
        conditions.append(SplitPart.order == order_key)
    rows = session.execute(
        sa.select(
            SplitPart.kind,
            SplitPart.household_id.is_not(None).label("household"),
            sum_money(SplitPart.amount),
        )
        .where(*conditions)
        .group_by(SplitPart.kind, SplitPart.household_id.is_not(None))
    )
    parts: dict[PartKind, Money] = {}
    households = ZERO
    for kind, household, amount in rows:
        parts[kind] = parts.get(kind, ZERO) + amount
        if household and kind in HOUSEHOLD_PARTS:
            households += amount
    return Going({kind: parts[kind] for kind in PartKind if kind in parts}, households)


def of_order(session: Session, order_key: str) -> Going:
    """One order's parts, added up by kind."""
    return where_the_yuan_went(session, date.min, date.max, order_key=order_key)


def household_totals(
    session: Session,
    start: date,
    end: date,
    *,
    household_ids: Sequence[int] | None = None,
    supplier_id: int | None = None,
) -> dict[int, Money]:
    """Household → what reached it of the lines settled in these days, the price at the scale
    included. The platform's part of its income, never all of it (domain.md §4.4)."""
    query = (
        sa.select(SplitPart.household_id, sum_money(SplitPart.amount))
        .where(
            SplitPart.on >= start,
            SplitPart.on <= end,
            SplitPart.household_id.is_not(None),
            SplitPart.kind.in_(HOUSEHOLD_PARTS),
        )
        .group_by(SplitPart.household_id)
        .order_by(SplitPart.household_id)
    )
    if household_ids is not None:
        query = query.where(SplitPart.household_id.in_(household_ids))
    if supplier_id is not None:
        query = query.where(SplitPart.supplier_id == supplier_id)
    return {key: amount for key, amount in session.execute(query) if key is not None}


PER_PAGE = 30


@dataclass(frozen=True, slots=True)
class ProductGoing:
    """Where the money of one product went."""

    product: Product
    parts: dict[PartKind, Money]
    to_households: Money

    @property
    def total(self) -> Money:
        return total(self.parts.values())

    def part(self, *kinds: PartKind) -> Money:
        return total(self.parts.get(kind, ZERO) for kind in kinds)

    @property
    def rest(self) -> Money:
        """Costs: whatever goes neither to households nor to the collective or the cooperative."""
        named = self.part(PartKind.RETAINED, PartKind.COOPERATIVE)
        return self.total - self.to_households - named

    @property
    def to_households_bp(self) -> int:
        return half_up(self.to_households.fen * 10_000, self.total.fen) if self.total else 0


def by_product(session: Session, supplier_id: int, start: date, end: date) -> list[ProductGoing]:
    """A supplier's products with the money of their settled lines, the largest first."""
    rows = session.execute(
        sa.select(
            SplitPart.product_id,
            SplitPart.kind,
            SplitPart.household_id.is_not(None).label("household"),
            sum_money(SplitPart.amount),
        )
        .where(SplitPart.supplier_id == supplier_id, SplitPart.on >= start, SplitPart.on <= end)
        .group_by(SplitPart.product_id, SplitPart.kind, SplitPart.household_id.is_not(None))
    )
    parts: dict[int, dict[PartKind, Money]] = {}
    households: dict[int, Money] = {}
    for product_id, kind, household, amount in rows:
        mine = parts.setdefault(product_id, {})
        mine[kind] = mine.get(kind, ZERO) + amount
        if household and kind in HOUSEHOLD_PARTS:
            households[product_id] = households.get(product_id, ZERO) + amount
    products = session.scalars(sa.select(Product).where(Product.id.in_(list(parts))))
    found = [
        ProductGoing(product, parts[product.id], households.get(product.id, ZERO))
        for product in products
    ]
    return sorted(found, key=lambda each: (-each.total.fen, each.product.id))


@dataclass(frozen=True, slots=True)
class SettledRow:
    """One settlement or refund: its amount and what of it reached households."""

    subject: str
    on: date
    order: str
    product: Product
    amount: Money
    to_households: Money
    households: int


def settled_lines(
    session: Session, supplier_id: int, start: date, end: date, *, offset: int = 0
) -> list[SettledRow]:
    """Newest first; one more than a page, so that the page knows whether there is another."""
    reached = sa.case(
        (
            sa.and_(SplitPart.kind.in_(HOUSEHOLD_PARTS), SplitPart.household_id.is_not(None)),
            SplitPart.amount,
        ),
        else_=None,
    )
    rows = session.execute(
        sa.select(
            SplitPart.subject,
            sa.func.max(SplitPart.on),
            sa.func.max(SplitPart.order),
            sa.func.max(SplitPart.product_id),
            sum_money(SplitPart.amount),
            sum_money(reached),
            sa.func.count(sa.distinct(SplitPart.household_id)),
        )
        .where(SplitPart.supplier_id == supplier_id, SplitPart.on >= start, SplitPart.on <= end)
        .group_by(SplitPart.subject)
        .order_by(sa.func.max(SplitPart.on).desc(), sa.func.max(SplitPart.id).desc())
        .offset(offset)
        .limit(PER_PAGE + 1)
    ).all()
    products = {
        product.id: product
        for product in session.scalars(
            sa.select(Product).where(Product.id.in_({row[3] for row in rows}))
        )
    }
    return [
        SettledRow(row[0], row[1], row[2], products[row[3]], row[4], row[5], row[6]) for row in rows
    ]
