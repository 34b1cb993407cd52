"""Another lot than was chosen: old slices are closed, new ones frozen, with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction

from sqlalchemy.orm import Session

from catalog.lots.models import Lot, LotState
from catalog.lots.operations import release, reserve
from catalog.lots.queries import candidates, lock_pools
from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Money
from kernel.periods import business_day
from kernel.text import tidy
from orders.sales.models import HOLDING, Allocation, AllocationChange, Order, OrderLine
from orders.sales.operations.choosing import cap_left, quantity_words, stock_of
from orders.sales.operations.returning import count_up
from orders.sales.queries import TO_PACK, open_allocations, products_of, standings
from orders.sales.rules.allocation import (
    FRESH_BUCKET_DAYS,
    LASTING_BUCKET_DAYS,
    Demand,
    Slice,
    allocate,
)
from orders.sales.rules.replacing import match


def replace_lot(
    session: Session,
    order_id: int,
    line_id: int,
    *,
    supplier_id: int,
    from_lot_id: int,
    to_lot_id: int,
    quantity: int | None = None,
    reason: str,
    annual_cap: Money | None = None,
    by: Actor,
    now: datetime,
) -> list[Allocation]:
    """What is open of this line in one lot (or `quantity` base units of it) comes from another lot.

    The old slices are closed, the new ones frozen with the reason; among the households of the new
    lot the usual rule chooses. The locks are those of shipping: whoever comes second finds nothing
    left to replace, or nothing left to ship from the old lot. Nothing that left is touched.
    """
    why = tidy(reason)[:200]
    if not why:
        raise Invalid({"reason": Text("Say why another lot is taken.")})
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.state not in (*HOLDING, *TO_PACK):
        raise Refusal(
            "Order %(number)s has moved on; this step is not possible any more.",
            number=order.number,
        )
    lock_pools(session, products_of(session, [order_id]))
    held = [
        each
        for each in open_allocations(session, [order_id])
        if each.line_id == line_id
        and each.lot_id == from_lot_id
        and each.line.supplier_id == supplier_id
    ]
    if not held:
        raise Refusal("Nothing of this line is open in that lot any more; look at it again.")
    there = sum(each.open for each in held)
    wanted = there if quantity is None else quantity
    if not 0 < wanted <= there:
        raise Invalid({"quantity": Text("More is to be replaced than is open in this lot.")})
    line, old_lot = held[0].line, held[0].lot
    new_lot = _fitting(session, to_lot_id, old_lot, supplier_id)
    day = max(business_day(now), line.deliver_on or order.deliver_on or business_day(now))
    slices = _plan(session, line, new_lot, wanted, day, annual_cap, now)

    fresh = exchange(
        session, line, _from_the_end(held, wanted), slices, why=why, old=old_lot, by=by, now=now
    )
    audit.note(
        session, "replace_lot", f"order:{order.id}", by=by, now=now,
        line=line.id, old=old_lot.code, new=new_lot.code, quantity=wanted, reason=why,
    )  # fmt: skip
    return fresh


def exchange(
    session: Session,
    line: OrderLine,
    closing: Sequence[tuple[Allocation, int]],
    slices: Sequence[Slice],
    *,
    why: str,
    old: Lot,
    by: Actor,
    now: datetime,
) -> list[Allocation]:
    """So much of these old slices of a line is closed, these new ones of the same sum are frozen.

    Order and pool are locked; the new slices were chosen from what is free.
    """
    reserve(session, [(each.contribution_id, each.quantity) for each in slices])
    release(session, [(each.contribution_id, taken) for each, taken in closing])
    count_up(session, "released", closing)
    fresh = [
        Allocation(
            line_id=line.id,
            contribution_id=each.contribution_id,
            lot_id=each.lot_id,
            household_id=each.household_id,
            quantity=each.quantity,
            reason={**each.reason, "replaces": old.code, "why": why},
            released=0,
            shipped=0,
            **stamp(by, now),
        )
        for each in slices
    ]
    session.add_all(fresh)
    session.flush()  # the changes point to them
    pairs = match(
        [(each.id, taken) for each, taken in closing], [(each.id, each.quantity) for each in fresh]
    )
    session.add_all(
        AllocationChange(
            line_id=line.id, from_id=old, to_id=new, quantity=taken, reason=why, **stamp(by, now)
        )
        for old, new, taken in pairs
    )
    session.flush()
    return fresh


def _fitting(session: Session, lot_id: int, old: Lot, supplier_id: int) -> Lot:
    """The other lot, of the same goods and the same store."""
    lot = get_or_missing(session, Lot, lot_id)
    if lot.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if lot.id == old.id:
        raise Refusal("Choose another lot than the one it comes from.")
    if (lot.product_id, lot.grade) != (old.product_id, old.grade):
        raise Refusal("Lot %(lot)s holds other goods or another grade.", lot=lot.code)
    return lot


def _plan(
    session: Session,
    line: OrderLine,
    lot: Lot,
    wanted: int,
    day: date,
    cap: Money | None,
    now: datetime,
) -> Sequence[Slice]:
    """Whose goods of the new lot serve the line; refused with what is missing."""
    product = session.get_one(Product, line.product_id)
    stock = [
        stock_of(each)
        for each in candidates(session, [line.product_id], on_day=day)
        if each.lot_id == lot.id
    ]
    plan = allocate(
        [
            Demand(
                key=line.id,
                product_id=line.product_id,
                grade=line.grade.value,
                quantity=wanted,
                on=day,
                worth=Fraction(line.amount.fen, line.quantity),
            )
        ],
        stock,
        bucket_days={product.id: FRESH_BUCKET_DAYS if product.fresh else LASTING_BUCKET_DAYS},
        standings=standings(session, [product.id], now),
        cap_left=cap_left(session, cap, stock, now=now),
    )
    if plan.shortages:
        raise Refusal(
            "This lot cannot take its place.",
            (_why_not(lot, plan.shortages[0].missing, plan.shortages[0].capped, product, day),),
        )
    return plan.slices


def _why_not(lot: Lot, missing: int, capped: int, product: Product, day: date) -> Text:
    if lot.state is LotState.EXPECTED:
        return Text("Harvest %(lot)s is not in the store yet.", lot=lot.code)
    if lot.state is not LotState.OPEN:
        return Text("Lot %(lot)s is on hold and must stay in the store.", lot=lot.code)
    if lot.best_before < day:
        return Text("Lot %(lot)s is good until %(day)s only.", lot=lot.code, day=lot.best_before)
    if lot.available_from > day:
        return Text("Lot %(lot)s is there from %(day)s on.", lot=lot.code, day=lot.available_from)
    words = quantity_words(missing, product.base_unit)
    if capped:
        return Text(
            "%(missing)s are missing in lot %(lot)s, because households have reached their "
            "yearly cap.",
            missing=words, lot=lot.code,
        )  # fmt: skip
    return Text("%(missing)s are missing in lot %(lot)s.", missing=words, lot=lot.code)


def _from_the_end(held: Sequence[Allocation], wanted: int) -> list[tuple[Allocation, int]]:
    """The last to be chosen is the first to be replaced; in id order for the change rows."""
    taken = []
    for each in reversed(held):
        part = min(wanted, each.open)
        if part:
            taken.append((each, part))
            wanted -= part
    return taken[::-1]
