"""A person is forgotten; the books are kept.

What is theirs alone — name, addresses, phone, notes, browsers — is gone for good. What others and
the law need stays without them: orders, amounts, lots, payments and refunds, what was divided among
households, what counted for their unit, the audit trail. No row of the ledger is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit, joining
from kernel.actors import WORKER, Actor
from kernel.db import get_or_missing
from kernel.errors import Refusal, Text
from kernel.outbox import enqueue, task
from kernel.people import User
from kernel.periods import business_day
from orders.payments.models import Refund, RefundState
from orders.payments.operations import forget_payer
from orders.payments.rules.claims import last_moment_unopened
from orders.sales.models import BuyerKind, Order, OrderEvent, OrderState
from orders.sales.operations import forget_buyer

OVER = (OrderState.COMPLETED, OrderState.CANCELLED, OrderState.CLOSED)
ANSWERED = (RefundState.DONE, RefundState.DECLINED)


@dataclass(frozen=True, slots=True)
class StillOpen:
    """What keeps an account open, and what is waited for."""

    number: str
    code: str
    why: Text


def still_open(session: Session, user_id: int, *, now: datetime) -> Sequence[StillOpen]:
    """Orders on their way, refunds that are not done, and goods that may still be returned: each
    with a sentence, oldest first. None of it can be finished without name and address."""
    mine = (Order.user_id == user_id, Order.buyer_kind == BuyerKind.CITIZEN)
    received = (
        sa.select(sa.func.max(OrderEvent.made_at))
        .where(OrderEvent.order_id == Order.id, OrderEvent.to_state == OrderState.RECEIVED.value)
        .correlate(Order)
        .scalar_subquery()
    )
    asked = sa.exists().where(Refund.order_id == Order.id, Refund.state.not_in(ANSWERED))
    when = sa.type_coerce(received, OrderEvent.made_at.type)
    rows = session.execute(
        sa.select(Order.number, Order.code, Order.state, when, asked)
        .where(*mine)
        .order_by(Order.id)
    )
    found = []
    for number, code, state, received_at, refunding in rows:
        why = _why_open(state, received_at, bool(refunding), now)
        if why is not None:
            found.append(StillOpen(number, code, why))
    return found


def _why_open(
    state: OrderState, received_at: datetime | None, refunding: bool, now: datetime
) -> Text | None:
    if state is OrderState.AWAITING_PAYMENT:
        return Text("waits for payment; it closes by itself in some minutes")
    if state not in OVER:
        return Text("is not completed; it is, ten days after it arrived")
    if refunding:
        return Text("has a refund on its way; it takes up to seven days")
    if received_at is not None and now < last_moment_unopened(received_at):
        return Text(
            "may be returned until %(day)s",
            day=business_day(last_moment_unopened(received_at) - timedelta(microseconds=1)),
        )
    return None


def ask_to_leave(session: Session, user_id: int, *, by: Actor, now: datetime) -> date:
    """The account is closed in thirty days, unless the person thinks again; refused with everything
    that must come to its end first."""
    waiting = still_open(session, user_id, now=now)
    if waiting:
        raise Refusal(
            "Your account cannot be closed yet.",
            tuple(
                Text("Order %(number)s %(why)s.", number=each.number, why=each.why)
                for each in waiting
            ),
        )
    return joining.ask_to_leave(session, user_id, by=by, now=now)


def close_account(session: Session, user_id: int, *, by: Actor, now: datetime) -> bool:
    """Forget the person now, if their time to think again is over and nothing is open; whether it
    was done. Doing it twice changes nothing."""
    user = get_or_missing(session, User, user_id, lock=True)
    due = user.closing_on is not None and user.closing_on <= business_day(now)
    if user.closed_at is not None or not due or still_open(session, user_id, now=now):
        return False
    joining.refuse_at_work(session, user_id, business_day(now))
    orders = forget_buyer(session, user_id, by=by, now=now)
    forget_payer(session, user_id, by=by, now=now)
    joining.forget_person(session, user, by=by, now=now)
    audit.note(session, "close_account", f"user:{user_id}", by=by, now=now, orders=orders)
    return True


@task("find_accounts_to_close", cron="30 4 * * *")
def find_accounts_to_close(session: Session, *, now: datetime) -> None:
    """Each is a job of its own; one whose orders are still open is tried again the next night."""
    for user_id in joining.due_to_leave(session, today=business_day(now)):
        enqueue(session, "close_account", now=now, user_id=user_id)


@task("close_account")
def close_one(session: Session, *, now: datetime, user_id: int) -> None:
    close_account(session, user_id, by=WORKER, now=now)
