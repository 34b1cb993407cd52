"""Parcels: ordered, paid through a message of the provider, sent, received, sometimes sent back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import WEBHOOK, WORKER, Actor, Door, Role
from orders.payments.gateway import Event
from orders.payments.models import Payment, RefundKind
from orders.payments.operations import (
    close_unpaid_orders,
    complete_citizen_order,
    keep_page,
    refund_order_lines,
    start_payment,
    take_event,
)
from orders.sales.models import BuyerKind, Order, OrderLine, OrderState
from orders.sales.operations import (
    Contact,
    OutOfStock,
    Placing,
    Wanted,
    mark_received,
    place_order,
    review_line,
    ship_order,
)
from shop.demo import rhythm, tables
from shop.demo.carrying import good_until
from shop.demo.letters import plan_answer
from shop.demo.menus import Parcel
from shop.demo.town import Town, at

HOLD = timedelta(minutes=15)
# A parcel that nobody complains about is complete so many days after it was signed for.
COMPLETE_AFTER = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a parcel."""

    pays: bool
    refund: str
    reviews: bool
    pays_wrongly: bool = False


def plan_parcel(
    town: Town,
    parcel: Parcel,
    chance: Random,
    buyer: int | None = None,
    moment: datetime | None = None,
    fate: Fate | None = None,
) -> None:
    """Everything of one citizen's order, from the click to the review."""
    fate = fate or Fate(
        pays=moment is not None or chance.random() > 0.06,
        refund=chance.choices(("", "damaged", "late"), (92, 6, 2))[0],
        reviews=chance.random() < 0.45,
    )
    moment = moment or at(parcel.day, chance.randint(7, 21), chance.randint(0, 59))
    town.plan(moment, _place, town, parcel, fate, chance, buyer)


def _place(
    town: Town,
    parcel: Parcel,
    fate: Fate,
    chance: Random,
    buyer: int | None,
    session: Session,
    now: datetime,
) -> None:
    place = tables.words()["citizen"][parcel.place]
    name = town.names.person("female" if parcel.number % 2 else "male")
    citizen = Actor(door=Door.WEB, user_id=buyer)
    try:
        order = place_order(
            session,
            Placing(
                lines=[
                    Wanted(pack_id=town.packs[pack.product, pack.position], count=count)
                    for pack, count in parcel.lines
                ],
                buyer_kind=BuyerKind.CITIZEN,
                contact=Contact(
                    recipient=name,
                    phone=town.names.phone(),
                    address=place["place"].format(n=chance.randint(2, 180)),
                    email=f"buyer{parcel.number}@example.org",
                    region=place["region"].ljust(12, "0"),
                ),
                request_key=f"parcel:{parcel.number}",
                state=OrderState.AWAITING_PAYMENT,
                hold_until=now + HOLD,
                user_id=buyer,
            ),
            by=citizen,
            now=now,
        )
    except OutOfStock as shortage:
        town.misses += [f"{now:%Y-%m-%d} citizen {each}" for each in shortage.reasons]
        return
    payment = start_payment(session, order.id, by=citizen, now=now)
    keep_page(
        session, payment.id, session_id=f"cs_test_sample_{parcel.number}", url="",
        by=citizen, now=now,
    )  # fmt: skip
    order_id, payment_id = order.id, payment.id
    if fate.pays:
        town.plan(
            now + timedelta(minutes=3),
            _pay,
            town,
            parcel,
            fate,
            chance,
            order_id,
            payment_id,
        )
    else:
        town.plan(now + HOLD + timedelta(seconds=30), _close)
        # The provider's page ends too; otherwise the worker would go on asking for it.
        page = {
            "object": "checkout.session",
            "id": f"cs_test_sample_{parcel.number}",
            "metadata": {"payment": payment.request_key},
        }
        over = now + timedelta(minutes=31)
        town.plan(over, _tell, "checkout.session.expired", f"{parcel.number}_expired", page)


def _close(session: Session, now: datetime) -> None:
    close_unpaid_orders(session, now=now)


def _pay(
    town: Town,
    parcel: Parcel,
    fate: Fate,
    chance: Random,
    order_id: int,
    payment_id: int,
    session: Session,
    now: datetime,
) -> None:
    order = session.get_one(Order, order_id)
    key = session.get_one(Payment, payment_id).request_key
    page = {
        "object": "checkout.session",
        "id": f"cs_test_sample_{parcel.number}",
        "payment_status": "paid",
        "amount_total": order.total.fen - (100 if fate.pays_wrongly else 0),
        "currency": "cny",
        "payment_intent": f"pi_test_sample_{parcel.number}",
        "metadata": {"payment": key},
    }
    charge = {
        "object": "charge",
        "id": f"ch_test_sample_{parcel.number}",
        "payment_intent": f"pi_test_sample_{parcel.number}",
        "method": chance.choice(("wechat_pay", "wechat_pay", "alipay", "card")),
        "metadata": {"payment": key},
    }
    _tell("checkout.session.completed", f"{parcel.number}_paid", page, session, now)
    _tell("charge.succeeded", f"{parcel.number}_charge", charge, session, now)
    if fate.pays_wrongly:
        return
    usual = at(rhythm.working_days_after((now + timedelta(hours=8)).date(), 1), 14, 10)
    ships = max(now + timedelta(minutes=50), min(usual, at(good_until(session, order_id), 9, 20)))
    town.plan(ships, _ship, town, parcel, fate, chance, order_id)


