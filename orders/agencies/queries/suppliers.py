"""Whom units pay, and what cooperatives see of their bulk orders."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers.models import Supplier
from orders.agencies.models import BulkOrder, Stage
from orders.sales.models import Order


def accounts_of(session: Session, order_ids: Collection[int]) -> dict[int, Supplier]:
    """Order id → the supplier whose account is to be paid, with its organisation."""
    found = session.execute(
        sa.select(Order.id, Supplier)
        .join(Order.supplier)
        .where(Order.id.in_(sorted(order_ids)))
        .options(joinedload(Supplier.organisation))
    )
    return dict(found.all())


def supplier_stage_counts(session: Session, organisation_id: int) -> dict[Stage, int]:
    """How many bulk orders of a supplier stand at each stage."""
    found = session.execute(
        sa.select(BulkOrder.stage, sa.func.count())
        .join(BulkOrder.order)
        .join(Order.supplier)
        .where(Supplier.organisation_id == organisation_id)
        .group_by(BulkOrder.stage)
    )
    return dict(found.all())
