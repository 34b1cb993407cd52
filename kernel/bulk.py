"""Many rows in one statement, known to the audit trail as if each had been flushed by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel import audit
from kernel.db import Model

M = TypeVar("M", bound=Model)


def insert_missing(
    session: Session,
    model: type[M],
    rows: Sequence[dict[str, Any]],
    *,
    unique: str | tuple[str, ...],
) -> list[M]:
    """Those of the rows that nobody has written yet, written; in the order of their ids.

    `unique` names the column (or columns) that tells whether a row is there. Whoever writes the
    same row at this moment is waited for; a row that is there already is left as it is and not
    answered. Rows go in as they come: sort them, and two who write the same ones wait for each
    other, not for ever.
    """
    session.flush()
    if not rows:
        return []
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    key = [unique] if isinstance(unique, str) else list(unique)
    written = session.scalars(
        insert(model).on_conflict_do_nothing(index_elements=key).returning(model),
        rows,
        execution_options={"populate_existing": True, "render_nulls": True},
    )
    found = sorted(written, key=lambda row: row.id)
    audit.remember(session, found)
    return found
