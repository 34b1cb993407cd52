"""A real Chromium against a real server with a small township."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from kernel import audit, signing_in
from kernel.actors import COMMAND
from kernel.db import Database
from kernel.people import User
from kernel.web.sign_in import TOKEN
from shop.app import create_app
from tests.browser.eyes import Eyes
from tests.clock import Clock
from tests.shop import shop_window
from tests.web import given

WIDTHS = (390, 1440)
MONDAY_NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


class _Quiet(WSGIRequestHandler):
    def log(self, *_args: object, **_kwargs: object) -> None:
        """The application logs; this server need not."""


@pytest.fixture(scope="session")
def chromium():
    """The system's Chromium, started once."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        message = "Chromium is missing: install it with `apt-get install chromium fonts-noto-cjk`"
        if os.environ.get("CI"):
            pytest.exit(message, returncode=3)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def township(sqlite_template, tmp_path_factory):
    """A database with goods to buy; tests that change something work on what is theirs."""
    path = tmp_path_factory.mktemp("township") / "township.db"
    shutil.copyfile(sqlite_template, path)
    database = Database(f"sqlite:///{path}")
    with given(database) as session:
        shop_window.build(session)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def site(config, township, tmp_path_factory):
    """The address of the running application; `site.app` to arrange more."""
    app = create_app(
        config,
        database=township,
        clock=Clock(MONDAY_NOON),
        data_dir=tmp_path_factory.mktemp("browser-data"),
    )
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=WIDTHS, ids=[f"{width}px" for width in WIDTHS])
def eyes(request, chromium, site):
    """Somebody at a screen of this width, reading Chinese; `eyes.as_guest(…)` for other ways."""
    seen = Eyes(chromium, site, request.param)
    yield seen
    seen.close()


@pytest.fixture
def sit_down(config, township, eyes, tmp_path):
    """`sit_down(user_id)`: this person is signed in at the screen; `again` at the same browser."""
    app = create_app(config, database=township, data_dir=tmp_path)

    def signed_in(user_id, *, again=False):
        page = eyes.page if again else eyes.as_guest()
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
