"""The page a bag's code opens, and the public picture of the money: facts, never a household's."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from hypothesis import given as examples
from hypothesis import strategies as st

from catalog.households import operations as households
from catalog.households.models import ConsentPurpose
from catalog.households.rules import SMALL, shown_counts, shown_total
from catalog.lots import operations as lots
from catalog.lots.models import Contribution
from catalog.lots.models.labels import LabelLayout, TraceScan
from catalog.lots.queries import runs_of
from kernel.actors import Role
from kernel.money import Money
from orders.tracing.models import RecallKind
from orders.tracing.operations import begin_recall
from shop.storefront.queries.figures import VillageIncome
from shop.storefront.queries.paid import paid_of
from shop.storefront.queries.road import (
    OTHER,
    goods_shown,
    kinds_shown,
    public_road,
    village_groups,
)
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.orders.agencies import canteens
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


class Bag:
    """A bag of radish of three households, some of it bought, accepted and settled."""

    def __init__(self, session):
        self.of = canteens.canteen(session, nets=(120_000, 80_000, 50_000))
        self.lot = session.scalars(sa.select(makers.Lot)).one()
        self.homes = session.scalars(sa.select(makers.Household)).all()
        household = self.homes[0]
        for purpose, words in (
            (ConsentPurpose.ALIAS, "大山村的老冉"), (ConsentPurpose.STORY, "种了三十年萝卜。"),
        ):  # fmt: skip
            households.give_consent(
                session, household.id, purpose=purpose, content=words,
                given_on=makers.TODAY, **DID,
            )  # fmt: skip
        lots.print_labels(
            session, self.lot.id, pack_id=self.of.pack.id, count=3, layout=LabelLayout.SHEET, **DID
        )
        [run] = runs_of(session, [self.lot.id])
        self.code = run.code_of(2)
        self.bulk = canteens.accepted(session, self.of, kg=50)


@pytest.fixture
def bag(db):
    with given(db) as session:
        return Bag(session)


def test_a_bag_opens_its_page_and_a_small_lot_hides_its_households(bag, app, db):
    """G20."""
    page = person(app, lang="zh").open(f"/trace/{bag.code.lower()}")
    page.sees(
        bag.code,
        "<5",
        "大山村",
        "大山村的老冉",
        "种了三十年萝卜",
        "这一批的第 2 袋",
        "第一次有人查这个码",
    )
    page.open(f"/trace/{bag.code}").open(f"/trace/{bag.code}")
    with db.reading() as session:
        scans = session.scalars(sa.select(TraceScan)).all()
    assert [(each.lot_id, each.serial, each.lang) for each in scans] == [(bag.lot.id, 2, "zh")]
    person(app).client.head(f"/trace/{bag.code}")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(TraceScan)) == 1


def test_nothing_of_a_person_is_on_the_page(bag, app):
    for address in (f"/trace/{bag.code}", f"/trace/{bag.lot.code}", "/impact"):
        for lang in ("zh", "en"):
            html = person(app, lang=lang).client.get(address).text
            for home in bag.homes:
                assert home.code not in html
                assert home.name not in html
            assert not re.search(r"1[3-9]\d{9}|\d{17}[\dX]|WS26-|XY26-", html)


def test_the_price_is_what_was_really_paid_and_adds_up_to_the_fen(bag, app, db):
    with db.reading() as session:
        paid = paid_of(session, bag.lot.id, pack_id=bag.of.pack.id)
    assert paid.price == Money(600)
    assert sum(group.amount.fen for group in paid.groups) == 600
    assert paid.settled_on == makers.TODAY
    person(app).open(f"/trace/{bag.code}").sees("¥6.00", "23 Nov 2026", "Of each yuan")


def test_a_lot_nobody_settled_yet_and_a_unit_that_is_kept_out_show_no_price(bag, app, db):
    with given(db) as session:
        session.get(makers.Organisation, bag.of.body.id).sensitive = True
    with db.reading() as session:
        assert paid_of(session, bag.lot.id) is None
    person(app).open(f"/trace/{bag.lot.code}").sees(
        "No order with goods of this lot is settled yet"
    )


def test_an_unknown_code_is_answered_kindly(bag, app):
    wrong = bag.code[:-1] + ("A" if bag.code[-1] != "A" else "B")
    page = person(app).open(f"/trace/{wrong}", status=404).sees("Did you mean", bag.code)
    page.follow(bag.code).sees("bag no. 2")
    page.open("/trace/what-is-this", status=404).does_not_see("Did you mean")


def test_a_recalled_bag_says_what_to_do_and_a_drill_says_nothing(bag, app, db):
    def call_back(kind):
        with given(db) as session:
            begin_recall(
                session, bag.lot.id, supplier_id=bag.of.supplier.id, kind=kind,
                reason="抽检农残超标", advice="请勿食用，留好包装", site="", **DID,
            )  # fmt: skip

    call_back(RecallKind.DRILL)
    page = person(app).open(f"/trace/{bag.code}").does_not_see("抽检农残超标")
    call_back(RecallKind.REAL)
    page.open(f"/trace/{bag.code}").sees("抽检农残超标", "请勿食用，留好包装", "do not eat it")


def test_the_page_costs_the_same_however_many_households_and_orders(bag, app, db, statements):
    page = person(app).open(f"/trace/{bag.code}")
    sent = len(statements)
    page.open(f"/trace/{bag.code}")
    before = len(statements) - sent
    with given(db) as session:
        product = session.get(makers.Product, bag.of.product.id)
        makers.stock(session, product, (4_000,) * 5)
        canteens.accepted(session, bag.of, kg=2)
    sent = len(statements)
    page.open(f"/trace/{bag.code}")
    assert len(statements) - sent == before
    assert before <= 27


counts = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz")), st.integers(1, 12), max_size=18
)


@examples(counts)
def test_no_band_of_the_picture_stands_for_few_households(cells):
    shown = goods_shown(cells)
    by_village = {}
    for (goods, village), number in cells.items():
        by_village.setdefault(village, []).append(number)
        if shown[goods, village] != OTHER:
            assert number >= SMALL
    for village, numbers in by_village.items():
        hidden = [n for (g, v), n in cells.items() if v == village and shown[g, v] == OTHER]
        if hidden and max(numbers) >= SMALL:
            assert max(hidden) >= SMALL, "else the few are found by subtraction"


def test_kinds_of_few_units_are_drawn_with_another():
    assert kinds_shown({"school": 7, "hospital": 3}) == {}
    assert kinds_shown({"school": 7, "hospital": 2, "office": 4}) == {
        "hospital": "institution", "office": "institution", "institution": "institution",
    }  # fmt: skip


def line(code, name, shown, amount):
    return VillageIncome(code, name, (), (), shown, Money(amount) if amount else None)


def test_villages_are_drawn_together_as_the_table_puts_them_together():
    table = [line("1", "甲村", "9", 100), line("2", "乙村", "7", 90), line("3", "丙村", "<5", 0)]
    assert village_groups(table) == {"1": "甲村", "2": "乙村、丙村", "3": "乙村、丙村"}
    assert village_groups([line("1", "甲村", "<5", 100), line("2", "乙村", "<5", 0)]) == {}
    assert village_groups([]) == {}


def test_the_picture_adds_up_in_every_column(db, app):
    with given(db) as session:
        of = canteens.canteen(session, nets=(30_000,) * 6)
        canteens.accepted(session, of, kg=180)
    with db.reading() as session:
        from shop.storefront.queries import incomes

        table = incomes(session, 2026)
        road = public_road(session, 2026, table.villages)
    assert road.total == table.total
    for column in ("buyers", "goods", "village"):
        assert sum(each.fen for each in road.sums(column).values()) == road.total.fen
    person(app).open("/impact").sees("From where, to where", "Institution", "Together")


def test_the_cooperative_sees_its_scans(bag, app, db):
    person(app).open(f"/trace/{bag.code}")
    with given(db) as session:
        keeper = makers.member(session, bag.of.coop, Role.STOREKEEPER, name="又一个库管")
    person(app, keeper).open(f"/coop/lots/{bag.lot.code}/labels").sees("1 time in all")


@examples(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_the_number_of_households_never_gives_a_hidden_village_away(parts):
    """Whoever subtracts what is shown is left with more than one possibility."""
    shown, total = shown_counts(parts), shown_total(parts)
    hidden = [text for text in shown if text.startswith("<")]
    if len(parts) > 1 and hidden and total != "<5":
        assert total.endswith("+")
        assert int(total[:-1]) <= sum(parts) < int(total[:-1]) + SMALL
    elif not hidden:
        assert total == str(sum(parts))


def test_what_was_split_off_a_lot_is_on_its_public_balance(bag, app, db):
    """Whoever adds up the page comes to nothing left over."""
    with given(db) as session:
        free = session.scalar(
            sa.select(sa.func.max(Contribution.on_hand - Contribution.reserved)).where(
                Contribution.lot_id == bag.lot.id
            )
        )
        lots.split_lot(
            session, bag.lot.id, free // 2, supplier_id=bag.lot.supplier_id, reason="另装",
            by=SOMEBODY, now=NOON,
        )  # fmt: skip
    page = person(app).open(f"/trace/{bag.lot.code}").sees("Moved to other lots")
    rows = {
        row.th.get_text(" ", strip=True): row.td.get_text(strip=True)
        for row in page.page.select("section[aria-labelledby=t3] tr")
    }
    kilograms = {name: float(value.split()[0].replace(",", "")) for name, value in rows.items()}
    assert kilograms.pop("Difference") == 0
    came_in = kilograms.pop("Weighed in")
    assert round(came_in - sum(kilograms.values()), 6) == 0
