"""Letters to the people of the cooperative whose goods are claimed or come back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.mail import send_later
from kernel.outbox import enqueue
from kernel.staff import people_to_tell
from orders.payments.models import Refund, RefundLine
from orders.payments.rules.letters import LETTERS, letter_to_staff
from orders.sales.models import Order, OrderLine

ANSWERERS = (Role.ACCOUNTANT, Role.MANAGER)
STORE = (Role.STOREKEEPER, Role.MANAGER)


def tell_supplier(session: Session, refund: Refund, letter: str, *, now: datetime) -> None:
    """Whoever answers for it at the cooperative hears of it by mail, once."""
    assert letter in LETTERS, letter
    enqueue(
        session,
        "claim_letter",
        now=now,
        unique_key=f"claim_letter:{refund.id}:{letter}",
        refund_id=refund.id,
        letter=letter,
    )


def tell_staff(session: Session, refund_id: int, letter: str, *, site: str, now: datetime) -> None:
    """One mail to each of them; `site` is the address of the shop."""
    number, amount, order = session.execute(
        sa.select(Refund.number, Refund.amount, Order.number)
        .join(Order, Order.id == Refund.order_id)
        .where(Refund.id == refund_id)
    ).one()
    bodies = session.scalars(
        sa.select(Supplier.organisation_id)
        .join(OrderLine, OrderLine.supplier_id == Supplier.id)
        .join(RefundLine, RefundLine.line_id == OrderLine.id)
        .where(RefundLine.refund_id == refund_id)
        .distinct()
    ).all()
    roles = ANSWERERS if letter == "claim" else STORE
    subject, body = letter_to_staff(
        letter, number=number, amount=str(amount), order=order, site=site
    )
    for user in people_to_tell(session, bodies, roles, now):
        key = f"claim:{refund_id}:{letter}:{user.id}"
        send_later(session, to=user.email, subject=subject, body=body, now=now, key=key)
