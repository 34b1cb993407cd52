"""Shipping guards, shipments called back, lots replaced, freight frozen and given back."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from catalog.lots.checks import CHECKS as LOTS
from catalog.lots.models import Contribution, Lot, LotState, StockMove
from catalog.lots.operations import hold_lot
from catalog.suppliers.models import Supplier
from kernel.actors import WORKER
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import ZERO, Money
from orders.ledger.queries import balances
from orders.payments import operations as payments
from orders.payments.checks import CHECKS as PAYMENTS
from orders.payments.models import RefundKind
from orders.sales import operations as sales
from orders.sales.checks import CHECKS as SALES
from orders.sales.models import (
    Allocation,
    AllocationChange,
    CarrierKind,
    OrderFreight,
    OrderState,
    Shipment,
)
from orders.sales.queries import order_sheet
from orders.sales.queries.freight import region_by_name
from orders.sales.rules.freight import Zone
from orders.sales.rules.packing import found_by
from orders.sales.rules.replacing import match
from tests import makers

LATER = makers.NOON + timedelta(hours=3)
CHONGQING, XINJIANG = "500000000000", "650000000000"


def ship(session, order, key="s", *, now=LATER, **more) -> Shipment:
    return sales.ship_order(
        session, order.id, supplier_id=order.supplier_id, request_key=key,
        by=makers.SOMEBODY, now=now, **more,
    )  # fmt: skip


def call_back(session, shipment, *, reason="车坏了") -> Shipment:
    return sales.cancel_shipment(
        session, shipment.id, supplier_id=shipment.supplier_id, reason=reason,
        by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip


def swap(session, order, to_lot, *, reason="压伤", **more) -> list[Allocation]:
    """Another lot for the order's one line, out of its last open lot if none is named."""
    session.expire_all()
    [line] = order_sheet(session, order.id).lines
    if "from_lot_id" not in more:
        more["from_lot_id"] = next(each.lot_id for each in line.allocations[::-1] if each.open)
    return sales.replace_lot(
        session, order.id, line.id, to_lot_id=to_lot, reason=reason,
        **{"supplier_id": line.supplier_id, **more}, by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip


def stock(session) -> tuple[int, int]:
    return session.execute(
        sa.select(sa.func.sum(Contribution.on_hand), sa.func.sum(Contribution.reserved))
    ).one()


def problems(session) -> list[str]:
    session.flush()
    return [
        f"{check.name} {each.subject} {each.sentence}"
        for check in (*SALES, *PAYMENTS, *LOTS)
        for each in check.run(session)
    ]


def two_lots(session):
    """A product in two lots: what came yesterday goes first."""
    radish = makers.sold_product(session, None)
    [old] = makers.stock(session, radish, (60_000,), at=makers.NOON - timedelta(days=5))
    first, _ = makers.stock(session, radish, (50_000, 70_000))
    return radish, old.lot_id, first.lot_id


def test_what_is_not_paid_or_not_signed_cannot_leave(session):
    order = makers.citizen_order(session)
    order.supplier_id = order.lines[0].supplier_id
    for state in (OrderState.AWAITING_PAYMENT, OrderState.AWAITING_SIGNATURE):
        order.state = state
        session.flush()
        with pytest.raises(Refusal, match="moved on"):
            ship(session, order)
    assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 0
    assert stock(session) == (100_000, 5_000)


def test_a_lot_past_its_day_on_hold_or_without_its_certificate_stays(session):
    order = makers.paid_order(session, count=2)
    lot = order.lines[0].allocations[0].lot
    with pytest.raises(Refusal) as refused:
        ship(session, order, now=makers.NOON + timedelta(days=21))
    assert "was good until" in str(refused.value.reasons[0])

    certificate, lot.certificate_no = lot.certificate_no, ""
    session.flush()
    with pytest.raises(Refusal) as refused:
        ship(session, order)
    assert "no certificate" in str(refused.value.reasons[0])

    lot.certificate_no = certificate
    hold_lot(session, lot.id, reason="农残复检", by=makers.SOMEBODY, now=LATER)
    with pytest.raises(Refusal) as refused:
        ship(session, order)
    assert "on hold" in str(refused.value.reasons[0])
    assert order.state is OrderState.TO_SHIP
    assert stock(session) == (100_000, 10_000)


def test_a_shipment_that_never_left_lies_in_the_store_again_and_is_shipped_anew(session):
    order = makers.paid_order(session, count=3)
    line = order.lines[0].id
    part = ship(session, order, "a", lines={line: 4_000})
    rest = ship(session, order, "b")
    assert order.state is OrderState.SHIPPED

    for _ in range(2):
        call_back(session, rest)
    assert order.state is OrderState.PARTLY_SHIPPED
    call_back(session, part)

    assert order.state is OrderState.TO_SHIP
    assert stock(session) == (100_000, 15_000)
    assert session.scalar(sa.select(sa.func.sum(StockMove.quantity))) == 100_000
    assert (rest.cancel_reason, rest.cancelled_at) == ("车坏了", LATER)
    assert problems(session) == []
    ship(session, order, "c")
    assert order.state is OrderState.SHIPPED
    assert stock(session) == (85_000, 0)
    assert problems(session) == []


def test_calling_back_needs_a_reason_its_own_store_and_goods_that_are_still_here(session):
    order = makers.paid_order(session)
    shipment = ship(session, order)
    with pytest.raises(Invalid):
        call_back(session, shipment, reason=" ")
    with pytest.raises(Missing):
        sales.cancel_shipment(
            session, shipment.id, supplier_id=shipment.supplier_id + 1, reason="x",
            by=makers.SOMEBODY, now=LATER,
        )  # fmt: skip
    sales.mark_received(session, order.id, by=makers.SOMEBODY, now=LATER)
    with pytest.raises(Refusal, match="has arrived"):
        call_back(session, shipment)
    assert stock(session) == (95_000, 0)
    assert shipment.cancelled_at is None


def test_another_lot_takes_the_place_with_a_reason_and_the_households_change(session):
    radish, old, new = two_lots(session)
    order = makers.paid_order(session, radish, 4)
    line = order.lines[0]
    [before] = line.allocations
    assert before.lot_id == old

    fresh = swap(session, order, new, quantity=12_000)

    assert (before.quantity, before.released, before.open) == (20_000, 12_000, 8_000)
    assert sum(each.quantity for each in fresh) == 12_000
    assert {each.lot_id for each in fresh} == {new}
    assert all(each.reason["why"] == "压伤" for each in fresh)
    assert {each.household_id for each in fresh}.isdisjoint({before.household_id})
    changes = session.scalars(sa.select(AllocationChange)).all()
    assert sum(each.quantity for each in changes) == 12_000
    assert stock(session)[1] == 20_000
    assert problems(session) == []


def test_there_and_back_again_the_buyer_pays_once_and_every_gram_has_its_household(session):
    radish, old, new = two_lots(session)
    order = makers.paid_order(session, radish, 4)
    line = order.lines[0]
    ship(session, order, "a", lines={line.id: 5_000})
    swap(session, order, new)
    swap(session, order, old, from_lot_id=new, reason="放回原批次")
    ship(session, order, "b")

    payments.complete_citizen_order(session, order.id, by=WORKER, now=LATER)

    assert order.state is OrderState.COMPLETED
    assert stock(session) == (160_000, 0)
    assert problems(session) == []
    code = session.get_one(Supplier, order.supplier_id).code
    assert balances(session, "").get(f"liabilities:prepaid:{code}", ZERO) == ZERO


def test_a_lot_that_does_not_fit_is_refused_and_nothing_changes(session):
    radish, old, new = two_lots(session)
    other = makers.sold_product(session, of=session.get_one(Supplier, radish.supplier_id))
    order = makers.paid_order(session, radish, 12)
    strange = makers.sold_product(session)
    lots = {
        product: session.scalar(sa.select(Lot.id).where(Lot.product_id == product.id))
        for product in (other, strange)
    }
    stranger = session.scalar(sa.select(Lot.id).where(Lot.product_id == strange.id))

    def refused(kind, words, to_lot, **more):
        with pytest.raises(kind) as said:
            swap(session, order, to_lot, from_lot_id=old, **more)
        assert words in " ".join(map(str, (said.value.sentence, *said.value.reasons)))

    refused(Refusal, "other goods", lots[other])
    refused(Missing, "not yours", stranger)
    refused(Refusal, "another lot", old)
    refused(Invalid, "", new, reason=" ")
    refused(Invalid, "", new, quantity=60_001)
    refused(Invalid, "", new, quantity=-1)
    makers.citizen_order(session, radish, 20)
    refused(Refusal, "are missing in lot", new)
    session.get_one(Lot, new).state = LotState.HOLD
    session.flush()
    refused(Refusal, "on hold", new)
    session.get_one(Lot, new).state = LotState.OPEN
    ship(session, order)
    refused(Refusal, "moved on", new)
    assert session.scalar(sa.select(sa.func.count(AllocationChange.id))) == 0
    assert problems(session) == []


parts = st.lists(st.integers(1, 50), min_size=1, max_size=6)


@given(parts, st.randoms(use_true_random=False))
def test_slices_replace_slices_without_losing_a_gram(old, chance):
    total, new = sum(old), []
    while total:
        new.append(chance.randint(1, total))
        total -= new[-1]
    pairs = match(list(enumerate(old)), list(enumerate(new, 100)))
    for side, slices, base in ((0, old, 0), (1, new, 100)):
        for key, quantity in enumerate(slices, base):
            assert sum(pair[2] for pair in pairs if pair[side] == key) == quantity
    assert len({pair[:2] for pair in pairs}) == len(pairs)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_the_store_does_the_books_of_goods_agree(session, seed):
    """Random shipping, calling back, replacing, refunding: moves replay, nothing hangs."""
    chance = random.Random(seed)
    radish, old, new = two_lots(session)
    makers.freight(session, radish.supplier_id)
    orders = [makers.paid_order(session, radish, chance.randint(1, 6)) for _ in range(4)]
    for step in range(22):
        order = order_sheet(session, chance.choice(orders).id)
        standing = [each for each in order.shipments if each.cancelled_at is None]
        lots = [each.lot_id for each in order.lines[0].allocations if each.open]
        try:
            match chance.randint(0, 3):
                case 0:
                    most = sum(each.open for each in order.lines[0].allocations)
                    part = {order.lines[0].id: chance.randint(1, max(1, most))}
                    ship(session, order, f"{seed}:{step}", lines=part)
                case 1 if standing:
                    call_back(session, chance.choice(standing))
                case 2 if lots:
                    source = chance.choice(lots)
                    swap(session, order, new if source == old else old, from_lot_id=source,
                         quantity=chance.choice([None, 1_000, 7]))  # fmt: skip
                case 3 if order.state is OrderState.TO_SHIP and chance.random() < 0.2:
                    payments.cancel_citizen_order(
                        session, order.id, reason="x", by=makers.SOMEBODY, now=LATER
                    )
        except Refusal:
            pass
        session.expire_all()
    assert problems(session) == []
    for order in orders:
        if order_sheet(session, order.id).state in (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED):
            ship(session, order, f"rest:{seed}:{order.id}")
        if order_sheet(session, order.id).state is OrderState.SHIPPED:
            payments.complete_citizen_order(session, order.id, by=WORKER, now=LATER)
    assert stock(session)[1] == 0
    assert problems(session) == []


def test_freight_is_frozen_with_the_order_and_a_new_version_changes_only_new_orders(session):
    radish = makers.sold_product(session)
    sales.weigh_pack(
        session, makers.pack_of(radish).id, 5_600, supplier_id=radish.supplier_id,
        by=makers.SOMEBODY, now=makers.NOON,
    )  # fmt: skip
    makers.freight(session, radish.supplier_id)
    order = makers.citizen_order(session, radish, 2)
    makers.freight(session, radish.supplier_id, Zone(region="", first_fee=Money(9_000)))

    [frozen] = session.scalars(sa.select(OrderFreight)).all()
    assert (frozen.grams, frozen.amount) == (11_200, Money(600 + 11 * 100))
    assert (order.freight, order.total) == (Money(1_700), Money(5_800 + 1_700))
    assert makers.citizen_order(session, radish, 1).freight > Money(9_000 - 1)
    assert problems(session) == []


def test_where_it_is_not_sent_the_order_is_refused_but_may_be_fetched(session):
    radish = makers.sold_product(session)
    makers.freight(
        session, radish.supplier_id,
        Zone(region=CHONGQING, first_fee=Money(600)), Zone(region=XINJIANG, served=False),
    )  # fmt: skip
    far = makers.contact(region="650102000000")
    for contact in (far, makers.contact(region="110101000000")):
        with pytest.raises(sales.NotServed) as refused:
            makers.citizen_order(session, radish, contact=contact)
        assert "does not send to this address" in str(refused.value.reasons[0])
    assert stock(session) == (100_000, 0)
    fetched = makers.citizen_order(session, radish, contact=far, pick_up=True)
    assert fetched.freight == ZERO
    near = makers.citizen_order(session, radish, contact=makers.contact(region="500112000000"))
    assert near.freight > ZERO


def test_freight_goes_back_only_when_nothing_was_sent(session):
    radish = makers.sold_product(session)
    makers.freight(session, radish.supplier_id)
    order = makers.paid_order(session, radish, 2)
    line = order.lines[0].id

    def refund(order, lines, key):
        return payments.refund_order_lines(
            session, order.id, lines, kind=RefundKind.CANCELLED, request_key=key,
            by=makers.SOMEBODY, now=LATER,
        )  # fmt: skip

    half = refund(order, {line: 5_000}, "a")
    whole = refund(order, {line: 5_000}, "b")
    assert (half.amount, whole.amount) == (Money(2_900), Money(2_900) + order.freight)

    sent = makers.paid_order(session, radish, 2)
    line = sent.lines[0].id
    ship(session, sent, "x")
    assert refund(sent, {line: 10_000}, "c").amount == Money(5_800)
    payments.complete_citizen_order(session, sent.id, by=WORKER, now=LATER)

    code = session.get_one(Supplier, radish.supplier_id).code
    books = balances(session, "")
    assert books.get(f"liabilities:prepaid:{code}", ZERO) == ZERO
    assert books[f"liabilities:costs:freight:{code}"] == sent.freight
    assert problems(session) == []


def test_two_suppliers_ask_for_their_own_freight_and_are_paid_exactly(session):
    first, second = makers.sold_product(session), makers.sold_product(session)
    makers.freight(session, first.supplier_id)
    makers.freight(session, second.supplier_id, Zone(region="", first_fee=Money(777)))
    wanted = [(makers.pack_of(first), 1), (makers.pack_of(second), 2)]
    order = sales.place_order(session, makers.placing(*wanted), by=makers.SOMEBODY, now=makers.NOON)
    payment = payments.start_payment(session, order.id, by=makers.SOMEBODY, now=makers.NOON)
    makers.pay(session, payment)

    books = balances(session, "")
    frozen = session.scalars(sa.select(OrderFreight)).all()
    for product, goods in ((first, 2_900), (second, 5_800)):
        code = session.get_one(Supplier, product.supplier_id).code
        [freight] = [each.amount for each in frozen if each.supplier_id == product.supplier_id]
        assert books[f"liabilities:prepaid:{code}"] == Money(goods) + freight
    assert problems(session) == []


def test_a_template_or_a_carrier_with_a_fault_is_refused_at_its_field(session):
    supplier = makers.supplier(session)
    with pytest.raises(Invalid) as refused:
        makers.freight(session, supplier.id, Zone(region=""), Zone(region=""))
    assert set(refused.value.errors) == {"zone-1"}
    with pytest.raises(Invalid) as refused:
        makers.freight(session, supplier.id, valid_from=makers.TODAY - timedelta(days=1))
    assert set(refused.value.errors) == {"valid_from"}

    def carrier(**given):
        given = {"name": "邮政", "kind": CarrierKind.PARCEL_SERVICE, **given}
        return sales.save_carrier(
            session, supplier.id, **given, by=makers.SOMEBODY, now=makers.NOON
        )

    for pattern in ("http://x.test/{number}", "https://x.test/", "javascript:{number}"):
        with pytest.raises(Invalid) as refused:
            carrier(tracking_pattern=pattern)
        assert set(refused.value.errors) == {"tracking_pattern"}
    kept = carrier(tracking_pattern="https://x.test/?no={number}")
    with pytest.raises(Invalid):
        carrier()
    shipment = Shipment(tracking="A/1 2", by_carrier=kept)
    assert shipment.tracking_address == "https://x.test/?no=A%2F1%202"


def test_a_wrong_number_is_put_right_and_says_what_stood_there(session):
    order = makers.paid_order(session)
    shipment = ship(session, order, carrier="邮政", tracking="EM1")
    van = sales.save_carrier(
        session, order.supplier_id, name="渝1号车", kind=CarrierKind.OWN_VEHICLE, plate="渝h58a21",
        driver="冉师傅", by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    sales.correct_transport(
        session, shipment.id, sales.Transport(carrier_id=van.id),
        supplier_id=order.supplier_id, by=makers.SOMEBODY, now=LATER,
    )  # fmt: skip
    assert (shipment.carrier, shipment.tracking, shipment.plate, shipment.driver) == (
        "渝1号车", "", "渝H58A21", "冉师傅",
    )  # fmt: skip
    call_back(session, shipment)
    with pytest.raises(Refusal, match="called back"):
        sales.correct_transport(
            session, shipment.id, sales.Transport(tracking="X"),
            supplier_id=order.supplier_id, by=makers.SOMEBODY, now=LATER,
        )  # fmt: skip


def test_a_place_is_found_by_name_or_code_and_a_search_by_pinyin(session):
    assert region_by_name(session, "重庆市") == [CHONGQING]
    assert region_by_name(session, "重庆市黔江区") == ["500114000000"]
    assert region_by_name(session, "5001") == ["500100000000"]
    assert region_by_name(session, "月球") == []
    assert len(region_by_name(session, "鼓楼区")) > 1
    assert found_by("luobo 林", ("SC26-1", "林女士", "太空萝卜"))
    assert found_by("tklb", ("太空萝卜",))
    assert not found_by("白菜", ("太空萝卜",))
