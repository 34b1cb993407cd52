"""The matrix of domain.md §5.5: role by detail by page by file. One rule, looked for everywhere."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
import python_calamine
import sqlalchemy as sa
from hypothesis import given as with_any
from hypothesis import settings
from hypothesis import strategies as st

from catalog.households import operations, queries
from catalog.households.models import Reveal
from catalog.households.rules import (
    MANY_REVEALS,
    Detail,
    Display,
    Part,
    Viewer,
    changes,
    display,
    may_reveal,
    shown,
    shown_place,
    told_too_much,
    under_age,
    viewer_of,
)
from kernel.actors import CANTEEN, COOPERATIVE, Role
from kernel.audit import AuditEntry
from kernel.codes import identity_with_check
from kernel.errors import Forbidden, Missing
from kernel.outbox import Job
from kernel.people import User
from tests import makers
from tests.conftest import KINDS
from tests.makers import NOON
from tests.orders.agencies import canteens
from tests.shop.crawl import crawl
from tests.shop.homes import (
    ACCOUNT,
    CHILD,
    HEAD,
    OTHER,
    OTHER_ACCOUNT,
    OTHER_PHONE,
    PHONE,
    WIFE,
    Homes,
)
from tests.web import given, person

NAMES = st.text("张王李赵钱孙周吴郑陈", min_size=2, max_size=4)
NUMBERS = st.text("0123456789", min_size=11, max_size=24)


@with_any(
    detail=st.sampled_from(list(Detail)), viewer=st.sampled_from(list(Viewer)), data=st.data()
)
@settings(max_examples=400)
def test_only_what_the_matrix_shows_in_full_is_ever_written_in_full(detail, viewer, data):
    value = data.draw(NAMES if detail in (Detail.NAME, Detail.MINOR, Detail.CODE) else NUMBERS)
    told = shown(detail, value, viewer)
    how = display(detail, viewer)
    assert (told == value) == (how is Display.FULL)
    if how is not Display.FULL:
        assert value not in told
        assert len(told.replace("*", "")) <= 10
    if viewer in (Viewer.PUBLIC, Viewer.BUYER) and detail is not Detail.NAME:
        assert told == ""
    if may_reveal(detail, viewer):
        assert viewer in (Viewer.COUNTY, Viewer.AUDITOR)


@with_any(viewer=st.sampled_from(list(Viewer)), group=st.integers(0, 99))
def test_a_group_is_nearer_than_the_public_comes(viewer, group):
    village, seen = shown_place("大山村", group, viewer)
    assert village == "大山村"
    assert (seen is None) == (
        viewer in (Viewer.PUBLIC, Viewer.BUYER, Viewer.COUNTY, Viewer.AUDITOR)
    )


@with_any(st.dates(), st.dates())
def test_nobody_is_of_age_before_the_eighteenth_birthday(born, today):
    number = identity_with_check(f"500114{born:%Y%m%d}001") if born.year >= 1000 else ""
    if not number or today < born:
        return
    of_age = (today.year - born.year, (today.month, today.day) >= (born.month, born.day))
    assert under_age(number, today) == (of_age < (18, True))
    assert under_age(None, today)


@pytest.mark.parametrize("role", list(Role))
def test_whoever_may_not_read_a_thing_may_not_change_it_either(role):
    viewer = viewer_of(role)
    if changes(Part.STATUS, role):
        assert display(Detail.STATUS, viewer) is Display.FULL
    if changes(Part.MEMBERS, role):
        assert display(Detail.MINOR, viewer) is Display.FULL
    if role in (*CANTEEN, Role.AUDITOR, Role.HOUSEHOLD, Role.OPERATOR, Role.DEPARTMENT):
        assert not any(changes(part, role) for part in Part)


@with_any(NAMES, st.text("我种了三十年萝卜 123", max_size=20))
def test_no_public_word_names_a_person_or_a_number(name, words):
    assert told_too_much(f"{words}{name}师傅", [name]) is not None
    assert told_too_much(f"{words}138 1234-5678", []) is not None
    assert told_too_much(f"{words}脱贫户", []) is not None
    assert told_too_much("大山村的老冉：种了 30 年萝卜，2026 年卖了 1200 斤", [name]) is None


# What each page and file is searched for: (detail, how it would be written in full).
SECRETS = (
    (Detail.NAME, "张三丰"), (Detail.NAME, "周芷若"), (Detail.NAME, "李四光"),
    (Detail.MINOR, "张小宝"),
    (Detail.IDENTITY, HEAD), (Detail.IDENTITY, WIFE), (Detail.IDENTITY, CHILD),
    (Detail.IDENTITY, OTHER),
    (Detail.PHONE, PHONE), (Detail.PHONE, OTHER_PHONE),
    (Detail.ACCOUNT, ACCOUNT), (Detail.ACCOUNT, OTHER_ACCOUNT),
    (Detail.STATUS, "Unstable"), (Detail.STATUS, "lifted out of poverty"),
)  # fmt: skip
# The names of strangers: a cooperative reads them only at the scale, where it must find them.
STRANGERS = ("李四光",)
SCALE = "weighin.show_scale"
# Where a cooperative reads how many of its households have a status, never which.
COUNTS = ("linkage.index", "linkage.show")


@pytest.fixture
def homes(db, app):
    return Homes(db, app)


def leaks(text, viewer, *, endpoint=""):
    found = []
    for detail, value in SECRETS:
        how = display(detail, viewer)
        stranger = viewer is Viewer.SUPPLIER and value in STRANGERS and endpoint != SCALE
        counted = detail is Detail.STATUS and endpoint in COUNTS
        if value in text and not counted and (how is not Display.FULL or stranger):
            found.append((detail.value, value))
    return found


def test_no_page_of_any_desk_shows_more_than_the_matrix(homes):
    """Everybody walks through every page that links lead to, in a township where goods were
    brought, bought, accepted and are to be paid. What is drawn does not depend on the database, so
    one of them is walked through."""
    if homes.db.engine.dialect.name != KINDS[0]:
        return
    with given(homes.db) as session:
        school = canteens.canteen(session, nets=(1_000,))
        own = session.merge(homes.own)
        makers.stock(session, school.product, [90_000], households_=[own])
        canteens.accepted(session, school, kg=20)
        canteens.signed(session, school, kg=10)
        more = {
            Role.BUYER: school.buyer, Role.APPROVER: school.approver,
            Role.RECEIVER: school.receiver, Role.FINANCE: school.finance,
            Role.DEPARTMENT: school.clerk, Role.ACCOUNTANT: school.accountant,
        }  # fmt: skip
        people = {role: session.get(User, actor.user_id) for role, actor in more.items()}
    starts = {
        Role.OFFICIAL: ["/office/", f"/office/households/{homes.other.code}"],
        Role.DISTRICT: ["/office/", f"/office/households/{homes.own.code}"],
        Role.DEPARTMENT: ["/office/"],
        Role.AUDITOR: ["/audit/", f"/office/households/{homes.own.code}"],
        Role.MANAGER: [
            "/coop/", "/coop/households?show=all", f"/coop/households/{homes.own.code}",
            f"/coop/households/{homes.other.code}", "/coop/weigh-in?q=lsg",
        ],
        Role.ACCOUNTANT: ["/coop/", "/coop/payouts"],
        Role.HELPER: ["/helper/", f"/helper/households/{homes.own.code}"],
        Role.HOUSEHOLD: ["/helper/passbook"],
        Role.BUYER: ["/canteen/"],
        Role.APPROVER: ["/canteen/"],
        Role.RECEIVER: ["/canteen/"],
        Role.FINANCE: ["/canteen/"],
        Role.OPERATOR: ["/admin/"],
        None: ["/"],
    }  # fmt: skip
    wrong, walked = [], 0
    for role, where in starts.items():
        user = people.get(role) or homes.people.get(role) if role else None
        client = person(homes.app, user).client
        for endpoint, address, text in crawl(homes.app, client, where):
            walked += 1
            found = leaks(text, viewer_of(role), endpoint=endpoint)
            wrong += [(role, address, *each) for each in found]
    assert not wrong
    assert walked > 120


def test_what_the_matrix_shows_is_there_to_be_read(homes):
    code, masked, near = homes.own.code, "500114********0019", "138****5678"
    for role, desk, said in (
        (Role.MANAGER, "coop", ("张三丰", "周芷若", near, "****0019", "****0123", "group 3")),
        (Role.HELPER, "helper", ("张三丰", "张小宝", PHONE, masked, "Unstable", "group 3")),
        (Role.OFFICIAL, "office", ("张三丰", "张小宝", near, masked, "Unstable", "group 3")),
        (Role.DISTRICT, "office", ("张*", "周*", near, masked, "Unstable", "大山村")),
        (Role.AUDITOR, "office", ("张*", "周*", near, masked, "****0123", "Unstable")),
    ):  # fmt: skip
        homes.sign_in(role).open(f"/{desk}/households/{code}").sees(code, *said)
    homes.sign_in(Role.DISTRICT).open(f"/office/households/{code}").does_not_see("0123", "group 3")
    page = homes.sign_in(Role.MANAGER).open(f"/coop/households/{homes.other.code}")
    page.sees("李*", homes.other.code).does_not_see("5679", "0987", "屋后 R", "监测")


@pytest.mark.parametrize("role", [Role.OFFICIAL, Role.DISTRICT, Role.AUDITOR, Role.MANAGER])
def test_no_file_holds_more_than_the_matrix(homes, role):
    desk, start = (
        ("coop", "/coop/households?show=all")
        if role is Role.MANAGER
        else ("office", "/office/households/register")
    )
    page = homes.sign_in(role).open(start)
    form = page.page.find("form", action=lambda a: a and a.endswith("/export"))
    flat = {field["name"]: field.get("value", "") for field in form.find_all("input")}
    answer = page.client.post(f"/{desk}/households/export", data=flat)
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    text = repr(sheet.get_sheet_by_index(0).to_python())
    assert homes.own.code in text
    assert homes.other.code in text
    assert not leaks(text, viewer_of(role))
    assert not re.search(r"\d{17}[\dX]", text)


def test_a_detail_is_read_in_clear_for_a_reason_once_and_the_auditor_sees_it(homes):
    code = homes.own.code
    page = homes.sign_in(Role.DISTRICT).open(f"/office/households/{code}")
    ask = {"What you need to see": f"identity:{_head(homes)}"}
    page.press("Show it in clear", status=422, **ask).sees("Say why").does_not_see(HEAD)
    assert homes.rows(Reveal) == []
    page.press("Show it in clear", **ask, Reason="核对代发名单").sees(HEAD, "Shown once")
    page.again().does_not_see(HEAD)
    page.open(f"/office/households/{code}").does_not_see(HEAD)
    [row] = homes.rows(Reveal)
    assert (row.detail, row.reason, row.role) == ("identity", "核对代发名单", Role.DISTRICT)
    assert HEAD not in "".join(entry.notes for entry in homes.rows(AuditEntry))
    auditor = homes.sign_in(Role.AUDITOR).open("/audit/reveals")
    auditor.sees("Identity number", code, "核对代发名单", "同事district")
    auditor.open("/audit/trail?q=reveal").sees("核对代发名单").does_not_see(HEAD)
    auditor.open(f"/office/households/{code}").sees("Who read it in clear", "核对代发名单")


def _head(homes):
    with homes.db.reading() as session:
        return session.scalar(
            sa.text("SELECT id FROM household_members WHERE is_head AND household_id = :home"),
            {"home": homes.own.id},
        )


def test_nobody_reads_in_clear_what_the_matrix_never_gives(homes):
    [child] = [member.id for member in queries_of(homes, Viewer.COUNTY).members if member.minor]
    body = makers.acting(homes.people[Role.DISTRICT], Role.DISTRICT)
    township = makers.acting(homes.people[Role.OFFICIAL], Role.OFFICIAL)
    for detail, member, who, no in (
        (Detail.NAME, child, body, Forbidden),
        (Detail.ACCOUNT, None, body, Forbidden),
        (Detail.PHONE, None, body, Forbidden),
        (Detail.IDENTITY, 10**6, body, Missing),
        (Detail.IDENTITY, None, township, Forbidden),
    ):  # fmt: skip
        with pytest.raises(no), homes.db.transaction() as session:
            operations.reveal(
                session, homes.own.id, detail, reason="x", member_id=member, by=who, now=NOON
            )
    assert homes.rows(Reveal) == []
    page = homes.sign_in(Role.OFFICIAL).open(f"/office/households/{homes.own.code}")
    assert "Read in clear" not in page.text


def queries_of(homes, viewer):
    with homes.db.reading() as session:
        return queries.household_card(session, homes.own.id, viewer=viewer, year=2026)


def test_reading_many_in_a_day_is_told_to_every_auditor_once(homes):
    by = makers.acting(homes.people[Role.DISTRICT], Role.DISTRICT)

    def read(times, now=NOON):
        for _ in range(times):
            with homes.db.transaction() as session:
                operations.reveal(session, homes.own.id, Detail.NAME, reason="名单", by=by, now=now)

    read(MANY_REVEALS - 1)
    read(1, NOON + timedelta(days=1))
    assert not homes.rows(Job)
    homes.sign_in(Role.AUDITOR).open("/audit/reveals").does_not_see("many on one day")
    read(2)
    [letter] = homes.rows(Job)
    assert letter.arguments["to"] == homes.people[Role.AUDITOR].email
    assert "同事district" in letter.arguments["body"]
    assert "张" not in letter.arguments["body"]
    page = homes.sign_in(Role.AUDITOR).open("/audit/reveals")
    page.sees("One person read many on one day", f"{MANY_REVEALS + 1} details of 1 households")
    page.follow("同事district").sees("Show all")


def test_what_a_cooperative_reads_of_its_producers_it_does_not_read_of_others(homes):
    page = homes.sign_in(Role.WEIGHER)
    assert set(COOPERATIVE) >= {Role.WEIGHER}
    page.open("/coop/households?show=all").sees("张三丰", "李*").does_not_see("李四光")
    page.open("/coop/households?show=all&q=李四").sees("No household found")
    page.open("/coop/households?show=all&q=李四光").sees("李*")
    page.open(f"/coop/households?show=all&q={OTHER_PHONE}").sees("李*").does_not_see(OTHER_PHONE)
    with given(homes.db) as session:
        makers.slip(session, homes.product, session.merge(homes.other), net_g=5_000)
    page.open("/coop/households").sees("李四光")
