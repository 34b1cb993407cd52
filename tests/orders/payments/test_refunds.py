"""Money back by line and quantity: before shipping, after, and after the shares were divided."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from catalog.lots.models import Contribution
from catalog.suppliers.models import Supplier
from kernel.actors import WORKER
from kernel.errors import Refusal
from kernel.money import ZERO, Money
from kernel.outbox import Job
from orders.ledger.queries import balances, trial_balance
from orders.payments import operations as payments
from orders.payments.models import Refund, RefundKind, RefundLine, RefundState
from orders.payments.queries import orders_to_complete
from orders.payments.rules.claims import claim_problem
from orders.payments.rules.refunds import Gone, LineFacts, accepted_parts, amount_for
from orders.sales import operations as sales
from orders.sales.models import OrderState
from orders.shares.models import SplitPart
from tests import makers

LATER = makers.NOON + timedelta(hours=3)


def refund(session, order, lines, *, key="r1", kind=RefundKind.DAMAGED, **more) -> Refund:
    return payments.refund_order_lines(
        session, order.id, lines, kind=kind, request_key=key,
        by=makers.SOMEBODY, now=LATER, **more,
    )  # fmt: skip


def ship(session, order):
    return sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, request_key="s", by=makers.SOMEBODY,
        now=LATER,
    )  # fmt: skip


def complete(session, order):
    return payments.complete_citizen_order(session, order.id, by=WORKER, now=LATER)


def books(session, order) -> dict[str, Money]:
    code = session.get_one(Supplier, order.supplier_id).code
    found = balances(session, "")
    return {name: found.get(f"liabilities:{name}:{code}", ZERO) for name in ("prepaid", "refunds")}


def test_cancelling_before_shipping_frees_the_goods_and_sends_the_money_back(session):
    order = makers.paid_order(session, count=2)

    for _ in range(2):
        payments.cancel_citizen_order(
            session, order.id, reason="mind", by=makers.SOMEBODY, now=LATER
        )

    assert order.state is OrderState.CANCELLED
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 0
    [made] = session.scalars(sa.select(Refund)).all()
    assert (made.amount, made.kind, made.state) == (
        Money(5800), RefundKind.CANCELLED, RefundState.APPROVED,
    )  # fmt: skip
    assert books(session, order) == {"prepaid": ZERO, "refunds": Money(5800)}


def test_a_refund_is_never_more_than_the_line_and_the_last_part_takes_the_rest(session):
    order = makers.paid_order(session, count=3)
    [line] = order.lines
    ship(session, order)

    amounts = [
        refund(session, order, {line.id: 1}, key="a").amount,
        refund(session, order, {line.id: 7_000}, key="b").amount,
    ]
    with pytest.raises(Refusal, match="More is to be refunded"):
        refund(session, order, {line.id: 8_000}, key="c")
    amounts.append(refund(session, order, {line.id: 7_999}, key="d").amount)

    assert sum(each.fen for each in amounts) == line.amount.fen
    assert refund(session, order, {line.id: 1}, key="a").amount == amounts[0]
    with pytest.raises(Refusal):
        refund(session, order, {line.id: 1}, key="e")


def test_what_is_refunded_before_shipping_goes_back_to_the_store(session):
    order = makers.paid_order(session, count=3)
    [line] = order.lines

    refund(session, order, {line.id: 5_000}, kind=RefundKind.CANCELLED)

    assert order.state is OrderState.TO_SHIP
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 10_000
    assert ship(session, order).lines[0].quantity == 10_000


def test_completing_divides_what_was_kept(session):
    order = makers.paid_order(session, count=3)
    [line] = order.lines
    ship(session, order)
    refund(session, order, {line.id: 3_000})

    for _ in range(2):
        complete(session, order)

    assert order.state is OrderState.COMPLETED
    parts = session.scalars(sa.select(SplitPart).where(SplitPart.line == f"line:{line.id}")).all()
    assert sum(part.amount.fen for part in parts) == 8700 - 1740
    assert books(session, order) == {"prepaid": ZERO, "refunds": Money(1740)}
    trial = trial_balance(session)
    assert trial.debited == trial.credited


def test_a_refund_after_completion_takes_the_shares_back(session):
    order = makers.paid_order(session, count=3)
    [line] = order.lines
    ship(session, order)
    complete(session, order)

    refund(session, order, {line.id: 15_000}, kind=RefundKind.QUALITY)

    parts = session.scalars(sa.select(SplitPart).where(SplitPart.line == f"line:{line.id}")).all()
    assert sum(part.amount.fen for part in parts) == 0
    assert books(session, order)["refunds"] == Money(8700)


def test_a_buyer_asks_and_the_cooperative_answers_once(session):
    order = makers.paid_order(session, count=2)
    [line] = order.lines
    ship(session, order)
    asked = refund(session, order, {line.id: 2_000}, approved=False)

    assert asked.state is RefundState.REQUESTED
    assert books(session, order)["refunds"] == ZERO
    assert session.scalar(sa.select(sa.func.count(Job.id)).where(Job.name == "send_refund")) == 0
    with pytest.raises(Refusal, match="must be answered"):
        complete(session, order)

    payments.approve_refund(session, asked.id, by=makers.SOMEBODY, now=LATER)
    payments.decline_refund(session, asked.id, answer="no", by=makers.SOMEBODY, now=LATER)

    assert asked.state is RefundState.APPROVED
    assert books(session, order)["refunds"] == Money(1160)
    assert session.scalar(sa.select(sa.func.count(Job.id)).where(Job.name == "send_refund")) == 1


def test_what_was_declined_can_be_asked_again(session):
    order = makers.paid_order(session)
    [line] = order.lines
    ship(session, order)
    asked = refund(session, order, {line.id: 5_000}, approved=False)
    payments.decline_refund(session, asked.id, answer="no", by=makers.SOMEBODY, now=LATER)

    assert refund(session, order, {line.id: 5_000}, key="again").amount == Money(2900)
    assert session.scalar(sa.select(sa.func.sum(RefundLine.amount))) == Money(5800)


def test_orders_are_completed_by_themselves_after_ten_days_unless_something_is_asked(session):
    quiet, asking = makers.paid_order(session), makers.paid_order(session)
    line = asking.lines[0]
    for number, order in enumerate((quiet, asking)):
        sales.ship_order(
            session, order.id, supplier_id=order.supplier_id, request_key=f"s{number}",
            by=makers.SOMEBODY, now=LATER,
        )  # fmt: skip
    refund(session, asking, {line.id: 1_000}, approved=False)

    assert orders_to_complete(session, before=LATER) == []
    assert orders_to_complete(session, before=LATER + timedelta(seconds=1)) == [quiet.id]


def test_fresh_goods_know_no_return_without_reasons_but_damage_is_claimed_within_48_hours():
    """G25."""
    received = makers.NOON
    ask = {"received_at": received, "fresh": True}

    refused = claim_problem("unopened", now=received + timedelta(hours=1), **ask)
    assert "article 25" in str(refused)
    assert claim_problem("damaged", now=received + timedelta(hours=48), **ask) is None
    assert claim_problem("damaged", now=received + timedelta(hours=48, seconds=1), **ask)
    assert claim_problem("quality", now=received + timedelta(days=60), **ask) is None


def test_seven_days_count_from_the_day_after_signing():
    received = makers.NOON  # 23 November, noon in Shanghai
    ask = {"received_at": received, "fresh": False}

    assert claim_problem("unopened", now=received + timedelta(days=7, hours=11), **ask) is None
    assert claim_problem("unopened", now=received + timedelta(days=7, hours=12), **ask)


@given(
    st.integers(1, 100_000),
    st.integers(0, 10**7),
    st.lists(st.integers(1, 30_000), max_size=12),
)
def test_any_history_of_refunds_ends_at_the_lines_amount(quantity, fen, parts):
    gone = Gone()
    for part in parts:
        if more := min(part, quantity - gone.quantity):
            back = amount_for(LineFacts(quantity, fen, gone), more)
            gone = Gone(gone.quantity + more, gone.fen + back)
            assert gone.fen <= fen
    if rest := quantity - gone.quantity:
        gone = Gone(quantity, gone.fen + amount_for(LineFacts(quantity, fen, gone), rest))
    assert gone.fen == fen
    with pytest.raises(ValueError, match="1"):
        amount_for(LineFacts(quantity, fen, gone), 1)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8), st.integers(0, 100))
def test_what_was_kept_of_each_slice_adds_up(shipped, percent):
    sent_back = sum(shipped) * percent // 100

    kept = accepted_parts(shipped, sent_back)

    assert sum(kept) == sum(shipped) - sent_back
    assert all(0 <= one <= whole for one, whole in zip(kept, shipped, strict=True))
