"""Everybody opens every page there is a link to, in the sample township: axe finds nothing wrong,
nothing is wider than the screen, the browser complains of nothing.

Everybody opens each of their pages; one that offers the same buttons to several roles is looked at
once: by day on a desk, and by night in the largest letters on a phone.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.serving import make_server

from kernel.db import Database
from shop.app import create_app
from shop.demo.build import build
from shop.demo.people import CITIZEN
from shop.working import Worker
from tests.browser.conftest import _Quiet
from tests.browser.eyes import Eyes
from tests.clock import Clock

pytestmark = pytest.mark.browser

# Those who see other pages than somebody already in the list are left out (receiver2, manager2 …).
EVERYBODY = (
    "guest", CITIZEN, "buyer", "approver", "receiver", "finance", "union", "weigher", "storekeeper",
    "accountant", "manager", "helper", "household", "official", "district", "department", "auditor",
    "operator",
)  # fmt: skip
MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
# What everybody sees is looked at once, as a guest.
DESKS = ("/account", "/canteen", "/coop", "/office", "/helper", "/audit", "/admin")
# What is downloaded, or changes what the visitor sees next.
NOT_PAGES = ("/lang/", "/sign-out", "/static/", "/webhooks/", "/healthz", "/readyz", "/metrics")
ENDINGS = (".csv", ".xlsx", ".pdf", ".json", ".beancount", ".svg", ".webp", ".avif", ".txt")


@pytest.fixture(scope="module")
def sample(config, sqlite_template, tmp_path_factory):
    """The address of nine weeks of the sample township, its application, and the password."""
    folder = tmp_path_factory.mktemp("sample")
    path = folder / "sample.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    clock = Clock(MORNING)
    app = create_app(config, database=database, clock=clock, data_dir=folder / "data")
    services = app.extensions["services"]
    assert build(services, folder / "data", days=63, say=lambda _: None)
    Worker(services).drain()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    password = json.loads((folder / "data" / "sign-ins.json").read_text())["password"]
    yield f"http://127.0.0.1:{server.server_port}", app, password
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_holds(chromium, sample, who):
    site, app, password = sample
    eyes = Eyes(chromium, site, 1440)
    if who != "guest":
        eyes.sign_in(f"{who}@sutian.test", password)
    walk = _Walk(app, site, within=("/",) if who == "guest" else DESKS)
    start = {"guest": "/", CITIZEN: "/account"}.get(who) or urlsplit(eyes.page.url).path
    wrong = []
    for route, path in walk.pages(eyes, start):
        if not _is_new_to_us(route, eyes.page):
            continue
        wrong += [f"{path} {found}" for found in _look(eyes)]
    wrong += eyes.complaints
    eyes.close()
    assert not wrong, "\n".join(wrong)
    assert walk.seen, "nothing was looked at"


_looked = set()


def _is_new_to_us(route, page):
    buttons = page.eval_on_selector_all(
        "button, input, select, textarea", "found => found.map(each => each.name || each.innerText)"
    )
    key = (route, frozenset(buttons))
    new = key not in _looked
    _looked.add(key)
    return new


def _look(eyes):
    """What is wrong with the page as it stands, by day and wide, by night and narrow and large."""
    page = eyes.page
    ways = (
        ("day", 1440, "light", "normal"),
        ("night", 390, "dark", "largest"),
    )
    for name, width, scheme, size in ways:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate("size => document.documentElement.dataset.size = size", size)
        for violation in eyes.axe():
            yield f"{name}: {violation}"
        if (wider := eyes.sideways()) > 0:
            yield f"{name}: {wider} px wider than the screen"


class _Walk:
    """From a page to all it links to, one page per route and everything on our site."""

    def __init__(self, app, site, within):
        self.site = site
        self._within = within
        self.seen = set()
        self._routes = app.url_map.bind("127.0.0.1")

    def pages(self, eyes, start):
        """Yields each route and address while it is open."""
        waiting = [start]
        while waiting:
            path = waiting.pop(0)
            route = self._new_route(path)
            if route is None:
                continue
            answer = eyes.page.goto(self.site + path)
            assert answer is not None
            assert answer.status == 200, f"{path}: {answer.status}"
            yield route, path
            waiting += eyes.page.eval_on_selector_all(
                "a[href^='/']", "links => links.map(link => link.getAttribute('href'))"
            )

    def _new_route(self, address):
        path = urlsplit(address).path
        if not path.startswith(self._within):
            return None
        if path.startswith(NOT_PAGES) or path.endswith(ENDINGS):
            return None
        try:
            route, _ = self._routes.match(path, method="GET")
        except (HTTPException, RequestRedirect):
            route = path
        if route in self.seen:
            return None
        self.seen.add(route)
        return route
