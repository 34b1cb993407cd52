"""A buyer passes on where the money of an order went, and takes that back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.bulk import insert_missing
from kernel.codes import new_code
from kernel.db import stamp
from kernel.errors import Refusal
from orders.shares.models import ShownReceipt, SplitPart

CODE_LENGTH = 14


def show_receipt(session: Session, order_key: str, *, by: Actor, now: datetime) -> ShownReceipt:
    """The receipt of `order:12` has a public address from now on; it keeps the one it has. An order
    of which nothing is settled has nothing to show."""
    settled = sa.select(SplitPart.id).where(SplitPart.order == order_key).limit(1)
    if session.scalar(settled) is None:
        raise Refusal("When the order is completed, there is something to show.")
    row = {
        "order": order_key, "code": new_code(CODE_LENGTH), "taken_back_at": None,
        **stamp(by, now),
    }  # fmt: skip
    insert_missing(session, ShownReceipt, [row], unique="order")
    receipt = _locked(session, order_key)
    assert receipt is not None
    if receipt.taken_back_at is not None:
        receipt.code, receipt.taken_back_at = new_code(CODE_LENGTH), None
    session.flush()
    audit.note(session, "show_receipt", order_key, by=by, now=now)
    return receipt


def take_back_receipt(session: Session, order_key: str, *, by: Actor, now: datetime) -> None:
    """Its address leads nowhere from now on. Where there is none, nothing changes."""
    receipt = _locked(session, order_key)
    if receipt is not None and receipt.taken_back_at is None:
        receipt.taken_back_at = now
    session.flush()
    audit.note(session, "take_back_receipt", order_key, by=by, now=now)


def _locked(session: Session, order_key: str) -> ShownReceipt | None:
    return session.scalar(
        sa.select(ShownReceipt)
        .where(ShownReceipt.order == order_key)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
