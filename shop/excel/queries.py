"""Files that were brought in, each organisation its own."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, undefer

from kernel.errors import Missing, Text
from shop.excel.models import ImportRun
from shop.excel.report import Report, kept_report


def runs_of(
    session: Session, organisation_id: int, kinds: Sequence[str], *, limit: int = 20
) -> list[ImportRun]:
    """The newest first, with file and people."""
    return list(
        session.scalars(
            sa.select(ImportRun)
            .options(
                joinedload(ImportRun.file),
                joinedload(ImportRun.maker),
                joinedload(ImportRun.confirmer),
            )
            .where(ImportRun.organisation_id == organisation_id, ImportRun.kind.in_(kinds))
            .order_by(ImportRun.id.desc())
            .limit(limit)
        )
    )


def run_of(session: Session, organisation_id: int, code: str) -> ImportRun:
    """This organisation's file with that code, its report loaded; or Missing."""
    found = session.scalar(
        sa.select(ImportRun)
        .options(
            joinedload(ImportRun.file),
            joinedload(ImportRun.maker),
            joinedload(ImportRun.confirmer),
            undefer(ImportRun.report),
        )
        .where(ImportRun.organisation_id == organisation_id, ImportRun.code == code)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def report_in(run: ImportRun) -> Report | None:
    """What was found, once the file was looked at."""
    return kept_report(run.report) if run.report else None
