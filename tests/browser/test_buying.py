"""Ways through the shop in a real browser on a phone: buying, paying, and sending back."""

from __future__ import annotations

import dataclasses
import re
import shutil
import threading

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from kernel.db import Database
from orders.payments.models import Payment, PaymentState, Refund, RefundState
from orders.sales.models import Order, OrderState
from orders.sales.operations import ship_order
from shop.app import create_app
from tests import makers
from tests.browser.conftest import MONDAY_NOON, _Quiet
from tests.browser.eyes import Eyes
from tests.clock import Clock
from tests.orders.payments.conftest import Provider
from tests.shop import shop_window
from tests.web import given

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(config, provider, sqlite_template, tmp_path_factory):
    """A township of its own, with the provider beside it; `shop.address`, `shop.db`, `shop.app`."""
    folder = tmp_path_factory.mktemp("buying")
    shutil.copyfile(sqlite_template, folder / "shop.db")
    database = Database(f"sqlite:///{folder / 'shop.db'}")
    with given(database) as session:
        shop_window.build(session)
    server = make_server("127.0.0.1", 0, None, threaded=True, request_handler=_Quiet)
    address = f"http://127.0.0.1:{server.server_port}"
    app = create_app(
        dataclasses.replace(config, stripe_api_base=provider.address, public_url=address),
        database=database, clock=Clock(MONDAY_NOON), data_dir=folder,
    )  # fmt: skip
    server.app = app
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    app.address, app.db = address, database
    yield app
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


@pytest.fixture
def phone(chromium, shop):
    """Somebody with a phone, reading Chinese, without an account."""
    seen = Eyes(chromium, shop.address, 390)
    seen.page.set_default_timeout(15_000)
    yield seen
    seen.close()


def fill_in(page) -> None:
    for name, value in {
        "recipient": "林女士", "phone": "13855501234", "place": "重庆市渝北区",
        "detail": "龙山街道松牌路 8 号",
    }.items():  # fmt: skip
        page.locator(f"form#pay input[name={name}]").fill(value)
    agreed = page.locator("form#pay input[name=no_return]")
    if agreed.count():
        agreed.check()


def to_payment(phone, slug, packs=1):
    """From the product to the provider's page; answers the page."""
    page = phone.open(f"/products/{slug}")
    page.locator("form#buy").get_by_role("button", name="放进购物篮").click()
    page.wait_for_url("**/cart")
    if packs > 1:
        page.locator("input[name=count]").first.fill(str(packs))
        page.get_by_role("button", name="更改").first.click()
        page.wait_for_load_state()
    page.get_by_role("link", name="去结算").click()
    fill_in(page)
    page.get_by_role("button", name=re.compile("^付 ¥")).last.click()
    page.wait_for_url("**/c/pay/**")
    return page


def pay(page, method, number=""):
    page.locator(f"input[name=method][value={method}]").check()
    if number:
        page.locator("#number").fill(number)
    page.locator("button[type=submit]").first.click()
    page.wait_for_load_state()


def newest(shop) -> Order:
    with shop.db.reading() as session:
        return session.scalars(sa.select(Order).order_by(Order.id.desc())).first()


def heading(page) -> str:
    return page.locator("h1").inner_text()


def arrive(page, shop, provider):
    """Back from the provider: the page says that it waits, and follows by itself."""
    page.wait_for_url(f"{shop.address}/orders/**")
    provider.deliver(shop.test_client())


def test_a_guest_buys_on_a_phone_and_the_page_follows_by_itself(phone, shop, provider):
    page = to_payment(phone, "space-radish")
    pay(page, "card", "4242424242424242")
    arrive(page, shop, provider)

    page.get_by_role("heading", name="正在备货", level=1).wait_for(timeout=15_000)
    assert phone.sideways() <= 0
    assert phone.axe() == []
    assert newest(shop).state is OrderState.TO_SHIP
    assert newest(shop).user_id is None


