"""A step is taken back while nothing has followed it: the reverse rows, never an erased one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotEventKind,
    LotState,
    MoveKind,
    Processing,
    ProcessingOutput,
    StockMove,
)
from catalog.lots.models.papers import Adjustment, AdjustmentState, StoreTransfer
from catalog.lots.operations.stock import bring_back, take_out
from catalog.lots.queries.stock import FROM_THE_TOP, lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy


def undo_step(
    session: Session,
    number: str,
    *,
    supplier_id: int,
    reason: str,
    by: Actor,
    now: datetime,
) -> Processing:
    """The goods are back in the lots they came from, with their costs, and every lot that was made
    is closed. Refused once anything has happened to any; a second time changes nothing.
    """
    reason = tidy(reason)[:200]
    if not reason:
        raise Invalid({"reason": Text("Say why.")})
    made = _locked(session, number, supplier_id)
    if made.undone_at is not None:
        return made
    lots = [lot for lot, _ in made.outputs]
    outputs = [part for lot in lots for part in lot.contributions]
    sources = _taken(session, made)
    if reasons := _reasons_against(session, made, sources):
        raise Refusal(
            Text("This cannot be undone any more: write a new slip instead."), tuple(reasons)
        )
    cause = f"processing:{made.id}:undo"
    take_out(
        session, [(part.id, part.quantity) for part in outputs],
        kind=MoveKind.UNDONE, cause_prefix=f"{cause}:out", by=by, now=now,
    )  # fmt: skip
    bring_back(
        session, sorted((move.contribution_id, -move.quantity) for move in sources),
        kind=MoveKind.UNDONE, cause_prefix=f"{cause}:in", by=by, now=now,
    )  # fmt: skip
    made.undone_at, made.undone_by_id, made.undone_reason = now, by.user_id, reason
    for lot in lots:
        lot.state, lot.state_reason = LotState.CLOSED, reason
        session.add(
            LotEvent(
                lot_id=lot.id, kind=LotEventKind.UNDONE, on=business_day(now),
                note_zh=reason, details={"processing": made.number}, **stamp(by, now),
            )
        )  # fmt: skip
    audit.note(
        session, "undo_step", f"processing:{made.id}", by=by, now=now, number=made.number,
        reason=reason,
    )  # fmt: skip
    return made


def _locked(session: Session, number: str, supplier_id: int) -> Processing:
    query = (
        sa.select(Processing)
        .join(Lot, Lot.id == Processing.output_lot_id)
        .options(
            joinedload(Processing.output_lot).selectinload(Lot.contributions),
            selectinload(Processing.inputs),
            selectinload(Processing.others)
            .joinedload(ProcessingOutput.lot)
            .selectinload(Lot.contributions),
        )
        .where(Processing.number == number, Lot.supplier_id == supplier_id)
        .execution_options(populate_existing=True)
    )
    made = session.scalar(query)
    if made is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    sources = sa.select(Lot.product_id).where(Lot.id.in_([each.lot_id for each in made.inputs]))
    lock_pools(session, [made.output_lot.product_id, *session.scalars(sources)])
    return session.scalars(query).one()  # as it is now that the locks are ours


def _taken(session: Session, made: Processing) -> list[StockMove]:
    return list(
        session.scalars(
            sa.select(StockMove)
            .where(StockMove.cause.startswith(f"processing:{made.id}:in:"))
            .order_by(StockMove.id)
        )
    )


def _reasons_against(session: Session, made: Processing, sources: list[StockMove]) -> list[Text]:
    reasons = [reason for lot, _ in made.outputs for reason in _followed(session, made, lot)]
    if session.scalar(
        sa.select(StoreTransfer.id).where(
            StoreTransfer.processing_id == made.id, StoreTransfer.arrived.is_not(None)
        )
    ):
        reasons.append(Text("The goods have arrived; send them back instead."))
    # Costs are counted from the top: only the last who took may give back, or a fen goes astray.
    later = session.scalar(
        sa.select(StockMove.id)
        .where(
            StockMove.contribution_id.in_([move.contribution_id for move in sources]),
            StockMove.kind.in_(FROM_THE_TOP),
            StockMove.id > max(move.id for move in sources),
        )
        .limit(1)
    )
    closed = session.scalar(
        sa.select(Lot.id)
        .where(Lot.id.in_([each.lot_id for each in made.inputs]), Lot.state == LotState.CLOSED)
        .limit(1)
    )
    if later or closed:
        reasons.append(Text("The lots it was made of have been used or closed since."))
    return reasons


def _followed(session: Session, made: Processing, lot: Lot) -> list[Text]:
    """What has happened to a lot that was made, or waits to."""
    reasons = []
    touched = session.scalar(
        sa.select(sa.func.count(StockMove.id))
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .where(
            Contribution.lot_id == lot.id,
            ~StockMove.cause.startswith(f"processing:{made.id}:out:"),
        )
    )
    if touched:
        reasons.append(Text("Goods of lot %(code)s have moved since.", code=lot.code))
    if any(part.reserved for part in lot.contributions):
        reasons.append(Text("Goods of lot %(code)s are spoken for.", code=lot.code))
    if lot.state not in (LotState.OPEN, LotState.IN_TRANSIT):
        reasons.append(Text("Lot %(code)s is not open.", code=lot.code))
    if session.scalar(
        sa.select(Adjustment.id).where(
            Adjustment.lot_id == lot.id, Adjustment.state == AdjustmentState.PROPOSED
        )
    ):
        reasons.append(Text("A loss slip of lot %(code)s is waiting.", code=lot.code))
    return reasons
