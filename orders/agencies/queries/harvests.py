"""What people know of harvests that worry them, and what waits for an answer."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Lot
from catalog.lots.models.harvests import Harvest
from catalog.lots.queries.harvests import harvests_of
from catalog.lots.queries.stock import BROUGHT
from orders.agencies.models import (
    BulkOrder,
    HarvestWarning,
    HarvestWorry,
    LineProposal,
    ProposalState,
    Stage,
)
from orders.agencies.rules.harvests import is_overdue
from orders.sales.models import HOLDING, Allocation, Order, OrderLine
from orders.sales.queries import TO_PACK


class Known(NamedTuple):
    """What a warning is about; without a line it is about the harvest as a whole."""

    lot_id: int
    line_id: int | None
    worry: HarvestWorry


def suppliers_with_harvests(session: Session) -> list[int]:
    """Suppliers that ever announced a harvest, in id order."""
    return list(
        session.scalars(sa.select(Harvest.supplier_id).distinct().order_by(Harvest.supplier_id))
    )


def _last() -> sa.Select[int]:
    return sa.select(sa.func.max(HarvestWarning.id)).group_by(
        HarvestWarning.lot_id, HarvestWarning.line_id, HarvestWarning.worry
    )


def warnings_known(session: Session, supplier_id: int) -> dict[Known, int]:
    """What people of this supplier's harvests were told and is not made good: warning → the
    quantity they were told last. One query."""
    rows = session.execute(
        sa.select(
            HarvestWarning.lot_id,
            HarvestWarning.line_id,
            HarvestWarning.worry,
            HarvestWarning.quantity,
        )
        .join(Lot, Lot.id == HarvestWarning.lot_id)
        .where(
            Lot.supplier_id == supplier_id,
            HarvestWarning.quantity > 0,
            HarvestWarning.id.in_(_last()),
        )
    )
    return {Known(lot_id, line_id, worry): told for lot_id, line_id, worry, told in rows}


def lots_of(session: Session, lot_ids: Collection[int]) -> dict[int, Lot]:
    """These lots with their products. One query."""
    found = session.scalars(
        sa.select(Lot).where(Lot.id.in_(sorted(lot_ids))).options(joinedload(Lot.product))
    )
    return {lot.id: lot for lot in found}


def lines_in_store(
    session: Session, line_ids: Collection[int]
) -> dict[int, tuple[Order, OrderLine]]:
    """Of these lines those that wait to be shipped and hold goods that were brought. One query."""
    rows = session.execute(
        sa.select(Order, OrderLine)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .join(Lot, Lot.id == Allocation.lot_id)
        .where(
            OrderLine.id.in_(sorted(line_ids)),
            Order.state.in_([*HOLDING, *TO_PACK]),
            Allocation.quantity > Allocation.released + Allocation.shipped,
            BROUGHT,
        )
    ).unique()
    return {line.id: (order, line) for order, line in rows}


def overdue_harvests(session: Session, supplier_id: int, today: date) -> list[Harvest]:
    """This supplier's harvests that should have come. Three queries."""
    return [
        each
        for each in harvests_of(session, supplier_id)
        if each.ended_at is None
        and is_overdue(
            each.lot.available_from,
            each.lot.best_before,
            expected=each.expected,
            came=each.came,
            today=today,
        )
    ]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """One line of a unit that it was told may not come as ordered."""

    order: Order
    line: OrderLine
    worry: HarvestWorry
    quantity: int


def doubtful_lines(session: Session, organisation_id: int) -> list[Doubtful]:
    """What a unit was told of its lines and is not made good. One query."""
    rows = session.execute(
        sa.select(Order, OrderLine, HarvestWarning.worry, HarvestWarning.quantity)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(HarvestWarning, HarvestWarning.line_id == OrderLine.id)
        .where(
            Order.organisation_id == organisation_id,
            Order.state.in_([*HOLDING, *TO_PACK]),
            HarvestWarning.worry != HarvestWorry.NEAR,
            HarvestWarning.quantity > 0,
            HarvestWarning.id.in_(_last()),
        )
        .options(joinedload(OrderLine.product))
        .order_by(Order.id, OrderLine.position, HarvestWarning.worry)
    )
    return [Doubtful(*row) for row in rows]


def proposals_of(session: Session, order_id: int) -> list[LineProposal]:
    """Every proposal about one order, newest first, with its line and whose it is."""
    return list(
        session.scalars(
            sa.select(LineProposal)
            .where(LineProposal.order_id == order_id)
            .options(
                joinedload(LineProposal.line).joinedload(OrderLine.product),
                joinedload(LineProposal.organisation),
            )
            .order_by(LineProposal.id.desc())
        )
    )


def proposals_to_answer(
    session: Session, organisation_id: int, *, supplier_id: int | None = None
) -> list[LineProposal]:
    """Open proposals of the other side about this organisation's orders: a unit's own, or those of
    the supplier that it is. One query."""
    side = (
        Order.organisation_id == organisation_id
        if supplier_id is None
        else Order.supplier_id == supplier_id
    )
    return list(
        session.scalars(
            sa.select(LineProposal)
            .join(LineProposal.order)
            .join(BulkOrder, BulkOrder.order_id == LineProposal.order_id)
            .where(
                BulkOrder.stage == Stage.IN_DELIVERY,
                LineProposal.state == ProposalState.OPEN,
                LineProposal.organisation_id != organisation_id,
                side,
            )
            .options(
                joinedload(LineProposal.order),
                joinedload(LineProposal.line).joinedload(OrderLine.product),
                joinedload(LineProposal.organisation),
            )
            .order_by(LineProposal.id)
        )
    )
