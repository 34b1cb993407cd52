"""Many buyers at once over real connections: what is there is sold, exactly, and nothing else."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from kernel.errors import Refusal
from orders.sales import operations as sales
from orders.sales.models import Allocation, Order, OrderLine, OrderState
from tests import makers
from tests.web import given

pytestmark = pytest.mark.race

BUYERS, ATTEMPTS = 32, 500


def sold(db) -> tuple[int, int]:
    """(orders, base units reserved by open allocations), which must equal the counters."""
    with db.reading() as session:
        orders = session.scalar(
            sa.select(sa.func.count(Order.id)).where(Order.state == OrderState.AWAITING_PAYMENT)
        )
        opened = session.scalar(
            sa.select(sa.func.sum(Allocation.quantity - Allocation.released - Allocation.shipped))
        )
        counted = session.scalar(sa.select(sa.func.sum(Contribution.reserved)))
        assert opened == counted
        return orders, int(opened)


def all_at_once(db, baskets) -> Counter[str]:
    """Every basket is ordered by one of the buyers; what became of them."""
    start = threading.Barrier(BUYERS)
    each_their_own = [baskets[number::BUYERS] for number in range(BUYERS)]

    def buy(mine) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        start.wait()
        for basket in mine:
            try:
                with db.transaction() as session:
                    sales.place_order(session, basket, by=makers.SOMEBODY, now=makers.NOON)
                outcomes["sold"] += 1
            except sales.OutOfStock:
                outcomes["refused"] += 1
            except Exception as problem:  # noqa: BLE001  whatever it is, the test names it
                outcomes[repr(problem)[:300]] += 1
        return outcomes

    with ThreadPoolExecutor(BUYERS) as pool:
        return sum(pool.map(buy, each_their_own), Counter())


def test_five_hundred_attempts_on_fifty_units_sell_exactly_fifty(db):
    with given(db) as session:
        # 70 boxes of three households, 20 of them promised already.
        radish = makers.sold_product(session, (100_000, 125_000, 125_000))
        makers.citizen_order(session, radish, 20)
        pack = makers.pack_of(radish)
        baskets = [makers.placing((pack, 1)) for _ in range(ATTEMPTS)]

    outcomes = all_at_once(db, baskets)

    assert outcomes == {"sold": 50, "refused": 450}
    assert sold(db) == (51, 350_000)


def test_two_products_in_both_orders_sell_exactly_and_nobody_waits_for_ever(db):
    with given(db) as session:
        first = makers.sold_product(session, (150_000, 100_000))
        second = makers.sold_product(session, (60_000, 240_000))
        one, two = makers.pack_of(first), makers.pack_of(second)
        baskets = [
            makers.placing((one, 1), (two, 1)) if number % 2 else makers.placing((two, 1), (one, 1))
            for number in range(ATTEMPTS)
        ]

    outcomes = all_at_once(db, baskets)

    assert outcomes == {"sold": 50, "refused": 450}
    assert sold(db) == (50, 500_000)


def test_the_same_request_from_every_tab_is_one_order(db):
    with given(db) as session:
        pack = makers.pack_of(makers.sold_product(session))
        basket = makers.placing((pack, 2))

    outcomes = all_at_once(db, [basket] * 64)

    assert outcomes == {"sold": 64}
    assert sold(db) == (1, 10_000)


def test_closing_in_time_and_confirming_late_agree(db):
    """The clock closes an order while its payment arrives: one of them wins, the goods agree."""
    with given(db) as session:
        radish = makers.sold_product(session)
        ids = [makers.citizen_order(session, radish).id for _ in range(20)]
    late = makers.NOON + timedelta(minutes=20)
    problems: list[str] = []

    def close() -> None:
        for _ in range(20):
            with db.transaction() as session:
                sales.close_expired_holds(session, now=late, limit=3)

    def confirm() -> None:
        for order_id in ids:
            try:
                with db.transaction() as session:
                    sales.confirm_order(session, order_id, by=makers.SOMEBODY, now=late)
            except Refusal as problem:
                if "moved on" not in str(problem):
                    problems.append(repr(problem))

    threads = [threading.Thread(target=each) for each in (close, confirm)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert problems == []
    with db.reading() as session:
        states = Counter(session.scalars(sa.select(Order.state)))
        to_ship = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(OrderLine.quantity), 0))
            .join(Order)
            .where(Order.state == OrderState.TO_SHIP)
        )
        reserved = session.scalar(sa.select(sa.func.sum(Contribution.reserved)))
    assert states[OrderState.TO_SHIP] + states[OrderState.CLOSED] == 20
    assert reserved == to_ship


def test_one_buyer_in_many_tabs_gets_only_what_each_buyer_may_have(db):
    with given(db) as session:
        radish = makers.sold_product(session, (400_000,))
        pack = makers.pack_of(radish)
        pack.most_per_buyer, pack.limit_days = 3, 7
        session.flush()
        baskets = [makers.placing((pack, 1)) for _ in range(BUYERS)]
    assert len({each.contact.phone for each in baskets}) == 1

    outcomes = all_at_once(db, baskets)

    assert outcomes["sold"] == 3
    assert sold(db)[0] == 3
