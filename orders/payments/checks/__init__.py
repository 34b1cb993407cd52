"""What must always be true of payments, refunds and the bank (domain.md §4.6, R3, R4, R10, R19)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, Findings, Sides, rows_of
from kernel.db import MoneyColumn, sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO, Money
from orders.ledger.models import Transfer
from orders.payments.checks.returns import RETURNED
from orders.payments.models import (
    STANDING,
    UNDECIDED,
    BankLine,
    BankMatch,
    Payment,
    PaymentState,
    Refund,
    RefundFreight,
    RefundLine,
)
from orders.sales.models import BuyerKind, Order, OrderLine, OrderState
from orders.shares.models import SplitPart

PAID_FOR = (
    OrderState.TO_SHIP,
    OrderState.PARTLY_SHIPPED,
    OrderState.SHIPPED,
    OrderState.RECEIVED,
    OrderState.COMPLETED,
)


def _fen(amount: object) -> sa.ColumnElement[int]:
    return sa.type_coerce(amount, sa.BigInteger)  # type: ignore[arg-type]


def _orders_were_paid(session: Session) -> Iterator[Difference]:
    """A citizen's order goes on only with exactly one payment of its total."""
    paid = (
        sa.select(
            Payment.order_id,
            sa.func.count().label("times"),
            sum_money(Payment.received).label("amount"),
        )
        .where(Payment.state == PaymentState.PAID)
        .group_by(Payment.order_id)
        .subquery()
    )
    told = sa.and_(paid.c.times == 1, _fen(paid.c.amount) == _fen(Order.total))
    for number, total in session.execute(
        sa.select(Order.number, Order.total)
        .outerjoin(paid, paid.c.order_id == Order.id)
        .where(
            Order.buyer_kind == BuyerKind.CITIZEN,
            Order.state.in_(PAID_FOR),
            sa.func.coalesce(told, sa.false()).is_(sa.false()),
        )
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("goes on without one payment of its total %(total)s", total=total),
        )


def _payments_are_in_the_books(session: Session) -> Findings:
    booked = (
        sa.select(sum_money(Transfer.amount))
        .where(
            Transfer.cause.like(
                sa.literal("payment:") + sa.cast(Payment.id, sa.String) + sa.literal(":%")
            )
        )
        .correlate(Payment)
        .scalar_subquery()
    )
    arrived = written = ZERO
    for key, received, said in session.execute(
        sa.select(Payment.id, Payment.received, booked)
        .where(Payment.received.is_not(None))
        .order_by(Payment.id)
    ):
        arrived, written = arrived + received, written + Money(_plain(said))
        if received != Money(_plain(said)):
            yield Difference(
                f"payment:{key}",
                Text("brought %(received)s, the books say %(said)s", received=received, said=said),
            )
    return Sides(arrived, written)


def _refunds_stay_within(session: Session) -> Iterator[Difference]:
    back, quantity = sum_money(RefundLine.amount), sum_whole(RefundLine.quantity)
    for key, amount, said in session.execute(
        sa.select(OrderLine.id, OrderLine.amount, back)
        .join(RefundLine, RefundLine.line_id == OrderLine.id)
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.state.in_(STANDING))
        .group_by(OrderLine.id)
        .having(sa.or_(_fen(back) > _fen(OrderLine.amount), quantity > OrderLine.quantity))
        .order_by(OrderLine.id)
    ):
        yield Difference(
            f"line:{key}",
            Text("of %(amount)s, but %(said)s was refunded", amount=amount, said=said),
        )
    total = sum_money(Refund.amount)
    for key, received, said in session.execute(
        sa.select(Payment.id, Payment.received, total)
        .join(Refund, Refund.payment_id == Payment.id)
        .where(Refund.state.in_(STANDING))
        .group_by(Payment.id)
        .having(_fen(total) > sa.func.coalesce(_fen(Payment.received), 0))
        .order_by(Payment.id)
    ):
        yield Difference(
            f"payment:{key}",
            Text("brought %(received)s, but %(said)s goes back", received=received, said=said),
        )


def _refunds_add_up(session: Session) -> Findings:
    freight = (
        sa.select(sum_whole(_fen(RefundFreight.amount)))
        .where(RefundFreight.refund_id == Refund.id)
        .correlate(Refund)
        .scalar_subquery()
    )
    lines = sa.type_coerce(sum_whole(_fen(RefundLine.amount)) + freight, MoneyColumn())
    for number, amount, said in session.execute(
        sa.select(Refund.number, Refund.amount, lines)
        .join(RefundLine, RefundLine.refund_id == Refund.id)
        .group_by(Refund.id)
        .having(_fen(Refund.amount) != _fen(lines))
        .order_by(Refund.id)
    ):
        yield Difference(
            f"refund:{number}",
            Text("of %(amount)s, its lines say %(said)s", amount=amount, said=said),
        )
    whole, goods, carriage = (
        session.execute(sa.select(sum_money(each.amount))).scalar_one()
        for each in (Refund, RefundLine, RefundFreight)
    )
    return Sides(whole, goods + carriage)


