"""The self-checks find nothing in a house that lives, and find what was broken behind its back."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from kernel.actors import WORKER
from orders.payments import operations as payments
from orders.payments.checks import CHECKS as PAYMENTS
from orders.payments.models import RefundKind
from orders.payments.rules.statements import StatementRow
from orders.sales import operations as sales
from orders.sales.checks import CHECKS as SALES
from orders.sales.models import OrderState
from tests import makers

LATER = makers.NOON + timedelta(hours=3)

# What these look at is lived through elsewhere: lines of units' orders that are given back
# (tests/orders/agencies) and staff who name their unit (tests/orders/sales, tests/shop/account).
ELSEWHERE = {"sales.withdrawn", "sales.employments"}


def live(session) -> None:
    """A little of everything that can happen to orders and their money."""
    radish = makers.sold_product(session, (60_000, 80_000))
    order = makers.paid_order(session, radish, 4)
    line = order.lines[0].id
    sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, lines={line: 12_000},
        request_key="a", by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, request_key="b",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    payments.refund_order_lines(
        session, order.id, {line: 3_000}, kind=RefundKind.DAMAGED, request_key="r",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    payments.complete_citizen_order(session, order.id, by=WORKER, now=LATER)
    payments.refund_order_lines(
        session, order.id, {line: 2_000}, kind=RefundKind.QUALITY, request_key="q",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    waiting = makers.paid_order(session, radish, 2)
    payments.refund_order_lines(
        session, waiting.id, {waiting.lines[0].id: 5_000}, kind=RefundKind.CANCELLED,
        request_key="c", by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    makers.citizen_order(session, radish, 1)
    late = makers.citizen_order(session, radish, 1)
    payment = payments.start_payment(session, late.id, by=makers.SOMEBODY, now=makers.NOON)
    sales.give_back(
        session, late.id, to=OrderState.CLOSED, reason="", by=makers.SOMEBODY, now=LATER
    )
    makers.pay(session, payment, now=LATER)
    rows = [StatementRow(makers.TODAY, makers.Money(10_000), "校", "货款", "1")]
    statement = payments.import_statement(
        session, supplier_id=radish.supplier_id, name="a.csv", sha256="0" * 64, rows=rows,
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    bank_line = session.scalar(
        sa.text("SELECT id FROM bank_lines WHERE statement_id = :id"), {"id": statement.id}
    )
    payments.match_bank_line(
        session, bank_line, "order:9", makers.Money(9_000), by=makers.SOMEBODY, now=LATER
    )
    bring_back(session, radish)
    carry(session, radish)
    share_out(session, radish)


def share_out(session, radish) -> None:
    """A group purchase: two people, a parcel each, one order."""
    pack = makers.pack_of(radish)
    people = [
        sales.Recipient(
            recipient=name, phone="13855505678", address="西湖区文三路 9 号", region="330106000000"
        )
        for name in ("陈先生", "王老师")
    ]
    wanted = [sales.Wanted(pack_id=pack.id, count=1, to=place) for place in range(2)]
    placing = makers.placing(*wanted, recipients=people)
    sales.place_order(session, placing, by=makers.SOMEBODY, now=makers.NOON)


def bring_back(session, radish) -> None:
    """Of three boxes two travel back: one is fit for the shelf, one is spoiled."""
    order = makers.paid_order(session, radish, 3)
    line = order.lines[0].id
    sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, request_key="b1",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    refund = payments.refund_order_lines(
        session, order.id, {line: 10_000}, kind=RefundKind.UNOPENED,
        request_key="u", approved=False, by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    part, did = refund.lines[0].id, {"by": makers.SOMEBODY, "now": LATER}
    payments.send_return(session, refund.id, carrier="顺丰速运", tracking="SF1", **did)
    payments.receive_return(session, refund.id, **did)
    payments.inspect_return(session, refund.id, {part: payments.Found(5_000, 5_000)}, **did)
    payments.complete_citizen_order(session, order.id, by=WORKER, now=LATER)


def carry(session, radish) -> None:
    """Freight that was paid, freight that went back, a lot that was replaced, a shipment that
    never left."""
    makers.freight(session, radish.supplier_id)
    [fresh] = makers.stock(session, radish, (50_000,), at=makers.NOON - timedelta(days=1))
    sent, dropped, swapped = (makers.paid_order(session, radish, 1) for _ in range(3))
    payments.cancel_citizen_order(session, dropped.id, reason="mind", by=makers.SOMEBODY, now=LATER)
    line = swapped.lines[0]
    old = next(each.lot_id for each in line.allocations if each.open)
    other = makers.other_lot(session, radish, old) or fresh.lot_id
    sales.replace_lot(
        session, swapped.id, line.id, supplier_id=radish.supplier_id, from_lot_id=old,
        to_lot_id=other, reason="压伤", by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    for order, key in ((sent, "c1"), (swapped, "c2")):
        shipment = sales.ship_order(
            session, order.id, supplier_id=radish.supplier_id, request_key=key,
            by=makers.SOMEBODY, now=LATER,
        )  # fmt: skip
    sales.cancel_shipment(
        session, shipment.id, supplier_id=radish.supplier_id, reason="车坏了",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    payments.complete_citizen_order(session, sent.id, by=WORKER, now=LATER)


def found(session) -> dict[str, list[str]]:
    session.flush()
    return {
        check.name: differences
        for check in (*SALES, *PAYMENTS)
        if (differences := [f"{each.subject} {each.sentence}" for each in check.run(session)])
    }


def test_a_living_house_is_in_order(session):
    live(session)

    assert found(session) == {}
    idle = {check.name for check in (*SALES, *PAYMENTS) if not check.rows(session)}
    assert idle == ELSEWHERE


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ("UPDATE allocations SET quantity = quantity + 1 WHERE id = 1", "sales.allocations"),
        ("UPDATE contributions SET reserved = reserved + 1 WHERE id = 2", "sales.reserved"),
        ("UPDATE order_lines SET amount = amount + 1 WHERE id = 1", "sales.totals"),
        ("UPDATE orders SET state = 'completed' WHERE id = 2", "sales.ended"),
        ("UPDATE shipment_lines SET quantity = quantity - 1 WHERE id = 1", "sales.shipments"),
        ("UPDATE orders SET state = 'received' WHERE id = 1", "sales.events"),
        ("UPDATE order_lines SET recipient_id = NULL", "sales.recipients"),
        ("UPDATE payments SET received = received - 1 WHERE id = 1", "payments.paid"),
        ("UPDATE payments SET received = received - 1 WHERE id = 1", "payments.books"),
        ("UPDATE order_lines SET amount = 100 WHERE id = 1", "payments.refunds"),
        ("UPDATE refund_lines SET amount = amount - 1 WHERE id = 1", "payments.refund_sums"),
        ("UPDATE refund_lines SET amount = amount - 1 WHERE id = 1", "payments.divided"),
        (
            "UPDATE allocations SET shipped = 0 WHERE id IN "
            "(SELECT allocation_id FROM return_slices)",
            "payments.returns",
        ),
        ("UPDATE bank_lines SET amount = 8999 WHERE id = 1", "payments.bank"),
    ],
)
def test_what_was_changed_behind_the_house_is_found(session, broken, name):
    live(session)

    session.execute(sa.text(broken))

    assert name in found(session)
