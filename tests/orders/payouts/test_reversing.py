"""A weigh slip in the store is reversed: one says why, another agrees; goods, certificate and claim
go back together, or nothing does and every reason is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from catalog.lots import operations as lots
from catalog.lots import queries
from catalog.lots.checks import CHECKS
from catalog.lots.models import (
    ConformityCertificate,
    Contribution,
    Lot,
    LotState,
    MoveKind,
    SlipState,
    StockMove,
    WeighSlip,
)
from catalog.lots.models.papers import AdjustmentKind, AdjustmentState
from catalog.lots.models.reversals import SlipReversal
from catalog.lots.operations.weighing import brought_in_year
from catalog.lots.queries.conformity import is_void
from catalog.lots.queries.weighing import bought_in_year
from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Role
from kernel.errors import Refusal
from kernel.people import Organisation
from orders.ledger import rules as accounts
from orders.ledger.checks import CHECKS as LEDGER_CHECKS
from orders.ledger.models import Transfer
from orders.ledger.queries import balance
from orders.payouts import operations as payouts
from orders.payouts.checks import CHECKS as PAYOUT_CHECKS
from orders.payouts.models import PayoutLine
from orders.payouts.queries.passbook import EntryKind, passbook
from orders.sales import operations as sales
from orders.shares import operations as shares
from orders.shares.checks import CHECKS as SHARES_CHECKS
from tests import makers
from tests.makers import NOON, TODAY
from tests.orders.payouts.test_runs import Coop
from tests.web import person

ALL_CHECKS = (*CHECKS, *SHARES_CHECKS, *LEDGER_CHECKS, *PAYOUT_CHECKS)


class Desk:
    """Zhang brought 120 kg and Li 80 kg into one lot; three people sit at the cooperative."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with db.transaction() as session:
            audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
            self.product = makers.sold_product(session, ())
            self.homes = [makers.household(session, name) for name in ("张三", "李四")]
            makers.stock(session, self.product, (120_000, 80_000), households_=self.homes)
            supplier = session.get(Supplier, self.product.supplier_id)
            self.code = supplier.code
            body = session.get(Organisation, supplier.organisation_id)
            self.people = {
                key: makers.member(session, body, role, name=key)
                for key, role in (
                    ("weigher", Role.WEIGHER), ("keeper", Role.STOREKEEPER),
                    ("manager", Role.MANAGER), ("accountant", Role.ACCOUNTANT),
                )
            }  # fmt: skip
        self.zhang, self.li = self.rows(WeighSlip)

    def rows(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()

    def opens(self, who, slip, lang="en"):
        return person(self.app, self.people[who], lang=lang).open(f"/coop/slips/{slip.number}")

    def proposed(self, slip, why="Li's radish on Zhang's name", status=200):
        page = self.opens("weigher", slip)
        return page.press("Propose the reversal", **{"What is wrong with it": why}, status=status)

    def reversed(self, slip):
        self.proposed(slip)
        return self.opens("manager", slip).press("I agree").sees("is reversed")

    def owed(self, home):
        with self.db.reading() as session:
            return balance(session, accounts.household(home.code, self.code)).yuan

    def agrees(self):
        with self.db.reading() as session:
            found = [
                f"{check.name} {each.subject}"
                for check in ALL_CHECKS
                for each in check.run(session)
            ]
            assert found == []
            assert list(audit.verify(session)) == []


@pytest.fixture
def desk(db, app):
    return Desk(db, app)


def test_a_reversed_slip_takes_goods_claim_and_certificate_with_it(desk):
    with desk.db.reading() as session:
        [lot] = session.scalars(sa.select(Lot)).all()
        first = lot.certificate_no
    assert (desk.owed(desk.homes[0]), desk.owed(desk.homes[1])) == ("384.00", "256.00")

    page = desk.proposed(desk.zhang)
    page.sees("waits for a second person", "Li's radish on Zhang's name")
    page.does_not_see("I agree")
    assert desk.owed(desk.homes[0]) == "384.00"
    desk.opens("manager", desk.zhang).press("I agree").sees("is reversed", "−120")

    slip = desk.rows(WeighSlip)[0]
    assert (slip.state, slip.net_g, slip.amount.yuan) == (SlipState.REVERSED, 120_000, "384.00")
    assert [(part.on_hand, part.reversed_at is None) for part in desk.rows(Contribution)] == [
        (0, False),
        (80_000, True),
    ]
    assert [(move.kind, move.quantity) for move in desk.rows(StockMove) if move.quantity < 0] == [
        (MoveKind.REVERSED, -120_000)
    ]
    assert (desk.owed(desk.homes[0]), desk.owed(desk.homes[1])) == ("0.00", "256.00")
    with desk.db.reading() as session:
        [lot] = session.scalars(sa.select(Lot)).all()
        issued = session.scalars(
            sa.select(ConformityCertificate).order_by(ConformityCertificate.id)
        ).all()
        assert (lot.state, lot.certificate_no) == (LotState.OPEN, issued[-1].number)
        assert (issued[-1].quantity, issued[-1].sources) == (80_000, [first])
        supplier_id, zhang = lot.supplier_id, desk.homes[0]
        assert bought_in_year(session, supplier_id, zhang.id, TODAY.year).yuan == "0.00"
        assert brought_in_year(session, zhang.id, lot.product_id, TODAY.year) == 0
        assert [each.household.code for each in queries.producers(
            session, supplier_id, year=TODAY.year)] == [desk.homes[1].code]  # fmt: skip
        sheet = queries.lot_sheet(session, supplier_id, lot.code)
        assert [part.household_id for part in sheet.parts] == [desk.homes[1].id]
        assert (sheet.balance.difference, sheet.cost.yuan) == (0, "256.00")
        assert (sheet.balance.came_in, sheet.balance.on_hand) == (80_000, 80_000)
        lines = passbook(session, zhang.id).lines
        assert [(line.kind, line.amount.yuan) for line in lines] == [
            (EntryKind.GOODS, "384.00"),
            (EntryKind.REVERSED, "-384.00"),
        ]
        assert passbook(session, zhang.id).paid.yuan == "0.00"
    desk.agrees()


def test_the_right_slip_is_written_in_its_place_at_the_price_of_that_day(desk):
    desk.reversed(desk.zhang)
    page = desk.opens("weigher", desk.zhang).follow("Write the right slip in its place")
    page.sees("In place of slip", desk.zhang.number)
    page.press("Write the slip", Gross="90", confirmation="signature").sees(
        "Written in place of", desk.zhang.number
    )
    _, _, right = desk.rows(WeighSlip)
    assert (right.net_g, right.weighed_at, right.price) == (
        90_000, desk.zhang.weighed_at, desk.zhang.price
    )  # fmt: skip
    desk.opens("keeper", desk.zhang).sees("In its place stands slip", right.number)
    # A second one is not written.
    weighs = person(desk.app, desk.people["weigher"])
    weighs.open(f"/coop/weigh-in?household={desk.homes[1].code}&corrects={desk.zhang.number}")
    weighs.press("Write the slip", Gross="70", status=409).sees("in the place of slip")
    assert len(desk.rows(WeighSlip)) == 3
    with desk.db.transaction() as session:
        shares.take_in_slips(
            session, [right.id], supplier_id=right.supplier_id, by=makers.SOMEBODY, now=NOON
        )
    assert len(desk.rows(Lot)) == 1  # of the same day, so the same lot
    assert desk.owed(desk.homes[0]) == "288.00"
    desk.agrees()


def test_nobody_reverses_alone_or_without_a_reason(desk):
    desk.proposed(desk.zhang, "", status=422).sees("Say why.")
    manager = desk.opens("manager", desk.zhang)
    manager.press("Propose the reversal", **{"What is wrong with it": "称错"})
    manager.sees("You proposed this yourself").does_not_see("I agree")
    other = desk.opens("accountant", desk.zhang)
    other.press("I do not agree", status=422).sees("Say why you do not agree.")
    other.press("I do not agree", Remark="磅单是对的").sees("stays as it is", "磅单是对的")
    assert desk.rows(WeighSlip)[0].state is SlipState.TAKEN_IN
    # It may be proposed again.
    desk.reversed(desk.zhang)
    assert [each.state for each in desk.rows(SlipReversal)] == [
        AdjustmentState.REFUSED, AdjustmentState.APPROVED
    ]  # fmt: skip
    desk.opens("manager", desk.zhang, "zh").sees("冲销").does_not_see("提出冲销")
    desk.agrees()


def test_what_is_promised_processed_or_lost_is_named_and_nothing_moves(desk):
    with desk.db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        supplier = session.get(Supplier, desk.product.supplier_id)
        keeper = makers.storekeeper(session, supplier)
        parts = session.scalars(sa.select(Contribution).order_by(Contribution.id)).all()
        lot_id = parts[0].lot_id
        lots.reserve(session, [(parts[0].id, 1_500)])
        split = lots.split_lot(
            session, lot_id, 10_000, supplier_id=supplier.id, reason="另装", by=keeper, now=NOON
        )
        slip = shares.report_loss(
            session, lot_id, 1_000, supplier_id=supplier.id, kind=AdjustmentKind.SHRINK,
            reason="失水", by=keeper, now=NOON,
        )  # fmt: skip
        lots.ship_out(session, [(parts[0].id, 500)], cause_prefix="ship:1", by=keeper, now=NOON)
        assert split.state is LotState.OPEN
        number = slip.number
    moves = len(desk.rows(StockMove))
    page = desk.proposed(desk.zhang, status=409)
    page.sees(
        "1.000 kg of it are promised to orders", "0.500 kg of it were shipped",
        "kg of it went into slip PR", f"written off by {number}",
    )  # fmt: skip
    assert len(desk.rows(StockMove)) == moves
    assert desk.rows(SlipReversal) == []
    assert desk.owed(desk.homes[0]) == "384.00"


def test_a_lot_of_which_every_slip_is_reversed_is_closed_and_its_certificate_void(desk):
    desk.reversed(desk.zhang)
    desk.reversed(desk.li)
    with desk.db.reading() as session:
        [lot] = session.scalars(sa.select(Lot)).all()
        assert lot.state is LotState.CLOSED
        issued = session.scalars(sa.select(ConformityCertificate)).all()
        assert all(is_void(session, each) for each in issued)
        code = lot.code
    page = person(desk.app, desk.people["keeper"]).open(f"/coop/lots/{code}/certificate")
    page.sees("void: every slip of this lot was reversed").does_not_see("Issue anew")
    person(desk.app).open(f"/trace/{code}")
    person(desk.app, desk.people["keeper"]).open(f"/coop/slips/{desk.li.number}/print").sees(
        "Reversal slip", "−80", "does not count any more"
    )
    desk.agrees()


def test_a_village_whose_only_slip_is_reversed_no_longer_finds_the_product(desk):
    with desk.db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        away = makers.household(session, "冉某", region_code=makers.QINGLONG)
        makers.stock(session, desk.product, (30_000,), households_=[away])
    before = desk.rows(Product)[0].search_text
    assert "qinglongcun" in before
    desk.reversed(desk.rows(WeighSlip)[-1])
    after = desk.rows(Product)[0].search_text
    assert "qinglongcun" not in after
    assert "dashancun" in after
    guest = person(desk.app)
    guest.open("/search?q=qinglongcun").does_not_see("Space radish")
    guest.open("/search?q=dashancun").sees("Space radish")
    desk.reversed(desk.zhang)  # Li of the same village brought some too
    assert "dashancun" in desk.rows(Product)[0].search_text


def test_pages_of_slips_take_the_same_number_of_queries_however_many_are_reversed(desk, statements):
    with desk.db.transaction() as session:
        makers.stock(session, desk.product, (5_000, 6_000, 7_000))
    slips = desk.rows(WeighSlip)
    desk.proposed(slips[2])
    page = person(desk.app, desk.people["manager"]).open("/coop/slips")

    def count():
        statements.clear()
        page.open("/coop/slips")
        return len(statements)

    page.open("/coop/slips")
    before = count()
    desk.proposed(slips[3])
    desk.proposed(slips[4])
    assert count() == before
    page.sees(slips[4].number)


def test_money_that_is_under_way_waits_and_money_that_was_paid_is_set_off(session):
    coop = Coop(session)
    slip = session.scalars(
        sa.select(WeighSlip).where(WeighSlip.household_id == coop.zhang.id)
    ).first()
    run = coop.exported()
    ask = {"supplier_id": coop.supplier.id, "reason": "记错了户", "now": NOON}
    with pytest.raises(Refusal) as refused:
        payouts.propose_slip_reversal(session, slip.number, by=coop.accountant, **ask)
    assert run.number in str(refused.value.reasons[0])
    line = session.scalars(
        sa.select(PayoutLine).where(PayoutLine.household_id == coop.zhang.id)
    ).one()
    coop.bank_says(("-384.00", line.reference))
    coop.confirm()
    payouts.propose_slip_reversal(session, slip.number, by=coop.accountant, **ask)
    payouts.decide_slip_reversal(
        session, slip.number, supplier_id=coop.supplier.id, agreed=True, by=coop.manager, now=NOON
    )
    assert coop.owed(coop.zhang) == "-384.00"
    found = [e for check in (*LEDGER_CHECKS, *PAYOUT_CHECKS) for e in check.run(session)]
    assert found == []
    # What comes next is owed only beyond what was paid too much.
    product = session.get_one(type(slip).product.property.mapper.class_, slip.product_id)
    makers.stock(session, product, (150_000,), households_=[coop.zhang])
    assert coop.owed(coop.zhang) == "96.00"
    # The claim and its opposite stand both in the books, the second in the open period.
    causes = session.scalars(sa.select(Transfer.cause).where(Transfer.cause.contains("reversed")))
    assert causes.all() == [f"slip:{slip.id}:reversed"]


@pytest.mark.race
def test_orders_and_reversals_at_once_never_promise_goods_that_never_came(db):
    with db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        product = makers.sold_product(session, (30_000, 30_000, 30_000))
        supplier = session.get(Supplier, product.supplier_id)
        first, second = (makers.storekeeper(session, supplier) for _ in range(2))
        slips = session.scalars(sa.select(WeighSlip).order_by(WeighSlip.id)).all()
        numbers = [slip.number for slip in slips]
        for number in numbers:
            payouts.propose_slip_reversal(
                session, number, supplier_id=supplier.id, reason="称错", by=first, now=NOON
            )
        supplier_id, pack_id = supplier.id, makers.pack_of(product).id

    def act(step):
        try:
            with db.transaction() as session:
                if step % 2:
                    payouts.decide_slip_reversal(
                        session, numbers[step // 2 % 3], supplier_id=supplier_id, agreed=True,
                        by=second, now=NOON,
                    )  # fmt: skip
                else:
                    sales.place_order(
                        session,
                        makers.placing(sales.Wanted(pack_id=pack_id, count=4)),
                        by=makers.SOMEBODY,
                        now=NOON,
                    )
        except Refusal:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(act, range(12)))
    assert sum(done) > 0
    with db.reading() as session:
        for part in session.scalars(sa.select(Contribution)):
            assert 0 <= part.reserved <= part.on_hand
            assert not (part.reversed_at and part.reserved)
        assert [e.subject for check in ALL_CHECKS for e in check.run(session)] == []