def _tell(kind: str, key: str, thing: dict[str, Any], session: Session, now: datetime) -> None:
    """A message of the provider, taken as the webhook takes it."""
    take_event(session, Event(f"evt_test_sample_{key}", kind, thing), by=WEBHOOK, now=now)


def _ship(
    town: Town,
    parcel: Parcel,
    fate: Fate,
    chance: Random,
    order_id: int,
    session: Session,
    now: datetime,
) -> None:
    suppliers = sorted({pack.supplier for pack, _ in parcel.lines})
    for number, supplier in enumerate(suppliers):
        ship_order(
            session,
            order_id,
            supplier_id=town.suppliers[supplier],
            carrier="邮政快递（样例）",
            tracking=f"YZ{parcel.number:09}{number}",
            request_key=f"parcel:{order_id}:{supplier}",
            by=town.actor(supplier, Role.STOREKEEPER),
            now=now,
        )
    arrives = now + timedelta(days=chance.randint(2, 4), hours=chance.randint(0, 5))
    town.plan(arrives, _receive, town, parcel, fate, chance, order_id)


def _receive(
    town: Town,
    parcel: Parcel,
    fate: Fate,
    chance: Random,
    order_id: int,
    session: Session,
    now: datetime,
) -> None:
    mark_received(session, order_id, by=Actor(door=Door.WEB), now=now)
    if fate.refund == "damaged":
        town.plan(
            now + timedelta(hours=20),
            _refund,
            town,
            parcel,
            order_id,
            RefundKind.DAMAGED,
            "压伤，见照片",
        )
    if fate.refund == "asked":
        town.plan(now + timedelta(hours=6), ask_refund, order_id)
        return
    if fate.reviews:
        town.plan(now + timedelta(days=1, hours=3), _review, town, chance, order_id, parcel)
    done = now + COMPLETE_AFTER
    town.plan(done, _complete, order_id)
    if fate.refund == "late":
        town.plan(
            done + timedelta(days=2),
            _refund,
            town,
            parcel,
            order_id,
            RefundKind.QUALITY,
            "有一个空心",
        )


def _complete(order_id: int, session: Session, now: datetime) -> None:
    complete_citizen_order(session, order_id, by=WORKER, now=now)


def _refund(
    town: Town,
    parcel: Parcel,
    order_id: int,
    kind: RefundKind,
    reason: str,
    session: Session,
    now: datetime,
) -> None:
    """A part of the first line: granted, sent, and confirmed by the provider an hour later."""
    line = session.scalars(
        sa.select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    ).first()
    assert line is not None
    supplier = parcel.lines[0][0].supplier
    refund = refund_order_lines(
        session,
        order_id,
        {line.id: max(1, line.quantity // 8)},
        kind=kind,
        reason=reason,
        request_key=f"claim:{order_id}",
        by=town.actor(supplier, Role.MANAGER),
        now=now,
    )
    sent = {
        "object": "refund",
        "id": f"re_test_sample_{parcel.number}",
        "status": "succeeded",
        "metadata": {"refund": refund.request_key},
    }
    town.plan(
        now + timedelta(hours=1),
        _tell,
        "refund.updated",
        f"{parcel.number}_refund",
        sent,
    )


def ask_refund(order_id: int, session: Session, now: datetime) -> None:
    """A buyer asks; the cooperative has not answered yet."""
    line = session.scalars(
        sa.select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    ).first()
    assert line is not None
    refund_order_lines(
        session,
        order_id,
        {line.id: max(1, line.quantity // 6)},
        kind=RefundKind.DAMAGED,
        reason="有一个从中间裂了，压的",
        request_key=f"asked:{order_id}",
        approved=False,
        by=Actor(door=Door.WEB),
        now=now,
    )


def _review(
    town: Town, chance: Random, order_id: int, parcel: Parcel, session: Session, now: datetime
) -> None:
    """What the buyer says of each thing, from the place it was sent to."""
    where = tables.words()["citizen"][parcel.place]["place"]
    place = where[:5].replace("市", "").replace("省", "")
    lines = session.scalars(
        sa.select(OrderLine.id).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    ).all()
    for line_id, (pack, _) in zip(lines, parcel.lines, strict=True):
        fitting = [
            each
            for each in tables.words()["review"]
            if pack.product in each.get("of", [pack.product])
        ]
        letter = chance.choice(fitting)
        review = review_line(
            session, line_id, stars=letter["stars"], text=letter["text"], place=place,
            by=Actor(door=Door.WEB), now=now,
        )  # fmt: skip
        plan_answer(town, review, pack.supplier, now)
