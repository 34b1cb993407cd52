"""The storekeeper's pages: split, send, receive short, process, undo, lose, count; each refusal
says why and changes nothing."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from catalog.lots import operations as lots
from catalog.lots.checks import CHECKS
from catalog.lots.models import (
    ConformityCertificate,
    Contribution,
    Lot,
    LotState,
    MoveKind,
    Processing,
    StockMove,
)
from catalog.lots.models.papers import Adjustment, AdjustmentState, CountEntry, StoreTransfer
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Role
from kernel.errors import Refusal
from kernel.money import Money
from kernel.people import Organisation
from orders.ledger.queries import balances
from orders.shares.checks import CHECKS as SHARES_CHECKS
from tests import makers
from tests.makers import NOON
from tests.web import person

JPEG = makers.photograph()


class Store:
    """A cooperative with two storekeepers, an accountant, and one lot of 120 + 80 kg."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with db.transaction() as session:
            audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
            self.product = makers.sold_product(session, (120_000, 80_000))
            self.other = makers.sold_product(session, (), of=self.supplier_in(session))
            self.supplier = self.supplier_in(session)
            body = session.get(Organisation, self.supplier.organisation_id)
            self.people = {
                key: makers.member(session, body, role, name=key)
                for key, role in (
                    ("keeper", Role.STOREKEEPER), ("second", Role.MANAGER),
                    ("accountant", Role.ACCOUNTANT), ("weigher", Role.WEIGHER),
                )
            }  # fmt: skip
        [self.lot] = self.rows(Lot)

    def supplier_in(self, session):
        return session.get(Supplier, self.product.supplier_id)

    def sits(self, who, lang="en"):
        return person(self.app, self.people[who], lang=lang)

    def rows(self, model):
        with self.db.reading() as session:
            return session.scalars(sa.select(model).order_by(model.id)).all()

    def on_hand(self):
        return [part.on_hand for part in self.rows(Contribution)]

    def agrees(self):
        with self.db.reading() as session:
            found = [
                f"{check.name} {each.subject}"
                for check in (*CHECKS, *SHARES_CHECKS)
                for each in check.run(session)
            ]
            assert found == []
            assert list(audit.verify(session)) == []

    def work(self, who="keeper"):
        return self.sits(who).open(f"/coop/lots/{self.lot.code}/work")


@pytest.fixture
def store(db, app):
    return Store(db, app)


def test_a_part_is_split_off_and_the_split_is_undone_while_nothing_followed(store):
    much = "How much becomes a new lot"
    page = store.work()
    page.press(
        "Split off", status=409, **{"How much becomes a new lot": "201", "split_reason": "x"}
    )
    page.sees("only 200000 free")
    page.press("Split off", status=422, **{much: "-1", "split_reason": ""})
    page.sees("Enter a weight in kilograms", "Please fill this in")
    assert len(store.rows(Lot)) == 1
    uid = "0199b0c4-7d2a-7c53-9e39-6d0f3a1b2c4d"  # the phone's own name for the new lot
    page.press(
        "Split off",
        **{"How much becomes a new lot": "５０", "split_reason": "学校另装", "uid": uid},
    )
    page.again()
    first, second = store.rows(Lot)
    assert store.on_hand() == [90_000, 60_000, 30_000, 20_000]
    assert [part.cost for part in store.rows(Contribution)[2:]] == [Money(9_600), Money(6_400)]
    assert second.uid == uid != first.uid
    issued = store.rows(ConformityCertificate)[-1]
    assert (issued.lot_id, issued.number) == (second.id, second.certificate_no)
    assert issued.sources == [first.certificate_no]
    page.sees("Comes from", first.code.split("-")[1])
    number = store.rows(Processing)[0].number
    step = page.open(f"/coop/stock/processing/{number}").sees("100.00 %")
    step.press("Undo this step", status=422).sees("Please fill this in")
    step.press("Undo this step", reason="写错了").sees("Undone", "写错了")
    assert store.on_hand() == [120_000, 80_000, 0, 0]
    assert store.rows(Lot)[1].state is LotState.CLOSED
    store.agrees()


