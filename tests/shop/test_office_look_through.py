"""From a figure to its rows, from a row to its order, from the order to lots and households."""

from __future__ import annotations

from datetime import date

import pytest

from kernel.actors import Role
from kernel.money import ZERO, parse_money, total
from kernel.people import OrganisationKind
from kernel.regions import prefixes
from orders.agencies.queries.scope import Scope
from orders.sales.models import Order
from shop.office.road import road
from shop.office.villages import sum_villages, villages
from tests import makers
from tests.orders.agencies import canteens
from tests.web import person

DAY = date(2026, 11, 23)
TOWNSHIP = "500114125000"


@pytest.fixture
def of(db):
    """The worked example of domain.md §4.2: 196 of 200 kg accepted, from two households."""
    with db.transaction() as session:
        made = canteens.canteen(session)
        canteens.filed(session, made)
        bulk = canteens.signed(session, made, kg=200)
        shipment = canteens.ship(session, made, bulk)
        canteens.accept(session, made, shipment, weighed=196_000)
        made.number = session.get(Order, bulk.order_id).number
        made.body.region_code = TOWNSHIP  # so that the township's own official sees it too
        makers.household(session, name="无交易户")
        made.people = {}
        for role, region in ((Role.OFFICIAL, TOWNSHIP), (Role.DISTRICT, canteens.COUNTY)):
            office = makers.organisation(
                session, name=role.value, kind=OrganisationKind.GOVERNMENT, region_code=region
            )
            made.people[role] = makers.member(session, office, role)
        auditors = makers.organisation(
            session, name="审计局", kind=OrganisationKind.GOVERNMENT, region_code=canteens.COUNTY
        )
        made.people[Role.AUDITOR] = makers.member(session, auditors, Role.AUDITOR)
    return made


def the_road(session, of):
    return road(
        session,
        Scope(unit_id=of.unit.id),
        villages=tuple(prefixes(session, TOWNSHIP)),
        year=2026,
        as_of=DAY,
    )


def test_the_road_adds_up_in_every_column(db, of):
    with db.reading() as session:
        found = the_road(session, of)

    assert found.total == total(found.systems.values()) == total(found.products.values())
    assert found.total == total(flow.amount for flow in found.by_system)
    assert found.to_households == total(flow.amount for flow in found.by_village)
    assert found.to_households == total(village.amount for village in found.villages)
    assert found.to_households == total(s for village in found.villages for s in village.strokes)
    assert ZERO < found.elsewhere < found.total
    assert found.households == 2


def test_the_road_shows_who_in_the_register_has_nothing_yet(db, of):
    with db.reading() as session:
        found = the_road(session, of)

    assert sum(village.without for village in found.villages) == 1
    assert sum(village.registered for village in found.villages) == 3


def test_villages_say_what_their_passbooks_were_credited_with(db, of):
    with db.reading() as session:
        found = villages(session, tuple(prefixes(session, TOWNSHIP)), year=2026, as_of=DAY)
        before = villages(session, tuple(prefixes(session, TOWNSHIP)), year=2025, as_of=DAY)
        reached = the_road(session, of).to_households

    whole = sum_villages(found)
    assert (whole.households, whole.earning, whole.without) == (3, 2, 1)
    assert whole.earned == reached  # bought at the farm gate and rebated: everything was sold
    assert whole.paid == ZERO
    assert sum_villages(before).earned == ZERO


@pytest.mark.parametrize(
    ("role", "named"), [(Role.OFFICIAL, True), (Role.DISTRICT, False), (Role.AUDITOR, False)]
)
def test_names_are_shown_as_far_as_the_office_may_read_them(app, of, role, named):
    page = person(app, of.people[role]).open(f"/office/orders/{of.number}")

    page.sees(of.number, "Lines, lots and households", "农户0" if named else "农*")
    if not named:
        page.does_not_see("农户0", "农户1")


def test_the_overview_leads_down_to_the_households(app, of):
    page = person(app, of.people[Role.DISTRICT]).open("/office/")
    page.sees("1 unit in all", "The road of the money", "2 households")
    page.follow("ordered").sees("1,176.00")
    page.follow(of.number).sees("What it moved in the figures", "1,176.00")
    assert parse_money("1176.00").yuan in page.text.replace(",", "")
