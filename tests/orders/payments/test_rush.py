"""Fifty boxes, five hundred people, one moment: through the real pages of a real web server."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from catalog.lots.models import Contribution
from orders.sales.models import Basket, BasketLine, Order, OrderState
from tests import makers
from tests.orders.payments.test_buying import fill_basket
from tests.web import given

pytestmark = pytest.mark.race

ATTEMPTS, BUYERS, BOXES = 500, 8, 50
ROOT = Path(__file__).parents[3]


@pytest.fixture
def server(config, provider, database_url, tmp_path):
    """gunicorn with two processes on this database; its (host, port)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": database_url,
        "SUTIAN_SECRET_KEY": config.secret_key,
        "SUTIAN_FIELD_KEY": config.field_key,
        "SUTIAN_REQUESTS_PER_MINUTE": "1000000",
        "SUTIAN_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": provider.address,
        "STRIPE_API_KEY": config.stripe_api_key,
        "STRIPE_WEBHOOK_SECRET": config.stripe_webhook_secret,
    }
    with (tmp_path / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "gunicorn", "--bind", f"127.0.0.1:{port}",
             "--workers", "2", "--threads", "4", "--worker-class", "gthread", "wsgi:app"],
            cwd=ROOT, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            _wait_for(port)
            yield "127.0.0.1", port
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/healthz")
            if line.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


# Two processes on one SQLite file is what a township runs; many connections on both databases are
# tried without pages in `tests/orders/sales/test_races.py`.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_five_hundred_attempts_through_the_pages_sell_exactly_fifty(
    app, db, config, citizen, server
):
    with given(db) as session:
        radish = makers.sold_product(session, (100_000, 80_000, 70_000))
        radish.pack_id = pack_id = makers.pack_of(radish).id
    fill_basket(citizen, radish)
    cookies, form = five_hundred_browsers(app, db, citizen, pack_id)

    outcomes = all_at_once(server, cookies, form)

    assert outcomes == {"to the provider": BOXES, "sold out": ATTEMPTS - BOXES}
    with db.reading() as session:
        orders = session.scalar(
            sa.select(sa.func.count(Order.id)).where(Order.state == OrderState.AWAITING_PAYMENT)
        )
        left = session.execute(
            sa.select(sa.func.sum(Contribution.on_hand), sa.func.sum(Contribution.reserved))
        ).one()
    assert orders == BOXES
    assert tuple(left) == (250_000, 250_000)


def five_hundred_browsers(app, db, citizen, pack_id) -> tuple[list[str], dict[str, str]]:
    """Each with its own basket of one box, all looking at the same checkout page; the cookies they
    send, and what stands in the form."""
    citizen.open("/checkout")
    form = citizen.page.find("form", id="pay")
    typed = {
        each["name"]: each.get("value", "")
        for each in BeautifulSoup(str(form), "html.parser").find_all("input", type="hidden")
    }
    typed |= {
        "delivery": "send", "no_return": "yes", "recipient": "林女士", "phone": "13855501234",
        "place": "重庆市渝北区", "detail": "龙山街道松牌路 8 号",
    }  # fmt: skip
    with citizen.client.session_transaction() as kept:
        mine = dict(kept)
    signer = app.session_interface.get_signing_serializer(app)
    name, cookies = app.config["SESSION_COOKIE_NAME"], []
    with given(db) as session:
        seen = session.scalar(sa.select(BasketLine.price_seen))
        for n in range(ATTEMPTS):
            key = f"rush{n}"
            session.add(
                Basket(
                    key=key, touched_at=makers.NOON,
                    lines=[BasketLine(pack_id=pack_id, count=1, price_seen=seen)],
                )
            )  # fmt: skip
            cookies.append(f"{name}={signer.dumps({**mine, 'basket': key})}; lang=en")
    return cookies, typed


def all_at_once(server, cookies, form) -> Counter[str]:
    start = threading.Barrier(BUYERS)

    def buy(mine: list[str]) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        line = http.client.HTTPConnection(*server, timeout=120)
        start.wait()
        for cookie in mine:
            body = urlencode({**form, "once": secrets.token_urlsafe(18)})
            line.request(
                "POST", "/checkout", body,
                {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
            )  # fmt: skip
            answer = line.getresponse()
            text = answer.read().decode()
            outcomes[_outcome(answer.status, answer.headers.get("Location", ""), text)] += 1
        return outcomes

    with ThreadPoolExecutor(BUYERS) as pool:
        return sum(pool.map(buy, [cookies[n::BUYERS] for n in range(BUYERS)]), Counter())


def _outcome(status: int, location: str, text: str) -> str:
    if status == 303 and "/payment?" in location:
        return "to the provider"
    if status == 409 and "are missing" in text:
        return "sold out"
    return f"{status} {location} {text[:400]}"
