"""`flask books export FILE.beancount`"""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import AppGroup

from kernel.web.work import services
from orders.ledger.queries.beancount import ledger_lines

group = AppGroup("books", help="The ledger, for other people's programs.")


@group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def export(file: Path) -> None:
    """Write the whole ledger as a strict Beancount file; `bean-check FILE` proves it."""
    # Written beside the target and moved: a killed export leaves no half a ledger behind.
    draft = file.with_name(file.name + ".part")
    with services().database.snapshot() as session, draft.open("w", encoding="utf-8") as out:
        out.writelines(ledger_lines(session))
    draft.replace(file)
    click.echo(f"{file}")
