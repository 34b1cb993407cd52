"""Losses and count differences reach the books when somebody has agreed to them."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models.papers import Adjustment, AdjustmentKind, AdjustmentState
from catalog.lots.operations.adjusting import (
    decide_adjustment,
    needs_second_person,
    propose_adjustment,
)
from catalog.lots.operations.stock import Loss
from catalog.suppliers.models import Supplier
from kernel.actors import Actor
from kernel.errors import Invalid, Text
from kernel.money import Money
from kernel.periods import business_day
from kernel.storage import Blob
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post


def report_loss(
    session: Session,
    lot_id: int,
    quantity: int,
    *,
    supplier_id: int,
    kind: AdjustmentKind,
    reason: str,
    photo: Blob | None = None,
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> Adjustment:
    """`quantity` base units of a lot are lost. A small loss is written off at once; a larger one
    waits for a second person, and what is spoiled needs a photo then. What the household was owed
    or paid for the goods stays as it is.
    """
    if quantity <= 0:
        raise Invalid({"quantity": Text("Say how much is lost.")})
    slip = propose_adjustment(
        session, lot_id, -quantity, supplier_id=supplier_id, kind=kind, reason=reason,
        photo=photo, request_key=request_key, by=by, now=now,
    )  # fmt: skip
    if slip.state is not AdjustmentState.PROPOSED:
        return slip
    if not needs_second_person(session, slip):
        decide_slip(session, slip.id, supplier_id=supplier_id, agreed=True, by=by, now=now)
    elif kind is AdjustmentKind.SPOILED and slip.photo_id is None:
        raise Invalid({"photo": Text("So large a loss needs a photo.")})
    return slip


def decide_slip(
    session: Session,
    adjustment_id: int,
    *,
    supplier_id: int,
    agreed: bool,
    words: str = "",
    by: Actor,
    now: datetime,
) -> list[Loss]:
    """Agreed: stock moves, and what it had cost is a loss of the supplier (or less of one)."""
    losses = decide_adjustment(
        session, adjustment_id, supplier_id=supplier_id, agreed=agreed, words=words, by=by, now=now
    )
    code = session.scalars(sa.select(Supplier.code).where(Supplier.id == supplier_id)).one()
    goods, lost = accounts.goods(code), accounts.loss(code)
    post(
        session,
        [
            Entry(
                lost if loss.cost.fen > 0 else goods,
                goods if loss.cost.fen > 0 else lost,
                Money(abs(loss.cost.fen)),
                f"adjustment:{adjustment_id}:{loss.contribution_id}",
            )
            for loss in losses
        ],
        on=business_day(now),
        by=by,
        now=now,
    )
    return losses
