"""Reads of payments, refunds and bank statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.suppliers.models import Supplier
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from orders.payments.models import (
    STANDING,
    UNDECIDED,
    BankLine,
    BankMatch,
    BankStatement,
    Payment,
    PaymentState,
    ProviderEvent,
    Refund,
    RefundFreight,
    RefundLine,
    RefundState,
)
from orders.payments.rules.refunds import Gone
from orders.sales.models import (
    Allocation,
    BuyerKind,
    Order,
    OrderEvent,
    OrderFreight,
    OrderLine,
    OrderState,
)

RECEIVED_MONEY = (PaymentState.PAID, PaymentState.MISMATCHED, PaymentState.REFUNDED)


def payments_of(session: Session, order_id: int) -> list[Payment]:
    """Every attempt to pay this order, oldest first."""
    return list(
        session.scalars(sa.select(Payment).where(Payment.order_id == order_id).order_by(Payment.id))
    )


def transfer_of(session: Session, order_id: int) -> Payment | None:
    """The payment of this order that comes through the bank, if it is paid so."""
    return session.scalar(
        sa.select(Payment)
        .where(Payment.order_id == order_id, Payment.method == "transfer")
        .order_by(Payment.id.desc())
        .limit(1)
    )


def transfers_waiting(session: Session, supplier_id: int) -> list[Payment]:
    """Citizens' orders that wait for a transfer to this supplier's account, oldest first; also
    those that ended before the money was seen."""
    return list(
        session.scalars(
            sa.select(Payment)
            .join(Payment.order)
            .where(
                Payment.method == "transfer",
                Payment.state.in_((PaymentState.STARTED, PaymentState.EXPIRED)),
                Order.supplier_id == supplier_id,
            )
            .order_by(Payment.id)
            .options(joinedload(Payment.order))
        )
    )


def open_payment(session: Session, order_id: int) -> Payment | None:
    """The intent that still waits for its money."""
    return session.scalar(
        sa.select(Payment)
        .where(Payment.order_id == order_id, Payment.state == PaymentState.STARTED)
        .order_by(Payment.id.desc())
        .limit(1)
    )


def find_payment(
    session: Session, *, key: str | None, session_id: str | None, intent_id: str | None
) -> Payment | None:
    """The payment a provider's message speaks of, by whatever it names."""
    named = [
        column == value
        for column, value in (
            (Payment.request_key, key),
            (Payment.session_id, session_id),
            (Payment.intent_id, intent_id),
        )
        if value
    ]
    if not named:
        return None
    return session.scalar(sa.select(Payment).where(sa.or_(*named)).order_by(Payment.id).limit(1))


def supplier_parts(session: Session, order_id: int, amount: Money) -> dict[str, Money]:
    """Supplier code → its part of `amount`, in proportion to its lines and its freight; parts add
    up, and of the order's total each is exactly its own."""
    carried = sa.func.coalesce(OrderFreight.amount, 0)
    rows = session.execute(
        sa.select(Supplier.code, sum_money(OrderLine.amount), carried)
        .join(Supplier, Supplier.id == OrderLine.supplier_id)
        .outerjoin(
            OrderFreight,
            sa.and_(OrderFreight.order_id == order_id, OrderFreight.supplier_id == Supplier.id),
        )
        .where(OrderLine.order_id == order_id)
        .group_by(Supplier.code, OrderFreight.amount)
        .order_by(Supplier.code)
    )
    sums = {code: part.fen + sent.fen for code, part, sent in rows}
    weights = list(sums.values()) if any(sums.values()) else [1] * len(sums)
    return dict(zip(sums, amount.split(weights), strict=True))


def known_event(session: Session, event_id: str) -> ProviderEvent | None:
    return session.scalar(sa.select(ProviderEvent).where(ProviderEvent.event_id == event_id))


def find_refund(session: Session, *, key: str | None, provider_id: str | None) -> Refund | None:
    named = [
        column == value
        for column, value in ((Refund.request_key, key), (Refund.provider_id, provider_id))
        if value
    ]
    if not named:
        return None
    return session.scalar(sa.select(Refund).where(sa.or_(*named)).limit(1))


def gone_of_lines(session: Session, order_id: int) -> dict[int, Gone]:
    """Line id → what of it was refunded, granted or asked for; declined asks do not count."""
    rows = session.execute(
        sa.select(RefundLine.line_id, sum_whole(RefundLine.quantity), sum_money(RefundLine.amount))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.order_id == order_id, Refund.state.in_(STANDING))
        .group_by(RefundLine.line_id)
    )
    return {line: Gone(int(quantity), amount.fen) for line, quantity, amount in rows}


def freight_left(session: Session, order_id: int) -> dict[int, Money]:
    """Supplier → freight of this order that was paid and did not go back, nor is asked for."""
    paid = session.execute(
        sa.select(OrderFreight.supplier_id, OrderFreight.amount).where(
            OrderFreight.order_id == order_id
        )
    )
    gone = dict(
        session.execute(
            sa.select(RefundFreight.supplier_id, sum_money(RefundFreight.amount))
            .join(Refund, Refund.id == RefundFreight.refund_id)
            .where(Refund.order_id == order_id, Refund.state.in_(STANDING))
            .group_by(RefundFreight.supplier_id)
        ).all()
    )
    left = {key: amount - gone.get(key, ZERO) for key, amount in paid}
    return {key: amount for key, amount in sorted(left.items()) if amount}


