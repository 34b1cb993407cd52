"""Which pages a browser or a cache in between may keep, and how a form on such a page is guarded.

A page marked `@shared` says nothing of who reads it as long as the browser brings no cookie but
those of language, letters and colours. Then, and only then, anybody may keep it for a minute: the
page holds no token, no basket, no word of a last request, and `Vary: Cookie` keeps the languages
apart. Whoever brings more gets a page of their own that only their browser keeps, and asks for
again each time (304 when nothing changed).

Forms on such pages cannot hold a session's token. Those that may come from one say
`@from_shared_pages`: the browser itself tells where it was sent from (Origin, Sec-Fetch-Site).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask import session as cookie
from flask_wtf.csrf import CSRFProtect, generate_csrf

LOOKS = frozenset({"lang", "text_size", "theme"})
MINUTE = 60

View = TypeVar("View", bound=Callable[..., Any])


def shared(view: View) -> View:
    """The page is the same for everybody who brings no more than `LOOKS`."""

    @wraps(view)
    def kept(*args: Any, **kwargs: Any) -> Any:
        g.shared = True
        return view(*args, **kwargs)

    return kept  # type: ignore[return-value]


def from_shared_pages(view: View) -> View:
    """A form that may stand on a page which holds no token; above all else of the view."""
    view.from_shared_pages = True  # type: ignore[attr-defined]
    return view


def page_token() -> str:
    """The session's token for a form; empty on a page that others may be shown as well."""
    if g.get("shared") and not _has_session():
        return ""
    token: str = generate_csrf()
    return token


def _has_session() -> bool:
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies


class Guard(CSRFProtect):  # type: ignore[misc]
    """As Flask-WTF's, but for forms on shared pages (see above)."""

    def protect(self, **how: Any) -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if getattr(view, "from_shared_pages", False) and _sent_from_here():
            g.csrf_valid = True
            return
        super().protect(**how)


def _sent_from_here() -> bool:
    """Whether the browser says that a page of ours sent this. A program that says nothing at all
    and brings no session has nothing that could be forged."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is None and origin is None:
        return not _has_session() and request.method == "POST" and "csrf_token" in request.form
    if site is not None and site != "same-origin":
        return False
    return origin is None or urlsplit(origin).netloc == request.host


def init_app(app: Flask) -> None:
    app.jinja_env.globals["csrf_token"] = page_token
    app.context_processor(lambda: {"csrf_token": page_token})


def mark(response: Response) -> None:
    """Says how long the answer may be kept, unless it says so itself."""
    if "Cache-Control" in response.headers:
        return
    readable = request.method in ("GET", "HEAD") and response.status_code == 200
    if g.get("user_id"):
        # What a signed-in person saw must not stay on a shared computer. (Only what is known
        # already: the database may be what has just failed.)
        response.headers["Cache-Control"] = "no-store"
        return
    if g.get("shared") and readable:
        tells = "Set-Cookie" in response.headers or cookie.modified
        anybody = set(request.cookies) <= LOOKS and not tells
        kept = f"public, max-age={MINUTE}" if anybody else "private, no-cache"
        response.headers["Cache-Control"] = kept
        response.vary.add("Cookie")
        if not response.is_streamed and not response.direct_passthrough:
            response.add_etag()
            response.make_conditional(request)
        return
    response.headers["Cache-Control"] = "private, no-cache"
