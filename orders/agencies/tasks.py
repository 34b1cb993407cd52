"""What the worker does for units by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.actors import WORKER
from kernel.outbox import enqueue, task
from orders.agencies import operations
from orders.agencies.queries.staff import orders_to_follow


@task("close_unsigned_orders", cron="*/10 * * * *")
def close_unsigned_orders(session: Session, *, now: datetime) -> None:
    """Orders that nobody approved or signed for 48 hours give their goods back."""
    operations.close_unsigned_orders(session, now=now)


@task("warn_of_harvests", cron="*/15 7-20 * * *")
def warn_of_harvests(session: Session, *, now: datetime) -> None:
    """Harvests that fall short or do not come: the cooperative and the canteens are told, once.
    The quarter of an hour is time to put right what was mistyped."""
    operations.warn_of_harvests(session, now=now)


@task("find_staff_orders", cron="*/5 * * * *")
def find_staff_orders(session: Session, *, now: datetime) -> None:
    """Credited orders that were paid, completed, reviewed or refunded since they were last looked
    at move their unit's figures: one job each, so that one that fails stops no other."""
    for order_id in orders_to_follow(session, now=now):
        enqueue(session, "follow_staff_order", now=now, order_id=order_id)


@task("follow_staff_order")
def follow_staff_order(session: Session, *, now: datetime, order_id: int) -> None:
    operations.follow_staff_order(session, order_id, by=WORKER, now=now)
