"""An admitted supplier has its entry in the register changed, never silently."""

from __future__ import annotations

import io
import threading

import pytest
import sqlalchemy as sa
from hypothesis import given as each_of
from hypothesis import strategies as st

from catalog.suppliers import operations, queries, rules
from catalog.suppliers.checks import CHECKS
from catalog.suppliers.models import ChangeState, RegisterChange, SupplierState
from kernel import audit
from kernel.actors import Role
from kernel.errors import Forbidden, Invalid, Refusal
from kernel.outbox import Job
from kernel.people import Organisation
from kernel.storage import Blob
from tests import makers
from tests.makers import NOON, SOMEBODY, days
from tests.web import given, person

PDF = b"%PDF-1.7 proof"


class House:
    """An admitted cooperative, the county with two reviewers, the platform."""

    def __init__(self, session):
        self.session = session
        self.supplier = makers.supplier(session, "水市镇联合社", code="SS")
        body = session.get(Organisation, self.supplier.organisation_id)
        county = makers.organisation(session, "黔江区农业农村委", region_code="500114000000")
        platform = makers.organisation(session, "溯田")
        self.users = {
            "manager": makers.member(session, body, Role.MANAGER, name="庞柏川"),
            "district": makers.member(session, county, Role.DISTRICT, name="冉县审"),
            "district2": makers.member(session, county, Role.DISTRICT, name="罗复核"),
            "operator": makers.member(session, platform, Role.OPERATOR, name="温平台"),
        }
        self.manager = makers.acting(self.users["manager"], Role.MANAGER, body)
        self.district = makers.acting(self.users["district"], Role.DISTRICT, county)
        self.operator = makers.acting(self.users["operator"], Role.OPERATOR, platform)

    def entry(self):
        supplier = queries.supplier_sheet(self.session, self.supplier.id)
        return queries.register_entry(supplier, queries.profile_of(self.session, self.supplier.id))

    def ask(self, *, proof=None, seen=None, by=None, now=NOON, **wanted):
        entry = self.entry()
        return operations.request_change(
            self.session, self.supplier.id, entry | wanted, seen=seen or rules.edition(entry),
            proof=proof, by=by or self.manager, now=now,
        )  # fmt: skip


@pytest.fixture
def house(session):
    return House(session)


@pytest.fixture
def proof():
    return Blob("0" * 64, len(PDF), "application/pdf", "开户许可.pdf")


def letters(session):
    return [
        (job.arguments["to"], job.arguments["subject"])
        for job in session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id))
    ]


def holds(session):
    return [found for check in CHECKS for found in check.run(session)]


def test_whom_to_call_changes_at_once_and_is_kept_in_the_audit_trail(house, session):
    before = house.entry()
    change = house.ask(phone="13812345678", contact="覃新人")
    assert (change.state, change.in_force_at) == (ChangeState.IN_FORCE, NOON)
    assert house.entry() == before | {"phone": "13812345678", "contact": "覃新人"}
    assert change.frozen.content()["before"] == {"contact": "庞柏川", "phone": before["phone"]}
    noted = session.info["audit_notes"][-1]
    assert (noted.action, noted.details["fields"]) == ("request_change", ["contact", "phone"])
    assert holds(session) == []


def test_what_it_grows_is_looked_at_by_the_county_first(house, session):
    before = house.entry()
    change = house.ask(capacity_g=900_000_000)
    assert (change.state, house.entry()) == (ChangeState.AT_COUNTY, before)
    with pytest.raises(Forbidden):
        operations.pass_change(
            session, house.supplier.id, change.number, by=house.operator, now=NOON
        )
    operations.pass_change(session, house.supplier.id, change.number, by=house.district, now=NOON)
    assert house.entry() == before | {"capacity_g": 900_000_000}
    assert holds(session) == []


def test_an_account_needs_a_paper_the_county_and_the_platform(house, session, proof):
    before = house.entry()
    with pytest.raises(Invalid) as invalid:
        house.ask(bank_account="6228480402564890018")
    assert set(invalid.value.errors) == {"proof"}
    assert session.scalar(sa.select(sa.func.count()).select_from(RegisterChange)) == 0
    change = house.ask(bank_account="6228480402564890018", phone="13812345678", proof=proof)
    code = (session, house.supplier.id, change.number)
    operations.pass_change(*code, by=house.district, now=NOON)
    assert (change.state, house.entry()) == (ChangeState.AT_PLATFORM, before)
    with pytest.raises(Forbidden):
        operations.pass_change(*code, by=house.district, now=NOON)
    operations.pass_change(*code, by=house.operator, now=NOON)
    after = {"bank_account": "6228480402564890018", "phone": "13812345678"}
    assert house.entry() == before | after
    with pytest.raises(Refusal, match="decided already"):
        operations.pass_change(*code, by=house.operator, now=NOON)
    assert holds(session) == []


