"""Every test has a database of its own, copied from a template that the migrations made.

`db` runs a test on SQLite and on PostgreSQL; a test commits for real and shares nothing.
"""

from __future__ import annotations

import itertools
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from config import Config
from kernel import crypto
from kernel.db import Database
from tests import postgres
from tests.clock import Clock

# Others may be at work on the machine: how long an example takes says nothing about our code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_serial = itertools.count(1)
TEMPLATE = "sutian_template"

# Which databases to run on: SUTIAN_TEST_DB=sqlite makes a quick round while writing.
KINDS = os.environ.get("SUTIAN_TEST_DB", "sqlite,postgresql").split(",")


@pytest.fixture(scope="session", autouse=True)
def _field_key():
    crypto.use_key("a key for tests only")


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    return Config(
        secret_key="a secret for tests only",
        field_key="a key for tests only",
        database_url="sqlite://",
        data_dir=tmp_path_factory.mktemp("data"),
        stripe_api_key="sk_test_sutian",
        stripe_webhook_secret="whsec_sutian",
        fast_passwords=True,
    )


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.db"
    _build(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server():
    folder = postgres.binaries()
    if folder is None:
        message = "PostgreSQL is missing: install it with `apt-get install postgresql`"
        if os.environ.get("CI"):
            pytest.exit(message, returncode=3)
        pytest.skip(message)
    with postgres.running(folder) as url:
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {TEMPLATE}")
        template = str(sa.make_url(url).set(database=TEMPLATE))
        _build(template)
        yield engine
        engine.dispose()


def _build(url: str) -> None:
    """The newest schema and the regions, as `flask db upgrade` makes them."""
    from shop.schema import upgrade

    database = Database(url)
    upgrade(database)
    database.dispose()


@pytest.fixture(params=KINDS)
def database_url(request, tmp_path):
    """The address of a fresh database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    engine = request.getfixturevalue("postgres_server")
    name = f"test_{os.getpid()}_{next(_serial)}"
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def db(database_url):
    """A `Database` to open reading and writing sessions on."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def session(db):
    """One writing session for tests of operations; what it flushes it sees, nothing is committed
    unless the test commits."""
    with db.writing() as session:
        yield session


@pytest.fixture
def statements(db):
    """Every SQL statement sent since the test last cleared the list."""
    sent: list[str] = []

    def keep(conn, cursor, statement, *_):
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", keep)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", keep)


@pytest.fixture
def clock():
    """The time on the wall of the application under test; set or move it."""
    return Clock(datetime(2026, 11, 23, 2, 0, tzinfo=UTC))  # Monday, 10:00 in Shanghai


@pytest.fixture
def app(config, db, clock, tmp_path):
    from shop.app import create_app

    return create_app(config, database=db, clock=clock, data_dir=tmp_path / "data")


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def sign_in(app):
    """`sign_in(user)` → a client signed in under the user's first membership (or the given one)."""
    from tests.web import signed_in_client

    return lambda user, **how: signed_in_client(app, user, **how)


@pytest.fixture
def person(app):
    """`person(user)` → a `Person` at a browser, reading English; a guest without a user."""
    from tests.web import person

    return lambda user=None, **how: person(app, user, **how)


def pytest_collection_modifyitems(items):
    """Browser and race tests last: the quick answers come first."""
    items.sort(key=lambda item: ("browser" in item.keywords, "race" in item.keywords))


ROOT = Path(__file__).parent.parent
