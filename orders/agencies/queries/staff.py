"""Citizens' orders that are credited to the unit they work for: their facts, and their sums."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.db import sum_money
from kernel.money import ZERO, Money
from kernel.periods import business_day
from orders.agencies.models import Basis, Purpose, QuotaMovement, StaffCredit, Unit
from orders.agencies.rules.staff import StaffOrder
from orders.payments.models import Payment, PaymentState, Refund, RefundFreight, RefundLine
from orders.payments.models import RefundState as Going
from orders.sales.models import BuyerKind, Employment, Order, OrderEvent, OrderState, Review

# What another transaction wrote a moment before us may only be seen a moment after us.
LOOK_AGAIN_FOR = timedelta(minutes=15)
FOLLOWED_FOR = timedelta(days=800)

ENDED = (OrderState.CANCELLED.value, OrderState.CLOSED.value)


@dataclass(frozen=True, slots=True)
class Facts:
    """A credited order, and the instant of the last thing that happened to it."""

    order: StaffOrder
    last: datetime


def staff_facts(
    session: Session, order_ids: Collection[int] | None = None, *, followed: bool = False
) -> dict[int, Facts]:
    """Order → its facts, in a fixed number of statements. Of the given orders as they are, or of
    every credited order as far as its movements know (`followed`)."""
    which = Order.id.in_(sorted(order_ids)) if order_ids is not None else sa.true()
    reader = _Reader(session, which, followed)
    paid = reader.moments(Payment.order_id, Payment.paid_at, Payment.state == PaymentState.PAID)
    moves = reader.moments(OrderEvent.order_id, OrderEvent.made_at, sa.true(), last=True)
    completed = reader.moments(
        OrderEvent.order_id,
        OrderEvent.made_at,
        OrderEvent.to_state == OrderState.COMPLETED.value,
    )
    ended = reader.moments(OrderEvent.order_id, OrderEvent.made_at, OrderEvent.to_state.in_(ENDED))
    reviewed = reader.moments(Review.order_id, Review.made_at, sa.true())
    goods, freight, back = reader.refunds()
    found = {}
    for order in reader.orders():
        moments = (each.get(order.id) for each in (paid, moves, reviewed, back))
        found[order.id] = Facts(
            StaffOrder(
                channel=order.channel.value,
                ordered_on=business_day(order.placed_at),
                goods=order.goods - order.discount,
                freight=order.freight,
                refunded_goods=goods.get(order.id, ZERO),
                refunded_freight=freight.get(order.id, ZERO),
                ended=order.id in ended,
                paid_on=_day(paid.get(order.id)),
                completed_on=_day(completed.get(order.id)),
                reviewed_on=_day(reviewed.get(order.id)),
            ),
            max((each for each in moments if each is not None), default=order.placed_at),
        )
    return found


class _Reader:
    """The same orders, and the same instant up to which they are known, for every statement."""

    def __init__(self, session: Session, which: sa.ColumnElement[bool], followed: bool) -> None:
        self._session, self._which, self._followed = session, which, followed

    def orders(self) -> Sequence[sa.Row[Any]]:
        rows = sa.select(
            Order.id, Order.channel, Order.placed_at, Order.goods, Order.discount, Order.freight
        )
        return self._session.execute(self._of(rows, Order.id)).all()

    def moments(
        self,
        order_id: Any,
        at: Any,
        test: sa.ColumnElement[bool],
        *,
        last: bool = False,
    ) -> dict[int, datetime]:
        """Order → the first (or last) instant of a thing that may happen to it."""
        instant = sa.func.max(at) if last else sa.func.min(at)
        rows = sa.select(order_id, instant).where(test, at.is_not(None)).group_by(order_id)
        return dict(self._session.execute(self._of(rows, order_id, at)).all())

    def refunds(self) -> tuple[dict[int, Money], dict[int, Money], dict[int, datetime]]:
        """Order → goods that went back, freight that went back, and when the last did."""
        sums: list[dict[int, Money]] = []
        for part in (RefundLine, RefundFreight):
            rows = (
                sa.select(Refund.order_id, sum_money(part.amount))
                .join(Refund, Refund.id == part.refund_id)
                .where(Refund.state == Going.DONE)
                .group_by(Refund.order_id)
            )
            known = self._of(rows, Refund.order_id, Refund.done_at)
            sums.append(dict(self._session.execute(known).all()))
        last = self.moments(Refund.order_id, Refund.done_at, Refund.state == Going.DONE, last=True)
        return sums[0], sums[1], last

    def _of(self, rows: Any, order_id: Any, at: Any = None) -> Any:
        rows = rows.where(order_id.in_(sa.select(Order.id).where(self._which)))
        if not self._followed:
            return rows
        rows = rows.join(StaffCredit, StaffCredit.order_id == order_id)
        return rows if at is None else rows.where(at <= StaffCredit.followed_to)


def orders_to_follow(session: Session, *, now: datetime, limit: int = 500) -> list[int]:
    """Orders that are to be credited, or whose credit may have changed since it was last looked
    at: something happened to them, or it was a moment ago."""
    seen = StaffCredit.followed_to
    news = sa.or_(
        *(
            sa.exists().where(order_id == Order.id, at > seen)
            for order_id, at in (
                (OrderEvent.order_id, OrderEvent.made_at),
                (Payment.order_id, Payment.paid_at),
                (Refund.order_id, Refund.done_at),
                (Review.order_id, Review.made_at),
            )
        ),
        seen > now - LOOK_AGAIN_FOR,
    )
    recent = (Order.buyer_kind == BuyerKind.CITIZEN, Order.placed_at > now - FOLLOWED_FOR)
    agreed = sa.exists().where(
        Employment.user_id == Order.user_id,
        Employment.organisation_id == Order.credit_organisation_id,
        Employment.valid_from.is_not(None),
    )
    wished = (
        sa.select(Order.id)
        .where(
            *recent,
            Order.credit_organisation_id.is_not(None),
            agreed,
            ~sa.exists().where(StaffCredit.order_id == Order.id),
            sa.exists().where(Unit.organisation_id == Order.credit_organisation_id),
        )
        .order_by(Order.id)
        .limit(limit)
    )
    known = (
        sa.select(Order.id)
        .join(StaffCredit, StaffCredit.order_id == Order.id)
        .where(*recent, news)
        .order_by(Order.id)
        .limit(limit)
    )
    return sorted({*session.scalars(wished), *session.scalars(known)})[:limit]


@dataclass(frozen=True, slots=True)
class StaffSums:
    """What one person's orders brought their unit, and how many orders that is."""

    orders: int
    ordered: Money
    settled: Money
    counted: Money


def sums_of_staff(session: Session, unit_id: int, year: int) -> dict[int, StaffSums]:
    """Person → their part of the unit's figures of a year. No order is named: what somebody eats
    is no business of their employer."""

    def sum_of(basis: Basis) -> sa.ColumnElement[Money]:
        return sum_money(sa.case((QuotaMovement.basis == basis, QuotaMovement.amount), else_=0))

    rows = session.execute(
        sa.select(
            Order.user_id,
            sa.func.count(sa.distinct(Order.id)),
            sum_of(Basis.ORDERED),
            sum_of(Basis.SETTLED),
            sum_of(Basis.COUNTED),
        )
        .join(Order, Order.id == QuotaMovement.order_id)
        .where(
            QuotaMovement.unit_id == unit_id,
            QuotaMovement.year == year,
            QuotaMovement.purpose == Purpose.STAFF,
            Order.user_id.is_not(None),
        )
        .group_by(Order.user_id)
    )
    return {
        user_id: StaffSums(orders, ordered, settled, counted)
        for user_id, orders, ordered, settled, counted in rows
        if user_id is not None
    }


def _day(at: datetime | None) -> Any:
    return None if at is None else business_day(at)
