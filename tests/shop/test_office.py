"""The office desk: figures with their rows, in nobody's scope but one's own."""

from __future__ import annotations

from datetime import date

import pytest

from kernel import audit
from kernel.actors import COMMAND, Role
from kernel.money import parse_money
from kernel.people import Membership, OrganisationKind, User
from orders.agencies.models import Basis, CanteenType, Purpose, Reminder, Stage
from tests.orders.agencies import township
from tests.web import person


def member(session, role, organisation, name="谭某"):
    user = User(email=f"{role.value}{organisation.id}@sutian.test", name=name, **township.MADE)
    session.add(user)
    session.flush()
    session.add(
        Membership(
            user_id=user.id,
            organisation_id=organisation.id,
            role=role,
            valid_from=date(2020, 1, 1),
            **township.MADE,
        )
    )
    session.flush()
    return user


def say(session):
    audit.note(session, "make_test_data", "test:1", by=COMMAND, now=township.NOW)


class Place:
    """A district with a school, a clinic of the township, and people who look at them."""

    def __init__(self, session):
        government = OrganisationKind.GOVERNMENT
        self.department = township.organisation(session, "区教委", kind=government)
        self.district = township.organisation(session, "黔江区农业农村委", kind=government)
        self.township = township.organisation(
            session, "水市镇人民政府", kind=government, region=township.SHUISHI
        )
        elsewhere = township.organisation(
            session, "酉阳农业农村委", kind=government, region="500242000000"
        )
        township.policy(session)
        self.school = township.unit(session, "黔江区实验小学", parent=self.department)
        self.clinic = township.unit(session, "水市镇卫生院", region=township.SHUISHI, system="卫健")
        self.archive = township.unit(
            session, "黔江区档案馆", canteen=CanteenType.NONE, system="其他"
        )
        self.users = {
            "district": member(session, Role.DISTRICT, self.district),
            "official": member(session, Role.OFFICIAL, self.township),
            "department": member(session, Role.DEPARTMENT, self.department),
            "auditor": member(session, Role.AUDITOR, self.district, "审某"),
            "elsewhere": member(session, Role.DISTRICT, elsewhere),
            "buyer": member(session, Role.BUYER, self.school.organisation),
        }
        self.school.files("96000")
        self.school.files("90000", year=2025)
        self.clinic.files("24000")
        self.school.buys("60000", date(2025, 5, 10))
        self.school.buys("20000", date(2025, 12, 5))
        self.counted = self.school.buys("70412.60", date(2026, 10, 13))
        self.unpaid = self.school.orders(stage=Stage.TO_PAY, goods=parse_money("1860"))
        self.unpaid.accepted_on, self.unpaid.due_on = date(2026, 10, 20), date(2026, 11, 19)
        self.school.moves(Basis.ORDERED, "1860", date(2026, 10, 17), order=self.unpaid)
        self.paid = self.school.orders(stage=Stage.TO_REVIEW)
        self.school.moves(Basis.ORDERED, "2386.40", date(2026, 10, 19), order=self.paid)
        self.school.moves(Basis.SETTLED, "2386.40", date(2026, 11, 6), order=self.paid)
        self.clinic.buys("23100", date(2026, 11, 13), purpose=Purpose.UNION)


@pytest.fixture
def place(db):
    with db.transaction() as session:
        made = Place(session)
        say(session)
    return made


@pytest.fixture
def visit(app, place):
    return lambda who, lang="en": person(app, place.users[who], lang=lang)


def test_the_overview_adds_up_for_the_district(visit):
    page = visit("district").open("/office/")

    page.sees("3 budget units", "2 must file, 2 have filed", "12.00")  # 96 000 + 24 000
    page.sees("9.35")  # counted 93 512.60
    page.sees("77.93 %")  # ΣC ÷ ΣR = 93 512.60 / 120 000
    page.sees("11.66 points behind the calendar")
    page.sees("Missing to the target 2.65")
    page.sees("No canteen")


def test_the_overview_in_chinese_and_on_every_other_day(visit):
    page = visit("district", "zh").open("/office/?as_of=2026-10-31")

    page.sees("2026 年预留份额", "黔江区")
    page.open("/office/?as_of=2025-12-31").sees("2025")
    page.open("/office/?as_of=nonsense")
    page.open("/office/?as_of=2031-01-01")


@pytest.mark.parametrize(
    ("who", "sees", "not_"),
    [
        ("district", ["黔江区实验小学", "水市镇卫生院"], []),
        ("official", ["水市镇卫生院"], ["实验小学"]),
        ("department", ["黔江区实验小学"], ["卫生院"]),
        ("auditor", ["黔江区实验小学", "水市镇卫生院"], []),
        ("elsewhere", [], ["实验小学", "卫生院"]),
    ],
)
def test_everybody_sees_the_units_of_their_own_scope(visit, who, sees, not_):
    for address in ("/office/", "/office/units", "/office/rows?basis=counted"):
        page = visit(who).open(address)
        if address != "/office/rows?basis=counted" or who != "official":
            page.sees(*sees)
        page.does_not_see(*not_)


