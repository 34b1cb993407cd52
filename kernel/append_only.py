"""Triggers that make the database itself refuse to change or delete what is written once."""

from __future__ import annotations

import sqlalchemy as sa

from kernel.db import Model


def append_only_tables() -> list[str]:
    """Tables whose model says `__append_only__ = True`."""
    return sorted(
        mapper.class_.__tablename__
        for mapper in Model.registry.mappers
        if getattr(mapper.class_, "__append_only__", False)
    )


def protect(connection: sa.Connection, tables: list[str]) -> None:
    """UPDATE and DELETE on these tables raise from now on."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION sutian_append_only() RETURNS trigger AS $$ "
            "BEGIN RAISE EXCEPTION 'rows of %% are written once', TG_TABLE_NAME "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
        )
    for table in tables:
        for statement in _statements(connection.dialect.name, table):
            connection.exec_driver_sql(statement)


def release(connection: sa.Connection, tables: list[str]) -> None:
    """Take the triggers away again (only migrations do)."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
        else:
            for verb in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")


def _statements(dialect: str, table: str) -> list[str]:
    if dialect == "postgresql":
        return [
            (
                f"CREATE TRIGGER {table}_append_only "
                f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION sutian_append_only()"
            )
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are written once'); END"
        for verb in ("update", "delete")
    ]
