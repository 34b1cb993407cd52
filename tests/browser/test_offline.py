"""The scale without network, in a real Chromium with the network really off."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from catalog.lots import operations
from catalog.lots.models import OfflineSlip, OfflineState, SlipPhoto, SlipState, WeighSlip
from catalog.products.models import Grade
from catalog.products.operations import publish_purchase_price
from kernel.actors import Role
from kernel.money import Money, Price
from kernel.people import Organisation
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
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
        found.manager_id = makers.member(session, body, Role.MANAGER, name="向负责").id
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
    page.evaluate("window.print = () => {}")  # paper needs no network either
    queued(page, "0001").get_by_role("button", name="打印").click()
    paper = page.locator("[data-paper]").text_content()
    assert "¥388.62" in paper
    assert "尚未上传" in paper

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
    assert [each for each in eyes.complaints if "Security Policy" in each] == []


@contextmanager
def phone(chromium, folder):
    """A browser of its own that remembers on the disk."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    context = chromium.browser_type.launch_persistent_context(
        folder, executable_path=program, args=["--no-sandbox"], locale="zh-CN"
    )
    yield context.pages[0]
    context.close()


def weigh(page, seq, gross="50"):
    find(page, "jdb", "简大伯")
    type_weights(page, gross)
    save(page, seq)


def queued(page, seq):
    """The slip of this number, and none whose document number has it somewhere inside."""
    number = page.locator(".i", has_text=re.compile(f"^{seq}$"))
    return page.locator("[data-queue] li").filter(has=number)


@pytest.mark.parametrize("eyes", [390], indirect=True)
def test_what_a_stale_price_refuses_is_shown_and_corrected_or_handed_over(
    eyes, sit_down, yard, township
):
    page = sit_down(yard.weigher_id)
    open_yard(eyes, page)
    page.context.set_offline(True)
    for seq in ("0001", "0002"):
        weigh(page, seq)
    with given(township) as session:
        publish_purchase_price(
            session, yard.product.id, grade=Grade.FIRST, price=Price(30_000), valid_from=TODAY,
            resolution="2026-12", by=SOMEBODY, now=NOON,
        )  # fmt: skip
    page.context.set_offline(False)
    page.locator("[data-send]").click()
    for seq in ("0001", "0002"):
        queued(page, seq).locator(".refused").wait_for()
    assert "收购价已变" in queued(page, "0001").inner_text()
    assert eyes.axe() == []
    page.reload()  # nothing is dropped

    queued(page, "0001").get_by_role("button", name="更正").click()
    page.locator("[data-per-kg]").get_by_text("3.00", exact=True).wait_for()
    page.locator("[data-save]").click()
    queued(page, "0001").locator(".written").wait_for()
    queued(page, "0002").get_by_role("button", name="交负责人").click()
    queued(page, "0002").locator(".handed_over").wait_for()
    found = slips(township, yard)
    assert [(s.device_seq, s.net_g, s.price) for s in found] == [("1", 50_000, Price(30_000))]
    with township.reading() as session:
        [handed] = session.scalars(
            sa.select(OfflineSlip).where(
                OfflineSlip.supplier_id == yard.supplier_id,
                OfflineSlip.state == OfflineState.HANDED_OVER,
            )
        ).all()
        assert (handed.device_seq, "收购价已变" in handed.said) == ("2", True)

    page.context.clear_cookies()
    page.locator("[data-send]").click()
    page.get_by_text("登录已失效").wait_for()
    assert queued(page, "0002").locator(".handed_over").count() == 1


@pytest.mark.parametrize("eyes", [390], indirect=True)
def test_slips_stay_with_who_weighed_them_through_signing_out(eyes, sit_down, yard, township):
    page = sit_down(yard.weigher_id)
    open_yard(eyes, page)
    page.context.set_offline(True)
    weigh(page, "0001")
    # The same number once more with other content: as if the phone had been copied.
    key = page.evaluate("async () => (await allSlips())[0].key")
    page.context.set_offline(False)
    page.route("**/coop/weigh-in/queue", lambda route: route.abort())
    eyes.open("/sign-out")
    page.locator("[data-unsent]").wait_for()
    assert eyes.axe() == []
    page.locator("main form button").click()
    page.wait_for_url(eyes.site + "/")
    page.unroute("**/coop/weigh-in/queue")

    page = sit_down(yard.other_id, again=True)
    open_yard(eyes, page)
    page.get_by_text("龚收购 的 1 张单").wait_for()
    page.locator("[data-send]").click()
    assert queued(page, "0001").locator(".waiting").count() == 1
    assert slips(township, yard) == []

    page = sit_down(yard.weigher_id, again=True)
    open_yard(eyes, page)
    queued(page, "0001").locator(".written").wait_for()
    page.evaluate(
        """async (key) => {
          const slip = (await allSlips()).find((each) => each.key === key);
          await keepSlips([Object.assign(slip, { state: "waiting", gross_g: 60000 })]);
        }""",
        key,
    )
    page.reload()
    queued(page, "0001").locator(".conflict").wait_for()
    queued(page, "0001").get_by_role("button", name="交负责人").click()
    queued(page, "0002").locator(".handed_over").wait_for()
    assert len(slips(township, yard)) == 1

    eyes.open("/sign-out")
    assert page.locator("[data-unsent]").is_hidden()
    page.locator("main form button").click()
    page.wait_for_url(eyes.site + "/")
    assert page.evaluate("indexedDB.databases()") == []
    assert page.evaluate("caches.keys()") == []


