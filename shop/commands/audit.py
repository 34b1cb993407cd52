"""`flask audit verify`, `flask audit head`"""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from kernel import audit
from kernel.web.work import services

group = AppGroup("audit", help="The audit trail: a hash chain over every change.")

# More lines would help nobody; the first one is where to look.
MOST_SHOWN = 20


@group.command("verify")
def verify() -> None:
    """Compare the chain with itself and with every row; exit 1 at the first thing wrong."""
    with services().database.snapshot() as session:
        count, head = audit.head(session)
        wrong = 0
        for sentence in audit.verify(session):
            wrong += 1
            click.echo(str(sentence), err=True)
            if wrong == MOST_SHOWN:
                break
    if wrong:
        sys.exit(1)
    click.echo(f"{count} entries, head {head}: chain and data agree.")


@group.command("head")
def head() -> None:
    """Row count and head hash, as printed on bulletins and receipts."""
    with services().database.reading() as session:
        count, found = audit.head(session)
    click.echo(f"{count} {found}")
