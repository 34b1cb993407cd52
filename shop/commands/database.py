"""`flask db upgrade`"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from kernel.web.work import services
from shop import schema

group = AppGroup("db", help="The schema of the database.")


@group.command("upgrade")
def upgrade() -> None:
    """Bring the schema to the newest version. Repeatable."""
    schema.upgrade(services().database)
    click.echo("The database is at the newest version.")
