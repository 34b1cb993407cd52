"""Where the goods of a lot came from and where they went, slip by slip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot, MoveKind, Processing, ProcessingInput, StockMove
from catalog.lots.queries.stock import MADE


@dataclass(frozen=True, slots=True)
class Flow:
    """One step of a lot with where the goods came from or went to (NY/T 4712-2025: 来源/去向)."""

    on: datetime
    kind: MoveKind
    quantity: int
    parties: int
    other: str | None


def flows_of(session: Session, lot_id: int) -> list[Flow]:
    """Everything that came into a lot or left it, one row a slip: when, what, how much, of how many
    parts, and the other lot where there is one. Two queries."""
    rows = session.execute(
        sa.select(StockMove.made_at, StockMove.kind, StockMove.quantity, StockMove.cause)
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .where(Contribution.lot_id == lot_id)
        .order_by(StockMove.id)
    ).all()
    groups: dict[tuple[MoveKind, str], list[tuple[datetime, int]]] = {}
    for at, kind, quantity, cause in rows:
        # All weigh slips of one day are one intake; other causes name their paper.
        daily = kind in (MoveKind.TAKEN_IN, MoveKind.RETURNED)
        key = f"{at:%Y%m%d}" if daily else cause_of(cause)
        groups.setdefault((kind, key), []).append((at, quantity))
    others = _other_lots(session, lot_id, [key for _, key in groups])
    return [
        Flow(moves[0][0], kind, sum(quantity for _, quantity in moves), len(moves),
             others.get(key))
        for (kind, key), moves in groups.items()
    ]  # fmt: skip


def cause_of(cause: str) -> str:
    """`processing:12:in:77` → `processing:12`."""
    return ":".join(cause.split(":")[:2])


def _other_lots(session: Session, lot_id: int, keys: Sequence[str]) -> dict[str, str]:
    """Slip → the codes of the lots at its other side."""
    numbers = [int(key.split(":")[1]) for key in keys if key.startswith("processing:")]
    if not numbers:
        return {}
    output, source = sa.orm.aliased(Lot), sa.orm.aliased(Lot)
    rows = session.execute(
        sa.select(Processing.id, output.id, output.code, source.id, source.code)
        .join(MADE, MADE.c.processing_id == Processing.id)
        .join(output, output.id == MADE.c.lot_id)
        .join(ProcessingInput, ProcessingInput.processing_id == Processing.id)
        .join(source, source.id == ProcessingInput.lot_id)
        .where(Processing.id.in_(numbers))
        .order_by(Processing.id, source.id, output.id)
    ).all()
    found: dict[str, list[str]] = {}
    for key, made, output_code, used, source_code in rows:
        codes = found.setdefault(f"processing:{key}", [])
        # Lots that came out of the same sorting lie at this lot's own side.
        for side, other in ((made, source_code), (used, output_code)):
            if side == lot_id and other not in codes:
                codes.append(other)
    return {key: " ".join(codes) for key, codes in found.items()}
