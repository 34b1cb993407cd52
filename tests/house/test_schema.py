"""Migrations and models say the same, on both databases, and migrations go down again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command

from kernel.append_only import append_only_tables
from kernel.db import Model, MoneyColumn, PriceColumn
from shop import schema


def test_migrations_make_exactly_what_the_models_say(db):
    with db.engine.connect() as connection:
        command.check(schema.alembic_config(connection))


def test_migrations_go_down_to_nothing_and_up_again(db):
    schema.downgrade(db)
    with db.engine.connect() as connection:
        left = [t for t in sa.inspect(connection).get_table_names() if t != "alembic_version"]
    assert left == []
    schema.upgrade(db)
    assert schema.is_current(db)


def test_what_is_written_once_cannot_be_changed_or_deleted(db):
    for table in append_only_tables():
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with db.engine.connect() as connection:
                if (
                    db.engine.dialect.name == "sqlite"
                    and not connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
                ):
                    continue  # SQLite fires per row; rooms' own tests cover filled tables
                with pytest.raises(sa.exc.DBAPIError, match="written once"):
                    connection.exec_driver_sql(statement)


def test_sqlite_guards_every_table_that_is_written_once(db):
    if db.engine.dialect.name != "sqlite":
        return
    with db.engine.connect() as connection:
        triggers = set(
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .scalars()
            .all()
        )
    for table in append_only_tables():
        assert {f"{table}_no_update", f"{table}_no_delete"} <= triggers, table


def test_no_column_is_a_float_or_a_decimal():
    for table in Model.metadata.tables.values():
        for column in table.columns:
            assert not isinstance(column.type, sa.Float | sa.Numeric) or isinstance(
                column.type, sa.Integer
            ), f"{table.name}.{column.name}: whole fen, grams or basis points"


def test_amounts_are_money_and_prices_are_prices():
    for table in Model.metadata.tables.values():
        for column in table.columns:
            if column.name in ("amount", "total", "goods", "freight", "discount", "cost"):
                assert isinstance(column.type, MoneyColumn), f"{table.name}.{column.name}"
            if column.name == "unit_price":
                assert isinstance(column.type, PriceColumn), f"{table.name}.{column.name}"
