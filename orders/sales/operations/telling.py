"""Letters to the buyer leave after the commit, written by an errand that knows the addresses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.outbox import enqueue
from orders.sales.models import BuyerKind, Order


def tell_buyer(
    session: Session, order: Order, letter: str, *, about: str = "", now: datetime
) -> None:
    """A citizen who gave an address hears of this step, once (`orders.sales.rules.letters`)."""
    if order.email is None or order.buyer_kind is not BuyerKind.CITIZEN:
        return
    enqueue(
        session,
        "order_letter",
        now=now,
        unique_key=f"letter:{order.id}:{letter}:{about}",
        order_id=order.id,
        letter=letter,
        about=about,
    )
