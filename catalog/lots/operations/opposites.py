"""What a loss slip or a count difference moved, the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import Contribution, StockMove
from catalog.lots.models.papers import Adjustment
from catalog.lots.operations.stock import Loss
from catalog.lots.queries.stock import gone_from_the_top
from kernel.errors import Refusal, Text
from kernel.money import Money


def plan_counter(session: Session, wrong: Adjustment) -> list[Loss]:
    """What this slip moved, part by part, the other way; or a Refusal where it cannot be."""
    moves = session.scalars(_moves_of(wrong)).all()
    keys = [move.contribution_id for move in moves]
    parts = {
        part.id: part
        for part in session.scalars(sa.select(Contribution).where(Contribution.id.in_(keys)))
    }
    gone = gone_from_the_top(session, keys)
    found = _found_parts(session, keys)
    losses, reasons = [], []
    for move in moves:
        part, taken = parts[move.contribution_id], move.quantity
        if taken > part.on_hand - part.reserved:
            reasons.append(Text("Goods that this slip found are spoken for or gone by now."))
        elif -taken > gone.get(part.id, 0) + (part.quantity if part.id in found else 0):
            reasons.append(Text("Goods that this slip wrote off were found again by a count."))
        cost = rules.cost_from_the_top(part.cost.fen, part.quantity, gone.get(part.id, 0), taken)
        losses.append(Loss(part.id, taken, Money(cost)))
    if reasons:
        raise Refusal(
            Text("This slip cannot be taken back any more: write a new one instead."),
            tuple(dict.fromkeys(reasons)),
        )
    return losses


def _found_parts(session: Session, contribution_ids: Sequence[int]) -> set[int]:
    """Parts that a count found and nobody had brought: what came in there stands among what left
    from the top, with the other sign."""
    return set(
        session.scalars(
            sa.select(StockMove.contribution_id).where(
                StockMove.contribution_id.in_(contribution_ids), StockMove.cause.endswith(":own")
            )
        )
    )


def _moves_of(adjustment: Adjustment) -> sa.Select[StockMove]:
    return (
        sa.select(StockMove)
        .where(StockMove.cause.startswith(f"adjustment:{adjustment.id}:"))
        .order_by(StockMove.contribution_id)
    )


def forget_found_parts(session: Session, wrong_id: int, *, now: datetime) -> None:
    """What nobody had brought and a slip had only seemed to find is no part of the lot."""
    found = session.scalars(
        sa.select(Contribution)
        .join(StockMove, StockMove.contribution_id == Contribution.id)
        .where(StockMove.cause == f"adjustment:{wrong_id}:own")
    )
    for part in found:
        part.reversed_at = now
