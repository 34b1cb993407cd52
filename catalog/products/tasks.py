"""What the worker does for products."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.products import operations
from kernel.actors import WORKER
from kernel.outbox import task


@task("take_off_lapsed", cron="5 0 * * *")
def take_off_lapsed(session: Session, *, now: datetime) -> None:
    """Just after midnight: goods behind an expired certificate go off sale."""
    operations.take_off_lapsed(session, by=WORKER, now=now)