@pytest.mark.parametrize("eyes", [390], indirect=True)
def test_slips_and_photos_outlive_the_browser_and_the_phone(
    site, chromium, eyes, yard, sit_down, tmp_path, township
):
    """The whole browser ends, as when a phone is switched off; there is no network afterwards. When
    it comes back, the photo of the scale arrives with its slip, once."""
    photo = tmp_path / "scale.jpg"
    photo.write_bytes(makers.photograph(2400, 1600, gps=True))
    cookies = sit_down(yard.weigher_id).context.cookies()
    folder = tmp_path / "phone"
    for switched_on in (1, 2):
        with phone(chromium, folder) as page:
            if switched_on == 1:
                page.context.add_cookies(cookies)
                page.goto(f"{site}/coop/weigh-in/yard")
                page.locator("[data-as-of]").filter(has_text="截至").wait_for()
                kept_page(page)
                page.context.set_offline(True)
                find(page, "jdb", "简大伯")
                page.locator("#f-photo").set_input_files(photo)
                type_weights(page, "50")
                save(page, "0001")
            else:
                page.context.set_offline(True)
                page.goto(f"{site}/coop/weigh-in/yard")
                queued(page, "0001").locator(".waiting").wait_for()
                assert queued(page, "0001").locator(".a").inner_text() == "¥160.00"
                broken = tmp_path / "dark.heic"
                broken.write_bytes(b"no picture that a browser knows")
                page.locator("#f-q").wait_for()
                find(page, "jdb", "简大伯")
                page.locator("#f-photo").set_input_files(broken)
                type_weights(page, "20")
                save(page, "0002")
                said = page.locator("[data-said]").inner_text()
                assert "读不出照片 dark.heic，收购单已保存，但不带照片。" in said
                kept = page.evaluate("allSlips().then((all) => all.map((each) => !!each.photo))")
                assert sorted(kept) == [False, True]
                page.context.add_cookies(cookies)  # signed in again, if that was lost
                page.context.set_offline(False)
                for _ in range(2):  # sent again, it is still the same slip and the same photo
                    page.locator("[data-send]").click()
                    for seq in ("0001", "0002"):
                        queued(page, seq).locator(".written").wait_for()
                    page.reload()
    first, second = slips(township, yard)
    with township.reading() as session:
        [kept] = session.scalars(
            sa.select(SlipPhoto)
            .options(joinedload(SlipPhoto.file))
            .where(SlipPhoto.slip_id.in_([first.id, second.id]))
        ).all()
    assert (kept.slip_id, first.net_g, second.net_g) == (first.id, 50_000, 20_000)
    assert kept.file.media_type == "image/jpeg"
    assert 5_000 < kept.file.size < 1_000_000  # shrunk on the phone


def test_the_manager_s_pages_are_clean(eyes, sit_down, yard, township):
    with given(township) as session:
        operations.record_slip(
            session, supplier_id=yard.supplier_id, household_id=yard.home.id,
            product_id=yard.greens.id, grade=Grade.FIRST, gross_g=1_000, tare_g=0,
            deduction_bp=0, device="test", device_seq=f"{eyes.width}-{yard.supplier_id}",
            weighed_at=NOON, asked_price=Price(9_000), reason="霜前急收", by=SOMEBODY, now=NOON,
        )  # fmt: skip
        operations.issue_card(session, yard.home.id, by=SOMEBODY, now=NOON)
    page = sit_down(yard.manager_id)
    for path in ("/coop/weigh-in/reviews", f"/coop/weigh-in/cards/{yard.home.code}"):
        eyes.open(path)
        assert eyes.axe() == []
        assert eyes.sideways() <= 0
    eyes.open("/coop/weigh-in/reviews")
    page.get_by_role("button", name="复核通过").click()
    page.locator("[data-focus]").wait_for()
    assert eyes.axe() == []