def _completed_orders_are_divided(session: Session) -> Findings:
    """Σ parts of a completed citizens' order = what was paid less what went back (R10)."""
    target = sa.literal("order:") + sa.cast(Order.id, sa.String)
    divided = (
        sa.select(sum_money(SplitPart.amount))
        .where(SplitPart.order == target)
        .correlate(Order)
        .scalar_subquery()
    )
    back = (
        sa.select(sum_money(RefundLine.amount))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(
            Refund.order_id == Order.id,
            Refund.state.in_([state for state in STANDING if state not in UNDECIDED]),
        )
        .correlate(Order)
        .scalar_subquery()
    )
    held = shared = ZERO
    for number, goods, parts, refunded in session.execute(
        sa.select(Order.number, Order.goods, divided, back)
        .where(Order.buyer_kind == BuyerKind.CITIZEN, Order.state == OrderState.COMPLETED)
        .order_by(Order.id)
    ):
        kept = goods.fen - _plain(refunded)
        held, shared = held + Money(kept), shared + Money(_plain(parts))
        if kept != _plain(parts):
            yield Difference(
                f"order:{number}",
                Text(
                    "%(kept)s was kept, its parts say %(parts)s",
                    kept=Money(kept),
                    parts=Money(_plain(parts)),
                ),
            )
    return Sides(held, shared)


def _freight_is_in_the_books(session: Session) -> Iterator[Difference]:
    """A completed order's freight went back, or lies there for the carrier."""
    key = sa.cast(Order.id, sa.String)
    booked = (
        sa.select(sum_money(Transfer.amount))
        .where(Transfer.cause.like(sa.literal("freight:order:") + key + sa.literal(":%")))
        .correlate(Order)
        .scalar_subquery()
    )
    back = (
        sa.select(sum_money(RefundFreight.amount))
        .join(Refund, Refund.id == RefundFreight.refund_id)
        .where(Refund.order_id == Order.id, Refund.state.in_(STANDING))
        .correlate(Order)
        .scalar_subquery()
    )
    for number, freight, said, returned in session.execute(
        sa.select(Order.number, Order.freight, booked, back)
        .where(Order.state == OrderState.COMPLETED, _fen(Order.freight) > 0)
        .where(Order.buyer_kind == BuyerKind.CITIZEN)
        .order_by(Order.id)
    ):
        if freight.fen != _plain(said) + _plain(returned):
            yield Difference(
                f"order:{number}",
                Text(
                    "freight of %(freight)s, the books say %(said)s",
                    freight=freight,
                    said=Money(_plain(said) + _plain(returned)),
                ),
            )


def _bank_lines_are_not_used_up(session: Session) -> Iterator[Difference]:
    matched = sum_money(BankMatch.amount)
    for key, amount, said in session.execute(
        sa.select(BankLine.id, BankLine.amount, matched)
        .join(BankMatch, BankMatch.bank_line_id == BankLine.id)
        .group_by(BankLine.id)
        .having(_fen(matched) > sa.func.abs(_fen(BankLine.amount)))
        .order_by(BankLine.id)
    ):
        yield Difference(
            f"bank_line:{key}",
            Text("moved %(amount)s, but is matched with %(said)s", amount=amount, said=said),
        )


def _plain(amount: Money | int | None) -> int:
    return amount.fen if isinstance(amount, Money) else int(amount or 0)


CHECKS: list[Check] = [
    Check(
        "payments.paid",
        Text("Citizens' orders go on with exactly one payment of their total"),
        _orders_were_paid,
        rows_of(Payment),
    ),
    Check(
        "payments.books",
        Text("What the provider received stands in the books"),
        _payments_are_in_the_books,
        rows_of(Payment),
    ),
    Check(
        "payments.refunds",
        Text("No more goes back than was paid"),
        _refunds_stay_within,
        rows_of(Refund, RefundLine),
    ),
    Check(
        "payments.refund_sums", Text("Refunds are the sum of their lines"), _refunds_add_up,
        rows_of(Refund),
    ),
    Check(
        "payments.divided",
        Text("What citizens paid was divided to the fen"),
        _completed_orders_are_divided,
        rows_of(Order),
    ),
    Check(
        "payments.freight",
        Text("Freight of completed orders stands in the books"),
        _freight_is_in_the_books,
        rows_of(Order),
    ),
    RETURNED,
    Check(
        "payments.bank",
        Text("No bank movement explains more than it moved"),
        _bank_lines_are_not_used_up,
        rows_of(BankLine, BankMatch),
    ),
]  # fmt: skip
