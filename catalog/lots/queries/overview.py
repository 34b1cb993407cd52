"""What a supplier has of each product, where it lies, and every move of it with its balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.lots.models import (
    Contribution,
    Lot,
    LotState,
    MoveKind,
    Processing,
    StockMove,
)
from catalog.lots.models.papers import (
    Adjustment,
    AdjustmentState,
    StockLevel,
    StoreTransfer,
)
from catalog.lots.queries.stock import BROUGHT, FREE, sellable
from catalog.products.models import Product
from kernel.db import sum_whole

WAITING = (LotState.AWAITING_TEST, LotState.HOLD, LotState.QUARANTINE)


@dataclass(frozen=True, slots=True)
class StockRow:
    """One product in the store, in base units. Free is what may be promised on that day; apart is
    what waits, is held or recalled, has expired or is not to be had yet; under way is between two
    stores. `least` is 0 where nobody watches."""

    product: Product
    on_hand: int
    reserved: int
    free: int
    under_way: int
    expires_on: date | None
    least: int

    @property
    def apart(self) -> int:
        return self.on_hand - self.under_way - self.reserved - self.free

    @property
    def low(self) -> bool:
        return self.free < self.least


def stock_of(session: Session, supplier_id: int, *, today: date) -> list[StockRow]:
    """Every product of the supplier that is in the store or watched. Two queries."""
    rows = session.execute(
        sa.select(
            Product,
            sum_whole(sa.case((BROUGHT, Contribution.on_hand), else_=0)),
            sum_whole(sa.case((BROUGHT, Contribution.reserved), else_=0)),
            sum_whole(sa.case((sellable(today), FREE), else_=0)),
            sum_whole(sa.case((Lot.state == LotState.IN_TRANSIT, Contribution.on_hand), else_=0)),
            sa.func.min(sa.case((sa.and_(sellable(today), FREE > 0), Lot.best_before))),
        )
        .outerjoin(Contribution, Contribution.product_id == Product.id)
        .outerjoin(Lot, Lot.id == Contribution.lot_id)
        .where(Product.supplier_id == supplier_id)
        .group_by(Product.id)
        .order_by(Product.position, Product.id)
    ).all()
    levels = stock_levels(session, [row[0].id for row in rows])
    found = [
        StockRow(product, int(there), int(taken), int(left), int(way), until,
                 levels.get(product.id, 0))
        for product, there, taken, left, way, until in rows
    ]  # fmt: skip
    return [row for row in found if row.on_hand or row.least]


def stock_levels(session: Session, product_ids: Sequence[int]) -> dict[int, int]:
    """Product → how much there should always be, as last set."""
    newest = (
        sa.select(sa.func.max(StockLevel.id))
        .where(StockLevel.product_id.in_(product_ids))
        .group_by(StockLevel.product_id)
    )
    return dict(
        session.execute(
            sa.select(StockLevel.product_id, StockLevel.least).where(StockLevel.id.in_(newest))
        ).all()
    )


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One move of a product, and what lay in all stores after it."""

    at: datetime
    kind: MoveKind
    quantity: int
    balance: int
    lot_code: str
    household: str | None
    cause: str


def moves_of_product(
    session: Session,
    product_id: int,
    *,
    lot_id: int | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[MoveRow]:
    """The ledger of a product (or of one lot of it), newest first. Two queries: what there was
    after the newest move shown, and the moves."""
    chosen = sa.and_(Contribution.product_id == product_id, StockMove.kind != MoveKind.EXPECTED)
    if lot_id is not None:
        chosen = sa.and_(chosen, Contribution.lot_id == lot_id)
    rows = session.execute(
        sa.select(
            StockMove.id,
            StockMove.made_at,
            StockMove.kind,
            StockMove.quantity,
            Lot.code,
            Household.name,
            StockMove.cause,
        )
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .outerjoin(Household, Household.id == Contribution.household_id)
        .where(chosen)
        .order_by(StockMove.id.desc())
        .offset(offset)
        .limit(limit)
    ).all()
    newest = rows[0][0] if rows else 0
    balance = int(
        session.scalar(
            sa.select(sum_whole(StockMove.quantity))
            .join(Contribution, Contribution.id == StockMove.contribution_id)
            .where(chosen, StockMove.id <= newest)
        )
        or 0
    )
    found = []
    for _, at, kind, quantity, code, name, cause in rows:
        found.append(MoveRow(at, kind, quantity, balance, code, name, cause))
        balance -= quantity
    return found


def lots_waiting(session: Session, supplier_id: int) -> list[Lot]:
    """Lots with goods that wait for a test, are held or recalled; with products."""
    return list(
        session.scalars(
            sa.select(Lot)
            .options(joinedload(Lot.product))
            .where(
                Lot.supplier_id == supplier_id,
                Lot.state.in_(WAITING),
                sa.exists().where(Contribution.lot_id == Lot.id, Contribution.on_hand > 0),
            )
            .order_by(Lot.best_before, Lot.id)
        )
    )


@dataclass(frozen=True, slots=True)
class Waits:
    """How much waits for somebody in the store."""

    slips: int
    transfers: int
    lots: int


def store_waits(session: Session, supplier_id: int) -> Waits:
    """Counted in one query."""
    slips = sa.select(sa.func.count()).where(
        Adjustment.supplier_id == supplier_id, Adjustment.state == AdjustmentState.PROPOSED
    )
    transfers = (
        sa.select(sa.func.count(StoreTransfer.id))
        .join(Processing, Processing.id == StoreTransfer.processing_id)
        .join(Lot, Lot.id == Processing.output_lot_id)
        .where(
            Lot.supplier_id == supplier_id,
            StoreTransfer.arrived.is_(None),
            Processing.undone_at.is_(None),
        )
    )
    waiting = sa.select(sa.func.count(Lot.id)).where(
        Lot.supplier_id == supplier_id,
        Lot.state.in_(WAITING),
        sa.exists().where(Contribution.lot_id == Lot.id, Contribution.on_hand > 0),
    )
    row = session.execute(
        sa.select(slips.scalar_subquery(), transfers.scalar_subquery(), waiting.scalar_subquery())
    ).one()
    return Waits(*row)
