"""Two people at one lot: who ships and who replaces take turns, and nothing is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel.errors import Refusal
from orders.sales import operations as sales
from orders.sales.checks import CHECKS
from orders.sales.models import Allocation, AllocationChange, Order, OrderState, Shipment
from tests import makers
from tests.web import given

pytestmark = pytest.mark.race

LATER = makers.NOON + timedelta(hours=3)
ROUNDS = 5


def arranged(db) -> tuple[int, int, int, int, int]:
    """(order, line, supplier, the lot it comes from, another lot)"""
    with given(db) as session:
        radish = makers.sold_product(session, None)
        [old] = makers.stock(session, radish, (60_000,), at=makers.NOON - timedelta(days=5))
        [new] = makers.stock(session, radish, (90_000,))
        order = makers.paid_order(session, radish, 4)
        return order.id, order.lines[0].id, radish.supplier_id, old.lot_id, new.lot_id


def together(db, *acts: Callable[[object], object]) -> list[str]:
    """All at the same moment, each in its own transaction; what became of each."""
    start = threading.Barrier(len(acts))

    def run(act) -> str:
        start.wait()
        try:
            with db.transaction() as session:
                act(session)
        except Refusal:
            return "refused"
        return "done"

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def agree(db) -> None:
    with db.reading() as session:
        found = [f"{c.name} {each.sentence}" for c in CHECKS for each in c.run(session)]
    assert found == []


def replacing(order, line, supplier, old, new):
    return lambda session: sales.replace_lot(
        session, order, line, supplier_id=supplier, from_lot_id=old, to_lot_id=new, reason="压伤",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip


def shipping(order, supplier, key="s"):
    return lambda session: sales.ship_order(
        session, order, supplier_id=supplier, request_key=key, by=makers.SOMEBODY, now=LATER
    )


def test_one_ships_while_another_replaces_the_lot(db):
    for number in range(ROUNDS):
        order, line, supplier, old, new = arranged(db)
        shipped, replaced = together(
            db, shipping(order, supplier, f"s{number}"), replacing(order, line, supplier, old, new)
        )
        assert shipped == "done"
        with db.reading() as session:
            assert session.get_one(Order, order).state is OrderState.SHIPPED
            sent = session.scalars(
                sa.select(Allocation).where(Allocation.line_id == line, Allocation.shipped > 0)
            ).all()
            assert sum(each.shipped for each in sent) == 20_000
            assert {each.lot_id for each in sent} == {new if replaced == "done" else old}
            assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 0
    agree(db)


def test_two_who_replace_the_same_lot_do_it_once(db):
    for _ in range(ROUNDS):
        order, line, supplier, old, new = arranged(db)
        outcomes = together(db, *[replacing(order, line, supplier, old, new)] * 2)
        assert sorted(outcomes) == ["done", "refused"]
        with db.reading() as session:
            moved = session.scalar(
                sa.select(sa.func.sum(AllocationChange.quantity)).where(
                    AllocationChange.line_id == line
                )
            )
        assert moved == 20_000
    agree(db)


def test_calling_back_twice_and_shipping_again_at_once_agree(db):
    order, _, supplier, _, _ = arranged(db)
    with given(db) as session:
        first = shipping(order, supplier)(session).id

    def call_back(session):
        sales.cancel_shipment(
            session, first, supplier_id=supplier, reason="车坏了", by=makers.SOMEBODY, now=LATER
        )

    together(db, call_back, call_back, shipping(order, supplier, "again"))
    with db.reading() as session:
        standing = session.scalar(
            sa.select(sa.func.count(Shipment.id)).where(Shipment.cancelled_at.is_(None))
        )
        state = session.get_one(Order, order).state
        reserved = session.scalar(sa.select(sa.func.sum(Contribution.reserved)))
    assert (state, standing, reserved) in [
        (OrderState.SHIPPED, 1, 0), (OrderState.TO_SHIP, 0, 20_000),
    ]  # fmt: skip
    agree(db)
