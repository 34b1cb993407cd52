"""What must always be true of recalls."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, rows_of
from kernel.db import sum_whole
from kernel.errors import Text
from orders.tracing.models import Recall, RecallKind, RecallLine, RecallReport


def _recalls_add_up(session: Session) -> Iterator[Difference]:
    """Never more accounted for than was shipped; exactly that once a real recall is closed."""
    said = sum_whole(RecallReport.quantity)
    finished = sa.and_(Recall.closed_at.is_not(None), Recall.kind == RecallKind.REAL)
    rows = session.execute(
        sa.select(RecallLine.id, RecallLine.shipped, said)
        .join(Recall, Recall.id == RecallLine.recall_id)
        .outerjoin(RecallReport, RecallReport.line_id == RecallLine.id)
        .group_by(RecallLine.id, RecallLine.shipped, Recall.closed_at, Recall.kind)
        .having(
            sa.or_(
                said > RecallLine.shipped,
                said < 0,
                sa.and_(finished, said != RecallLine.shipped),
            )
        )
        .order_by(RecallLine.id)
    )
    for key, shipped, accounted in rows:
        yield Difference(
            f"recall_line:{key}",
            Text("shipped %(shipped)s, accounted for %(said)s", shipped=shipped, said=accounted),
        )


CHECKS: list[Check] = [
    Check(
        "tracing.recalls",
        Text("What was called back came back, was destroyed, eaten, or is missing"),
        _recalls_add_up,
        rows_of(RecallLine, RecallReport),
    ),
]
