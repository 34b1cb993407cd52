"""An approved loss or a finished count was wrong: a counter-slip says so, and another agrees.

A counter-slip moves exactly what the slip before it moved, the other way, part by part. It is
decided like any other slip (`decide_adjustment`), never by whoever wrote it.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import LotState
from catalog.lots.models.papers import Adjustment, AdjustmentState, CountState
from catalog.lots.operations.adjusting import locked_adjustment
from catalog.lots.operations.opposites import plan_counter
from catalog.lots.queries.counting import count_of
from catalog.lots.queries.papers import adjustment_of, counter_of
from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.numbering import next_number
from kernel.text import tidy


def take_back_adjustment(
    session: Session, number: str, *, supplier_id: int, reason: str, by: Actor, now: datetime
) -> Adjustment:
    """A slip of the opposite quantity that waits for a second person; the one that waits or was
    agreed to already, if there is one. Refused where its goods have gone on since."""
    key = adjustment_of(session, supplier_id, number).id
    wrong = locked_adjustment(session, key, supplier_id)
    known = counter_of(session, wrong.id)
    if known is not None:
        return known
    reason = tidy(reason)[:200]
    if not reason:
        raise Invalid({"back_reason": Text("Say why.")})
    if wrong.reverses_id is not None:
        raise Refusal(Text("This slip takes another one back; write a new slip instead."))
    if wrong.state is not AdjustmentState.APPROVED:
        raise Refusal(
            Text("Nobody has agreed to slip %(number)s, so nothing moved.", number=number)
        )
    if wrong.lot.state is LotState.CLOSED:
        raise Refusal(Text("Lot %(code)s is closed.", code=wrong.lot.code))
    plan_counter(session, wrong)  # refuses what could not be agreed to
    counter = Adjustment(
        number=next_number(session, "SY", now),
        supplier_id=supplier_id,
        lot_id=wrong.lot_id,
        kind=wrong.kind,
        quantity=-wrong.quantity,
        reason=reason,
        reverses_id=wrong.id,
        state=AdjustmentState.PROPOSED,
        **stamp(by, now),
    )
    session.add(counter)
    session.flush()
    audit.note(
        session, "take_back_adjustment", f"adjustment:{wrong.id}", by=by, now=now,
        number=counter.number, reason=reason,
    )  # fmt: skip
    return counter


def take_back_count(
    session: Session, number: str, *, supplier_id: int, reason: str, by: Actor, now: datetime
) -> list[Adjustment]:
    """Every difference of a finished count that was agreed to gets its counter-slip, all of them
    or none; the count itself stays to be read."""
    count = count_of(session, supplier_id, number)
    if not tidy(reason):
        raise Invalid({"back_reason": Text("Say why.")})
    pools = sa.select(Product.id).where(Product.supplier_id == supplier_id)
    lock_pools(session, list(session.scalars(pools)))
    if count.state is not CountState.FINISHED:
        raise Refusal(Text("This count is not finished; give it up instead."))
    slips = list(
        session.scalars(
            sa.select(Adjustment).where(Adjustment.count_id == count.id).order_by(Adjustment.id)
        )
    )
    waiting = [
        Text("Slip %(number)s waits for a decision: decide it first.", number=each.number)
        for each in slips
        if each.state is AdjustmentState.PROPOSED
    ]
    moved = [each for each in slips if each.state is AdjustmentState.APPROVED]
    if waiting or not moved:
        raise Refusal(Text("This count moved nothing that could be taken back."), tuple(waiting))
    return [
        take_back_adjustment(
            session, each.number, supplier_id=supplier_id, reason=reason, by=by, now=now
        )
        for each in moved
    ]