def test_what_was_used_further_cannot_be_undone(store):
    with store.db.transaction() as session:
        made = lots.split_lot(
            session, store.lot.id, 50_000, supplier_id=store.supplier.id, reason="另装",
            by=makers.SOMEBODY, now=NOON,
        )  # fmt: skip
        part = session.scalar(sa.select(Contribution).where(Contribution.lot_id == made.id))
        lots.reserve(session, [(part.id, 1_000)])
        number = session.scalar(sa.select(Processing.number))
    before = store.on_hand()
    page = store.sits("keeper").open(f"/coop/stock/processing/{number}")
    page.press("Undo this step", status=409, reason="写错了").sees("are spoken for")
    assert store.on_hand() == before
    assert store.rows(Processing)[0].undone_at is None


def test_a_transfer_that_arrives_short_waits_for_a_second_person(store):
    page = store.sits("keeper").open("/coop/stock/transfers")
    page.press("Open this store", **{"Name of another store": "地窖"}).sees("地窖")
    store.work().press("Send off", **{"How much is sent": "100"}).sees("under way")
    [transfer] = store.rows(StoreTransfer)
    moving = store.rows(Lot)[1]
    assert (moving.state, moving.store_id) == (LotState.IN_TRANSIT, transfer.to_store_id)
    store.sits("keeper").open("/coop/stock").sees("100 kg", "1 transfer under way")
    page = store.sits("second").open("/coop/stock/transfers")
    page.press("Take into this store", status=422, arrived="101").sees("Not more can arrive")
    page.press("Take into this store", status=422, arrived="97.5").sees("say why")
    page.press("Take into this store", arrived="97.5", reason="压坏一筐").sees("2.5 kg short")
    [slip] = store.rows(Adjustment)
    assert (slip.quantity, slip.state) == (-2_500, AdjustmentState.PROPOSED)
    assert store.rows(Lot)[1].state is LotState.IN_TRANSIT
    own = store.sits("second").open(f"/coop/stock/losses/{slip.number}")
    own.sees("somebody else must decide")
    assert own.page.find("button", string="I agree") is None
    third = store.sits("accountant").open(f"/coop/stock/losses/{slip.number}")
    third.press("I agree").sees("Agreed", "¥8.00")
    third.again()
    assert store.rows(Lot)[1].state is LotState.OPEN
    assert sum(store.on_hand()) == 197_500
    with store.db.reading() as session:
        lost = balances(session, "expenses:loss:")
    assert [each.fen for each in lost.values()] == [800]
    store.agrees()


def test_a_small_loss_is_written_off_alone_and_a_large_one_by_two(store):
    page = store.work()
    page.press("Write off", **{"How much is lost": "3", "reason": "失水", "kind": "shrink"})
    page.sees("written off")
    assert sum(store.on_hand()) == 197_000
    page = store.work()
    page.press("Write off", status=422, **{"How much is lost": "40", "reason": "烂了"})
    page.sees("needs a photo")
    assert len(store.rows(Adjustment)) == 1
    page = store.work()
    page.press("Write off", status=422, **{"How much is lost": "999", "reason": "烂了"})
    page.sees("There is less of this lot")
    _with_photo(store.work(), store, b"not a picture", 422)
    _with_photo(store.work(), store, JPEG, 303)
    slip = store.rows(Adjustment)[-1]
    assert (slip.quantity, slip.state) == (-40_000, AdjustmentState.PROPOSED)
    assert sum(store.on_hand()) == 197_000
    kept = store.sits("weigher").client.get(f"/coop/stock/losses/{slip.number}/photo").data
    assert kept.startswith(b"\xff\xd8\xff")
    other = store.sits("second").open(f"/coop/stock/losses/{slip.number}")
    other.press("I do not agree", status=422).sees("Say why you do not agree")
    other.press("I do not agree", words="再挑一遍").sees("nothing moved")
    assert sum(store.on_hand()) == 197_000
    store.agrees()


