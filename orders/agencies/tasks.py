"""What the worker does for units by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.outbox import task
from orders.agencies import operations


@task("close_unsigned_orders", cron="*/10 * * * *")
def close_unsigned_orders(session: Session, *, now: datetime) -> None:
    """Orders that nobody approved or signed for 48 hours give their goods back."""
    operations.close_unsigned_orders(session, now=now)


@task("warn_of_harvests", cron="*/15 7-20 * * *")
def warn_of_harvests(session: Session, *, now: datetime) -> None:
    """Harvests that fall short or do not come: the cooperative and the canteens are told, once.
    The quarter of an hour is time to put right what was mistyped."""
    operations.warn_of_harvests(session, now=now)
