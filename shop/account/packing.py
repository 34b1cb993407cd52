"""Everything we know about a person, as a file they can take away (个人信息保护法 §45)."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from kernel.joining import identities_of
from kernel.people import Membership, SignIn, User
from kernel.periods import SHANGHAI
from orders.payments.models import Payment, Refund
from orders.payments.models.invoices import InvoiceWish
from orders.sales.models import BuyerKind, Order
from orders.sales.queries.own import employments_of, reviews_by, saved_addresses

FORMAT = 1

READ_ME = """溯田 Sutian

account.json    账号 / your account and how you sign in
orders.json     订单、付款、退款 / your orders, payments and refunds
addresses.json  收货地址 / the addresses you keep
reviews.json    评价 / what you said of what you bought
employer.json   单位绑定 / the units you asked to be credited
sign-ins.json   登录记录 / where and when you signed in

金额单位为元。时间为北京时间。 / Amounts are in yuan, times in China Standard Time.
"""


def pack_person(session: Session, user_id: int, *, now: datetime) -> bytes:
    """A ZIP of JSON files and a word on each; a fixed number of statements."""
    user = session.get_one(User, user_id)
    files = {
        "account.json": {"format": FORMAT, "made_at": _at(now), **_account(session, user)},
        "orders.json": _orders(session, user_id),
        "addresses.json": [
            {
                "label": each.label,
                "recipient": each.recipient,
                "phone": each.phone,
                "place": each.place,
                "detail": each.detail,
                "first": each.is_default,
            }
            for each in saved_addresses(session, user_id)
        ],
        "reviews.json": [
            {"at": _at(each.made_at), "stars": each.stars, "text": each.text, "reply": each.reply}
            for each in reviews_by(session, user_id)
        ],
        "employer.json": [
            {
                "unit": each.organisation.name,
                "state": each.state.value,
                "name": each.name,
                "remark": each.remark,
                "from": each.valid_from.isoformat() if each.valid_from else None,
                "to": each.valid_to.isoformat() if each.valid_to else None,
            }
            for each in employments_of(session, user_id)
        ],
        "sign-ins.json": _sign_ins(session, user_id),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", READ_ME)
        for name, content in files.items():
            archive.writestr(name, json.dumps(content, ensure_ascii=False, indent=1))
    return packed.getvalue()


def _account(session: Session, user: User) -> dict[str, Any]:
    work = session.execute(
        sa.select(Membership)
        .where(Membership.user_id == user.id)
        .order_by(Membership.id)
        .options(selectinload(Membership.organisation))
    ).scalars()
    return {
        "name": user.name,
        "email": user.email,
        "email_proven_at": _at(user.email_proven_at),
        "opened_at": _at(user.made_at),
        "language": user.locale,
        "text_size": user.text_size.value,
        "has_password": user.password_hash is not None,
        "known_as": [
            {"issuer": each.issuer, "subject": each.subject}
            for each in identities_of(session, user.id)
        ],
        "roles": [
            {
                "role": each.role.value,
                "organisation": each.organisation.name,
                "from": each.valid_from.isoformat(),
                "to": each.valid_to.isoformat() if each.valid_to else None,
            }
            for each in work
        ],
    }


def _orders(session: Session, user_id: int) -> list[dict[str, Any]]:
    mine = (Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN)
    ids = sa.select(Order.id).where(*mine)
    paid: dict[int, list[dict[str, Any]]] = {}
    for payment in session.scalars(
        sa.select(Payment).where(Payment.order_id.in_(ids)).order_by(Payment.id)
    ):
        paid.setdefault(payment.order_id, []).append(
            {
                "at": _at(payment.paid_at),
                "state": payment.state.value,
                "amount": payment.amount.yuan,
                "method": payment.method,
            }
        )
    back: dict[int, list[dict[str, Any]]] = {}
    for refund in session.scalars(
        sa.select(Refund).where(Refund.order_id.in_(ids)).order_by(Refund.id)
    ):
        back.setdefault(refund.order_id, []).append(
            {
                "number": refund.number,
                "asked_at": _at(refund.made_at),
                "done_at": _at(refund.done_at),
                "state": refund.state.value,
                "amount": refund.amount.yuan,
                "kind": refund.kind.value,
                "reason": refund.reason,
                "answer": refund.answer,
            }
        )
    titles = {
        wish.order_id: wish.title
        for wish in session.scalars(sa.select(InvoiceWish).where(InvoiceWish.order_id.in_(ids)))
    }
    orders = session.scalars(
        sa.select(Order)
        .where(*mine)
        .order_by(Order.id)
        .options(
            selectinload(Order.lines),
            selectinload(Order.events),
            selectinload(Order.recipients),
        )
    )
    return [
        {
            "number": order.number,
            "placed_at": _at(order.placed_at),
            "state": order.state.value,
            "recipient": order.recipient,
            "phone": order.phone,
            "address": order.address,
            "email": order.email,
            "note": order.note,
            "invoice": titles.get(order.id),
            "gift_from": order.gift_from,
            "gift_words": order.gift_words,
            "sent_to": [
                {
                    "recipient": each.recipient,
                    "phone": each.phone,
                    "address": each.address,
                    "note": each.note,
                }
                for each in order.recipients
            ],
            "goods": order.goods.yuan,
            "freight": order.freight.yuan,
            "total": order.total.yuan,
            "lines": [
                {
                    "name": line.name_zh,
                    "pack": line.pack_zh,
                    "count": line.count,
                    "note": line.note,
                    "amount": line.amount.yuan,
                }
                for line in order.lines
            ],
            "events": [{"at": _at(each.made_at), "to": each.to_state} for each in order.events],
            "payments": paid.get(order.id, []),
            "refunds": back.get(order.id, []),
        }
        for order in orders
    ]


def _sign_ins(session: Session, user_id: int) -> list[dict[str, Any]]:
    return [
        {
            "begun_at": _at(each.begun_at),
            "ended_at": _at(each.revoked_at),
            "browser": each.browser,
        }
        for each in session.scalars(
            sa.select(SignIn).where(SignIn.user_id == user_id).order_by(SignIn.id)
        )
    ]


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(SHANGHAI).isoformat(timespec="seconds")