def test_nobody_passes_what_they_asked_for_or_passed_before(house, session, proof):
    body = session.get(Organisation, house.supplier.organisation_id)
    both = makers.acting(house.users["district"], Role.MANAGER, body)
    change = house.ask(bank="另一家银行", proof=proof, by=both)
    code = (session, house.supplier.id, change.number)
    with pytest.raises(Refusal, match="somebody else"):
        operations.pass_change(*code, by=house.district, now=NOON)
    assert change.state is ChangeState.AT_COUNTY
    second = makers.acting(house.users["district2"], Role.DISTRICT)
    operations.pass_change(*code, by=second, now=NOON)
    with pytest.raises(Refusal, match="somebody else"):
        operations.pass_change(
            *code, by=makers.acting(house.users["district2"], Role.OPERATOR), now=NOON
        )
    assert change.state is ChangeState.AT_PLATFORM


def test_a_refusal_says_why_and_changes_nothing(house, session):
    before = house.entry()
    change = house.ask(main_products="进口水果")
    code = (session, house.supplier.id, change.number)
    with pytest.raises(Invalid):
        operations.refuse_change(*code, sentence=" ", by=house.district, now=NOON)
    operations.refuse_change(*code, sentence="产地不在本县", by=house.district, now=NOON)
    assert (change.state, change.sentence) == (ChangeState.REFUSED, "产地不在本县")
    assert house.entry() == before
    again = house.ask(main_products="魔芋")
    operations.take_back_change(
        session, house.supplier.id, again.number, by=house.manager, now=NOON
    )
    operations.take_back_change(
        session, house.supplier.id, again.number, by=house.manager, now=NOON
    )
    assert (again.state, house.entry()) == (ChangeState.TAKEN_BACK, before)


def test_one_change_waits_at_a_time_and_only_whom_to_call_may_pass_it(house):
    first = house.ask(capacity_g=1_000)
    assert house.ask(capacity_g=1_000).id == first.id
    with pytest.raises(Refusal, match="still waits"):
        house.ask(capacity_g=2_000)
    assert house.ask(phone="13812345678").state is ChangeState.IN_FORCE


def test_an_old_form_an_empty_one_and_a_draft_are_refused(house, session):
    old = rules.edition(house.entry())
    house.ask(phone="13812345678")
    with pytest.raises(Refusal, match="open it again"):
        house.ask(capacity_g=1, seen=old)
    with pytest.raises(Refusal, match="Nothing is different"):
        house.ask()
    with pytest.raises(Refusal, match="Nothing is different"):
        house.ask(phone="138-1234-5678")
    with pytest.raises(Invalid) as invalid:
        house.ask(origin_code="110000000000", mechanisms=[])
    assert set(invalid.value.errors) == {"origin", "mechanisms"}
    with pytest.raises(Forbidden):
        house.ask(capacity_g=1, by=house.district)
    house.supplier.state = SupplierState.DRAFT
    with pytest.raises(Refusal, match="was admitted"):
        house.ask(capacity_g=1)


def test_what_was_agreed_under_an_account_keeps_it(house, session, proof):
    old = house.entry()
    for n, account in enumerate(("6228480402564890018", "6228480402564890026"), 1):
        change = house.ask(bank_account=account, bank=f"银行{n}", proof=proof)
        for by in (house.district, house.operator):
            operations.pass_change(
                session, house.supplier.id, change.number, by=by, now=NOON + days(n)
            )
    body = queries.supplier_sheet(session, house.supplier.id)
    told = [queries.account_at(session, body, NOON + days(n)) for n in range(4)]
    assert told == [
        (old["bank"], old["bank_account"]),
        ("银行1", "6228480402564890018"),
        ("银行2", "6228480402564890026"),
        ("银行2", "6228480402564890026"),
    ]
    assert queries.account_at(session, body, None) == told[-1]
    assert holds(session) == []


def test_the_self_check_finds_a_register_that_was_changed_past_the_changes(house, session):
    change = house.ask(phone="13812345678")
    house.supplier.phone = "13900000000"
    session.flush()
    assert [each.subject for each in holds(session)] == [f"supplier:{house.supplier.id}"]
    house.supplier.phone = "13812345678"
    change.frozen.payload = change.frozen.payload.replace("phone", "bank")
    assert holds(session)


