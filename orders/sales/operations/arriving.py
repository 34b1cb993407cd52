"""A harvest comes in: what was promised of it moves to the lot that lies in the store now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction
from math import ceil
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Lot, LotState
from catalog.lots.operations.harvests import count_arrivals, lock_harvest, settle
from catalog.lots.queries import candidates
from catalog.lots.queries.harvests import harvest_of
from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Missing, Refusal, Text
from kernel.money import Money
from kernel.periods import business_day
from orders.sales.models import HOLDING, Allocation, Order
from orders.sales.operations.choosing import cap_left, stock_of
from orders.sales.operations.replacing import exchange
from orders.sales.queries import TO_PACK, standings
from orders.sales.queries.promises import as_open, open_promises
from orders.sales.rules.allocation import (
    FRESH_BUCKET_DAYS,
    LASTING_BUCKET_DAYS,
    Demand,
    Slice,
    Stock,
    allocate,
)
from orders.sales.rules.arriving import Goods, own_goods_first


@dataclass(frozen=True, slots=True)
class Arrival:
    """In base units: what came of the harvest with this lot, what of its promises moved there, and
    what is still promised of the harvest."""

    counted: int
    moved: int
    left: int


def bring_in_harvest(
    session: Session,
    supplier_id: int,
    code: str,
    *,
    lot_id: int,
    cap_of: Callable[[Order], Money | None],
    by: Actor,
    now: datetime,
) -> Arrival:
    """Promises of the harvest move to the lot: first each household's goods fulfil what was
    promised of that household, oldest promise first; then the usual rule chooses among what is
    left, in the same order. A promise for a day on which the lot is not good stays where it is.

    May be repeated: with later lots, or the same one when it has grown. Nothing moves twice.
    """
    harvest = harvest_of(session, supplier_id, code)
    waiting = open_promises(session, supplier_id, lot_ids=[harvest.lot_id])
    orders = {
        order.id: order
        for order in session.scalars(
            sa.select(Order)
            .where(Order.id.in_({each.line.order_id for each in waiting}))
            .order_by(Order.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        if order.state in (*HOLDING, *TO_PACK)
    }
    harvest = lock_harvest(session, supplier_id, code)
    lot = _came_in(session, lot_id, harvest.lot, supplier_id)
    # Read again: whoever had the locks before may have shipped, cancelled or moved some of it.
    promises = [
        each
        for each in open_promises(session, supplier_id, lot_ids=[harvest.lot_id])
        if each.line.order_id in orders and _good_on(lot, _day_of(each, now))
    ]
    counted = count_arrivals(session, harvest, lot.id, by=by, now=now)
    moved = _fulfil(session, promises, lot, orders, cap_of, harvest.lot, by, now)
    settle(session, harvest, by=by, now=now)
    left = harvest.promised
    audit.note(
        session, "bring_in_harvest", f"lot:{harvest.lot_id}", by=by, now=now,
        lot=lot.code, counted=counted, moved=moved, left=left,
    )  # fmt: skip
    return Arrival(counted, moved, left)


def _came_in(session: Session, lot_id: int, expected: Lot, supplier_id: int) -> Lot:
    lot = get_or_missing(session, Lot, lot_id)
    if lot.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if (lot.product_id, lot.grade) != (expected.product_id, expected.grade):
        raise Refusal("Lot %(lot)s holds other goods or another grade.", lot=lot.code)
    if lot.state is not LotState.OPEN:
        raise Refusal("Lot %(lot)s is on hold and must stay in the store.", lot=lot.code)
    return lot


def _day_of(allocation: Allocation, now: datetime) -> date:
    line = allocation.line
    today = business_day(now)
    return max(today, line.deliver_on or line.order.deliver_on or today)


def _good_on(lot: Lot, day: date) -> bool:
    return lot.available_from <= day <= lot.best_before


def _fulfil(
    session: Session,
    promises: Sequence[Allocation],
    lot: Lot,
    orders: dict[int, Order],
    cap_of: Callable[[Order], Money | None],
    harvest_lot: Lot,
    by: Actor,
    now: datetime,
) -> int:
    """Move what the lot can fulfil; answers how many base units that was."""
    if not promises:
        return 0
    days = sorted({_day_of(each, now) for each in promises})
    stock = {
        each.contribution_id: stock_of(each)
        for day in days
        for each in candidates(session, [lot.product_id], on_day=day)
        if each.lot_id == lot.id
    }
    goods = [Goods(each.contribution_id, each.household_id, each.free) for each in stock.values()]
    free = {key: each.free for key, each in stock.items()}
    chosen: dict[int, list[Slice]] = {each.id: [] for each in promises}
    for key, contribution_id, quantity in own_goods_first(as_open(promises), goods):
        part = stock[contribution_id]
        why = _reason(part, harvest_lot.code)
        chosen[key].append(Slice(key, contribution_id, lot.id, part.household_id, quantity, why))
        free[contribution_id] -= quantity
    _fill_up(session, promises, lot, list(stock.values()), free, chosen, orders, cap_of, now)
    moved = 0
    for each in promises:
        if slices := chosen[each.id]:
            quantity = sum(part.quantity for part in slices)
            exchange(
                session, each.line, [(each, quantity)], slices,
                why="预计采收已入库", old=harvest_lot, by=by, now=now,
            )  # fmt: skip
            moved += quantity
    return moved


def _reason(part: Stock, harvest_code: str) -> dict[str, Any]:
    return {
        "best_before": part.best_before.isoformat(),
        "harvest": harvest_code,
        "same_household": True,
    }


def _fill_up(
    session: Session,
    promises: Sequence[Allocation],
    lot: Lot,
    stock: Sequence[Stock],
    free: dict[int, int],
    chosen: dict[int, list[Slice]],
    orders: dict[int, Order],
    cap_of: Callable[[Order], Money | None],
    now: datetime,
) -> None:
    """What a household did not bring is fulfilled by others of the same lot, by the usual rule."""
    product = session.get_one(Product, lot.product_id)
    known = standings(session, [product.id], now)
    bucket = FRESH_BUCKET_DAYS if product.fresh else LASTING_BUCKET_DAYS
    caps: dict[int | None, dict[int, int]] = {}
    for each in promises:
        wanted = each.open - sum(part.quantity for part in chosen[each.id])
        parts = [replace(one, free=free[one.contribution_id]) for one in stock
                 if free[one.contribution_id]]  # fmt: skip
        if not wanted or not parts:
            continue
        order, line = orders[each.line.order_id], each.line
        if order.organisation_id not in caps:
            caps[order.organisation_id] = cap_left(session, cap_of(order), stock, now=now)
        left, worth = caps[order.organisation_id], Fraction(line.amount.fen, line.quantity)
        plan = allocate(
            [
                Demand(
                    key=each.id, product_id=product.id, grade=lot.grade.value, quantity=wanted,
                    on=_day_of(each, now), worth=worth,
                )
            ],
            parts,
            bucket_days={product.id: bucket},
            standings=known,
            cap_left=left,
        )  # fmt: skip
        # Whatever it found counts: what is missing stays promised of the harvest.
        for part in plan.slices:
            chosen[each.id].append(replace(part, reason={**part.reason, "harvest": True}))
            free[part.contribution_id] -= part.quantity
            for cap in caps.values():
                if part.household_id in cap:
                    cap[part.household_id] = max(
                        0, cap[part.household_id] - ceil(part.quantity * worth)
                    )
