"""What must always be true of files that were brought in."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text
from shop.excel.kinds import KINDS
from shop.excel.models import ImportRun, ImportState, OnError


def _outcomes(session: Session) -> Iterator[Difference]:
    """A file that is in has either no rejected row or a yes to leaving such rows out."""
    wrong = sa.select(ImportRun.id).where(
        ImportRun.state == ImportState.DONE,
        sa.or_(
            ImportRun.rows
            != ImportRun.added + ImportRun.changed + ImportRun.unchanged + ImportRun.rejected,
            sa.and_(ImportRun.rejected > 0, ImportRun.on_error == OnError.REJECT_ALL),
        ),
    )
    for key in session.scalars(wrong.order_by(ImportRun.id)):
        yield Difference(f"import:{key}", Text("Its rows and their outcomes do not agree."))


def _two_people(session: Session) -> Iterator[Difference]:
    """Goods of a table were taken in by somebody else than who wrote them down (R20)."""
    kinds = [each.key for each in KINDS.values() if each.events]
    wrong = sa.select(ImportRun.id).where(
        ImportRun.kind.in_(kinds),
        ImportRun.state == ImportState.DONE,
        ImportRun.made_by_id == ImportRun.confirmed_by_id,
    )
    for key in session.scalars(wrong.order_by(ImportRun.id)):
        yield Difference(f"import:{key}", Text("One person brought these goods and took them in."))


CHECKS = [
    Check(
        "imports.outcomes",
        Text("Every row of a file brought in has its outcome"),
        _outcomes,
        rows_of(ImportRun),
    ),
    Check(
        "imports.two_people",
        Text("Goods from a table are brought by one person and taken in by another"),
        _two_people,
        rows_of(ImportRun),
    ),
]