def sent_by(session: Session, order_id: int) -> set[int]:
    """Suppliers who have sent something of this order."""
    return set(
        session.scalars(
            sa.select(OrderLine.supplier_id)
            .join(Allocation, Allocation.line_id == OrderLine.id)
            .where(OrderLine.order_id == order_id, Allocation.shipped > 0)
            .distinct()
        )
    )


def unsettled_payments(session: Session, *, before: datetime, limit: int = 50) -> list[Payment]:
    """Payments whose page was opened long enough ago that a message might have been lost."""
    return list(
        session.scalars(
            sa.select(Payment)
            .where(
                Payment.state == PaymentState.STARTED,
                Payment.session_id.is_not(None),
                Payment.made_at < before,
            )
            .order_by(Payment.id)
            .limit(limit)
        )
    )


def open_pages(session: Session, order_ids: Collection[int]) -> list[int]:
    """Payments of these orders on whose page somebody could still pay."""
    return list(
        session.scalars(
            sa.select(Payment.id)
            .where(Payment.order_id.in_(order_ids), Payment.state == PaymentState.STARTED)
            .order_by(Payment.id)
        )
    )


def orders_to_complete(session: Session, *, before: datetime, limit: int = 200) -> list[int]:
    """Citizens' orders shipped in full, or received, before that instant, with no open claim."""
    last_move = (
        sa.select(sa.func.max(OrderEvent.made_at))
        .where(OrderEvent.order_id == Order.id)
        .scalar_subquery()
    )
    asked = sa.select(Refund.order_id).where(Refund.state.in_(UNDECIDED))
    return list(
        session.scalars(
            sa.select(Order.id)
            .where(
                Order.buyer_kind == BuyerKind.CITIZEN,
                Order.state.in_((OrderState.SHIPPED, OrderState.RECEIVED)),
                last_move < before,
                Order.id.not_in(asked),
            )
            .order_by(Order.id)
            .limit(limit)
        )
    )


def payments_to_look_at(session: Session) -> list[Payment]:
    """Payments of another amount than was asked that nobody has decided on yet."""
    return list(
        session.scalars(
            sa.select(Payment)
            .where(
                Payment.state == PaymentState.MISMATCHED,
                Payment.id.not_in(sa.select(Refund.payment_id)),
            )
            .order_by(Payment.id)
            .options(joinedload(Payment.order))
        )
    )


def refunds_that_failed(session: Session) -> list[Refund]:
    """What the provider could not send back."""
    return list(
        session.scalars(
            sa.select(Refund)
            .where(Refund.state == RefundState.FAILED)
            .order_by(Refund.id)
            .options(joinedload(Refund.order))
        )
    )


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A movement on the account and how much of it is not explained yet."""

    line: BankLine
    matched: Money

    @property
    def open(self) -> Money:
        return Money(abs(self.line.amount.fen) - self.matched.fen)


def matched_of(session: Session, bank_line_ids: Sequence[int]) -> dict[int, Money]:
    rows = session.execute(
        sa.select(BankMatch.bank_line_id, sum_money(BankMatch.amount))
        .where(BankMatch.bank_line_id.in_(bank_line_ids))
        .group_by(BankMatch.bank_line_id)
    )
    return dict(rows.all())


def bank_lines(
    session: Session, supplier_id: int, *, only_open: bool = False, limit: int = 300
) -> list[OpenLine]:
    """This supplier's movements, newest first, with their matches."""
    matched = (
        sa.select(BankMatch.bank_line_id, sum_money(BankMatch.amount).label("amount"))
        .group_by(BankMatch.bank_line_id)
        .subquery()
    )
    said = sa.func.coalesce(matched.c.amount, 0)
    query = (
        sa.select(BankLine, matched.c.amount)
        .outerjoin(matched, matched.c.bank_line_id == BankLine.id)
        .where(BankLine.supplier_id == supplier_id)
        .order_by(BankLine.on.desc(), BankLine.id.desc())
        .limit(limit)
        .options(selectinload(BankLine.matches))
    )
    if only_open:
        amount = sa.type_coerce(BankLine.amount, sa.BigInteger)
        query = query.where(sa.func.abs(amount) > sa.type_coerce(said, sa.BigInteger))
    return [OpenLine(line, amount or ZERO) for line, amount in session.execute(query)]


def statements_of(session: Session, supplier_id: int, *, limit: int = 20) -> list[BankStatement]:
    return list(
        session.scalars(
            sa.select(BankStatement)
            .where(BankStatement.supplier_id == supplier_id)
            .order_by(BankStatement.id.desc())
            .limit(limit)
        )
    )


def bank_line(session: Session, bank_line_id: int, *, supplier_id: int) -> BankLine:
    """One movement, if it is on this supplier's account."""
    found = session.scalar(
        sa.select(BankLine)
        .where(BankLine.id == bank_line_id, BankLine.supplier_id == supplier_id)
        .options(selectinload(BankLine.matches))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found
