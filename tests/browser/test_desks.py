"""Two desks in a real Chromium: a school's order from the grid, and the scale in the yard."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from kernel.actors import Role
from kernel.people import Organisation
from orders.sales.models import Order
from tests import makers
from tests.orders.agencies import canteens
from tests.web import given

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def school(township):
    """A canteen with a filing in force, goods in the store, and a weigher who knows a household."""
    with given(township) as session:
        of = canteens.canteen(session, nets=(400_000, 300_000))
        canteens.filed(session, of)
        coop = session.get(Organisation, of.coop.id)
        family = makers.household(session, "谭秋菊")
        weigher = makers.member(session, coop, Role.WEIGHER, name="龚收购")
        assert family.id
        return of, weigher.id


def test_a_school_orders_from_the_grid_and_somebody_else_approves(eyes, sit_down, school, township):
    of, _ = school
    page = sit_down(of.buyer.user_id)
    eyes.open("/canteen/orders/new")
    page.locator(f"input[name='q-{of.pack.id}']").fill("50")
    page.locator(f"input[name='q-{of.pack.id}']").press("Tab")
    page.get_by_text("300.00").first.wait_for()
    assert eyes.axe() == []
    assert eyes.sideways() <= 0
    page.get_by_role("button", name="提交审批").first.click()
    page.wait_for_load_state()
    with township.reading() as session:
        number = session.scalar(sa.select(Order.number).order_by(Order.id.desc()))
    assert number in page.content()
    assert eyes.axe() == []

    page = sit_down(of.approver.user_id)
    eyes.open("/canteen/approvals")
    page.get_by_role("button", name=re.compile(number)).first.click()
    page.wait_for_load_state()
    eyes.open(f"/canteen/orders/{number}")
    assert page.get_by_text("待签署").first.is_visible()
    assert eyes.complaints == []


def test_a_household_is_weighed_in_under_the_eyes_of_everybody(eyes, sit_down, school):
    _, weigher = school
    page = sit_down(weigher)
    eyes.open("/coop/weigh-in")
    page.locator("input[name=q]").fill("tqj")
    page.keyboard.press("Enter")
    page.get_by_text("谭秋菊").first.click()
    page.locator("input[name=gross]").fill("128.4")
    page.locator("input[name=tare]").fill("3.2")
    page.locator("input[name=deduction]").fill("3")
    page.locator("[data-net]").get_by_text("121.444").wait_for()
    assert eyes.axe() == []
    assert eyes.sideways() <= 0
    page.locator("form[data-scale] button.pri").click()
    page.wait_for_load_state()
    assert "388.62" in page.content()
    assert eyes.axe() == []
    assert eyes.complaints == []