def test_a_declined_card_is_said_and_another_one_pays_the_same_order(phone, shop, provider):
    page = to_payment(phone, "new-rice")
    pay(page, "card", "4000000000000002")
    assert "银行拒绝了这张卡" in page.get_by_role("alert").inner_text()
    provider.deliver(shop.test_client())
    page.get_by_role("link", name="不付了，回到订单").click()
    assert "没有扣款" in page.get_by_role("alert").first.inner_text()
    page.get_by_role("button", name=re.compile("^付 ¥")).first.click()
    page.wait_for_url("**/c/pay/**")
    pay(page, "card", "4242424242424242")
    arrive(page, shop, provider)

    page.get_by_role("heading", name="正在备货", level=1).wait_for(timeout=15_000)
    with shop.db.reading() as session:
        states = session.scalars(
            sa.select(Payment.state).where(Payment.order_id == newest(shop).id)
        ).all()
    assert states == [PaymentState.PAID]


def test_wechat_shows_a_code_to_scan(phone, shop, provider):
    page = to_payment(phone, "tea-seed-oil")
    pay(page, "wechat_pay")
    code = page.locator(".code svg")
    assert code.bounding_box()["width"] >= 120
    page.get_by_role("button", name="确认付款").click()
    arrive(page, shop, provider)

    page.get_by_role("heading", name="正在备货", level=1).wait_for(timeout=15_000)
    assert "微信支付" in page.locator(".balance").inner_text()


def test_without_javascript_one_buys_pays_and_sees_the_order(phone, shop, provider):
    phone.as_guest(script=False)
    page = to_payment(phone, "konjac-flour")
    pay(page, "alipay")
    page.get_by_role("button", name="确认付款").click()
    arrive(page, shop, provider)
    page.reload()

    assert heading(page) == "正在备货"
    assert "支付宝" in page.locator(".balance").inner_text()


def test_two_of_five_are_claimed_with_a_photo_and_the_money_goes_back(phone, shop, provider):
    page = to_payment(phone, "space-radish", packs=5)
    pay(page, "card", "4242424242424242")
    arrive(page, shop, provider)
    page.get_by_role("heading", name="正在备货", level=1).wait_for(timeout=15_000)
    order = newest(shop)
    with given(shop.db) as session:
        supplier = session.scalar(sa.text("SELECT supplier_id FROM order_lines ORDER BY id DESC"))
        ship_order(
            session, order.id, supplier_id=supplier, request_key="browser", by=makers.SOMEBODY,
            now=MONDAY_NOON,
        )  # fmt: skip
    page.reload()
    page.get_by_role("button", name="确认收货").click()
    page.get_by_role("link", name="有问题？申请售后或退货").click()
    page.get_by_label("坏了、破损").check()
    page.get_by_label(re.compile("太空萝卜")).fill("2")
    page.get_by_role("button", name="提交申请").click()
    assert "请附上照片" in page.get_by_role("alert").inner_text()
    assert page.get_by_label(re.compile("太空萝卜")).input_value() == "2"
    assert phone.axe() == []
    page.locator("#f-photos").set_input_files(
        {"name": "烂.jpg", "mimeType": "image/jpeg", "buffer": makers.photograph(600, 400)}
    )
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url(f"{shop.address}/orders/**")

    assert "待答复" in page.locator(".claim").inner_text()
    shown = page.locator(".claim img")
    shown.scroll_into_view_if_needed()
    assert shown.evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
    assert phone.sideways() <= 0
    assert phone.axe() == []
    with shop.db.reading() as session:
        refund = session.scalars(sa.select(Refund).order_by(Refund.id.desc())).first()
        line = session.execute(
            sa.text("SELECT amount FROM order_lines WHERE order_id = :o"), {"o": order.id}
        ).scalar_one()
    assert (refund.state, refund.amount.fen * 5) == (RefundState.REQUESTED, line * 2)
    assert [each for each in phone.complaints if "422" not in each] == []
