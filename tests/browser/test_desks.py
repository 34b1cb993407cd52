"""Two desks in a real Chromium: a school's order from the grid, and the scale in the yard."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from kernel import audit, signing_in
from kernel.actors import COMMAND, Role
from kernel.people import Organisation, User
from kernel.web.sign_in import TOKEN
from orders.sales.models import Order
from shop.app import create_app
from tests import makers
from tests.browser.conftest import MONDAY_NOON
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


@pytest.fixture
def sit_down(config, township, eyes, tmp_path):
    """`sit_down(user_id)`: this person is signed in at the screen."""
    app = create_app(config, database=township, data_dir=tmp_path)

    def signed_in(user_id):
        page = eyes.as_guest()
        with township.transaction() as session:
            user = session.get(User, user_id)
            _, token = signing_in.begin_sign_in(
                session, user, browser="test", by=COMMAND, now=MONDAY_NOON
            )
            audit.note(session, "arrange", "test", by=COMMAND, now=MONDAY_NOON)
        signer = app.session_interface.get_signing_serializer(app)
        cookie = {"name": app.config["SESSION_COOKIE_NAME"], "value": signer.dumps({TOKEN: token})}
        page.context.add_cookies([{**cookie, "url": eyes.site}])
        return page

    return signed_in


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