def _with_photo(page, store, content, status):
    form = page.page.find("form", action=f"/coop/lots/{store.lot.code}/loss")
    data = {f["name"]: f["value"] for f in form.find_all("input", type="hidden")}
    data |= {"kind": "spoiled", "quantity": "40", "reason": "烂了"}
    answer = page.client.post(form["action"], data=data | {"photo": (io.BytesIO(content), "a.jpg")})
    assert answer.status_code == status


def test_a_yield_outside_of_what_is_expected_asks_for_a_reason(store):
    page = store.sits("keeper").open("/coop/stock/yields")
    band = {"kind": "dry", "source": str(store.product.id), "output": str(store.other.id)}
    page.press("Publish", status=422, **band, least="10", most="8").sees("must not be below")
    page.press("Publish", **band, least="8.33", most="10").sees("8.33 %")
    page = page.open(f"/coop/stock/processing/new?source={store.product.id}")
    said = {
        f"in-{store.lot.id}": "100", "kind": "dry", "output": str(store.other.id),
        "Quantity that came out": "12",
    }  # fmt: skip
    page.press("Write the processing slip", status=422, **(said | {f"in-{store.lot.id}": ""}))
    page.sees("Say how much of which lot")
    page.press("Write the processing slip", status=422, **said)
    page.sees("12.00 % came out; 8.33 % to 10.00 % is expected")
    assert store.rows(Processing) == []
    page.press("Write the processing slip", **(said | {"Quantity that came out": "9.5"}))
    page.again()
    [made] = store.rows(Processing)
    assert (made.least_bp, made.most_bp, made.reason) == (833, 1_000, None)
    page.open(f"/coop/stock/processing/{made.number}").sees("9.50 %", "8.33 % – 10.00 %")
    assert sum(part.cost.fen for part in store.rows(Contribution)[2:]) == 32_000
    store.agrees()


def test_lots_are_put_together_and_keep_their_households(store):
    with store.db.transaction() as session:
        made = lots.split_lot(
            session, store.lot.id, 50_000, supplier_id=store.supplier.id, reason="另装",
            by=makers.SOMEBODY, now=NOON,
        )  # fmt: skip
        key = made.id
    page = store.sits("keeper").open(f"/coop/stock/processing/new?source={store.product.id}")
    put = {f"in-{store.lot.id}": "150", f"in-{key}": "50"}
    page.press("Only put the lots together", status=422, **put).sees("Please fill this in")
    page.press("Only put the lots together", **put, reason="并成一批").sees("was made")
    assert store.on_hand() == [0, 0, 0, 0, 120_000, 80_000]
    assert [part.cost.fen for part in store.rows(Contribution)[4:]] == [38_400, 25_600]
    store.agrees()


def test_two_count_blindly_while_goods_leave_and_a_third_agrees(store):
    page = store.sits("keeper").open("/coop/stock/counts")
    page.press("Begin the count").sees("Count PD26-000001")
    field = f"lot-{store.lot.id}"
    page.press("Write down what I counted", status=422, **{field: "viele"}).sees("Enter a weight")
    page.press("Write down what I counted", **{field: "199"}).sees("you wrote 199 kg")
    page.press("Finish the count", status=409).sees("Not counted by two people yet: 1 lots")
    with store.db.transaction() as session:
        part = session.scalar(sa.select(Contribution.id).order_by(Contribution.id))
        lots.reserve(session, [(part, 30_000)])
        lots.ship_out(
            session, [(part, 30_000)], cause_prefix="shipment:1", by=makers.SOMEBODY, now=NOON
        )
        audit.note(session, "ship", "test", by=makers.SOMEBODY, now=NOON)
    second = store.sits("accountant").open("/coop/stock/counts/PD26-000001")
    second.does_not_see("199", "you wrote")
    second.press("Write down what I counted", **{field: "168"}).sees("the two counts differ")
    second.press("Finish the count", status=409).sees("the two counts differ")
    assert store.rows(Adjustment) == []
    second.open("/coop/stock/counts/PD26-000001")
    second.press("Write down what I counted", **{field: "169"}).sees("you wrote 169 kg")
    third = store.sits("second").open("/coop/stock/counts/PD26-000001").sees("already")
    third.press("Finish the count").sees("1 difference waits", "−1 kg")
    [slip] = store.rows(Adjustment)
    for who in ("keeper", "accountant"):
        page = store.sits(who).open(f"/coop/stock/losses/{slip.number}")
        page.sees("somebody else must decide")
        assert page.page.find("button", string="I agree") is None
        with pytest.raises(Refusal), store.db.transaction() as session:
            lots.decide_adjustment(
                session, slip.id, supplier_id=store.supplier.id, agreed=True,
                by=makers.acting(store.people[who]), now=NOON,
            )  # fmt: skip
    assert sum(store.on_hand()) == 170_000
    store.sits("second").open(f"/coop/stock/losses/{slip.number}").press("I agree")
    assert sum(store.on_hand()) == 169_000
    assert [entry.book for entry in store.rows(CountEntry)] == [200_000, 170_000, 170_000]
    store.agrees()


