"""A person who leaves is taken out of what they wrote about their money; the money stays."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from orders.payments.models import Refund
from orders.payments.models.invoices import InvoiceWish
from orders.sales.models import BuyerKind, Order


def forget_payer(session: Session, user_id: int, *, by: Actor, now: datetime) -> None:
    """The reasons they gave for refunds, and in whose name an invoice was to be, are blank.
    (Of the provider's messages only amounts, states and ids are ever kept, see
    `orders.payments.gateway`.)"""
    mine = sa.select(Order.id).where(
        Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN
    )
    for refund in session.scalars(
        sa.select(Refund).where(Refund.order_id.in_(mine)).order_by(Refund.id)
    ):
        refund.reason = ""
    for wish in session.scalars(sa.select(InvoiceWish).where(InvoiceWish.order_id.in_(mine))):
        wish.title, wish.tax_number = "", ""
    session.flush()
    audit.note(session, "forget_payer", f"user:{user_id}", by=by, now=now)
