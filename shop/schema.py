"""The schema of the database: brought to the newest version, checked, taken down again."""

# ruff: noqa: F401  every model must be known to the metadata

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import catalog.households.models
import catalog.lots.models
import catalog.lots.models.harvests
import catalog.lots.models.labels
import catalog.lots.models.papers
import catalog.lots.models.reversals
import catalog.products.models
import catalog.suppliers.models
import kernel.audit
import kernel.checks
import kernel.numbering
import kernel.once
import kernel.outbox
import kernel.people
import kernel.pictures
import kernel.regions
import kernel.storage
import kernel.versions
import orders.agencies.models
import orders.ledger.models
import orders.payments.models
import orders.payments.models.after
import orders.payments.models.invoices
import orders.payouts.models
import orders.sales.models
import orders.shares.models
import orders.tracing.models
import shop.excel.models
from kernel.db import WRITING, Database, Model
from kernel.regions import load_regions

FOLDER = Path(__file__).parent.parent / "migrations"


def alembic_config(connection: sa.Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Model.metadata
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Tables at `revision` and every region of the country loaded. Repeatable."""
    _with_connection(database, lambda config: command.upgrade(config, revision))
    if revision == "head":
        with database.transaction() as session:
            load_regions(session)


def downgrade(database: Database, revision: str = "base") -> None:
    _with_connection(database, lambda config: command.downgrade(config, revision))


def is_current(database: Database) -> bool:
    """Whether the database is at the newest migration."""
    newest = ScriptDirectory(str(FOLDER)).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def _with_connection(database: Database, run: object) -> None:
    assert callable(run)
    engine = database.engine.execution_options(**{WRITING: True})
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Batch migrations rebuild tables; foreign keys are checked again when they are done.
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        run(alembic_config(connection))
        connection.commit()
        if connection.dialect.name == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]
