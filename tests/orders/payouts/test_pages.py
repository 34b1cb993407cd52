"""The pages of payouts and passbooks, each as its least privileged person."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date

import pytest
import sqlalchemy as sa

from catalog.households import operations as households
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.people import Organisation, OrganisationKind, User
from orders.payouts.models import Objection, PayoutLine, PayoutRun, RunState
from orders.payouts.queries.owing import owed_households
from tests import makers, web
from tests.makers import NOON, SOMEBODY
from tests.person import Person


@dataclass
class Town:
    """A cooperative that owes two households, one of whom has a helper and signs in itself."""

    app: object
    supplier: Supplier
    zhang: str
    li: str
    people: dict[str, User]

    def person(self, name: str, *, lang: str = "en") -> Person:
        return web.person(self.app, self.people[name], lang=lang)


@pytest.fixture
def town(app, db) -> Town:
    with web.given(db) as session:
        supplier = makers.supplier(session, "水市镇联合社")
        body = session.get(Organisation, supplier.organisation_id)
        office = makers.organisation(session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT)
        people = {
            "accountant": makers.member(session, body, Role.ACCOUNTANT, name="陈会计"),
            "second": makers.member(session, body, Role.ACCOUNTANT, name="周会计"),
            "manager": makers.member(session, body, Role.MANAGER, name="龚理事长"),
            "weigher": makers.member(session, body, Role.WEIGHER, name="龚收购"),
            "storekeeper": makers.member(session, body, Role.STOREKEEPER, name="陶库管"),
            "helper": makers.member(session, office, Role.HELPER, name="简干部"),
            "stranger": makers.member(session, office, Role.HELPER, name="别人"),
            "household": makers.member(session, office, Role.HOUSEHOLD, name="张三"),
        }
        product = makers.product(session, supplier)
        makers.rule(session, product)
        zhang, li = makers.household(session, "张三"), makers.household(session, "李四")
        zhang.user_id = people["household"].id
        for one, net in ((zhang, 120_000), (li, 80_000)):
            makers.bought(session, product, one, net_g=net)
            makers.account(session, one)
        households.assign_helper(
            session,
            zhang.id,
            people["helper"].id,
            valid_from=date(2026, 1, 1),
            by=SOMEBODY,
            now=NOON,
        )
        return Town(app, supplier, zhang.code, li.code, people)


def state(db, number: str) -> RunState:
    with db.reading() as session:
        return session.scalars(sa.select(PayoutRun.state).where(PayoutRun.number == number)).one()


def test_a_run_goes_through_three_pairs_of_hands_to_the_bank_and_back(town, db):
    accountant = town.person("accountant").open("/coop/payouts")
    accountant.sees("Owed to households: ¥640.00")
    accountant.press("Draft a payout run").sees("FF26-000001", "Somebody else", "张三")
    number = "FF26-000001"

    town.person("second").open(f"/coop/payouts/{number}").press(
        "I have gone through every household"
    )
    manager = town.person("manager").open(f"/coop/payouts/{number}")
    manager.press("Approve ¥640.00 to 2 households").sees("can go to the bank")
    accountant.open(f"/coop/payouts/{number}").press("Send to the bank").sees("under way")
    assert state(db, number) is RunState.EXPORTED

    file = accountant.client.get(f"/coop/payouts/{number}/file.csv")
    assert file.status_code == 200
    assert "640.00" in file.get_data(as_text=True)
    assert accountant.client.get(f"/coop/payouts/{number}/file.xlsx").data[:2] == b"PK"

    with db.reading() as session:
        rows = [
            f"2026-11-23,-{line.amount.yuan},{line.holder},代发 {line.reference},B{line.id}"
            for line in session.scalars(sa.select(PayoutLine))
        ]
    statement = "\n".join(["日期,金额,对方户名,摘要,流水号", *rows])
    upload = (io.BytesIO(statement.encode()), "bank.csv")
    accountant.open(f"/coop/payouts/{number}").press("Check", file=upload)
    accountant.sees("2 payments confirmed, 0 came back", "Settled", "Returned by the bank")
    assert state(db, number) is RunState.SETTLED


def test_the_same_form_twice_drafts_one_run(town, db):
    accountant = town.person("accountant").open("/coop/payouts").press("Draft a payout run")

    accountant.again().sees("FF26-000001")

    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PayoutRun)) == 1


def test_the_drafter_is_not_offered_what_others_must_do(town):
    accountant = town.person("accountant").open("/coop/payouts").press("Draft a payout run")

    accountant.sees("You drafted this run").does_not_see("I have gone through")


def test_a_rejection_needs_a_reason_and_keeps_the_page(town, db):
    town.person("accountant").open("/coop/payouts").press("Draft a payout run")
    second = town.person("second").open("/coop/payouts/FF26-000001")

    second.press("Reject", status=422).sees("Please fill this in")
    assert state(db, "FF26-000001") is RunState.DRAFTED
    second.press("Reject", reason="少了一户").sees("nothing was paid", "少了一户")
    assert state(db, "FF26-000001") is RunState.REJECTED


@pytest.mark.parametrize("who", ["weigher", "storekeeper", "helper", "household"])
def test_payouts_are_closed_to_everybody_else(town, who):
    town.person(who).open("/coop/payouts", status=403)


def test_another_cooperative_sees_nothing_of_it(town, app, db):
    town.person("accountant").open("/coop/payouts").press("Draft a payout run")
    with web.given(db) as session:
        other = makers.supplier(session, "中塘联合社")
        body = session.get(Organisation, other.organisation_id)
        foreign = makers.member(session, body, Role.ACCOUNTANT)

    person = web.person(app, foreign).open("/coop/payouts").sees("¥0.00")

    person.open("/coop/payouts/FF26-000001", status=404)
    person.open("/coop/payouts/FF26-000001/file.csv", status=404)
    person.open(f"/coop/payouts/households/{town.zhang}", status=404)


def test_there_is_no_file_before_the_run_has_gone_to_the_bank(town):
    town.person("accountant").open("/coop/payouts").press("Draft a payout run")

    town.person("accountant").open("/coop/payouts/FF26-000001/file.csv", status=409)


def test_a_household_reads_its_own_passbook(town):
    person = town.person("household").open("/passbook")

    person.sees("Household passbook", town.zhang, "¥384.00", "Space radish", "120.000", "240 jin")
    assert person.path == "/helper/passbook"
    person.does_not_see("256.00", "李四")


def test_a_passbook_in_chinese(town):
    person = town.person("household", lang="zh").open("/passbook")

    person.sees("农户收款存折", "还没付给您的钱", "承前页", "太空萝卜", "未付余额", "240 斤")


def test_a_helper_sees_only_the_households_they_help(town):
    person = town.person("helper").open("/helper/").sees("张三", "¥384.00").does_not_see("李四")

    person.follow("张三").sees("Household passbook", "Not yet paid to you")
    person.open(f"/helper/households/{town.li}/passbook", status=404)
    town.person("stranger").open(f"/helper/households/{town.zhang}/passbook", status=404)


def test_the_accountant_opens_the_passbook_of_a_producer(town):
    person = town.person("accountant").open(f"/coop/payouts/households/{town.zhang}")

    person.sees("Household passbook", "张三").does_not_see("I have a question")


def test_a_question_is_asked_answered_and_read(town, db):
    helper = town.person("helper").open(f"/helper/households/{town.zhang}/passbook")
    helper.press("Ask", text="11月23日少记了一筐").sees("within five working days", "少记了一筐")
    helper.again()
    with db.reading() as session:
        [asked] = session.scalars(sa.select(Objection)).all()
        assert asked.due_on == date(2026, 11, 30)

    manager = town.person("manager").open("/coop/payouts").sees("少记了一筐")
    manager.press("Answer", answer="已补过磅单 WS26-000009").sees("can read your answer")

    town.person("household").open("/passbook").sees("已补过磅单")
    town.person("helper").open("/helper/objections").sees("已补过磅单")


def test_an_empty_question_is_not_asked(town, db):
    person = town.person("household").open("/passbook").press("Ask", status=422, text=" ")

    person.sees("Please fill this in")
    with db.reading() as session:
        assert session.scalars(sa.select(Objection)).all() == []


def test_the_storekeeper_takes_in_what_was_confirmed_and_it_is_owed(town, db):
    with web.given(db) as session:
        product = session.get(Supplier, town.supplier.id)
        [radish] = session.scalars(
            sa.select(makers.Product).where(makers.Product.supplier_id == product.id)
        )
        home = session.scalars(
            sa.select(makers.Household).where(makers.Household.code == town.li)
        ).one()
        makers.slip(session, radish, home, net_g=50_000)

    town.person("storekeeper").open("/coop/slips").press("Take into the store").sees("in the store")

    with db.reading() as session:
        supplier = session.get(Supplier, town.supplier.id)
        owed = {each.code: each.amount.yuan for each in owed_households(session, supplier)}
    assert owed[town.li] == "416.00"


def test_the_settlement_page_waits_for_the_first_line(town):
    town.person("accountant").open("/coop/settlement").sees("Nothing was settled in 2026")
