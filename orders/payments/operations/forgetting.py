"""A person who leaves is taken out of what they wrote about their money; the money stays."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from orders.payments.models import Refund
from orders.sales.models import BuyerKind, Order


def forget_payer(session: Session, user_id: int, *, by: Actor, now: datetime) -> None:
    """The reasons they gave for refunds are blank. (Of the provider's messages only amounts, states
    and ids are ever kept, see `orders.payments.gateway`.)"""
    mine = sa.select(Order.id).where(
        Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN
    )
    for refund in session.scalars(
        sa.select(Refund).where(Refund.order_id.in_(mine)).order_by(Refund.id)
    ):
        refund.reason = ""
    session.flush()
    audit.note(session, "forget_payer", f"user:{user_id}", by=by, now=now)
