"""What the worker does for orders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.db import get_or_missing
from kernel.outbox import errand, task
from kernel.services import Services
from orders.sales.models import Order
from orders.sales.operations import forget_baskets as forget
from orders.sales.rules.keys import order_address
from orders.sales.rules.letters import Facts, letter_for


@task("forget_baskets", cron="50 3 * * *")
def forget_baskets(session: Session, *, now: datetime) -> None:
    """What nobody came back for in ninety days."""
    forget(session, now=now)


@errand("order_letter")
def order_letter(
    services: Services, *, now: datetime, order_id: int, letter: str, about: str
) -> None:
    """Write and send one letter about an order."""
    with services.database.reading() as session:
        order = get_or_missing(session, Order, order_id)
    if order.email is None:
        return
    config = services.config
    facts = Facts(
        number=order.number,
        total=str(order.total),
        address=order_address(config.public_url, config.secret_key, order.code),
        about=about,
    )
    subject, body = letter_for(letter, order.locale, facts)
    services.mailer.send(to=order.email, subject=subject, body=body, now=now)
