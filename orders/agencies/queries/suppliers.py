"""Whom units pay, and what cooperatives see of their bulk orders."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers.models import Supplier
from kernel.versions import FrozenVersion
from orders.agencies.models import BulkOrder, Stage
from orders.sales.models import Order


@dataclass(frozen=True, slots=True)
class Payee:
    """Whom a unit pays, at which bank, to which account."""

    name: str
    bank: str
    bank_account: str


def accounts_of(session: Session, order_ids: Collection[int]) -> dict[int, Payee]:
    """Order id → whom to pay: as the contract says, whatever the register says since; as the
    register says where nothing was signed."""
    found: dict[int, Payee] = {}
    for order_id, supplier, contract in session.execute(
        sa.select(Order.id, Supplier, FrozenVersion)
        .join(Order.supplier)
        .outerjoin(BulkOrder, BulkOrder.order_id == Order.id)
        .outerjoin(FrozenVersion, FrozenVersion.id == BulkOrder.contract_id)
        .where(Order.id.in_(sorted(order_ids)))
        .options(joinedload(Supplier.organisation))
    ):
        said = contract.content()["seller"] if contract is not None else {}
        found[order_id] = Payee(
            said.get("name", supplier.organisation.name),
            said.get("bank", supplier.bank),
            said.get("bank_account", supplier.bank_account),
        )
    return found


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