def test_goods_found_that_nobody_lost_are_the_cooperatives_own_at_no_cost(store):
    for who, counted in (("keeper", "203"), ("accountant", "203")):
        page = store.sits(who).open("/coop/stock/counts").press("Begin the count")
        page.press("Write down what I counted", **{f"lot-{store.lot.id}": counted})
    page.press("Finish the count")
    [slip] = store.rows(Adjustment)
    store.sits("second").open(f"/coop/stock/losses/{slip.number}").press("I agree").sees("¥0.00")
    found = store.rows(Contribution)[-1]
    assert (found.household_id, found.on_hand, found.cost) == (None, 3_000, Money(0))
    assert store.rows(StockMove)[-1].kind is MoveKind.COUNT_SURPLUS
    store.agrees()


def test_a_lot_waits_for_its_test_and_an_empty_one_is_closed(store):
    page = store.work()
    page.press("Set apart until tested", **{"What is to be tested": "农残快检"})
    page.sees("Awaiting test")
    store.sits("keeper").open("/coop/stock").sees("Awaiting test", "农残快检")
    page.press("Release again", reason="合格").sees("may be sold again")
    assert store.rows(Lot)[0].state is LotState.OPEN
    assert store.work().page.find("button", string="Close this empty lot") is None


def test_what_runs_low_is_listed_and_the_ledger_has_a_balance(store):
    page = store.sits("keeper").open(f"/coop/stock/products/{store.product.code}")
    page.sees("+120 kg", "+80 kg", "200 kg")
    page.press("Save", status=422, **{"There should always be": "x"}).sees("Enter a weight")
    page.press("Save", **{"There should always be": "250"})
    page.open("/coop/stock").sees("runs low", "250 kg")
    weigher = store.sits("weigher").open(f"/coop/stock/products/{store.product.code}")
    assert weigher.page.find("button", string="Save") is None


PATHS = ("", "/processing", "/transfers", "/losses", "/counts", "/yields")


def test_another_cooperative_reaches_nothing(store):
    with store.db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        stranger = makers.supplier(session)
        body = session.get(Organisation, stranger.organisation_id)
        store.people["stranger"] = makers.member(session, body, Role.MANAGER)
        made = lots.split_lot(
            session, store.lot.id, 1_000, supplier_id=store.supplier.id, reason="x",
            by=makers.SOMEBODY, now=NOON,
        )  # fmt: skip
        number = session.scalar(sa.select(Processing.number))
        code = made.code
    page = store.sits("stranger")
    for path in (
        f"/coop/lots/{code}/work", f"/coop/stock/processing/{number}",
        f"/coop/stock/products/{store.product.code}",
    ):  # fmt: skip
        page.open(path, status=404)
    for path in PATHS:
        page.open(f"/coop/stock{path}").does_not_see(number, code)


