"""Receipts that their buyers pass on."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.errors import Missing, Text
from orders.shares.models import ShownReceipt


def shown_receipt_of(session: Session, order_key: str) -> ShownReceipt | None:
    """The public address of this order's receipt, while it has one."""
    return session.scalar(
        sa.select(ShownReceipt).where(
            ShownReceipt.order == order_key, ShownReceipt.taken_back_at.is_(None)
        )
    )


def shown_receipt(session: Session, code: str) -> ShownReceipt:
    """By its address, or Missing: also when it was taken back."""
    found = session.scalar(
        sa.select(ShownReceipt).where(
            ShownReceipt.code == code, ShownReceipt.taken_back_at.is_(None)
        )
    )
    if found is None:
        raise Missing(Text("Whoever showed this receipt has taken it back, or it never was."))
    return found
