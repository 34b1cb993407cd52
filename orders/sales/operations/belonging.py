"""Whose orders they are: a guest's join an account; a person who leaves is taken out of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal
from kernel.people import User
from kernel.periods import business_day
from orders.sales.models import (
    Basket,
    BasketLine,
    BuyerKind,
    Employment,
    EmploymentState,
    Order,
    OrderLine,
    OrderRecipient,
    SavedAddress,
)
from orders.sales.queries.own import guest_orders, reviews_by

# What stands for the recipient of an order whose buyer has left.
LEFT = "已注销"


def adopt_orders(session: Session, user_id: int, *, by: Actor, now: datetime) -> int:
    """Orders placed as a guest with this person's proven address are theirs; answers how many."""
    user = get_or_missing(session, User, user_id, lock=True)
    if user.email_proven_at is None:
        raise Refusal("First show that this e-mail address is yours.")
    found = session.scalars(
        sa.select(Order)
        .where(guest_orders(user.email))
        .order_by(Order.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for order in found:
        order.user_id = user.id
    if found:
        audit.note(session, "adopt_orders", f"user:{user.id}", by=by, now=now, orders=len(found))
    return len(found)


def forget_buyer(session: Session, user_id: int, *, by: Actor, now: datetime) -> int:
    """Name, phone, address and notes leave this person's orders; goods, amounts, lots and days stay
    (records are kept, domain.md §3.1). Answers how many orders there are."""
    orders = _orders(session, user_id)
    for order in orders:
        order.recipient, order.phone, order.address = LEFT, "", ""
        order.email, order.email_hash, order.note = None, None, ""
        order.phone_hash, order.gift_from, order.gift_words = None, None, None
    _forget_people(session, [order.id for order in orders])
    for basket in session.scalars(sa.select(Basket.id).where(Basket.user_id == user_id)).all():
        session.execute(sa.delete(BasketLine).where(BasketLine.basket_id == basket))
        session.execute(sa.delete(Basket).where(Basket.id == basket))
    for address in session.scalars(sa.select(SavedAddress).where(SavedAddress.user_id == user_id)):
        session.delete(address)
    for each in session.scalars(sa.select(Employment).where(Employment.user_id == user_id)):
        each.name, each.remark = "", ""
        if each.state is EmploymentState.ASKED:
            each.state = EmploymentState.WITHDRAWN
        if each.state is EmploymentState.CONFIRMED and each.valid_from is not None:
            each.state = EmploymentState.ENDED
            each.valid_to = max(each.valid_from, business_day(now))
    for review in reviews_by(session, user_id):
        review.place = ""  # stars and words stay, by law (电商法 §39)
    session.flush()
    audit.note(session, "forget_buyer", f"user:{user_id}", by=by, now=now, orders=len(orders))
    return len(orders)


def _forget_people(session: Session, order_ids: Sequence[int]) -> None:
    """Whom a group purchase was sent to, and the words about single lines."""
    for person in session.scalars(
        sa.select(OrderRecipient).where(OrderRecipient.order_id.in_(order_ids))
    ):
        person.recipient, person.phone, person.address, person.note = LEFT, "", "", ""
    for line in session.scalars(
        sa.select(OrderLine).where(OrderLine.order_id.in_(order_ids), OrderLine.note != "")
    ):
        line.note = ""


def _orders(session: Session, user_id: int) -> Sequence[Order]:
    return session.scalars(
        sa.select(Order)
        .where(Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN)
        .order_by(Order.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
