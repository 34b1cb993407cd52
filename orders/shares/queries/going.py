"""Where the money went: of an order, of a period, to each household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

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
