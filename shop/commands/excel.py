"""`flask import KIND FILE`, `flask template KIND FILE.xlsx`"""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from kernel.actors import COMMAND
from kernel.errors import Invalid
from kernel.storage import keep_file
from kernel.web.i18n import say
from kernel.web.work import now, services
from shop.excel import doing
from shop.excel.columns import Desk, Outcome
from shop.excel.exporting import columns_in, write_form
from shop.excel.kinds import KINDS
from shop.excel.models import ImportState, OnError
from shop.excel.operations import begin_import, carry_out, confirm_import, keep_preview
from shop.excel.reading import Table, read_table
from shop.excel.report import Report, RowTold

kind = click.argument("kind", type=click.Choice(list(KINDS)))


@click.command("import")
@kind
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option(
    "--on-error",
    type=click.Choice([each.value.replace("_", "-") for each in OnError]),
    default="reject-all",
    show_default=True,
    help="Whether one rejected row rejects the whole file.",
)
@with_appcontext
def import_command(kind: str, file: Path, dry_run: bool, on_error: str) -> None:
    """Bring a table in: rows added, changed, unchanged, rejected; exit 1 if any was rejected."""
    content = file.read_bytes()
    try:
        table = read_table(KINDS[kind], Desk(by=COMMAND), content)
    except Invalid as invalid:
        raise click.ClickException(" ".join(say(each) for each in invalid.reasons)) from invalid
    report = doing.rehearse(
        services(), KINDS[kind], COMMAND, table, now=now(), tell=lambda done, of: None
    )
    mode = OnError(on_error.replace("-", "_"))
    kept = True
    if not dry_run:
        kept = _carry_out(kind, file.name, content, table, report, mode)
    _tell(report)
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.")
    elif not kept:
        click.echo("Nothing was changed.")
    if report.rejected:
        sys.exit(1)


def _carry_out(
    kind: str, name: str, content: bytes, table: Table, report: Report, mode: OnError
) -> bool:
    """True if the rows are in. The file and what became of it are kept either way."""
    blob = doing.put_sealed(services().storage, content, name=name)
    refused = bool(report.rejected) and mode is OnError.REJECT_ALL
    counts = report.counts()
    idle = not counts[Outcome.ADDED] + counts[Outcome.CHANGED]
    with services().database.transaction() as session:
        run = begin_import(
            session, KINDS[kind], file=keep_file(session, blob, by=COMMAND, now=now()),
            sha256=doing.fingerprint(content), rows=len(table.rows), on_error=mode,
            by=COMMAND, now=now(),
        )  # fmt: skip
        keep_preview(session, run.id, report, by=COMMAND, now=now())
        if refused or idle:
            run.state = ImportState.REFUSED if refused else ImportState.DONE
            run.finished_at = now()
            return not refused
        confirm_import(session, run.id, on_error=mode, two_people=False, by=COMMAND, now=now())
        session.flush()
        done = carry_out(
            session, run.id, KINDS[kind], table, doing.desk_of_run(KINDS[kind]),
            tell=lambda done, of: None, now=now(),
        )  # fmt: skip
        return done.state is ImportState.DONE


def _tell(report: Report) -> None:
    for note in report.notes:
        click.echo(say(note.named))
    for row in report.rows:
        for line in _lines(row):
            click.echo(line)
    counts = report.counts()
    click.echo(", ".join(f"{counts[each]} {each.value}" for each in Outcome))


def _lines(row: RowTold) -> list[str]:
    """Nothing for rows that change nothing, so that what happens can be read."""
    if row.problems:
        return [
            f"{row.number}: {row.outcome.value}: {each.place} {say(each.name.named)}: "
            f"{say(each.sentence.named)}"
            for each in row.problems
        ]
    if row.changes:
        return [
            f"{row.number}: {row.outcome.value}: {say(each.name.named)}: "
            f"{say(each.before.named)} → {say(each.after.named)}"
            for each in row.changes
        ]
    return (
        [f"{row.number}: {row.outcome.value}: {row.label}"] if row.outcome is Outcome.ADDED else []
    )


@click.command("template")
@kind
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def template_command(kind: str, file: Path) -> None:
    """Write the empty Excel form, with drop-downs and an example row."""
    write_form(file, KINDS[kind], columns_in(KINDS[kind], Desk(by=COMMAND)), lang="zh")
    click.echo(f"{file}")
