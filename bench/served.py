"""The application as it is served while it is measured, telling with each answer how many
statements it sent to the database; and the floor, a bare Flask page."""

from __future__ import annotations

import threading

from flask import Flask, Response
from sqlalchemy import event
from sqlalchemy.engine import Engine

from config import Config
from shop.app import create_app

STATEMENTS = "X-Statements"

_counted = threading.local()


def _begin() -> None:
    _counted.statements = 0


def _tell(response: Response) -> Response:
    response.headers[STATEMENTS] = str(getattr(_counted, "statements", 0))
    return response


def measured() -> Flask:
    """The whole house; what is counted is every statement of the request's own thread."""
    app = create_app(Config.from_env())

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_: object) -> None:
        _counted.statements = getattr(_counted, "statements", 0) + 1

    app.before_request_funcs.setdefault(None, []).insert(0, _begin)
    app.after_request_funcs.setdefault(None, []).append(_tell)
    return app


def hello() -> Flask:
    bare = Flask("hello")

    @bare.get("/")
    def page() -> str:
        return "<!doctype html><title>Hello</title><p>Hello"

    return bare
