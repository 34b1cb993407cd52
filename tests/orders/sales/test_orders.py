"""Placing, moving, shipping and giving back, on the real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution, StockMove
from catalog.lots.operations import hold_lot
from catalog.products.models import Shelf
from catalog.products.operations import take_off_sale
from kernel.errors import Refusal
from kernel.money import Money
from orders.sales import operations as sales
from orders.sales.models import Allocation, BuyerKind, Order, OrderEvent, OrderLine, OrderState
from orders.sales.queries import order_sheet
from orders.sales.queries.packing import to_ship
from tests import makers

LATER = makers.NOON + timedelta(hours=3)


def reserved(session, product) -> list[tuple[int, int]]:
    session.expire_all()
    return [
        (each.on_hand, each.reserved)
        for each in session.scalars(
            sa.select(Contribution)
            .where(Contribution.product_id == product.id)
            .order_by(Contribution.id)
        )
    ]


def ship(session, order, lines=None, *, key="ship-1", now=LATER):
    supplier_id = order.supplier_id
    return sales.ship_order(
        session, order.id, supplier_id=supplier_id, lines=lines, carrier="邮政",
        tracking="1", request_key=key, by=makers.SOMEBODY, now=now,
    )  # fmt: skip


def events(session, order) -> list[str]:
    return list(
        session.scalars(
            sa.select(OrderEvent.to_state)
            .where(OrderEvent.order_id == order.id)
            .order_by(OrderEvent.id)
        )
    )


def test_an_order_takes_its_goods_from_households_and_adds_up(session):
    radish = makers.sold_product(session, (6_000, 9_000))

    order = makers.citizen_order(session, radish, 2)

    [line] = order.lines
    assert (line.quantity, line.amount, order.total) == (10_000, Money(5800), Money(5800))
    assert [each.quantity for each in line.allocations] == [6_000, 4_000]
    assert all(each.household_id for each in line.allocations)
    assert reserved(session, radish) == [(6_000, 6_000), (9_000, 4_000)]
    assert order.number.startswith("SC26-")
    assert events(session, order) == ["awaiting_payment"]


def test_the_same_request_is_one_order(session):
    radish = makers.sold_product(session)
    asked = makers.placing((makers.pack_of(radish), 3))

    first = sales.place_order(session, asked, by=makers.SOMEBODY, now=makers.NOON)
    again = sales.place_order(session, asked, by=makers.SOMEBODY, now=LATER)

    assert again is first
    assert session.scalar(sa.select(sa.func.count(Order.id))) == 1
    assert reserved(session, radish) == [(100_000, 15_000)]


def test_two_lines_of_one_product_are_one_demand_and_the_refusal_names_all_that_is_missing(session):
    radish = makers.sold_product(session, (40_000,))
    tea = makers.sold_product(session, (1_000,), name_zh="安心红茶", name_en="Anxin black tea")
    pack = makers.pack_of(radish)

    with pytest.raises(sales.OutOfStock) as refused:
        sales.place_order(
            session,
            makers.placing((pack, 5), (makers.pack_of(tea), 1), (pack, 4)),
            by=makers.SOMEBODY,
            now=makers.NOON,
        )

    assert sorted(str(reason) for reason in refused.value.reasons) == [
        "Anxin black tea: 4 kg of 5 kg are missing.",
        "Space radish: 5 kg of 45 kg are missing.",
    ]
    assert reserved(session, radish) == [(40_000, 0)]
    assert session.scalar(sa.select(sa.func.count(Order.id))) == 0


def test_what_is_not_for_sale_is_refused_by_name(session):
    radish = makers.sold_product(session)
    pack = makers.pack_of(radish)
    canteens = makers.pack_of(radish, Shelf.CANTEENS)
    with pytest.raises(Refusal) as refused:
        sales.place_order(
            session, makers.placing((canteens, 1)), by=makers.SOMEBODY, now=makers.NOON
        )
    assert "not for sale" in str(refused.value.reasons[0])

    with pytest.raises(Refusal) as refused:
        sales.place_order(session, makers.placing((pack, 21)), by=makers.SOMEBODY, now=makers.NOON)
    assert "between 1 and 20" in str(refused.value.reasons[0])

    take_off_sale(session, radish.id, reason="season", by=makers.SOMEBODY, now=makers.NOON)
    with pytest.raises(Refusal):
        sales.place_order(session, makers.placing((pack, 1)), by=makers.SOMEBODY, now=makers.NOON)
    assert reserved(session, radish) == [(100_000, 0)]


def test_a_units_line_is_priced_per_kilogram_and_its_households_have_a_cap(session):
    radish = makers.sold_product(session, (60_000, 60_000))
    unit = makers.organisation(session, "水市小学")
    pack = makers.pack_of(radish, Shelf.CANTEENS)

    def order(grams: int, cap: Money | None):
        return sales.place_order(
            session,
            makers.placing(
                sales.Wanted(pack_id=pack.id, quantity=grams),
                buyer_kind=BuyerKind.UNIT,
                organisation_id=unit.id,
                state=OrderState.AWAITING_SIGNATURE,
                hold_until=None,
                annual_cap=cap,
            ),
            by=makers.SOMEBODY,
            now=makers.NOON,
        )

    first = order(50_000, Money(20_000))
    [line] = first.lines
    assert line.amount == Money(30_000)
    assert [each.quantity for each in line.allocations] == [33_000 + 333, 50_000 - 33_333]
    assert line.allocations[1].reason["capped"] == [line.allocations[0].household_id]
    assert first.number.startswith("DG26-")

    with pytest.raises(sales.OutOfStock) as refused:
        order(30_000, Money(20_000))
    assert "yearly cap" in str(refused.value.reasons[0])
    with pytest.raises(Refusal, match="cannot be ordered"):
        order(1_500, None)
    order(30_000, None)


def test_ships_in_parts_and_once_per_request(session):
    radish = makers.sold_product(session, (6_000, 9_000))
    order = makers.paid_order(session, radish, 2)
    [line] = order.lines

    first = ship(session, order, {line.id: 7_000})
    again = ship(session, order, {line.id: 7_000})

    assert again.id == first.id
    assert order.state is OrderState.PARTLY_SHIPPED
    assert [each.quantity for each in first.lines] == [6_000, 1_000]
    assert reserved(session, radish) == [(0, 0), (8_000, 3_000)]
    with pytest.raises(Refusal):
        ship(session, order, {line.id: 3_001}, key="ship-2")
    ship(session, order, key="ship-3")
    assert order.state is OrderState.SHIPPED
    assert reserved(session, radish) == [(0, 0), (5_000, 0)]
    causes = session.scalars(sa.select(StockMove.cause).where(StockMove.quantity < 0)).all()
    assert len(causes) == len(set(causes)) == 3
    assert events(session, order)[-2:] == ["partly_shipped", "shipped"]


def test_a_held_lot_stays_in_the_store(session):
    radish = makers.sold_product(session)
    order = makers.paid_order(session, radish)
    hold_lot(
        session, order.lines[0].allocations[0].lot_id, reason="residue test",
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip

    with pytest.raises(Refusal) as refused:
        ship(session, order)

    assert "on hold" in str(refused.value.reasons[0])
    assert order.state is OrderState.TO_SHIP


def test_nothing_is_shipped_before_it_is_confirmed(session):
    order = makers.citizen_order(session)

    with pytest.raises(Refusal):
        ship(session, order)
    with pytest.raises(Refusal):
        sales.mark_received(session, order.id, by=makers.SOMEBODY, now=LATER)


@pytest.mark.parametrize("to", [OrderState.CANCELLED, OrderState.CLOSED])
def test_an_order_that_ends_gives_every_gram_back_once(session, to):
    radish = makers.sold_product(session)
    order = makers.citizen_order(session, radish, 3)

    for _ in range(2):
        sales.give_back(session, order.id, to=to, reason="no", by=makers.SOMEBODY, now=LATER)

    assert order.state is to
    assert reserved(session, radish) == [(100_000, 0)]
    assert events(session, order) == ["awaiting_payment", to.value]
    with pytest.raises(Refusal):
        sales.confirm_order(session, order.id, by=makers.SOMEBODY, now=LATER)


def test_unpaid_orders_are_closed_when_their_time_is_over(session):
    radish = makers.sold_product(session)
    orders = [makers.citizen_order(session, radish) for _ in range(3)]
    sales.confirm_order(session, orders[2].id, by=makers.SOMEBODY, now=makers.NOON)

    early = sales.close_expired_holds(session, now=makers.NOON + timedelta(minutes=14))
    closed = sales.close_expired_holds(session, now=makers.NOON + timedelta(minutes=15))

    assert early == []
    assert [each.id for each in closed] == [orders[0].id, orders[1].id]
    assert [each.state for each in orders] == [
        OrderState.CLOSED,
        OrderState.CLOSED,
        OrderState.TO_SHIP,
    ]
    assert reserved(session, radish) == [(100_000, 5_000)]


def test_a_part_taken_off_an_order_goes_back_from_the_end(session):
    radish = makers.sold_product(session, (6_000, 9_000))
    order = makers.paid_order(session, radish, 2)
    [line] = order.lines

    sales.release_lines(
        session, order.id, {line.id: 5_000}, reason="less", by=makers.SOMEBODY, now=LATER
    )
    assert reserved(session, radish) == [(6_000, 5_000), (9_000, 0)]
    assert order.state is OrderState.TO_SHIP
    sales.release_lines(
        session, order.id, {line.id: 5_000}, reason="rest", by=makers.SOMEBODY, now=LATER
    )

    assert order.state is OrderState.CANCELLED
    assert reserved(session, radish) == [(6_000, 0), (9_000, 0)]


def test_every_terminal_state_leaves_nothing_reserved(session):
    radish = makers.sold_product(session)
    done = makers.paid_order(session, radish)
    ship(session, done)
    sales.mark_received(session, done.id, by=makers.SOMEBODY, now=LATER)
    sales.complete_order(session, done.id, by=makers.SOMEBODY, now=LATER)
    for to in (OrderState.CANCELLED, OrderState.CLOSED):
        order = makers.citizen_order(session, radish)
        sales.give_back(session, order.id, to=to, reason="", by=makers.SOMEBODY, now=LATER)

    left = session.scalar(
        sa.select(sa.func.sum(Allocation.quantity - Allocation.released - Allocation.shipped))
        .join(OrderLine)
        .join(Order)
        .where(Order.state.in_([OrderState.COMPLETED, OrderState.CANCELLED, OrderState.CLOSED]))
    )
    assert left == 0
    assert reserved(session, radish) == [(95_000, 0)]


def test_the_store_sees_what_is_to_be_packed(session):
    radish = makers.sold_product(session)
    order = makers.paid_order(session, radish, 2)
    makers.citizen_order(session, radish)

    [row] = to_ship(session, radish.supplier_id)

    assert (row.order_id, row.lines, row.open_quantity) == (order.id, 1, 10_000)
    assert to_ship(session, makers.supplier(session).id) == []


def test_an_order_sheet_costs_the_same_for_one_line_and_for_many(session, statements):
    products = [makers.sold_product(session, (9_000, 9_000, 9_000)) for _ in range(6)]
    small = makers.citizen_order(session, products[0])
    packs = [(makers.pack_of(each), 4) for each in products]
    large = sales.place_order(session, makers.placing(*packs), by=makers.SOMEBODY, now=makers.NOON)

    def cost(order_id) -> int:
        session.expunge_all()
        statements.clear()
        found = order_sheet(session, order_id)
        assert all(each.lot.code for line in found.lines for each in line.allocations)
        return len(statements)

    assert cost(small.id) == cost(large.id) <= 6


def test_placing_costs_the_same_however_many_lots_there_are(session, statements):
    few = makers.sold_product(session, (50_000,))
    many = makers.sold_product(session, tuple([1_000] * 40))
    counts = []
    for product in (few, many):
        session.flush()
        statements.clear()
        makers.citizen_order(session, product, 7)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 16
