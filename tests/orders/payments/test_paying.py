"""The road of a payment and every way it can fail, by the provider's messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel.actors import WEBHOOK, Role
from kernel.errors import Refusal
from kernel.money import ZERO, Money
from kernel.outbox import Job
from kernel.people import OrganisationKind
from orders.ledger.models import Transfer
from orders.ledger.queries import balances
from orders.payments import operations as payments
from orders.payments.gateway import Event
from orders.payments.models import (
    Payment,
    PaymentState,
    ProviderEvent,
    Refund,
    RefundKind,
    RefundState,
)
from orders.sales import operations as sales
from orders.sales.models import Order, OrderState
from tests import makers
from tests.web import given, person

LATE = makers.NOON + timedelta(minutes=20)


def started(session, **given) -> tuple[Order, Payment]:
    order = makers.citizen_order(session, **given)
    return order, payments.start_payment(session, order.id, by=makers.SOMEBODY, now=makers.NOON)


def page_done(payment: Payment, *, number=1, fen=None, status="paid") -> Event:
    thing = {
        "id": f"cs_test_{payment.id}",
        "object": "checkout.session",
        "payment_status": status,
        "payment_intent": f"pi_{payment.id}",
        "amount_total": payment.amount.fen if fen is None else fen,
        "currency": "cny",
        "metadata": {"payment": payment.request_key},
    }
    return Event(f"evt_page_{number}", "checkout.session.completed", thing)


def intent_done(payment: Payment, *, number=1) -> Event:
    thing = {
        "id": f"pi_{payment.id}",
        "object": "payment_intent",
        "amount_received": payment.amount.fen,
        "currency": "cny",
        "metadata": {"payment": payment.request_key},
    }
    return Event(f"evt_intent_{number}", "payment_intent.succeeded", thing)


def take(session, event, now=makers.NOON) -> str:
    return payments.take_event(session, event, by=WEBHOOK, now=now).outcome


def money_of(session, order) -> dict[str, Money]:
    code = supplier_code(session, order)
    found = balances(session, "")
    return {
        name: found.get(f"{prefix}:{code}", ZERO)
        for name, prefix in (
            ("provider", "assets:provider"),
            ("prepaid", "liabilities:prepaid"),
            ("refunds", "liabilities:refunds"),
        )
    }


def supplier_code(session, order) -> str:
    from catalog.suppliers.models import Supplier

    return session.get_one(Supplier, order.supplier_id).code


def jobs(session, name) -> list[dict]:
    return list(session.scalars(sa.select(Job.arguments).where(Job.name == name)))


def reserved(session) -> int:
    return session.scalar(sa.select(sa.func.sum(Contribution.reserved)))


def test_a_signed_message_pays_the_order_and_the_books_know(session):
    order, payment = started(session)

    assert take(session, page_done(payment)) == "paid"

    assert (payment.state, payment.intent_id) == (PaymentState.PAID, f"pi_{payment.id}")
    assert (order.state, order.hold_until) == (OrderState.TO_SHIP, None)
    assert money_of(session, order) == {
        "provider": Money(2900), "prepaid": Money(2900), "refunds": ZERO,
    }  # fmt: skip


def test_messages_in_any_order_and_again_pay_once(session):
    order, payment = started(session)

    outcomes = [
        take(session, intent_done(payment)),
        take(session, page_done(payment)),
        take(session, intent_done(payment)),
        take(session, page_done(payment, number=2)),
    ]

    assert outcomes == ["paid", "payment paid already", "paid", "payment paid already"]
    assert session.scalar(sa.select(sa.func.count(ProviderEvent.id))) == 3
    assert money_of(session, order)["prepaid"] == Money(2900)
    assert jobs(session, "send_refund") == []


def test_a_message_that_overtakes_our_own_memory_of_the_page_still_finds_its_payment(session):
    order, payment = started(session)
    assert payment.session_id is None

    take(session, page_done(payment))
    payments.keep_page(
        session, payment.id, session_id="cs_test_other", url="u", by=makers.SOMEBODY, now=LATE
    )

    assert order.state is OrderState.TO_SHIP
    assert payment.session_id == f"cs_test_{payment.id}"


def test_a_second_tab_and_a_second_click_share_one_intent(session):
    order, payment = started(session)

    again = payments.start_payment(session, order.id, by=makers.SOMEBODY, now=LATE)

    assert again is payment
    assert session.scalar(sa.select(sa.func.count(Payment.id))) == 1


def test_a_declined_card_leaves_the_page_open(session):
    order, payment = started(session)
    thing = {
        "id": f"pi_{payment.id}",
        "object": "payment_intent",
        "failure": "generic_decline",
        "metadata": {"payment": payment.request_key},
    }

    assert take(session, Event("evt_d", "payment_intent.payment_failed", thing)) == "declined"

    assert (payment.state, payment.failure) == (PaymentState.STARTED, "generic_decline")
    assert order.state is OrderState.AWAITING_PAYMENT
    assert take(session, page_done(payment)) == "paid"


def test_a_page_that_is_done_but_not_paid_waits_for_the_money(session):
    order, payment = started(session)

    assert take(session, page_done(payment, status="unpaid")) == "waiting for the money"
    assert order.state is OrderState.AWAITING_PAYMENT
    later = page_done(payment, number=2)
    event = Event("evt_a", "checkout.session.async_payment_succeeded", later.thing)
    assert take(session, event) == "paid"


def test_an_abandoned_order_is_closed_and_a_late_payment_goes_back_by_itself_once(session):
    order, payment = started(session)
    payments.keep_page(
        session, payment.id, session_id="cs_test_x", url="u", by=makers.SOMEBODY, now=makers.NOON
    )
    [closed] = payments.close_unpaid_orders(session, now=LATE)
    assert (closed.id, order.state, reserved(session)) == (order.id, OrderState.CLOSED, 0)
    assert jobs(session, "close_page") == [{"payment_id": payment.id}]

    for number in (1, 2):
        take(session, page_done(payment, number=number), now=LATE)
        take(session, intent_done(payment, number=number), now=LATE)

    assert order.state is OrderState.CLOSED
    assert reserved(session) == 0
    [refund] = session.scalars(sa.select(Refund)).all()
    assert (refund.amount, refund.kind) == (Money(2900), RefundKind.TOO_LATE)
    assert jobs(session, "send_refund") == [{"refund_id": refund.id}]
    assert money_of(session, order) == {
        "provider": Money(2900), "prepaid": ZERO, "refunds": Money(2900),
    }  # fmt: skip

    for _ in range(2):
        payments.record_refund(
            session, refund.id, provider_id="re_1", status="succeeded",
            by=WEBHOOK, now=LATE,
        )  # fmt: skip
    assert (refund.state, payment.state) == (RefundState.DONE, PaymentState.REFUNDED)
    assert set(money_of(session, order).values()) == {ZERO}


def test_an_order_paid_twice_gives_the_second_payment_back(session):
    order, payment = started(session)
    payments.expire_payment(session, payment.id, by=WEBHOOK, now=makers.NOON)
    second = payments.start_payment(session, order.id, by=makers.SOMEBODY, now=makers.NOON)
    assert second.id != payment.id

    assert take(session, page_done(second)) == "paid"
    assert take(session, page_done(payment, number=2)) == "money goes back: paid_twice"

    [refund] = session.scalars(sa.select(Refund)).all()
    assert refund.payment_id == payment.id
    assert order.state is OrderState.TO_SHIP
    assert money_of(session, order) == {
        "provider": Money(5800), "prepaid": Money(2900), "refunds": Money(2900),
    }  # fmt: skip


def test_another_amount_is_kept_apart_and_the_goods_stay_reserved(session):
    order, payment = started(session)

    assert take(session, page_done(payment, fen=2899)) == "another amount: held"

    assert (payment.state, payment.received) == (PaymentState.MISMATCHED, Money(2899))
    assert order.state is OrderState.AWAITING_PAYMENT
    assert payments.close_unpaid_orders(session, now=LATE) == []
    assert money_of(session, order)["refunds"] == Money(2899)
    with pytest.raises(Refusal):
        payments.start_payment(session, order.id, by=makers.SOMEBODY, now=LATE)
    refund = payments.refund_payment(
        session, payment.id, kind=RefundKind.WRONG_AMOUNT, by=makers.SOMEBODY, now=LATE
    )
    assert refund.amount == Money(2899)


def test_a_message_about_nothing_of_ours_is_kept_and_changes_nothing(session):
    order, _ = started(session)
    stranger = {"id": "pi_9", "object": "payment_intent", "amount_received": 5, "metadata": {}}

    event = Event("evt_s", "payment_intent.succeeded", stranger)
    assert take(session, event) == "no payment of ours"
    assert take(session, Event("evt_c", "customer.created", {"id": "cus_1"})) == "not ours to use"
    assert order.state is OrderState.AWAITING_PAYMENT


def test_a_basket_of_two_suppliers_is_prepaid_to_each(session):
    radish, tea = makers.sold_product(session), makers.sold_product(session)
    order = sales.place_order(
        session,
        makers.placing((makers.pack_of(radish), 1), (makers.pack_of(tea), 2)),
        by=makers.SOMEBODY,
        now=makers.NOON,
    )
    payment = payments.start_payment(session, order.id, by=makers.SOMEBODY, now=makers.NOON)

    makers.pay(session, payment)

    prepaid = balances(session, "liabilities:prepaid:")
    assert sorted(amount.fen for amount in prepaid.values()) == [2900, 5800]
    written = sa.select(sa.func.count(Transfer.id)).where(Transfer.cause.like("payment:%"))
    assert session.scalar(written) == 2


def test_cancelling_before_payment_closes_the_page(session):
    order, payment = started(session)

    for _ in range(2):
        payments.cancel_citizen_order(
            session, order.id, reason="mind", by=makers.SOMEBODY, now=makers.NOON
        )

    assert (order.state, reserved(session)) == (OrderState.CANCELLED, 0)
    assert jobs(session, "close_page") == [{"payment_id": payment.id}]
    take(session, page_done(payment))
    assert session.scalars(sa.select(Refund.kind)).all() == [RefundKind.TOO_LATE]


def test_an_operator_gives_back_what_came_wrong_and_settles_a_refund_by_hand(app, db):
    with given(db) as session:
        _, payment = started(session)
        take(session, page_done(payment, fen=2899))
        late, second = started(session)
        sales.give_back(
            session, late.id, to=OrderState.CLOSED, reason="", by=makers.SOMEBODY, now=LATE
        )
        take(session, page_done(second, number=2))
        [refund] = session.scalars(sa.select(Refund)).all()
        payments.record_refund(
            session, refund.id, provider_id="re_1", status="failed", by=WEBHOOK, now=LATE
        )
        body = makers.organisation(session, "平台", kind=OrganisationKind.PLATFORM)
        operator = makers.member(session, body, Role.OPERATOR)
    desk = person(app, operator).open("/admin/payments").sees("¥28.99", refund.number)

    desk.press("It was paid from the bank account", status=422)
    desk.open("/admin/payments").press("It was paid from the bank account", voucher="回单 8812")
    desk.press("Give all of it back").sees("Nothing to look at")

    with db.reading() as session:
        states = session.scalars(sa.select(Refund.state).order_by(Refund.id)).all()
        assert states == [RefundState.DONE, RefundState.APPROVED]
        assert sum(balances(session, "assets:bank:").values(), ZERO) == Money(-2900)
