"""The signed-in browser: a cookie holds a random token, the database its hash.

One query a request, and only for browsers that hold a token, brings the user, the membership acted
under and its organisation.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, g, redirect, request, url_for
from flask import session as cookie

from kernel.people import SignIn, User
from kernel.signing_in import find_sign_in
from kernel.web.access import login
from kernel.web.work import now, session

TOKEN = "sign_in"  # noqa: S105  the name of a cookie's field


def init_app(app: Flask) -> None:
    login.init_app(app)
    login.session_protection = None  # a changed address or browser string signs nobody out
    login.request_loader(_load)
    login.unauthorized_handler(_ask_to_sign_in)


def keep_token(token: str) -> None:
    """This browser is signed in from now on; its forms get a new guard."""
    cookie.pop("csrf_token", None)
    g.pop("csrf_token", None)
    cookie[TOKEN] = token
    cookie.permanent = True


def drop_token() -> None:
    """Nothing of this visit stays in the browser."""
    cookie.clear()


def _load(_request: object) -> User | None:
    token = cookie.get(TOKEN)
    if not token:
        return None
    found: SignIn | None = find_sign_in(session(), token, now=now())
    if found is None:
        return None
    g.sign_in_id = found.id
    g.user_id = found.user_id
    g.acting = found.membership
    return found.user


def _ask_to_sign_in() -> Any:
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("account.sign_in", next=wanted), code=303)
