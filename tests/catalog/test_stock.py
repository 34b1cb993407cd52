"""Goods are reserved, shipped, put back, lost, processed; never more than is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from catalog.lots import operations as lots
from catalog.lots.checks import CHECKS
from catalog.lots.models import Contribution, Lot, LotState, MoveKind, Processing, StockMove
from catalog.lots.queries import affected_by, candidates, lock_pools, trace
from catalog.products.models import Grade
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import Money
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY

DID = {"by": SOMEBODY, "now": NOON}


@pytest.fixture
def radish(session):
    return makers.product(session)


@pytest.fixture
def two(session, radish):
    """120 kg of 张三 and 80 kg of 李四, in one lot."""
    homes = [makers.household(session, name) for name in ("张三", "李四")]
    lot = makers.lot(session, radish, (120_000, 80_000), households_=homes)
    return session.scalars(
        sa.select(Contribution).where(Contribution.lot_id == lot.id).order_by(Contribution.id)
    ).all()


def counters(parts):
    return [(part.on_hand, part.reserved) for part in parts]


def test_what_is_reserved_is_no_candidate_any_more(session, radish, two):
    a, b = two
    lots.reserve(session, [(a.id, 120_000), (b.id, 30_000)])
    assert counters(two) == [(120_000, 120_000), (80_000, 30_000)]
    [left] = candidates(session, [radish.id], on_day=TODAY)
    assert (left.contribution_id, left.free, left.household_id) == (b.id, 50_000, b.household_id)
    lots.release(session, [(a.id, 20_000)])
    assert counters(two) == [(120_000, 100_000), (80_000, 30_000)]


def test_one_part_too_small_refuses_the_whole_request(session, two):
    a, b = two
    with pytest.raises(Refusal), session.begin_nested():
        lots.reserve(session, [(a.id, 10), (b.id, 80_001)])
    assert counters(two) == [(120_000, 0), (80_000, 0)]


def test_two_lines_of_one_product_are_one_demand(session, two):
    a, _ = two
    with pytest.raises(Refusal), session.begin_nested():
        lots.reserve(session, [(a.id, 70_000), (a.id, 70_000)])
    assert a.reserved == 0


def test_what_is_not_reserved_cannot_be_released_or_shipped(session, two):
    a, _ = two
    lots.reserve(session, [(a.id, 10)])
    for wrong in (
        lambda: lots.release(session, [(a.id, 11)]),
        lambda: lots.ship_out(session, [(a.id, 11)], cause_prefix="shipment:1", **DID),
    ):
        with pytest.raises(Refusal), session.begin_nested():
            wrong()
    assert counters(two)[0] == (120_000, 10)


def test_reserving_takes_one_statement_however_many_parts(session, two, statements):
    statements.clear()
    lots.reserve(session, [(part.id, 10) for part in two])
    assert len(statements) == 1


def test_shipped_goods_leave_with_a_move_and_come_back_once_per_cause(session, two):
    a, _ = two
    lots.reserve(session, [(a.id, 50_000)])
    lots.ship_out(session, [(a.id, 20_000)], cause_prefix="shipment:7", **DID)
    assert (a.on_hand, a.reserved) == (100_000, 30_000)
    for _ in range(2):
        lots.put_back(session, a.id, 5_000, cause="rejection:1", **DID)
    assert (a.on_hand, a.reserved) == (105_000, 30_000)
    moves = session.execute(
        sa.select(StockMove.kind, StockMove.quantity, StockMove.cause).order_by(StockMove.id)
    ).all()
    assert [tuple(move) for move in moves[2:]] == [
        (MoveKind.SHIPPED, -20_000, f"shipment:7:{a.id}"),
        (MoveKind.RETURNED, 5_000, "rejection:1"),
    ]
    with pytest.raises(Refusal), session.begin_nested():
        lots.put_back(session, a.id, 15_001, cause="rejection:2", **DID)
    assert a.on_hand == 105_000


def test_what_spoils_leaves_with_its_cost_and_only_once(session, two):
    _, b = two  # 80 kg for ¥256.00
    lost = lots.spoil(session, b.id, 10_000, cause="loss:1", **DID)
    again = lots.spoil(session, b.id, 10_000, cause="loss:1", **DID)
    assert (lost.quantity, lost.cost) == (10_000, Money(3_200))
    assert (again.quantity, again.cost) == (0, Money(0))
    assert b.on_hand == 70_000
    lots.reserve(session, [(b.id, 70_000)])
    with pytest.raises(Refusal), session.begin_nested():
        lots.spoil(session, b.id, 1, cause="loss:2", **DID)


def dry(session, lot, quantity, output, *, product=None, **given):
    product = product or makers.product(
        session, session.get(Supplier, lot.supplier_id), name_zh="萝卜干", fresh=False
    )
    return lots.process_lot(
        session,
        **{
            "supplier_id": lot.supplier_id,
            "inputs": {lot.id: quantity},
            "output_product_id": product.id,
            "output_grade": Grade.MIXED,
            "output_quantity": output,
            "step": "晒干",
            "on": TODAY,
            "best_before": date(2027, 5, 1),
            **DID,
            **given,
        },
    )


def test_processing_carries_households_and_costs_to_the_fen(session, two):
    a, b = two
    out = dry(session, a.lot, 50_000, 5_001)
    parts = session.scalars(
        sa.select(Contribution).where(Contribution.lot_id == out.id).order_by(Contribution.id)
    ).all()
    assert [(p.household_id, p.quantity, p.cost) for p in parts] == [
        (a.household_id, 3_001, Money(9_600)),
        (b.household_id, 2_000, Money(6_400)),
    ]
    assert counters(two) == [(90_000, 0), (60_000, 0)]
    [source] = trace(session, out.code).made_of
    assert (source.code, source.quantity, source.step) == (a.lot.code, 50_000, "晒干")
    [product] = trace(session, a.lot.trace_key).made_into
    assert product.code == out.code


def test_only_free_goods_of_open_lots_of_ones_own_are_processed(session, two):
    a, b = two
    lots.reserve(session, [(a.id, 120_000)])
    with pytest.raises(Refusal) as refused:
        dry(session, a.lot, 80_001, 8_000)
    assert "only 80000 free" in str(refused.value.reasons[0])
    stranger = makers.supplier(session)
    theirs = makers.product(session, stranger)
    with pytest.raises(Missing):
        dry(session, a.lot, 10, 1, product=theirs, supplier_id=stranger.id)
    lots.hold_lot(session, a.lot_id, reason="复检", **DID)
    with pytest.raises(Refusal):
        dry(session, a.lot, 10, 1)
    assert b.on_hand == 80_000
    assert session.scalar(sa.select(sa.func.count()).select_from(Processing)) == 0


def test_the_same_processing_request_makes_one_lot(session, two):
    a, _ = two
    product = makers.product(session, session.get(Supplier, a.lot.supplier_id))
    first = dry(session, a.lot, 10_000, 1_000, product=product, request_key="k1")
    again = dry(session, a.lot, 10_000, 1_000, product=product, request_key="k1")
    assert first.id == again.id
    assert a.on_hand + two[1].on_hand == 190_000


def test_a_recall_reaches_what_was_made_of_the_lot(session, two):
    a, _ = two
    dried = dry(session, a.lot, 50_000, 5_000)
    ground = dry(session, dried, 5_000, 4_500)
    lots.reserve(session, [(a.id, 10_000)])
    lots.ship_out(session, [(a.id, 10_000)], cause_prefix="shipment:1", **DID)
    lots.recall_lot(session, a.lot_id, reason="农残超标", **DID)

    reached = affected_by(session, a.lot_id)

    assert [each.code for each in reached] == [a.lot.code, dried.code, ground.code]
    assert [each.on_hand for each in reached] == [140_000, 0, 4_500]
    assert reached[0].shipped == 10_000
    assert trace(session, a.lot.code).recalled
    assert candidates(session, [a.product_id], on_day=TODAY) == []
    with pytest.raises(Refusal, match="Close its recall"):
        lots.release_lot(session, a.lot_id, reason="复检合格", **DID)
    lots.release_lot(session, a.lot_id, reason="复检合格", after_recall=True, **DID)
    assert a.lot.state is LotState.OPEN


def test_a_lot_is_held_with_a_reason_only(session, two):
    with pytest.raises(Invalid):
        lots.hold_lot(session, two[0].lot_id, reason="  ", **DID)
    assert two[0].lot.state is LotState.OPEN


def test_the_public_sheet_names_villages_and_hides_small_counts(session, radish):
    """G20."""
    homes = [makers.household(session, f"农户{n}") for n in range(3)]
    lot = makers.lot(session, radish, (10_000, 20_000, 30_000), households_=homes)
    sheet = trace(session, lot.code.lower())
    assert (sheet.households, [(v.name, v.shown) for v in sheet.villages]) == (
        "<5", [("大山村", "<5")],
    )  # fmt: skip
    assert sheet.balance.came_in == 60_000
    assert sheet.balance.difference == 0
    assert not any("农户" in repr(value) for value in (sheet.villages, sheet.certificates))
    with pytest.raises(Missing):
        trace(session, lot.code[:-1] + "?")


def differences(session):
    return [f"{check.name} {each.subject}" for check in CHECKS for each in check.run(session)]


def test_the_checks_agree_with_everything_the_operations_do(session, two):
    a, b = two
    lots.reserve(session, [(a.id, 50_000), (b.id, 1)])
    lots.ship_out(session, [(a.id, 20_001)], cause_prefix="shipment:7", **DID)
    lots.put_back(session, a.id, 77, cause="back:1", **DID)
    lots.spoil(session, b.id, 333, cause="loss:1", **DID)
    out = dry(session, a.lot, 77_777, 7_001)
    dry(session, out, 5_000, 4_999)
    lots.spoil(session, b.id, 33, cause="loss:2", **DID)
    session.commit()
    assert differences(session) == []
    assert all(check.rows(session) >= 0 for check in CHECKS)
    assert list(audit.verify(session)) == []


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ("UPDATE contributions SET on_hand = on_hand - 1 WHERE id = 1", "lots.moves"),
        ("UPDATE contributions SET cost = cost + 1 WHERE id = 1", "lots.slips"),
        ("UPDATE weigh_slips SET amount = amount + 1 WHERE id = 1", "lots.slips"),
        ("UPDATE weigh_slips SET gross_g = gross_g + 5 WHERE id = 1", "lots.slips"),
        (
            "UPDATE weigh_slips SET made_by_id = 1, taken_in_by_id = 1 WHERE id = 1",
            "lots.four_eyes",
        ),
        ("UPDATE processings SET input_quantity = 1 WHERE id = 1", "lots.processing"),
        ("UPDATE contributions SET cost = cost + 1 WHERE id = 3", "lots.processing"),
        ("UPDATE lots SET code = '500114125-P1-261123-009-X' WHERE id = 1", "lots.parts"),
    ],
)
def test_the_checks_find_what_was_changed_behind_the_house(session, two, wrong, found):
    makers.user(session)
    dry(session, two[0].lot, 10_000, 1_000)
    session.flush()
    session.execute(sa.text(wrong))
    session.expunge_all()
    assert {name.split()[0] for name in differences(session)} == {found}


@pytest.mark.race
def test_buyers_at_the_same_moment_never_take_more_than_is_there(db):
    with db.transaction() as session:
        product = makers.product(session)
        first = makers.contribution(session, product, net_g=30)
        second = makers.contribution(session, product, net_g=20)
        keys = (first.id, second.id)
        product_id = product.id

    def buy(number):
        with db.transaction() as session:
            lock_pools(session, [product_id])
            free = {
                c.contribution_id: c.free for c in candidates(session, [product_id], on_day=TODAY)
            }
            key = next((key for key in keys[:: 1 if number % 2 else -1] if free.get(key)), None)
            if key is None:
                return 0
            lots.reserve(session, [(key, 1)])
            return 1

    with ThreadPoolExecutor(8) as pool:
        sold = sum(pool.map(buy, range(80)))
    with db.reading() as session:
        reserved = session.scalar(sa.select(sa.func.sum(Contribution.reserved)))
    assert (sold, reserved) == (50, 50)


def test_any_number_of_lots_is_read_with_two_queries(session, radish, statements):
    many = 300
    makers.lot(session, radish, (1_000,) * 3)
    model = session.scalar(sa.select(Lot).limit(1))
    for n in range(many):
        lot = Lot(
            code=f"x{n}", trace_key=f"k{n}", product_id=radish.id, supplier_id=model.supplier_id,
            grade=Grade.FIRST, state=LotState.OPEN, harvested_on=TODAY, available_from=TODAY,
            best_before=TODAY + timedelta(days=9), made_at=NOON, door=SOMEBODY.door, program="t",
        )  # fmt: skip
        session.add(lot)
    session.flush()
    statements.clear()
    assert len(candidates(session, [radish.id], on_day=TODAY)) == 3
    assert len(statements) == 2


def test_a_lot_that_a_phone_named_off_the_network_is_made_once(session, two):
    a, _ = two
    product = makers.product(session, session.get(Supplier, a.lot.supplier_id))
    uid = "0199B0C4-7D2A-7C53-9E39-6D0F3A1B2C4D"
    first = dry(session, a.lot, 10_000, 1_000, product=product, uid=uid)
    again = dry(session, a.lot, 10_000, 1_000, product=product, uid=uid.lower())
    assert (first.id, first.uid) == (again.id, uid.lower())
    with pytest.raises(Invalid):
        dry(session, a.lot, 10_000, 1_000, product=product, uid="42")
    assert a.on_hand + two[1].on_hand == 190_000
