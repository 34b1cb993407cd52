"""Many households leave the house in one file: who took them, and how many, stays in the trail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor


def note_export(session: Session, *, rows: int, by: Actor, now: datetime) -> None:
    """The trail says that this person took so many households along."""
    audit.note(session, "export_households", "households", by=by, now=now, rows=rows)
