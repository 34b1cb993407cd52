"""The township official's work from the first sign-in: the register, the units of the township, and
nothing beyond it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.households.models import Household, HouseholdMember
from kernel import audit
from kernel.codes import identity_with_check
from kernel.people import OrganisationKind
from orders.agencies.models import Reminder
from shop.selfcheck import run_all
from tests import makers
from tests.journeys.arriving import arrive, invite
from tests.orders.agencies import canteens
from tests.shop.homes import Homes
from tests.web import given, person

EMAIL = "official@sutian.test"
CENTRE = "11500114MB1A000023"
NUMBER = identity_with_check("50011419000103001")
NEW = {
    "Name of the head": "王五", "Sex": "male", "Village": makers.QINGLONG, "Group": "２",
    "People in the household": "４", "Identity number": NUMBER, "Phone": "137 0000 0001",
}  # fmt: skip
STATUS = {
    "lifted": "no", "Monitored as": "marginal", "Risk": "open", "Decided on": "2026-11-20",
    "Source": "防返贫监测 2026-11",
}  # fmt: skip


class Town:
    """Households, a school of the township with an order, and a school of the county's town."""

    def __init__(self, db, app):
        self.homes = Homes(db, app)
        with given(db) as session:
            makers.organisation(
                session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT, uscc=CENTRE
            )
            self.school = canteens.canteen(session)
            canteens.accepted(session, self.school, kg=50)
            body = makers.organisation(
                session, "水市镇中心小学", kind=OrganisationKind.UNIT,
                region_code=makers.TOWNSHIP,
            )  # fmt: skip
            self.near = canteens.operations.create_unit(
                session, organisation_id=body.id, kind=canteens.UnitKind.SCHOOL, system="教育",
                canteen_type=canteens.CanteenType.OWN, diners=320, contact="田老师",
                contact_phone="13900000002", by=makers.SOMEBODY, now=makers.NOON,
            )  # fmt: skip
            self.buyer = makers.member(session, body, canteens.Role.BUYER, name="冉采购")
            self.far_lot = session.scalars(
                sa.select(makers.Lot.code).order_by(makers.Lot.id.desc())
            ).first()


@pytest.fixture
def town(db, app):
    return Town(db, app)


def test_the_official_keeps_the_register_and_reminds_the_units_of_the_township(app, db, town):
    link = invite(app, EMAIL, "谭镇办", "official", of=CENTRE)
    desk = arrive(app, link, EMAIL, at="/office/").sees("1 budget unit")
    register_a_household(desk, db)
    say_its_status(desk, db)
    remind_a_unit(app, desk, db, town)
    follow_the_goods(desk, town)
    stays_in_the_township(desk, town)
    with db.snapshot() as session:
        assert [each.name for each in run_all(session) if each.differences] == []
        assert list(audit.verify(session)) == []


def register_a_household(desk, db):
    desk.open("/office/households/register").follow("Register a household")
    desk.press("Register", status=422, **NEW | {"Identity number": NUMBER[:-1] + "0"})
    desk.press("Register", **NEW).sees("The household is registered.", "137****0001")
    with db.reading() as session:
        made = session.scalars(sa.select(Household).order_by(Household.id.desc())).first()
        head = session.scalars(
            sa.select(HouseholdMember).where(HouseholdMember.household_id == made.id)
        ).one()
        assert (made.people, made.group_no, head.identity) == (4, 2, NUMBER)
    desk.open("/office/households/register?q=wangwu").sees("王五").follow("王五")


def say_its_status(desk, db):
    desk.follow("Enter a new status").press("Enter", status=422, **STATUS | {"Source": " "})
    desk.press("Enter", **STATUS).sees("防返贫监测 2026-11")


def remind_a_unit(app, desk, db, town):
    desk.open("/office/units").sees("水市镇中心小学").does_not_see("黔江区实验小学")
    desk.follow("水市镇中心小学")
    desk.press("Log the reminder", text="请尽快填报 2026 年预留份额。", How="phone_call")
    desk.again()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Reminder.id))) == 1
    canteen = person(app, town.buyer).open("/canteen/").sees("请尽快填报 2026 年预留份额。")
    canteen.press("We have read this")
    desk.open(desk.path).open(f"/office/units/{town.near.id}").sees("read on 11-23")
    desk.open("/office/filings").sees("2026")


def follow_the_goods(desk, town):
    desk.open("/office/households").sees("青龙")
    desk.open("/office/trace").press("Walk both ways", code=town.far_lot).sees(town.far_lot)
    desk.open("/office/suppliers").sees("水市镇联合社")
    desk.open("/office/prices").sees("Price monitoring")


def stays_in_the_township(desk, town):
    desk.open(f"/office/units/{town.school.unit.id}", status=404)
    for address in ("/audit/", "/coop/", "/canteen/", "/admin/", "/coop/payouts"):
        desk.open(address, status=403)
