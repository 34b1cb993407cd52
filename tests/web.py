"""Signed-in visitors for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient

from kernel import audit, signing_in
from kernel.actors import COMMAND
from kernel.db import Database, Work
from kernel.people import User
from kernel.web.sign_in import TOKEN
from tests import makers
from tests.person import Person


@contextmanager
def given(database: Database) -> Iterator[Work]:
    """What a test takes for granted, committed: `with given(db) as session: makers.…`"""
    with database.transaction() as session:
        audit.note(session, "arrange", "test", by=COMMAND, now=makers.NOON)
        yield session


def signed_in_client(app: Flask, user: User, *, membership_id: int | None = None) -> FlaskClient:
    """A browser of this person, acting as the first (or the given) membership.

    The user must be committed: the page opens sessions of its own.
    """
    services = app.extensions["services"]
    now = services.clock()
    with services.database.transaction() as session:
        found, token = signing_in.begin_sign_in(session, user, browser="test", by=COMMAND, now=now)
        if membership_id is not None:
            found.membership_id = membership_id
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie[TOKEN] = token
    client.set_cookie("lang", "en")
    return client


def person(app: Flask, user: User | None = None, *, lang: str = "en") -> Person:
    """Somebody at a browser who reads this language; a guest without `user`."""
    client = app.test_client() if user is None else signed_in_client(app, user)
    client.set_cookie("lang", lang)
    return Person(client)
