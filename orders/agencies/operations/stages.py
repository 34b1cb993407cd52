"""Whose order it is, and where it may go next: what every operation on a bulk order begins with."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kernel.actors import Actor
from kernel.errors import Missing
from orders.agencies.models import (
    STAGE_MOVES,
    BulkOrder,
    Stage,
)
from orders.agencies.queries.bulk import NOT_YOURS, lock_bulk
from orders.sales.models import Order


def own_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for someone of the unit that placed it; Missing for everyone else."""
    order, bulk = lock_bulk(session, order_id)
    if order.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return order, bulk


def supplied_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for someone of the supplier; Missing for everyone else."""
    order, bulk = lock_bulk(session, order_id)
    if order.supplier is None or order.supplier.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return order, bulk


def shared_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for either side of the contract."""
    order, bulk = lock_bulk(session, order_id)
    theirs = order.supplier.organisation_id if order.supplier else None
    if by.organisation_id is None or by.organisation_id not in (order.organisation_id, theirs):
        raise Missing(NOT_YOURS)
    return order, bulk


def move_stage(bulk: BulkOrder, to: Stage) -> None:
    """One step of the stages' table; anything else is a bug of the caller."""
    assert to in STAGE_MOVES[bulk.stage], (bulk.stage, to)
    bulk.stage = to
