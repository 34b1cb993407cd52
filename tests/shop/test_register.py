"""The register through its pages: found, entered, corrected, each by whoever answers for it."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import python_calamine
import sqlalchemy as sa

from catalog.households import operations
from catalog.households.models import (
    HelperAssignment,
    Household,
    HouseholdMember,
    HouseholdStatus,
    PayoutAccount,
    Plot,
    RiskStatus,
    Sex,
)
from catalog.households.queries import plot_area
from kernel.actors import Role
from kernel.audit import AuditEntry
from kernel.codes import identity_with_check
from kernel.errors import Invalid
from tests import makers
from tests.makers import NOON
from tests.shop.homes import HEAD, PHONE, WIFE, Homes
from tests.web import given

NEW = {
    "Name of the head": "王五",
    "Sex": "male",
    "Village": makers.QINGLONG,
    "Group": "２",
    "People in the household": "４",
}


@pytest.fixture
def homes(db, app):
    return Homes(db, app)


def at(homes, role, desk="office", home=None):
    code = (home or homes.own).code
    return homes.sign_in(role).open(f"/{desk}/households/{code}")


def test_the_township_finds_a_household_by_whatever_it_has(homes):
    page = homes.sign_in(Role.OFFICIAL)
    for typed in (
        "张三",
        "zsf",
        "zhangsan",
        "大山",
        "138 1234 5678",
        HEAD,
        "１３８１２３４５６７８",
    ):
        page.open(f"/office/households/register?q={typed}").sees("张三丰", homes.own.code)
    page.open(f"/office/households/register?q={homes.own.code.lower()}").sees("张三丰")


def test_where_names_are_masked_a_part_of_a_name_finds_nobody(homes):
    page = homes.sign_in(Role.DISTRICT)
    for part in ("张", "三丰", "zsf", "zhang"):
        page.open(f"/office/households/register?q={part}").sees("No household found")
    page.open("/office/households/register?q=张三丰").sees("张*").does_not_see("李*")


def test_filters_and_pages_keep_what_was_asked(homes):
    with given(homes.db) as session:
        for number in range(60):
            makers.household(session, f"农户{number}", region_code=makers.QINGLONG)
    page = homes.sign_in(Role.OFFICIAL).open("/office/households/register")
    page.sees("62 households", "Page 1 / 2")
    page.follow("Next page").sees("Page 2 / 2").does_not_see("Next page")
    page.open(f"/office/households/register?village={makers.QINGLONG}").sees("60 households")
    page.open("/office/households/register?show=monitored").sees("2 households", "张三丰")
    page.open("/office/households/register?show=no_helper").sees("61 households")
    page.open("/office/households/register?show=no_fields&page=9").sees("No household found")


def test_a_list_costs_the_same_whoever_is_in_it(homes, statements):
    def count(role, path):
        page = homes.sign_in(role)
        page.open(path)
        statements.clear()
        page.open(path)
        return len(statements)

    lists = ((Role.OFFICIAL, "/office/households/register"), (Role.MANAGER, "/coop/households"))
    before = [count(*each) for each in lists]
    with given(homes.db) as session:
        for number in range(6):
            home = makers.household(session, f"农户{number}")
            makers.slip(session, homes.product, home, net_g=1_000)
    assert [count(*each) for each in lists] == before


def test_a_household_is_registered_with_its_head_and_a_forgiven_number(homes):
    page = homes.sign_in(Role.OFFICIAL).open("/office/new-household")
    number = identity_with_check("50011419000103001")
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number[:6]) + " " + number[6:]
    page.press("Register", **NEW, **{"Identity number": wide, "Phone": "１３７ ００００ ０００１"})
    page.sees("The household is registered.", "王五", "137****0001", "青龙村")
    made = homes.rows(Household)[-1]
    head = homes.rows(HouseholdMember)[-1]
    assert (made.people, made.group_no, made.pinyin) == (4, 2, "wangwu")
    assert made.organisation_id is not None
    assert (head.identity, head.is_head, head.household_id) == (number, True, made.id)


def test_what_is_wrong_is_said_at_once_and_everything_typed_is_kept(homes):
    before = len(homes.rows(Household))
    page = homes.sign_in(Role.MANAGER).open("/coop/new-household")
    wrong = NEW | {"Name of the head": "", "Group": "-1", "Village": "110000000000"}
    page.press("Register", status=422, **wrong, **{"Identity number": "12345", "Phone": "12"})
    page.sees(
        "Please fill this in.", "whole number from 0 to 99", "Please choose one.", "11 digits"
    )
    assert page.page.find("input", attrs={"name": "identity"})["value"] == "12345"
    page.press("Register", status=422, **NEW, **{"Identity number": HEAD[:-1] + "8", "Phone": ""})
    page.sees("The last character does not match")
    assert len(homes.rows(Household)) == before


def test_a_number_that_is_known_leads_to_its_household_but_not_out_of_the_township(homes):
    page = homes.sign_in(Role.OFFICIAL).open("/office/new-household")
    page.press("Register", status=422, **NEW, **{"Identity number": HEAD})
    page.sees(f"with household {homes.own.code} in 大山村").does_not_see("张三丰")
    with given(homes.db) as session:
        abroad = makers.organisation(
            session, "濯水镇", kind=makers.OrganisationKind.GOVERNMENT, region_code="500114107000"
        )
        homes.people["abroad"] = makers.member(session, abroad, Role.OFFICIAL)
    page = homes.sign_in("abroad").open("/office/new-household")
    village = page.page.find("select", attrs={"name": "region_code"}).find_all("option")[1]["value"]
    page.press("Register", status=422, **NEW | {"Village": village}, **{"Identity number": HEAD})
    page.sees("This identity number is registered already.").does_not_see(homes.own.code)
    assert len(homes.rows(Household)) == 2


def test_a_namesake_is_asked_about_once(homes):
    page = homes.sign_in(Role.OFFICIAL).open("/office/new-household")
    same = NEW | {"Name of the head": "张三丰", "Village": makers.DASHAN}
    page.press("Register", status=422, **same).sees(homes.own.code, "Tick the box")
    page.press("Register", **{"This is another household of the same name": "yes"})
    page.sees("The household is registered.")
    assert [home.name for home in homes.rows(Household)].count("张三丰") == 2


def test_the_same_form_twice_registers_one_household(homes):
    page = homes.sign_in(Role.OFFICIAL).open("/office/new-household")
    page.press("Register", **NEW).again().sees("nothing was done a second time")
    assert len(homes.rows(Household)) == 3


def test_facts_are_put_right_and_an_empty_phone_keeps_the_number(homes):
    page = at(homes, Role.OFFICIAL).follow("Correct name, village or phone")
    assert page.page.find("input", attrs={"name": "phone"})["value"] == ""
    page.sees("138****5678").does_not_see(PHONE)
    page.press("Keep the change", **{"Name of the head": "张翠山", "Group": "5"})
    page.sees("The change is kept.", "张翠山", "group 5", "138****5678")
    home = homes.home(homes.own.code)
    assert (home.phone, home.pinyin, homes.rows(HouseholdMember)[0].name) == (
        PHONE, "zhangcuishan", "张翠山",
    )  # fmt: skip
    page.follow("Correct name, village or phone")
    page.press("Keep the change", **{"It has no phone any more (leave the number empty)": "yes"})
    assert homes.home(homes.own.code).phone is None
    notes = " ".join(entry.notes for entry in homes.rows(AuditEntry))
    assert "张*" in notes
    assert "张三丰" not in notes
    assert PHONE not in notes


def test_a_member_is_added_corrected_made_head_and_leaves(homes):
    page = at(homes, Role.OFFICIAL).follow("Add a member")
    page.press(
        "Enter", status=422,
        **{
            "Name": "张无忌", "Relation to the head": "之子", "Sex": "female",
            "Identity number": WIFE,
        },
    )  # fmt: skip
    page.sees("is registered already")
    page.press("Enter", **{"Sex": "male", "Identity number": ""}).sees("The member is entered.")
    page.follow("张三丰").press(
        "Write down that this person left", status=422, **{"Gone since": "2026-11-01"}, Why="迁出"
    )
    page.sees("make somebody else the head first")
    page.open(f"/office/households/{homes.own.code}").follow("周芷若")
    page.press("Keep the change", **{"Head of the household": "yes"}).sees("周芷若")
    assert homes.home(homes.own.code).name == "周芷若"
    page.follow("张三丰")
    page.press(
        "Write down that this person left", status=422, **{"Gone since": "2027-01-01"}, Why=""
    )
    page.press("Write down that this person left", **{"Gone since": "2026-11-01"}, Why="迁出")
    page.sees("this person has left", "迁出")
    left = homes.rows(HouseholdMember)[0]
    assert (left.left_on, left.is_head, left.identity) == (date(2026, 11, 1), False, HEAD)
    page.open(f"/office/households/{homes.own.code}/members/{left.id}", status=404)
    page.open("/office/new-household").press("Register", **NEW, **{"Identity number": HEAD})
    page.sees("The household is registered.")


def test_a_field_is_corrected_and_retired_and_then_counts_for_nothing(homes):
    code = homes.product.code
    page = at(homes, Role.ACCOUNTANT, "coop").follow("屋后")
    for wrong in ("0", "-1", "1.234", "999", "一亩"):
        page.press("Keep the change", status=422, Area=wrong)
    page.press("Keep the change", Area="２.５亩").sees("2.50")

    def area():
        with homes.db.reading() as session:
            return plot_area(session, homes.own.id, crop=code, year=2026)

    assert area() == 250
    page.follow("屋后").press("Retire", status=422, Why="")
    page.press("Retire", Why="流转出去").sees("retired 23 Nov 2026: 流转出去")
    assert area() == 0
    page.follow("Add a field").press("Enter", Place="河坝", Area="1", Crop=code, Year="2026")
    assert [plot.retired_on is None for plot in homes.rows(Plot)][-1:] == [True]
    assert area() == 100


def test_a_new_helper_leaves_the_old_one_in_the_history(homes):
    with given(homes.db) as session:
        body = makers.organisation(
            session, "青龙村工作站", kind=makers.OrganisationKind.GOVERNMENT,
            region_code=makers.QINGLONG,
        )  # fmt: skip
        second = makers.member(session, body, Role.HELPER, name="刘帮扶")
    page = at(homes, Role.OFFICIAL).follow("Change the helper")
    page.press("Assign", status=422, Helper=str(second.id), From="2026-11-23")
    page.sees("choose a later day")
    page.press("Assign", status=422, Helper=str(homes.people[Role.MANAGER].id), From="2026-12-01")
    page.press("Assign", Helper=str(second.id), From="2026-12-01")
    page.sees("刘帮扶 2026-12-01 – today", "同事helper 2026-11-23 – 2026-11-30")
    first, now = homes.rows(HelperAssignment)
    assert (first.valid_to, now.valid_to) == (date(2026, 11, 30), None)


def test_a_status_needs_its_source_and_must_be_possible(homes):
    page = at(homes, Role.DISTRICT).follow("Enter a new status")
    asked = {
        "lifted": "no", "Monitored as": "marginal", "Risk": "resolved_naturally",
        "Decided on": "2026-11-20", "Source": "防返贫监测 2026-11",
    }  # fmt: skip
    for change, said in (
        ({"Source": " "}, "Please fill this in."),
        ({"Decided on": "2026-12-01"}, "or earlier"),
        ({"Monitored as": "unstable"}, "Only a household once lifted"),
        ({"lifted": "yes"}, "is never marginal"),
    ):
        page.press("Enter", status=422, **asked | change).sees(said)
    assert len(homes.rows(HouseholdStatus)) == 2
    page.press("Enter", **asked).sees("Resolved naturally", "防返贫监测 2026-11", "监测系统导出")
    assert homes.rows(HouseholdStatus)[-1].risk_status is RiskStatus.RESOLVED_NATURALLY
    page.follow("Enter a new status").press("Enter", status=422, **asked | {"Risk": "open"})
    page.sees("already gave another status")


def test_a_new_payout_account_asks_for_its_proof(homes):
    page = at(homes, Role.ACCOUNTANT, "coop").follow("Change the payout account")
    new = {
        "Account holder": "张三丰",
        "Bank": "邮储银行",
        "Account number": "６２１０ 0000 1111 2222",
    }
    page.press("Pay to this account", status=422, **new).sees("Name the paper")
    page.press("Pay to this account", **new, Proof="新存折复印件").sees("邮储银行 ****2222")
    assert [each.valid_to is None for each in homes.rows(PayoutAccount)] == [False, True, True]


def test_whoever_does_not_answer_for_it_changes_nothing(homes):
    code = homes.own.code
    before = [len(homes.rows(model)) for model in (Household, HouseholdMember, HouseholdStatus)]
    for role, desk, tries in (
        (Role.WEIGHER, "coop", ("facts", "plots/new", "account", "consents/new", "status")),
        (Role.MANAGER, "coop", ("members/new", "helper", "status")),
        (Role.HELPER, "helper", ("helper", "status", "account")),
        (Role.DISTRICT, "office", ("facts", "members/new", "helper", "account", "consents/new")),
        (Role.AUDITOR, "office", ("facts", "members/new", "helper", "status", "consents/new")),
    ):
        page = homes.sign_in(role)
        for path in tries:
            page.open(f"/{desk}/households/{code}/{path}", status=403)
    page = homes.sign_in(Role.MANAGER)
    page.open(f"/coop/households/{homes.other.code}/facts", status=403)
    page.open(f"/office/households/{code}/facts", status=404)
    homes.sign_in(Role.HELPER).open(f"/helper/households/{homes.other.code}", status=404)
    homes.sign_in(Role.DEPARTMENT).open(f"/office/households/{code}", status=404)
    assert before == [
        len(homes.rows(model)) for model in (Household, HouseholdMember, HouseholdStatus)
    ]


def test_a_helper_enters_members_and_fields_of_those_it_helps(homes):
    page = at(homes, Role.HELPER, "helper").sees("张小宝", PHONE, "Passbook")
    page.follow("Add a field").press(
        "Enter", Place="坡上", Area="0.5", Crop=homes.product.code, Year="2026"
    )
    page.sees("坡上", "0.50")


def test_the_file_says_who_took_it_and_holds_no_identity_number(homes):
    client = homes.sign_in(Role.OFFICIAL).open("/office/households/register")
    action, flat = "/office/households/export", _form(client)
    answer = client.client.post(action, data=flat)
    assert answer.status_code == 200
    rows = (
        python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert "同事official" in rows[0][0]
    assert "水市镇产业中心" in rows[0][0]
    assert [row[1] for row in rows[2:]] == ["李四光", "张三丰"]
    assert HEAD not in repr(rows)
    assert homes.rows(AuditEntry)[-1].action == "export_households"


def _form(page):
    form = page.page.find("form", action=lambda a: a and a.endswith("/export"))
    return {field["name"]: field.get("value", "") for field in form.find_all("input")}


@pytest.mark.race
def test_two_who_register_the_same_person_at_once_make_one_member(homes):
    number = identity_with_check("50011419000104001")

    def enter(name):
        try:
            with homes.db.transaction() as session:
                operations.register_household(
                    session, name=name, region_code=makers.DASHAN, group_no=1, people=1,
                    sex=Sex.MALE, identity=number, by=makers.SOMEBODY, now=NOON,
                )  # fmt: skip
        except Invalid as no:
            return set(no.errors)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(enter, ("甲", "乙")))
    assert sorted(map(str, outcomes)) == ["done", "{'identity'}"]
    with homes.db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Household.id))) == 3
