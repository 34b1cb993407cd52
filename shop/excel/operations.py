"""A file comes in, is looked at, gets its yes from somebody, and is carried out or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor, Door
from kernel.codes import new_code
from kernel.db import attempt, get_or_missing, stamp
from kernel.errors import Refusal, Text
from kernel.storage import StoredFile
from shop.excel.columns import Desk, Kind, Outcome
from shop.excel.models import ImportRun, ImportState, OnError
from shop.excel.reading import Table
from shop.excel.report import Report, report_of
from shop.excel.running import Tell, run_rows


def begin_import(
    session: Session,
    kind: Kind,
    *,
    file: StoredFile,
    sha256: str,
    rows: int,
    on_error: OnError = OnError.REJECT_ALL,
    by: Actor,
    now: datetime,
) -> ImportRun:
    """A file that can be read is kept, and waits to be looked at row by row."""
    run = ImportRun(
        code=new_code(10),
        kind=kind.key,
        organisation_id=by.organisation_id,
        role=by.role,
        file_id=file.id,
        sha256=sha256,
        state=ImportState.READING,
        on_error=on_error,
        rows=rows,
        **stamp(by, now),
    )
    session.add(run)
    session.flush()  # so that jobs can point to run.id
    audit.note(session, "begin_import", f"import:{run.id}", by=by, now=now, kind=kind.key)
    return run


def keep_preview(
    session: Session, run_id: int, report: Report, *, by: Actor, now: datetime
) -> ImportRun:
    """What would happen is known. A preview that comes late changes nothing any more."""
    run = get_or_missing(session, ImportRun, run_id, lock=True)
    if run.state is ImportState.READING:
        _tell(run, report)
        run.state = ImportState.PREVIEWED
    audit.note(session, "keep_preview", f"import:{run.id}", by=by, now=now)
    return run


def _tell(run: ImportRun, report: Report) -> None:
    counts = report.counts()
    run.added, run.changed = counts[Outcome.ADDED], counts[Outcome.CHANGED]
    run.unchanged, run.rejected = counts[Outcome.UNCHANGED], counts[Outcome.REJECTED]
    run.report = report.written()


def confirm_import(
    session: Session, run_id: int, *, on_error: OnError, two_people: bool, by: Actor, now: datetime
) -> ImportRun:
    """Somebody says yes to what was shown. `two_people`: not the one who brought the file (R20)."""
    run = get_or_missing(session, ImportRun, run_id, lock=True)
    if run.state is not ImportState.PREVIEWED:
        raise Refusal("This file is not waiting for a decision any more.")
    if two_people and run.made_by_id is not None and run.made_by_id == by.user_id:
        raise Refusal(
            "Goods are taken in by somebody else than who wrote them down. "
            "Ask your storekeeper or manager to open this page."
        )
    if run.rejected and on_error is OnError.REJECT_ALL:
        raise Refusal("Some rows are rejected, so nothing is taken in. Correct them first.")
    if not run.added + run.changed:
        raise Refusal("There is nothing in this file that would change anything.")
    run.state, run.on_error, run.outdated = ImportState.WRITING, on_error, False
    run.confirmed_by_id, run.confirmed_at = by.user_id, now
    audit.note(session, "confirm_import", f"import:{run.id}", by=by, now=now, on_error=on_error)
    return run


def discard_import(session: Session, run_id: int, *, by: Actor, now: datetime) -> ImportRun:
    """It was looked at and will not be carried out; file and preview stay. Twice is once."""
    run = get_or_missing(session, ImportRun, run_id, lock=True)
    if run.state is ImportState.PREVIEWED:
        run.state, run.finished_at = ImportState.REFUSED, now
    elif run.state is not ImportState.REFUSED:
        raise Refusal("This file is not waiting for a decision any more.")
    audit.note(session, "discard_import", f"import:{run.id}", by=by, now=now)
    return run


class _Undone(Exception):
    """Nothing of it is kept."""


def carry_out(
    session: Session,
    run_id: int,
    kind: Kind,
    table: Table,
    desk_of: Callable[[Session, ImportRun], Desk],
    *,
    tell: Tell,
    now: datetime,
) -> ImportRun:
    """The rows of a confirmed file, all in this transaction. Again changes nothing.

    What happens is exactly what was shown: where the house has changed meanwhile, nothing is done
    and the new preview waits for a new yes. A file with a rejected row leaves nothing behind
    unless rows were to be rejected one by one.
    """
    run = get_or_missing(session, ImportRun, run_id, lock=True)
    if run.state is not ImportState.WRITING:
        return run
    shown = session.scalar(sa.select(ImportRun.report).where(ImportRun.id == run.id))
    desk = desk_of(session, run)
    report: Report | None = None
    try:
        with attempt(session):
            results = run_rows(session, kind, desk, table, now=now, tell=tell)
            report = report_of(kind, desk, table, results)
            outdated = shown is not None and report.written() != shown
            if outdated or (report.rejected and run.on_error is OnError.REJECT_ALL):
                raise _Undone  # noqa: TRY301  the savepoint takes the rows back
    except _Undone:
        assert report is not None
        run.outdated = shown is not None and report.written() != shown
        run.state = ImportState.PREVIEWED if run.outdated else ImportState.REFUSED
    else:
        run.state, run.finished_at = ImportState.DONE, now
    _tell(run, report)
    audit.note(
        session, "carry_out_import", f"import:{run.id}", by=desk.by, now=now,
        state=run.state, added=run.added, changed=run.changed, rejected=run.rejected,
    )  # fmt: skip
    session.flush()
    return run


def through_import(by: Actor) -> Actor:
    """Rows that a table brought in say so (invariant 10)."""
    return by.through(Door.IMPORT)


def explain(run: ImportRun) -> Text:
    """One sentence for the top of a page or the end of a command."""
    if run.state is ImportState.REFUSED:
        return Text("Nothing was changed.")
    if run.state is ImportState.DONE:
        return Text(
            "%(added)s added, %(changed)s changed, %(unchanged)s unchanged, %(rejected)s rejected.",
            added=run.added, changed=run.changed, unchanged=run.unchanged, rejected=run.rejected,
        )  # fmt: skip
    return Text(
        "%(added)s would be added, %(changed)s changed; %(unchanged)s unchanged, "
        "%(rejected)s rejected.",
        added=run.added, changed=run.changed, unchanged=run.unchanged, rejected=run.rejected,
    )  # fmt: skip
