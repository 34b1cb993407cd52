"""The auditor's work from the first sign-in: reads everything, changes nothing but the trail of its
own reading."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from beancount import loader

from catalog.households.models import Household
from kernel import audit
from kernel.people import OrganisationKind
from orders.agencies.models import Reminder
from orders.ledger.models import Transfer
from shop.selfcheck import run_all
from shop.working import Worker
from tests import makers
from tests.journeys.arriving import arrive, invite
from tests.orders.agencies import canteens
from tests.shop.homes import ACCOUNT, Homes
from tests.web import given

EMAIL = "auditor@sutian.test"
BUREAU = "11500114MB1A000015"


@pytest.fixture
def county(db, app):
    """Two households of whom everything is known, a canteen that bought, and a bureau of audit."""
    homes = Homes(db, app)
    with given(db) as session:
        makers.organisation(
            session, "黔江区审计局", kind=OrganisationKind.GOVERNMENT, uscc=BUREAU,
            region_code=canteens.COUNTY,
        )  # fmt: skip
        school = canteens.canteen(session)
        canteens.accepted(session, school, kg=50)
    return homes


def test_the_auditor_follows_a_yuan_to_the_household_and_changes_nothing(app, db, county):
    link = invite(app, EMAIL, "彭审计", "auditor", of=BUREAU)
    desk = arrive(app, link, EMAIL, at="/audit/").sees("No self-check has run yet")
    before = everything(db)
    check_everything(app, desk)
    prove_the_books(desk, db)
    read_a_household(desk, county)
    look_at_units_and_goods(desk, db)
    stays_at_its_own_desk(desk, county)
    assert everything(db) == before
    with db.snapshot() as session:
        assert [each.name for each in run_all(session) if each.differences] == []
        assert list(audit.verify(session)) == []


def everything(db):
    """What an auditor must not be able to move."""
    with db.reading() as session:
        return (
            session.scalar(sa.select(sa.func.count(Transfer.id))),
            session.scalar(sa.select(sa.func.count(Reminder.id))),
            session.execute(sa.select(Household.id, Household.phone, Household.people)).all(),
        )


def check_everything(app, desk):
    desk.press("Check again now").sees("A self-check is under way")
    Worker(app.extensions["services"]).drain()
    desk.open("/audit/").sees("no difference")
    desk.open("/audit/trail?q=create_user").sees("create_user")
    desk.open("/audit/trail").sees("彭审计", "sign_in_succeeded")
    head = app.test_cli_runner().invoke(args=["audit", "head"]).output
    [begin, end] = re.findall(r"SHA-256 ([0-9a-f]{16})…([0-9a-f]{8})", desk.text)[0]
    assert begin in head
    assert end in head


def prove_the_books(desk, db):
    """The file holds; with one fen moved it does not."""
    desk.open("/audit/books").sees("equal").follow("liabilities:household:").sees("¥")
    file = desk.client.get("/audit/books.beancount").get_data(as_text=True)
    assert loader.load_string(file)[1] == []
    line = next(each for each in file.splitlines() if re.search(r"  Liabilities:Hou.* CNY$", each))
    wrong = file.replace(line, re.sub(r"\d CNY$", lambda m: f"{9 - int(m[0][0])} CNY", line), 1)
    assert loader.load_string(wrong)[1] != []


def read_a_household(desk, county):
    """Names are masked; one that is read in clear stands in the trail with its reason."""
    desk.open("/office/households/register").does_not_see("张三丰", ACCOUNT)
    desk.open(f"/office/households/{county.own.code}").does_not_see(ACCOUNT)
    desk.press("Show it in clear", status=422, what="account", reason=" ")
    desk.press("Show it in clear", what="account", Reason="核对到账 2026-11").sees(ACCOUNT)
    desk.open(f"/office/households/{county.own.code}").does_not_see(ACCOUNT)
    desk.open("/audit/reveals").sees("彭审计", "核对到账 2026-11", county.own.code)
    desk.does_not_see(ACCOUNT)


def look_at_units_and_goods(desk, db):
    desk.open("/office/units").follow("黔江区实验小学").does_not_see("Log the reminder")
    desk.follow("DG26-").sees("Accepted", "300.00")
    with db.reading() as session:
        lot = session.scalars(sa.select(makers.Lot.code).order_by(makers.Lot.id)).first()
    desk.open("/audit/trace").press("Walk both ways", code=lot).sees(lot)
    desk.open("/audit/bank").sees("No statement was imported yet")


def stays_at_its_own_desk(desk, county):
    for address in ("/coop/", "/canteen/", "/admin/", "/helper/", "/coop/payouts",
                    f"/office/households/{county.own.code}/account"):  # fmt: skip
        desk.open(address, status=403)
