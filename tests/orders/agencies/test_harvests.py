"""Goods promised before they are there: never more than can be expected, never shipped, and every
kilogram that falls short has its order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.lots import operations as lots
from catalog.lots.models import Contribution, Lot, LotState, MoveKind, StockMove
from catalog.lots.models.harvests import HarvestArrival
from catalog.lots.models.papers import AdjustmentKind
from catalog.lots.queries import available, trace
from catalog.lots.queries.harvests import growers, harvest_of
from kernel.errors import Invalid, Missing, Refusal
from kernel.outbox import Job
from orders.agencies import operations
from orders.sales.models import Allocation, Order, OrderEvent, OrderLine
from orders.sales.operations import OutOfStock
from orders.sales.queries.promises import promises_of
from orders.sales.rules.arriving import Goods, Open, own_goods_first, shortfalls
from tests import makers
from tests.orders.agencies import canteens
from tests.orders.agencies.harvests import COMES, DAY, FIRST, LAST, agree, comes, harvest, homes_of
from tests.orders.agencies.harvests import growers as plots


def bare(session, **given):
    """A canteen whose cooperative has 10 kg in the store, good for a year."""
    of = canteens.canteen(session, nets=(10_000,))
    of.product.most_yield_kg_per_mu = 1000
    return of


def short_of(session, of):
    return {each.order.id: each.short for each in promises_of(session, of.supplier.id)}


def bring_in(session, of, coming, lot_id, *, now=COMES):
    return operations.bring_in_harvest(
        session, of.supplier.id, coming.lot.code, lot_id=lot_id, by=of.storekeeper, now=now
    )


def correct(session, of, coming, *kilograms):
    expected = {part.id: kg * 1000 for part, kg in zip(coming.parts, kilograms, strict=True)}
    return lots.correct_harvest(
        session, of.supplier.id, coming.lot.code, expected, reason="霜冻", by=of.manager,
        now=canteens.NOW,
    )  # fmt: skip


def test_a_canteen_orders_for_a_day_of_the_harvest_what_can_be_expected_with_confidence(session):
    of = bare(session)
    coming = harvest(session, of, 100, 50)  # 80 %: 120 kg may be promised
    with pytest.raises(OutOfStock):
        canteens.submit(session, of, kg=121 + 10, deliver_on=DAY)
    assert coming.promised == 0
    bulk = canteens.submit(session, of, kg=120, deliver_on=DAY)
    order = session.get_one(Order, bulk.order_id)
    drawn = session.scalars(sa.select(Allocation)).all()
    assert sum(each.quantity for each in drawn) == 120_000
    assert all(each.household_id for each in drawn)
    assert order.deliver_on == DAY
    agree(session)


def test_nothing_expected_is_sold_for_another_day_or_for_today_or_to_citizens(session):
    of = bare(session)
    coming = harvest(session, of, 100)
    code = coming.lot.code
    for day in (FIRST - timedelta(days=1), LAST + timedelta(days=1), None):
        with pytest.raises(OutOfStock):
            canteens.submit(session, of, kg=50, deliver_on=day)
    # The window has begun and nothing came: for today there is nothing, for tomorrow there may be.
    with pytest.raises(OutOfStock):
        canteens.submit(session, of, kg=50, deliver_on=FIRST, now=COMES)
    canteens.submit(session, of, kg=50, deliver_on=FIRST + timedelta(days=1), now=COMES)
    assert sum(available(session, [of.product.id], today=FIRST).values()) <= 10_000
    with pytest.raises(Missing):
        trace(session, code)
    agree(session)


def test_a_harvest_needs_households_whose_fields_bear_it(session):
    of = bare(session)  # a mu bears 1,000 kg, with a tenth more at most
    coming = harvest(session, of, 600)
    home = homes_of(coming)[0]
    before = session.scalar(sa.select(sa.func.count(Lot.id)))
    with pytest.raises(Invalid) as more:
        harvest(session, of, 501, homes=[home])  # 600 of 1,100 are spoken for
    assert f"part-{home.id}" in more.value.errors
    stranger = makers.household(session, "外人")
    with pytest.raises(Invalid) as nothing:
        harvest(session, of, 1, homes=[stranger])
    assert f"part-{stranger.id}" in nothing.value.errors
    for wrong in (
        {"available_from": canteens.NOW.date()},
        {"good_until": FIRST - timedelta(days=1)},
        {"confidence_bp": 0},
    ):
        with pytest.raises(Invalid):
            harvest(session, of, 5, homes=[home], **wrong)
    with pytest.raises(Invalid) as nobody:
        harvest(session, of, homes=[home][:0])
    assert "parts" in nobody.value.errors
    assert session.scalar(sa.select(sa.func.count(Lot.id))) == before
    [left] = [
        each
        for each in growers(session, of.product, [makers.TOWNSHIP[:9]], year=2026)
        if each.household_id == home.id
    ]
    assert left.plausible == 500_000


def test_nothing_expected_can_be_shipped_lost_counted_or_released(session):
    of = bare(session)
    coming = harvest(session, of, 100)
    bulk = canteens.signed(session, of, kg=50, deliver_on=DAY)
    with pytest.raises(Refusal) as stays:
        canteens.ship(session, of, bulk, now=COMES)
    assert coming.lot.code in str(stays.value.reasons[0] if stays.value.reasons else stays.value)
    for act in (lots.release_lot, lots.hold_lot, lots.close_lot, lots.set_apart):
        with pytest.raises(Refusal):
            act(session, coming.lot_id, reason="试", by=of.manager, now=COMES)
    with pytest.raises(Refusal):
        lots.propose_adjustment(
            session, coming.lot_id, supplier_id=of.supplier.id, kind=AdjustmentKind.SPOILED,
            quantity=-1000, reason="试", by=of.storekeeper, now=COMES,
        )  # fmt: skip
    assert coming.lot.state is LotState.EXPECTED
    kinds = session.scalars(
        sa.select(StockMove.kind)
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .where(Contribution.lot_id == coming.lot_id)
    ).all()
    assert set(kinds) == {MoveKind.EXPECTED}
    agree(session)


def test_goods_that_come_fulfil_their_households_promises_first_and_then_the_oldest(session):
    of = bare(session)
    coming = harvest(session, of, 100, 100, confidence_bp=10_000)
    first = canteens.signed(session, of, kg=80, deliver_on=DAY)
    second = canteens.signed(session, of, kg=100, deliver_on=DAY)
    one, two = homes_of(coming)
    # One brings less than was promised of it, the other exactly what was announced.
    lot = comes(session, of, [(one, 60), (two, 100)])
    told = bring_in(session, of, coming, lot)
    assert (told.counted, told.moved, told.left) == (160_000, 160_000, 20_000)
    left = {each.order.id: (each.quantity, each.short)
            for each in promises_of(session, of.supplier.id)}  # fmt: skip
    assert sum(quantity for quantity, _ in left.values()) == 20_000
    # Each household's goods serve who was promised them: nobody else had any to spare.
    assert set(left) == {first.order_id}
    again = bring_in(session, of, coming, lot)
    assert (again.counted, again.moved, again.left) == (0, 0, 20_000)
    canteens.accept(session, of, canteens.ship(session, of, second, now=COMES), now=COMES)
    agree(session)


def test_a_harvest_that_shrinks_is_short_at_once_and_what_is_given_back_is_not_promised_again(
    session,
):
    of = bare(session)
    coming = harvest(session, of, 100, 100, confidence_bp=10_000)
    old = canteens.signed(session, of, kg=120, deliver_on=DAY)
    new = canteens.signed(session, of, kg=60, deliver_on=DAY)
    correct(session, of, coming, 50, 90)
    assert coming.promised == 180_000
    short = short_of(session, of)
    parts = [max(0, part.contribution.reserved - part.may_promise) for part in coming.parts]
    assert sum(short.values()) == sum(parts) == coming.short > 0
    with pytest.raises(OutOfStock):
        canteens.submit(session, of, kg=coming.free // 1000 + 10 + 1, deliver_on=DAY)
    operations.release_rest(session, new.order_id, reason="减产", by=of.manager, now=canteens.NOW)
    coming = harvest_of(session, of.supplier.id, coming.lot.code)
    assert sum(short_of(session, of).values()) == coming.short
    with pytest.raises(OutOfStock):
        canteens.submit(session, of, kg=coming.free // 1000 + 10 + 1, deliver_on=DAY)
    agree(session)
    with pytest.raises(Invalid):
        correct(session, of, coming, 101, 90)  # more than was announced is another harvest
    lots.end_harvest(
        session, of.supplier.id, coming.lot.code, reason="绝收", by=of.manager, now=canteens.NOW
    )
    assert short_of(session, of) == {old.order_id: 120_000}
    with pytest.raises(OutOfStock):
        canteens.submit(session, of, kg=11, deliver_on=DAY)
    agree(session)


def test_another_lot_takes_the_place_of_what_does_not_come(session):
    of = bare(session)
    coming = harvest(session, of, 100, confidence_bp=10_000)
    bulk = canteens.signed(session, of, kg=60, deliver_on=DAY)
    line = session.scalar(sa.select(OrderLine.id).where(OrderLine.order_id == bulk.order_id))
    [other] = plots(session, of, number=1)
    lot = comes(session, of, [(other, 60)])
    operations.replace_lot(
        session, bulk.order_id, line, supplier_id=of.supplier.id, from_lot_id=coming.lot_id,
        to_lot_id=lot, reason="减产", by=of.storekeeper, now=COMES,
    )  # fmt: skip
    assert promises_of(session, of.supplier.id) == []
    assert session.scalars(sa.select(HarvestArrival)).all() == []
    canteens.accept(session, of, canteens.ship(session, of, bulk, now=COMES), now=COMES)
    agree(session)


def test_a_day_agreed_anew_is_written_down_and_the_buyer_gets_a_mail(session):
    of = bare(session)
    harvest(session, of, 100)
    bulk = canteens.signed(session, of, kg=50, deliver_on=DAY)
    later = DAY + timedelta(days=7)

    def agree_on(day, reason="雨天推迟", by=None):
        return operations.agree_day(
            session, bulk.order_id, day, reason=reason, by=by or of.manager, now=canteens.NOW
        )

    mails = sa.select(sa.func.count()).select_from(Job).where(Job.name == "send_mail")
    for wrong in (LAST + timedelta(days=1), date(2026, 11, 1)):
        with pytest.raises(Invalid):
            agree_on(wrong)
    with pytest.raises(Invalid):
        agree_on(later, reason=" ")
    with pytest.raises(Missing):
        agree_on(later, by=of.buyer)
    order = session.get_one(Order, bulk.order_id)
    assert (order.deliver_on, session.scalar(mails)) == (DAY, 0)
    agree_on(later)
    agree_on(later)
    assert {line.deliver_on for line in order.lines} | {order.deliver_on} == {later}
    last = session.scalars(sa.select(OrderEvent).order_by(OrderEvent.id.desc())).first()
    assert "雨天推迟" in last.reason
    assert str(DAY) in last.reason
    assert session.scalar(mails) == 1
    agree(session)


QUANTITIES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 60)), min_size=0, max_size=8)


@given(QUANTITIES, st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), max_size=6))
@settings(max_examples=300)
def test_own_goods_fulfil_own_promises_exactly(asked, came):
    promises = [Open(n, who, who, much) for n, (who, much) in enumerate(asked)]
    goods = [Goods(100 + n, who, much) for n, (who, much) in enumerate(came)]
    moved = own_goods_first(promises, goods)
    for who in range(4):
        keys = {each.key for each in promises if each.household_id == who}
        wanted = sum(each.quantity for each in promises if each.household_id == who)
        there = sum(each.free for each in goods if each.household_id == who)
        assert sum(much for key, _, much in moved if key in keys) == min(wanted, there)
    owner = {each.contribution_id: each for each in goods}
    for key, contribution, much in moved:
        assert much > 0
        assert owner[contribution].household_id == promises[key].household_id
    for each in goods:
        assert sum(much for _, key, much in moved if key == each.contribution_id) <= each.free
    # The oldest first: whoever is not served in full leaves nothing for a later one of its house.
    for each in promises:
        if sum(much for key, _, much in moved if key == each.key) < each.quantity:
            later = {one.key for one in promises[each.key + 1 :]
                     if one.household_id == each.household_id}  # fmt: skip
            assert not any(key in later for key, _, _ in moved)


@given(QUANTITIES, st.lists(st.integers(0, 100), min_size=3, max_size=3))
@settings(max_examples=300)
def test_shortfalls_are_exactly_what_is_promised_beyond_what_may_be(asked, limits):
    promises = [Open(n, part, part, much) for n, (part, much) in enumerate(asked)]
    short = shortfalls(promises, dict(enumerate(limits)))
    for part, limit in enumerate(limits):
        mine = [each for each in promises if each.part == part]
        total = sum(each.quantity for each in mine)
        assert sum(short.get(each.key, 0) for each in mine) == max(0, total - limit)
        if any(short.get(each.key, 0) for each in mine):
            first = next(n for n, each in enumerate(mine) if short.get(each.key, 0))
            assert all(short.get(each.key) == each.quantity for each in mine[first + 1 :])
    assert all(0 < much <= promises[key].quantity for key, much in short.items())


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), st.integers(1, 60)),
        st.tuples(st.just("give back"), st.integers(0, 5)),
        st.tuples(st.just("correct"), st.integers(0, 60)),
        st.tuples(st.just("come"), st.integers(1, 60)),
    ),
    min_size=3,
    max_size=7,
)


@given(steps=STEPS)
@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_happens_no_more_is_promised_than_may_be(db, steps):
    with db.rehearsal() as session:
        of = bare(session)
        coming = harvest(session, of, 60, 40, confidence_bp=9000)
        bulks = []
        for what, much in steps:
            coming = harvest_of(session, of.supplier.id, coming.lot.code)
            before = sum(part.short for part in coming.parts)
            free = coming.free
            if what == "order":
                try:
                    bulks.append(canteens.signed(session, of, kg=much, deliver_on=DAY))
                except OutOfStock:
                    assert much * 1000 > free
            elif what == "give back" and much < len(bulks):
                bulk = bulks.pop(much)
                operations.release_rest(
                    session, bulk.order_id, reason="退", by=of.manager, now=canteens.NOW
                )
            elif what == "correct":
                correct(session, of, coming, much, min(40, much))
            elif what == "come":
                open_before = coming.promised
                told = bring_in(session, of, coming, comes(
                    session, of, [(home, much) for home in homes_of(coming)]
                ))  # fmt: skip
                assert told.moved + told.left == open_before
            coming = harvest_of(session, of.supplier.id, coming.lot.code)
            if what == "order":
                assert sum(part.short for part in coming.parts) == before
            for part in coming.parts:
                held = part.contribution
                assert part.may_promise == part.right_promise()
                assert part.short == max(0, held.reserved - part.may_promise)
                assert held.reserved <= held.on_hand <= held.quantity
            assert sum(short_of(session, of).values()) == coming.short
        agree(session)


def test_a_trace_says_shipped_only_of_what_was_not_called_back(session):
    of = canteens.canteen(session)
    code = session.scalar(sa.select(Lot.code))
    bulk = canteens.signed(session, of, kg=50)
    first = canteens.ship(session, of, bulk, kg=20)
    assert trace(session, code).shipped_on == canteens.NOW.date()
    later = canteens.NOW + timedelta(days=1)
    canteens.ship(session, of, bulk, kg=20, now=later)
    operations.call_back_shipment(
        session, first.id, supplier_id=of.supplier.id, reason="桥断了", by=of.storekeeper, now=later
    )
    assert trace(session, code).shipped_on == later.date()