def test_each_hears_of_it_once_and_not_whoever_did_it(house, session, proof):
    people = {name: user.email for name, user in house.users.items()}
    before = len(letters(session))
    change = house.ask(bank_account="6228480402564890018", proof=proof)
    house.ask(bank_account="6228480402564890018", proof=proof)
    code = (session, house.supplier.id, change.number)
    operations.pass_change(*code, by=house.district, now=NOON)
    operations.pass_change(*code, by=house.operator, now=NOON)
    assert [to for to, _ in letters(session)[before:]] == [
        people["district"], people["district2"], people["operator"], people["manager"],
    ]  # fmt: skip


@pytest.mark.race
def test_of_two_changes_asked_for_at_once_one_waits_and_one_is_told(db):
    with db.transaction() as session:
        house = House(session)
        audit.note(session, "arrange", "test", by=SOMEBODY, now=NOON)
        entry, supplier_id, manager = house.entry(), house.supplier.id, house.manager
    barrier, answers = threading.Barrier(2), []

    def work(capacity):
        barrier.wait()
        try:
            with db.transaction() as session:
                change = operations.request_change(
                    session, supplier_id, entry | {"capacity_g": capacity},
                    seen=rules.edition(entry), by=manager, now=NOON,
                )  # fmt: skip
                answers.append(change.number)
        except Refusal as refusal:
            answers.append(str(refusal))

    workers = [threading.Thread(target=work, args=(each,)) for each in (1_000, 2_000)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted("still waits" in each for each in answers) == [False, True], answers
    with db.reading() as session:
        [kept] = session.scalars(sa.select(RegisterChange))
        assert kept.state is ChangeState.AT_COUNTY


_VALUES = st.fixed_dictionaries({each: st.integers(0, 2) for each in rules.FIELDS})


@each_of(_VALUES, _VALUES)
def test_the_weightiest_field_decides_and_every_field_has_a_weight(now, wanted):
    found = rules.differing(now, wanted)
    assert {each: now[each] for each in rules.FIELDS if each not in found} == {
        each: wanted[each] for each in rules.FIELDS if each not in found
    }
    order = ["at_once", "county", "county_and_platform"]
    single = [order.index(rules.weight_of([each])) for each in found]
    assert order.index(rules.weight_of(found)) == max(single, default=0)
    assert (rules.edition(now) == rules.edition(wanted)) == (not found)


@pytest.fixture
def desks(db, app):
    with given(db) as session:
        house = House(session)
        users = house.users

    def sign_in(who, lang="en"):
        return person(app, users[who], lang=lang)

    return sign_in


def test_the_pages_show_what_stands_there_beside_what_shall(desks):
    page = desks("manager").open("/coop/supplier").follow("Change our entry")
    page.press("Send the change", status=422, bank_account="6228 4804 0256 4890 018")
    page.sees("needs a paper")
    assert page.page.find(id="f-bank_account")["value"] == "6228 4804 0256 4890 018"
    page.press(
        "Send the change", bank_account="6228 4804 0256 4890 018", reason="换了开户行",
        proof=(io.BytesIO(PDF), "开户许可.pdf"),
    )  # fmt: skip
    page.sees("At county", "5001140012345678", "6228480402564890018", "换了开户行")
    register = desks("district").open("/office/suppliers")
    register.sees("Changes of the register that wait for you")
    sheet = register.follow("水市镇联合社")
    sheet.sees("5001140012345678", "6228480402564890018")
    paper = next(a["href"] for a in sheet.page.find_all("a") if a["href"].endswith("/proof"))
    answer = sheet.client.get(paper)
    assert answer.data == PDF
    sheet.press("It is true: pass it").sees("The platform looks at it next.")
    desks("operator").open("/admin/suppliers").follow("水市镇联合社").press(
        "It is true: pass it"
    ).sees("In force.", "The register today")
    own = desks("manager").open("/coop/supplier")
    own.sees("The register today", "****0018", "In force")


def test_a_refused_change_comes_back_with_its_reason(desks):
    page = desks("manager").open("/coop/supplier/change")
    page.press("Send the change", capacity="1200").sees("The county looks at it next.")
    sheet = desks("district").open("/office/suppliers/SS")
    sheet.press("Refuse the change", sentence="产能与基地面积不符")
    sheet.sees("the register stays as it is")
    desks("manager").open("/coop/supplier").sees("Refused", "产能与基地面积不符")
    desks("manager", "zh").open("/coop/supplier").sees("已退回", "变更")


def test_the_file_costs_the_same_with_many_changes(desks, statements):
    manager = desks("manager")
    numbers = []
    for n in range(3):
        manager.open("/coop/supplier/change").press("Send the change", phone=f"1381234567{n}")
        statements.clear()
        manager.open("/coop/supplier")
        numbers.append(len(statements))
    assert len(set(numbers)) == 1, numbers
