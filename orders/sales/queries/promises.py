"""What was promised of harvests that have not come in: for whom, for when, and what is short."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Lot, LotState
from catalog.lots.models.harvests import HarvestPart
from orders.sales.models import Allocation, Order, OrderLine
from orders.sales.rules.arriving import Open, shortfalls

# A promise whose goods are not in the store so many days before it is due needs somebody.
WARN_DAYS = 3


@dataclass(frozen=True, slots=True)
class Promise:
    """One order line's part in one harvest: what is open of it, and how much of that is short."""

    order: Order
    line: OrderLine
    lot: Lot
    quantity: int
    short: int
    due_on: date | None

    @property
    def least_back(self) -> int:
        """The least, in whole packs, without which nothing of it is short; all of it where nothing
        is."""
        content = self.line.pack.content
        return min(self.quantity, -(-self.short // content) * content or self.quantity)

    def is_late(self, today: date) -> bool:
        """Nothing of it is in the store, and the day is near."""
        return self.due_on is not None and self.due_on <= today + timedelta(days=WARN_DAYS)

    def worries(self, today: date) -> bool:
        return self.short > 0 or self.is_late(today)


def open_promises(
    session: Session, supplier_id: int, *, lot_ids: Collection[int] | None = None
) -> list[Allocation]:
    """Allocations to harvests of this supplier that are open, oldest promise first, with line,
    order and lot. One query."""
    chosen = sa.select(Allocation).join(Allocation.lot).where(
        Lot.supplier_id == supplier_id,
        Lot.state == LotState.EXPECTED,
        Allocation.quantity > Allocation.released + Allocation.shipped,
    )  # fmt: skip
    if lot_ids is not None:
        chosen = chosen.where(Lot.id.in_(sorted(lot_ids)))
    return list(
        session.scalars(
            chosen.join(Allocation.line)
            .join(OrderLine.order)
            .order_by(Order.placed_at, Allocation.id)
            .options(
                joinedload(Allocation.lot).joinedload(Lot.product),
                joinedload(Allocation.line).options(
                    joinedload(OrderLine.product),
                    joinedload(OrderLine.pack),
                    joinedload(OrderLine.order).joinedload(Order.organisation),
                ),
            )
            .execution_options(populate_existing=True)
        )
    )


def as_open(found: Collection[Allocation]) -> list[Open]:
    return [Open(each.id, each.contribution_id, each.household_id, each.open) for each in found]


def short_slices(session: Session, found: Collection[Allocation]) -> dict[int, int]:
    """Allocation → base units of it that its harvest falls short of. `found` is everything open of
    these harvests, oldest promise first (`open_promises`). One query."""
    if not found:
        return {}
    limits = dict(
        session.execute(
            sa.select(HarvestPart.contribution_id, HarvestPart.may_promise).where(
                HarvestPart.contribution_id.in_({each.contribution_id for each in found})
            )
        ).all()
    )
    return shortfalls(as_open(found), limits)


def promises_of(
    session: Session, supplier_id: int, *, lot_ids: Collection[int] | None = None
) -> list[Promise]:
    """By the day they are due, then oldest first. Two queries."""
    found = open_promises(session, supplier_id, lot_ids=lot_ids)
    if not found:
        return []
    short = short_slices(session, found)
    together: dict[tuple[int, int], list[Allocation]] = {}
    for each in found:
        together.setdefault((each.line_id, each.lot_id), []).append(each)
    promises = [
        Promise(
            order=slices[0].line.order,
            line=slices[0].line,
            lot=slices[0].lot,
            quantity=sum(each.open for each in slices),
            short=sum(short.get(each.id, 0) for each in slices),
            due_on=slices[0].line.deliver_on or slices[0].line.order.deliver_on,
        )
        for slices in together.values()
    ]
    return sorted(promises, key=lambda each: (each.due_on or date.max, each.order.id))
