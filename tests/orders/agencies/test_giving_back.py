"""One line of a bulk order given back alone: before the signature freely, after it by consent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import given as prove
from hypothesis import strategies as st

from catalog.lots.models import Contribution
from catalog.lots.operations.harvests import correct_harvest
from kernel.actors import Role
from kernel.errors import Invalid, Missing, Refusal
from kernel.money import ZERO, Money, Price
from kernel.outbox import Job
from kernel.people import User
from kernel.quantities import BaseUnit
from orders.agencies import operations
from orders.agencies.models import BulkOrder, LineProposal, ProposalState, QuotaMovement, Stage
from orders.agencies.operations import GridLine
from orders.sales.models import LineWithdrawal, Order, OrderEvent, OrderLine, OrderState
from orders.sales.operations import ship_order, withdraw_line
from orders.sales.rules.withdrawing import Held, given_up, slices_back
from shop.selfcheck import CHECKS
from tests import makers
from tests.orders.agencies import canteens
from tests.orders.agencies.harvests import DAY, agree, harvest
from tests.web import given, person

NOW = canteens.NOW


@prove(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=6),
    st.data(),
)
def test_exactly_so_much_is_given_back_and_what_a_harvest_lacks_goes_first(slices, data):
    held = [Held(n, much, min(short, much)) for n, (much, short) in enumerate(slices)]
    quantity = data.draw(st.integers(0, sum(each.open for each in held)))

    back = dict(slices_back(held, quantity))

    assert sum(back.values()) == quantity
    assert all(0 < back[key] <= held[key].open for key in back)
    lacking = sum(each.short for each in held)
    covered = sum(min(back.get(each.key, 0), each.short) for each in held)
    assert covered == min(quantity, lacking)


@prove(st.integers(1, 10**6), st.lists(st.integers(1, 40_000), min_size=1, max_size=5))
def test_however_it_is_taken_off_the_rest_costs_its_price_and_nothing_is_left_of_nothing(
    fen_hundredths, steps
):
    price, stands = Price(fen_hundredths), sum(steps)
    owed = price.of(stands, BaseUnit.GRAM)
    for step in steps:
        less = given_up(price, BaseUnit.GRAM, stands, owed, step)
        stands, owed = stands - step, owed - less
        assert less >= ZERO
        assert owed == price.of(stands, BaseUnit.GRAM)
    assert (stands, owed) == (0, ZERO)


def two_lines(session, of, *, kg=(100, 40)):
    """One order of two products, submitted."""
    other, pack = canteens.goods(
        session, of.supplier, nets=(90_000,), price=80_000, name_zh="大白菜", name_en="Cabbage"
    )
    [bulk] = operations.submit_order(
        session,
        of.unit.id,
        lines=[
            GridLine(pack_id=key, quantity=much * 1000)
            for key, much in zip((of.pack.id, pack.id), kg, strict=True)
        ],
        request_key=f"two-{of.next()}",
        by=of.buyer,
        now=NOW,
    )
    return bulk, lines_of(session, bulk), other


def lines_of(session, bulk):
    return list(
        session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.order_id == bulk.order_id)
            .order_by(OrderLine.position)
        )
    )


def sign(session, of, bulk):
    operations.approve_order(session, bulk.order_id, by=of.approver, now=NOW)
    operations.sign_order(session, bulk.order_id, by=of.manager, now=NOW)


def standing(session, bulk):
    """What must not change when something is refused."""
    session.flush()
    session.expire_all()
    order = session.get_one(Order, bulk.order_id)
    return (
        order.total, order.state, session.get_one(BulkOrder, bulk.id).stage,
        session.scalar(sa.select(sa.func.sum(Contribution.reserved))),
        session.scalar(sa.select(sa.func.sum(QuotaMovement.amount))),
        session.scalar(sa.select(sa.func.count(LineWithdrawal.id))),
        session.scalar(sa.select(sa.func.count(Job.id))),
        bulk.contract_id,
    )  # fmt: skip


def ordered(session):
    return session.scalar(sa.select(sa.func.sum(QuotaMovement.amount))) or ZERO


def letters(session):
    return [
        (job.arguments["to"], job.arguments["subject"])
        for job in session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id))
    ]


def test_before_the_signature_either_side_takes_a_part_or_a_whole_line_off(session):
    of = canteens.canteen(session)
    bulk, (radish, cabbage), _ = two_lines(session, of)
    order = session.get_one(Order, bulk.order_id)
    assert order.total == Money(60_000 + 32_000)
    operations.approve_order(session, order.id, by=of.approver, now=NOW)

    operations.take_off_line(
        session, order.id, radish.id, 30_000, reason="少了两个班", by=of.buyer, now=NOW
    )
    assert (radish.stands, radish.owed, order.total) == (70_000, Money(42_000), Money(74_000))
    operations.take_off_line(
        session, order.id, cabbage.id, 40_000, reason="霜冻", by=of.manager, now=NOW
    )

    assert (order.goods, order.total) == (Money(42_000), Money(42_000))
    assert ordered(session) == Money(42_000)
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 70_000
    assert (bulk.stage, bulk.approved_by_id) == (Stage.TO_SIGN, of.approver.user_id)
    said = session.scalars(sa.select(OrderEvent.reason).order_by(OrderEvent.id)).all()
    assert any("少了两个班" in each for each in said)
    unit, coop = (session.get_one(User, who.user_id).email for who in (of.buyer, of.manager))
    assert {to for to, _ in letters(session)} >= {unit, coop}
    agree(session)
    contract = operations.sign_order(session, order.id, by=of.manager, now=NOW)
    assert contract.contract_id is not None
    agree(session)


def test_what_cannot_be_taken_off_is_refused_with_why_and_changes_nothing(session):
    of = canteens.canteen(session)
    bulk, (radish, cabbage), _ = two_lines(session, of)
    stranger = makers.acting(makers.user(session, "外人"), Role.BUYER, of.department)

    def off(line, quantity, reason="多了", by=None):
        return operations.take_off_line(
            session, bulk.order_id, line.id, quantity, reason=reason, by=by or of.buyer, now=NOW
        )

    off(cabbage, 40_000)
    before = standing(session, bulk)
    for quantity in (0, -1_000, 100_001):
        with pytest.raises(Invalid) as wrong:
            off(radish, quantity)
        assert "quantity" in wrong.value.errors
    with pytest.raises(Invalid) as unsaid:
        off(radish, 10_000, reason="  ")
    assert "reason" in unsaid.value.errors
    with pytest.raises(Refusal, match="all that is left"):
        off(radish, 100_000)
    with pytest.raises(Refusal, match="Nothing of this line"):
        off(cabbage, 1_000)
    with pytest.raises(Missing):
        off(radish, 10_000, by=stranger)
    other = canteens.submit(session, of, kg=1)
    [foreign] = lines_of(session, other)
    operations.cancel_order(session, other.order_id, reason="试", by=of.buyer, now=NOW)
    after = standing(session, bulk)
    with pytest.raises(Missing):
        off(foreign, 1_000)  # a line of another order
    assert standing(session, bulk) == after
    assert before[:5] == after[:5]
    agree(session)


def test_after_the_signature_the_other_side_agrees_and_everything_follows_at_once(session):
    of = canteens.canteen(session)
    bulk, (radish, _cabbage), _ = two_lines(session, of)
    sign(session, of, bulk)
    signed = bulk.contract_id
    with pytest.raises(Refusal, match="is signed"):
        operations.take_off_line(
            session, bulk.order_id, radish.id, 5_000, reason="少", by=of.buyer, now=NOW
        )
    asked = operations.propose_line(
        session, bulk.order_id, radish.id, 37_000, reason="霜冻", by=of.storekeeper, now=NOW
    )
    before = standing(session, bulk)
    assert before[0] == Money(92_000)
    with pytest.raises(Refusal, match="waits for its answer"):
        operations.propose_line(
            session, bulk.order_id, radish.id, 1_000, reason="又", by=of.buyer, now=NOW
        )
    with pytest.raises(Refusal, match="other side"):
        operations.agree_line(session, asked.id, by=of.manager, now=NOW)
    assert standing(session, bulk) == before

    operations.agree_line(session, asked.id, by=of.approver, now=NOW)
    operations.agree_line(session, asked.id, by=of.approver, now=NOW)  # twice is once

    order = session.get_one(Order, bulk.order_id)
    assert (asked.state, asked.withdrawal_id is not None) == (ProposalState.AGREED, True)
    assert order.total == Money(92_000 - 22_200) == ordered(session)
    assert bulk.contract_id != signed
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 103_000
    agree(session)
    shipment = canteens.ship(session, of, bulk)
    canteens.accept(session, of, shipment)
    assert bulk.stage is Stage.TO_INVOICE
    assert ordered(session) == Money(69_800)
    agree(session)


def test_no_is_said_with_why_and_a_proposal_can_be_taken_back(session):
    of = canteens.canteen(session)
    bulk, (radish, cabbage), _ = two_lines(session, of)
    sign(session, of, bulk)
    mine = operations.propose_line(
        session, bulk.order_id, radish.id, 10_000, reason="多订了", by=of.buyer, now=NOW
    )
    with pytest.raises(Invalid):
        operations.decline_line(session, mine.id, reason=" ", by=of.manager, now=NOW)
    operations.decline_line(session, mine.id, reason="已经装车", by=of.manager, now=NOW)
    again = operations.propose_line(
        session, bulk.order_id, radish.id, 5_000, reason="多订了", by=of.buyer, now=NOW
    )
    operations.decline_line(session, again.id, reason="", by=of.buyer, now=NOW)
    assert [mine.state, again.state] == [ProposalState.DECLINED, ProposalState.WITHDRAWN]
    with pytest.raises(Refusal, match="answered already"):
        operations.agree_line(session, mine.id, by=of.manager, now=NOW)
    assert session.get_one(Order, bulk.order_id).total == Money(92_000)
    assert (radish.withdrawn, cabbage.withdrawn) == (0, 0)
    agree(session)


def test_what_left_meanwhile_cannot_be_agreed_to_any_more(session):
    of = canteens.canteen(session)
    bulk = canteens.signed(session, of, kg=100)
    [line] = lines_of(session, bulk)
    asked = operations.propose_line(
        session, bulk.order_id, line.id, 60_000, reason="少", by=of.manager, now=NOW
    )
    canteens.ship(session, of, bulk, kg=70)
    before = standing(session, bulk)
    with pytest.raises(Refusal) as refused:
        operations.agree_line(session, asked.id, by=of.buyer, now=NOW)
    assert "30 kg" in str(refused.value.reasons[0])
    assert standing(session, bulk) == before
    assert asked.state is ProposalState.OPEN


@pytest.mark.parametrize("shipped", [0, 70])
def test_an_order_with_nothing_left_to_ship_is_cancelled_or_delivered(session, shipped):
    of = canteens.canteen(session)
    bulk = canteens.signed(session, of, kg=100)
    [line] = lines_of(session, bulk)
    if shipped:
        canteens.accept(session, of, canteens.ship(session, of, bulk, kg=shipped))
    asked = operations.propose_line(
        session, bulk.order_id, line.id, 100_000 - shipped * 1000, reason="霜冻",
        by=of.manager, now=NOW,
    )  # fmt: skip
    operations.agree_line(session, asked.id, by=of.buyer, now=NOW)

    order = session.get_one(Order, bulk.order_id)
    if shipped:
        assert (bulk.stage, order.state) == (Stage.TO_INVOICE, OrderState.RECEIVED)
        assert (order.total, bulk.due_on is not None) == (Money(42_000), True)
    else:
        assert (bulk.stage, order.state) == (Stage.CANCELLED, OrderState.CANCELLED)
    assert ordered(session) == Money(600 * shipped)
    assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 0
    agree(session)


def test_of_a_harvest_that_falls_short_just_what_is_short_is_given_back(session):
    of = canteens.canteen(session, nets=(10_000,))
    of.product.most_yield_kg_per_mu = 1000
    coming = harvest(session, of, 100, 50)
    bulk = canteens.signed(session, of, kg=120, deliver_on=DAY)
    [line] = lines_of(session, bulk)
    first = coming.parts[0]
    correct_harvest(
        session, of.supplier.id, coming.lot.code, {first.id: 50_000},
        reason="霜冻", by=of.storekeeper, now=NOW,
    )  # fmt: skip
    assert coming.short == 40_000
    asked = operations.propose_line(
        session, bulk.order_id, line.id, 40_000, reason="霜冻", by=of.storekeeper, now=NOW
    )
    operations.agree_line(session, asked.id, by=of.buyer, now=NOW)
    session.expire_all()
    assert coming.short == 0
    assert [part.contribution.reserved for part in coming.parts] == [40_000, 40_000]
    agree(session)


def test_the_self_check_sees_what_was_lowered_by_one_side_or_counted_wrong(session):
    of = canteens.canteen(session)
    bulk, (radish, cabbage), _ = two_lines(session, of)
    sign(session, of, bulk)
    later = NOW + timedelta(hours=1)
    withdraw_line(
        session, bulk.order_id, radish.id, 5_000, reason="私下减", by=of.manager, now=later
    )
    cabbage.withdrawn = 1_000
    session.flush()
    found = {
        check.name for check in CHECKS if check.name != "kernel.audit" and list(check.run(session))
    }
    assert {"agencies.agreed", "agencies.frozen", "sales.withdrawn"} <= found


def test_both_sides_do_it_on_their_pages(app, db, clock):
    with given(db) as session:
        of = canteens.canteen(session)
        bulk, (radish, _), _ = two_lines(session, of)
        number = session.get_one(Order, bulk.order_id).number
        buyer, manager = (session.get_one(User, who.user_id) for who in (of.buyer, of.manager))
    page = person(app, buyer).open(f"/canteen/orders/{number}")
    page.press(
        "Take it off", status=422, off_line=str(radish.id), off_quantity="1000", off_reason="多"
    )
    page.sees("wait to be shipped")
    assert page.page.find("input", {"name": "off_quantity"})["value"] == "1000"
    page.press("Take it off", off_line=str(radish.id), off_quantity="２０", off_reason="多订了")
    page.sees("20 kg taken off")
    with given(db) as session:
        sign(session, of, session.get_one(BulkOrder, bulk.id))
    coop = person(app, manager).open(f"/coop/bulk/{number}?line={radish.id}&much=30")
    coop.press("Propose it", off_reason="霜冻").sees("Nothing changes before the other side agrees")
    person(app, buyer).open("/canteen/").sees("waits for your answer")
    page.open(f"/canteen/orders/{number}").press("Agree: take 30 kg off").sees("50 kg taken off")
    with db.reading() as session:
        assert session.get_one(Order, bulk.order_id).total == Money(62_000)
        [asked] = session.scalars(sa.select(LineProposal)).all()
        assert asked.state is ProposalState.AGREED
    person(app, manager, lang="zh").open(f"/coop/bulk/{number}").sees("已同意")


@pytest.mark.race
def test_shipping_and_agreeing_at_once_never_gives_back_what_left(db):
    with given(db) as session:
        of = canteens.canteen(session)
        bulk = canteens.signed(session, of, kg=100)
        [line] = lines_of(session, bulk)
        asked = operations.propose_line(
            session, bulk.order_id, line.id, 60_000, reason="少", by=of.manager, now=NOW
        )
        order_id, key, line_id = bulk.order_id, asked.id, line.id
    start = Barrier(3)

    def run(work):
        start.wait()
        try:
            with db.transaction() as session:
                work(session)
        except Refusal as refused:
            return refused
        return None

    def ship(session):
        ship_order(
            session, order_id, supplier_id=of.supplier.id, lines={line_id: 70_000},
            request_key="race", by=of.storekeeper, now=NOW + timedelta(hours=1),
        )  # fmt: skip

    def say_yes(session):
        operations.agree_line(session, key, by=of.buyer, now=NOW)

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(run, [ship, say_yes, say_yes]))

    with db.reading() as session:
        left = session.get_one(OrderLine, line_id)
        open_ = sum(
            session.execute(
                sa.text("SELECT quantity - released - shipped FROM allocations")
            ).scalars()
        )
        agreed = session.get_one(LineProposal, key).state is ProposalState.AGREED
        assert agreed == (left.withdrawn == 60_000)
        assert open_ == (40_000 if agreed else 30_000)
        assert (told[0] is None) == (not agreed)
        agree(session)
