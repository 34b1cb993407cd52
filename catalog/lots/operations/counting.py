"""The store is counted by two people while goods go on moving (R8)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Lot, LotState, Store
from catalog.lots.models.papers import (
    Adjustment,
    AdjustmentKind,
    CountEntry,
    CountState,
    StockCount,
)
from catalog.lots.operations.adjusting import propose_adjustment
from catalog.lots.queries.counting import (
    book_of,
    count_of,
    count_sheet,
    counters_of,
    newest_entries,
    open_count_of,
)
from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.numbering import next_number
from kernel.periods import business_day


def begin_count(
    session: Session, supplier_id: int, *, store_id: int | None, by: Actor, now: datetime
) -> StockCount:
    """The count of a store (None: the main one); the one that is going on, if there is one."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    if store_id is not None:
        store = session.get(Store, store_id)
        if store is None or store.supplier_id != supplier_id:
            raise Missing(Text("There is nothing at this address, or it is not yours."))
    going_on = open_count_of(session, supplier_id, store_id)
    if going_on is not None:
        return going_on
    count = StockCount(
        number=next_number(session, "PD", now),
        supplier_id=supplier_id,
        store_id=store_id,
        on=business_day(now),
        state=CountState.COUNTING,
        **stamp(by, now),
    )
    session.add(count)
    session.flush()
    audit.note(session, "begin_count", f"stock_count:{count.id}", by=by, now=now)
    return count


def enter_count(
    session: Session,
    number: str,
    lot_id: int,
    counted: int,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> CountEntry:
    """What this person counted of a lot, beside the book of this moment. Entered again, the newer
    one holds. A third person does not count: two are asked, and a third decides.
    """
    if counted < 0:
        raise Invalid({"counted": Text("Enter a weight in kilograms, such as 12.5.")})
    lot = get_or_missing(session, Lot, lot_id)
    lock_pools(session, [lot.product_id])
    count = _counting(session, number, supplier_id)
    if lot.supplier_id != supplier_id or lot.store_id != count.store_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if lot.state is LotState.IN_TRANSIT:
        raise Refusal(Text("Lot %(code)s is still under way.", code=lot.code))
    if lot.state is LotState.EXPECTED:
        raise Refusal(Text("Nothing of this harvest lies in the store yet."))
    people = counters_of(newest_entries(session, count.id))
    if len(people) == 2 and (by.user_id or 0) not in people:
        raise Refusal(Text("Two people count this store already."))
    entry = CountEntry(
        count_id=count.id,
        lot_id=lot.id,
        counted=counted,
        book=book_of(session, lot.id),
        **stamp(by, now),
    )
    session.add(entry)
    session.flush()
    audit.note(
        session, "enter_count", f"stock_count:{count.id}", by=by, now=now, lot=lot.code,
        counted=counted, book=entry.book,
    )  # fmt: skip
    return entry


def finish_count(
    session: Session, number: str, *, supplier_id: int, by: Actor, now: datetime
) -> list[Adjustment]:
    """Both agree on every lot: each difference becomes a slip that a third person decides.

    Refused with all reasons while something is not counted twice or the two disagree. A finished
    count stays as it is.
    """
    count = count_of(session, supplier_id, number)
    lock_pools(
        session,
        list(session.scalars(sa.select(Product.id).where(Product.supplier_id == supplier_id))),
    )
    get_or_missing(session, StockCount, count.id, lock=True)
    if count.state is CountState.FINISHED:
        return list(session.scalars(sa.select(Adjustment).where(Adjustment.count_id == count.id)))
    _still_counting(count)
    sheet = count_sheet(session, count)
    reasons = [
        Text("Lot %(code)s: the two counts differ; count it again.", code=line.lot.code)
        for line in sheet.disagreeing
    ]
    if sheet.missing or not sheet.lines:
        reasons.append(Text("Not counted by two people yet: %(n)s lots.", n=sheet.missing))
    if reasons:
        raise Refusal(Text("The count cannot be finished yet."), tuple(reasons))
    count.state, count.ended_at, count.ended_by_id = CountState.FINISHED, now, by.user_id
    audit.note(session, "finish_count", f"stock_count:{count.id}", by=by, now=now)
    return [
        propose_adjustment(
            session, line.lot.id, line.difference, supplier_id=supplier_id,
            kind=AdjustmentKind.COUNT, reason=f"盘点 {count.number}", count_id=count.id,
            by=by, now=now,
        )
        for line in sorted(sheet.lines, key=lambda line: (line.lot.product_id, line.lot.id))
        if line.difference
    ]  # fmt: skip


def give_up_count(
    session: Session, number: str, *, supplier_id: int, by: Actor, now: datetime
) -> StockCount:
    """Nothing comes of it; what was entered stays to be read."""
    count = count_of(session, supplier_id, number)
    get_or_missing(session, StockCount, count.id, lock=True)
    if count.state is CountState.GIVEN_UP:
        return count
    _still_counting(count)
    count.state, count.ended_at, count.ended_by_id = CountState.GIVEN_UP, now, by.user_id
    audit.note(session, "give_up_count", f"stock_count:{count.id}", by=by, now=now)
    return count


def _counting(session: Session, number: str, supplier_id: int) -> StockCount:
    count = count_of(session, supplier_id, number)
    get_or_missing(session, StockCount, count.id, lock=True)
    _still_counting(count)
    return count


def _still_counting(count: StockCount) -> None:
    if count.state is not CountState.COUNTING:
        raise Refusal(Text("This count is over."))
