"""A workplace sends the same box to its people: on a phone, with a real provider's page."""

from __future__ import annotations

import dataclasses
import io
import shutil
import threading

import pytest
import sqlalchemy as sa
import xlsxwriter
from werkzeug.serving import make_server

from kernel.db import Database
from orders.sales.models import Order, OrderRecipient, OrderState
from shop.app import create_app
from tests.browser.conftest import MONDAY_NOON, _Quiet
from tests.browser.eyes import Eyes
from tests.clock import Clock
from tests.orders.payments.conftest import Provider

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WRONG = ["陈先生", "1385550", "浙江省杭州市西湖区文三路 9 号", "2"]
RIGHT = ["陈先生", "13855505678", "浙江省杭州市西湖区文三路 9 号", "2"]
FIRST = ["林女士", "13855501234", "重庆市渝北区龙山街道松牌路 8 号", ""]


def sheet(pack: str, *rows: list[str]) -> dict[str, object]:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet()
    for at, row in enumerate([["收货人", "手机号", "收货地址", f"份数 [{pack}]"], *rows]):
        page.write_row(at, 0, row)
    book.close()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": "people.xlsx", "mimeType": kind, "buffer": file.getvalue()}


@pytest.fixture
def paying_shop(chromium, config, township, tmp_path):
    """A shop on a copy of the township with the sandbox provider beside it, seen at 390 px."""
    township.engine.dispose()
    shutil.copyfile(str(township.engine.url.database), tmp_path / "own.db")
    database, provider = Database(f"sqlite:///{tmp_path}/own.db"), Provider()
    app = None

    def dispatch(environ, start_response):
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, dispatch, threaded=True, request_handler=_Quiet)
    site = f"http://127.0.0.1:{server.server_port}"
    own = dataclasses.replace(config, stripe_api_base=provider.address, public_url=site)
    app = create_app(own, database=database, clock=Clock(MONDAY_NOON), data_dir=tmp_path / "data")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    eyes = Eyes(chromium, site, 390)
    yield eyes, app, provider, database
    eyes.close()
    server.shutdown()
    thread.join()
    server.server_close()
    provider.close()
    database.dispose()


def test_one_pays_for_two_after_a_wrong_row_was_put_right(paying_shop):
    eyes, app, provider, database = paying_shop
    page = eyes.open("/products/space-radish")
    page.locator("form#buy").get_by_role("button", name="放进购物篮").click()
    pack = page.locator("input[name=pack]").first.get_attribute("value")
    page.get_by_role("link", name="一次寄给很多人").click()

    page.set_input_files("#f-file", sheet(pack, FIRST, WRONG))
    page.get_by_role("button", name="看一看").click()
    page.get_by_text("1385550 不是电话号码").wait_for()
    assert eyes.axe() == []
    assert eyes.sideways() == 0

    page.set_input_files("#f-file", sheet(pack, FIRST, RIGHT))
    page.get_by_role("button", name="看一看").click()
    page.get_by_text("2 人，每一行都对。").wait_for()
    page.get_by_label("你的姓名").fill("工会王")
    page.get_by_label("你的手机号").fill("13855509999")
    page.locator("input[name=no_return]").check()
    assert eyes.axe() == []
    assert eyes.sideways() == 0
    page.locator("#pay button.pri").click()

    page.wait_for_url(f"{provider.address}/**")
    page.locator("#number").fill("4242424242424242")
    page.locator("button[type=submit]").first.click()
    page.get_by_text("等你付款").wait_for()
    provider.deliver(app.test_client())
    page.get_by_text("分送 2 人").wait_for()
    page.reload()
    page.get_by_role("heading", name="正在备货").wait_for()
    assert eyes.axe() == []
    assert eyes.sideways() == 0
    with database.reading() as session:
        order = session.scalars(sa.select(Order).order_by(Order.id.desc())).first()
        people = session.scalars(sa.select(OrderRecipient.recipient)).all()
        assert (order.state, sorted(people)) == (OrderState.TO_SHIP, ["林女士", "陈先生"])