def test_another_scope_s_unit_does_not_exist(visit, place):
    visit("official").open(f"/office/units/{place.school.id}", status=404)
    visit("official").open(f"/office/rows?unit={place.school.id}", status=404)
    visit("elsewhere").open(f"/office/units/{place.clinic.id}", status=404)


def test_another_scope_s_order_does_not_exist(visit, place, db):
    with db.reading() as session:
        number = session.get(township.Order, place.counted.order_id).number

    visit("district").open(f"/office/orders/{number}").sees(number, "70,412.60")
    visit("official").open(f"/office/orders/{number}", status=404)


def test_who_has_no_place_at_this_desk_is_turned_away(app, visit):
    visit("buyer").open("/office/", status=403)
    assert "/sign-in" in person(app).open("/office/").path


def test_a_unit_shows_what_every_order_waits_for(visit, place):
    page = visit("district").open(f"/office/units/{place.school.id}")

    page.sees("70,412.60", "73.35 %", "16.24 points behind the calendar")
    page.sees("Missing to the target 25,587.40")
    page.sees("paid, to be reviewed 2,386.40", "ordered, to be accepted and paid 1,860.00")
    page.sees("4 days late", "interest 3.72")
    page.sees("same day last year 60,000.00")


def test_a_unit_on_a_past_day_shows_nothing_that_happened_later(visit, place):
    page = visit("district").open(f"/office/units/{place.school.id}?as_of=2026-11-01")

    page.sees("As of the end of 1 Nov 2026", "Payment")
    page.sees("ordered, to be accepted and paid 4,246.40").does_not_see("days late")
    page.open("/office/?as_of=2026-11-01").sees("Far behind on that day", "实验小学")


def test_every_figure_leads_to_rows_that_add_up_to_it(visit, place):
    page = visit("district").open(f"/office/units/{place.school.id}").follow("counted")
    page.sees("70,412.60", "1 row")
    page.follow("SD2026-").sees("What it moved in the figures", "70,412.60")


def test_units_by_department_and_region(visit):
    page = visit("district").open("/office/units?by=department")
    page.sees("区教委", "73.35")
    page.open("/office/units?by=region").sees("水市镇", "96.25")
    page.follow("水市镇").sees("水市镇卫生院").does_not_see("实验小学")


def test_units_by_light_and_sorted(visit):
    page = visit("district").open("/office/units?light=yellow")
    page.sees("实验小学").does_not_see("卫生院")
    for column in ("unit", "-counted", "rate", "last", "-system", "nonsense"):
        page.open(f"/office/units?sort={column}").sees("实验小学")


def test_a_reminder_is_logged_once(visit, place, db):
    page = visit("district").open(f"/office/units/{place.school.id}")

    page.press("Log the reminder", text="请尽快评价两张订单。", How="phone_call")
    page.sees("请尽快评价两张订单。", "Phone call", "not read yet")
    page.again()

    with db.reading() as session:
        assert session.query(Reminder).count() == 1


def test_the_unit_reads_what_it_was_reminded_of(visit, place):
    office = visit("district").open(f"/office/units/{place.school.id}")
    office.press("Log the reminder", text="请尽快评价两张订单。")

    canteen = visit("buyer").open("/canteen/").sees("请尽快评价两张订单。")
    canteen.press("We have read this").does_not_see("请尽快评价两张订单。")

    office.open(f"/office/units/{place.school.id}").sees("read on 11-23")


def test_an_empty_reminder_says_so_at_its_field(visit, place):
    page = visit("district").open(f"/office/units/{place.school.id}")

    page.press("Log the reminder", status=422, text="  ").sees("Please fill this in.")


def test_an_auditor_reads_and_reminds_nobody(visit, place):
    page = visit("auditor").open(f"/office/units/{place.school.id}")

    page.does_not_see("Log the reminder")


def test_a_year_without_anything_is_an_empty_page_not_an_error(visit):
    visit("district").open("/office/?as_of=2019-06-30").sees("Nothing has been accepted yet")
    visit("elsewhere").open("/office/").sees("0 budget units")
    visit("department").open("/office/households").sees("No register here")
    visit("official").open("/office/households")


PAGES = (
    "/office/",
    "/office/units",
    "/office/units?by=region",
    "/office/rows",
    "/office/households",
)


@pytest.mark.parametrize("address", PAGES)
def test_the_number_of_statements_does_not_grow_with_the_units(visit, db, statements, address):
    page = visit("district").open(address)
    statements.clear()
    page.open(address)
    few = len(statements)
    with db.transaction() as session:
        for number in range(50):
            more = township.unit(session, f"第{number}小学")
            more.files("1000")
            more.buys("10", date(2026, 4, 1))
        say(session)
    statements.clear()

    page.open(address)

    assert len(statements) == few
    assert few <= 14, statements