def test_pages_of_the_store_take_the_same_number_of_queries_however_long(store, statements):
    def more():
        with store.db.transaction() as session:
            keeper = makers.acting(store.people["keeper"])
            cellar = lots.open_store(session, store.supplier.id, name="地窖", by=keeper, now=NOON)
            lots.split_lot(
                session, store.lot.id, 1_000, supplier_id=store.supplier.id, reason="x",
                by=keeper, now=NOON,
            )  # fmt: skip
            sent = lots.send_to_store(
                session, store.lot.id, 1_000, supplier_id=store.supplier.id,
                to_store_id=cellar.id, by=keeper, now=NOON,
            )  # fmt: skip
            lots.receive_transfer(
                session, sent.id, 900, supplier_id=store.supplier.id, reason="x",
                by=keeper, now=NOON,
            )  # fmt: skip
            return lots.begin_count(
                session, store.supplier.id, store_id=None, by=keeper, now=NOON
            ).number

    paths = [f"/coop/stock{path}" for path in PATHS]
    paths += [f"/coop/stock/counts/{more()}", f"/coop/stock/products/{store.product.code}"]
    paths += [
        f"/coop/lots/{store.lot.code}",
        f"/coop/stock/processing/new?source={store.product.id}",
    ]
    page = store.sits("keeper")

    def count(path):
        statements.clear()
        page.open(path)
        return len(statements)

    for path in paths:
        page.open(path)
    before = [count(path) for path in paths]
    for _ in range(3):
        more()
    assert [count(path) for path in paths] == before


@pytest.mark.race
def test_two_who_use_the_same_lot_at_once_never_use_it_twice(db):
    with db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        product = makers.sold_product(session, (60_000, 40_000))
        [lot] = session.scalars(sa.select(Lot)).all()
        parts = session.scalars(sa.select(Contribution.id).order_by(Contribution.id)).all()
        lots.reserve(session, [(parts[0], 20_000)])
        supplier_id, lot_id = product.supplier_id, lot.id

    def use(number):
        by = makers.SOMEBODY
        try:
            with db.transaction() as session:
                if number % 3 == 0:
                    lots.ship_out(
                        session, [(parts[0], 5_000)], cause_prefix=f"ship:{number}", by=by, now=NOON
                    )
                    audit.note(session, "ship", "test", by=by, now=NOON)
                elif number % 3 == 1:
                    lots.split_lot(
                        session, lot_id, 30_000, supplier_id=supplier_id, reason="x", by=by,
                        now=NOON,
                    )  # fmt: skip
                else:
                    count = lots.begin_count(session, supplier_id, store_id=None, by=by, now=NOON)
                    lots.enter_count(
                        session, count.number, lot_id, 1, supplier_id=supplier_id, by=by, now=NOON
                    )
        except Refusal:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(use, range(12)))
    # 4 × 5 kg were reserved and leave; of the other 80 kg only two splits of 30 kg fit.
    assert [sum(done[first::3]) for first in range(3)] == [4, 2, 4]
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(Contribution.on_hand))) == 80_000
        books = session.scalars(sa.select(CountEntry.book).order_by(CountEntry.id)).all()
        assert all(book in range(20_000, 100_001, 5_000) for book in books)
        assert len(set(session.scalars(sa.select(CountEntry.count_id)))) == 1
        assert [each for check in CHECKS for each in check.run(session)] == []


@pytest.mark.parametrize(("days", "told"), [(-1, False), (0, True), (1, True), (2, False)])
def test_goods_too_short_of_life_for_a_parcel_are_told_to_their_seller(store, days, told):
    """A parcel may leave two days after its order: what is not good that long the shop hides."""
    with store.db.transaction() as session:
        audit.note(session, "arrange", "test", by=makers.SOMEBODY, now=NOON)
        session.get(Lot, store.lot.id).best_before = makers.TODAY + makers.days(days)
    shelf = person(store.app).open("/products")
    for path in ("/coop/", "/coop/stock"):
        page = store.sits("keeper").open(path)
        assert ("no longer shown to citizens" in page.text) is told
        assert ("1 lot has fewer than two days left" in page.text) is told
    assert ("sold out" in shelf.follow("Space radish").text) is (days < 2)
