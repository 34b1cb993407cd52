"""What the worker does for suppliers: it reminds in time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.suppliers import operations
from kernel.outbox import task


@task("warn_of_expiry", cron="0 8 * * *")
def warn_of_expiry(session: Session, *, now: datetime) -> None:
    """Every morning: whose certificate or mandate ends in 30, 15 or 7 days gets a letter."""
    operations.warn_of_expiry(session, now=now)
    operations.warn_of_mandates(session, now=now)


@task("remind_of_review", cron="10 8 * 1-3 *")
def remind_of_review(session: Session, *, now: datetime) -> None:
    """In the first quarter: whose households of last year nobody has reviewed gets a letter."""
    operations.remind_of_review(session, now=now)
