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
