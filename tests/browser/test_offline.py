"""The scale without network, in a real Chromium with the network really off."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catalog.lots.models import SlipState, WeighSlip
from kernel.actors import Role
from kernel.money import Money
from kernel.people import Organisation
from tests import makers
from tests.web import given

pytestmark = pytest.mark.browser


@pytest.fixture
def yard(township):
    """A cooperative of its own with two products, two households and a weigher."""

    class Yard:
        pass

    found = Yard()
    with given(township) as session:
        of = makers.supplier(session)
        body = session.get(Organisation, of.organisation_id)
        found.supplier_id = of.id
        found.product = makers.product(session, of)
        found.greens = makers.product(session, of, name_zh="大白菜", name_en="Cabbage")
        for product in (found.product, found.greens):
            makers.purchase_price(session, product)
        found.home = makers.household(session, "简大伯", region_code=makers.QINGLONG)
        makers.household(session, "罗春生", region_code=makers.QINGLONG)
        found.weigher_id = makers.member(session, body, Role.WEIGHER, name="龚收购").id
        found.other_id = makers.member(session, body, Role.WEIGHER, name="向收购").id
    return found


def slips(township, of):
    with township.reading() as session:
        return session.scalars(
            sa.select(WeighSlip).where(WeighSlip.supplier_id == of.supplier_id)
            .order_by(WeighSlip.id)
        ).all()  # fmt: skip


def find(page, letters, name):
    page.locator("#f-q").fill(letters)
    page.locator("[data-found] button").filter(has_text=name).first.click()


def type_weights(page, gross, tare="0", deduction="0"):
    """As from a scale that types: numbers and Enter, nothing else."""
    page.locator("#f-gross").click()
    page.keyboard.type(gross + "\n")
    page.keyboard.type(tare + "\n")
    page.keyboard.type(deduction + "\n")


def save(page, seq):
    page.locator("[data-save]").click()
    page.locator("[data-queue] .i").get_by_text(seq, exact=True).wait_for()


def kept_page(page):
    """The page opens without network once its worker has kept it."""
    page.wait_for_function(
        "() => navigator.serviceWorker.ready.then(() => caches.open('sutian-scale-1'))"
        ".then((cache) => cache.match('/coop/weigh-in/yard')).then(Boolean)"
    )


def open_yard(eyes, page):
    eyes.open("/coop/weigh-in/yard")
    page.locator("[data-as-of]").filter(has_text="截至").wait_for()
    kept_page(page)


def test_three_slips_weighed_without_network_arrive_once(eyes, sit_down, yard, township):
    page = sit_down(yard.weigher_id)
    open_yard(eyes, page)
    assert eyes.axe() == []
    assert eyes.sideways() <= 0
    page.context.set_offline(True)
    page.reload()

    find(page, "jdb", "简大伯")
    type_weights(page, "128.4kg", "3.2", "3")
    page.locator("[data-net]").get_by_text("121.444").wait_for()
    assert page.locator("[data-amount]").inner_text() == "388.62"
    assert eyes.axe() == []
    assert eyes.sideways() <= 0
    page.locator("[data-more]").click()  # a second product of the same visit
    page.get_by_role("radio", name="大白菜 一级").check()
    type_weights(page, "25斤")
    page.locator("[data-pad]").hover()
    page.mouse.down()
    page.mouse.move(200, 300, steps=4)
    page.mouse.up()
    save(page, "0002")
    find(page, "罗春", "罗春生")
    type_weights(page, "50")
    page.get_by_role("radio", name="家人代签").check()
    page.locator("[data-save]").click()
    page.locator("#f-confirmed_by-error").filter(has_text="请").wait_for()
    page.locator("#f-confirmed_by").fill("女儿 罗小妹")
    save(page, "0003")
    assert page.locator("[data-queue] .waiting").count() == 3
    assert slips(township, yard) == []

    context = page.context
    page.close()
    page = eyes.page = context.new_page()
    page.goto(eyes.site + "/coop/weigh-in/yard")
    page.locator("[data-queue] .waiting").nth(2).wait_for()
    assert page.locator("[data-banner]").inner_text().startswith("没有网络")
    assert eyes.axe() == []

    context.set_offline(False)
    page.locator("[data-send]").click()
    page.locator("[data-queue] .written").nth(2).wait_for()
    page.locator("[data-send]").click()
    page.reload()
    page.locator("[data-queue] .written").nth(2).wait_for()
    found = slips(township, yard)
    assert [(s.net_g, s.amount) for s in found] == [
        (121_444, Money(38_862)), (12_500, Money(4_000)), (50_000, Money(16_000)),
    ]  # fmt: skip
    assert all(s.state is SlipState.CONFIRMED for s in found)
    assert found[0].signature
    assert found[0].signature == found[1].signature
    assert found[2].confirmed_by == "女儿 罗小妹"
    assert {s.made_by_id for s in found} == {yard.weigher_id}
    assert eyes.axe() == []
