"""Moving a refund and its return parcel from state to state: one event row each."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from orders.payments.models import REFUND_MOVES, Refund, RefundLine, RefundState
from orders.payments.models.after import RETURN_MOVES, RefundEvent, ReturnParcel, ReturnState
from orders.sales.models import Order


def locked_refund(session: Session, refund_id: int) -> tuple[Order, Refund]:
    """The refund with lines, freights and parcel, read fresh under the lock of its order."""
    refund = get_or_missing(session, Refund, refund_id)
    order = get_or_missing(session, Order, refund.order_id, lock=True)
    found = session.scalars(
        sa.select(Refund)
        .where(Refund.id == refund_id)
        .options(
            selectinload(Refund.lines).joinedload(RefundLine.line),
            selectinload(Refund.freights),
            joinedload(Refund.parcel),
        )
        .execution_options(populate_existing=True)
    ).one()
    return order, found


def move_refund(
    session: Session, refund: Refund, to: RefundState, *, words: str = "", by: Actor, now: datetime
) -> None:
    """One step of the table of moves. The caller has locked the order."""
    if to not in REFUND_MOVES[refund.state]:
        raise Refusal(
            "Refund %(number)s has moved on; this step is not possible any more.",
            number=refund.number,
        )
    was, refund.state = refund.state.value, to
    _write(session, refund.id, was, to.value, words, by, now)


def move_parcel(
    session: Session, parcel: ReturnParcel, to: ReturnState, *, words: str = "", by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """The same for goods on their way back."""
    if to not in RETURN_MOVES[parcel.state]:
        raise Refusal("These goods have moved on; this step is not possible any more.")
    was, parcel.state = parcel.state.value, to
    _write(session, parcel.refund_id, was, to.value, words, by, now)


def _write(
    session: Session, refund_id: int, was: str, to: str, words: str, by: Actor, now: datetime
) -> None:
    session.add(
        RefundEvent(
            refund_id=refund_id, from_state=was, to_state=to, words=words[:200], **stamp(by, now)
        )
    )
    session.flush()
