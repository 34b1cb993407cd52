"""What a browser is told about our pages, and what may come in at all.

The policy allows scripts and stylesheets of our own only (or with this request's nonce) and no
`style=` attributes: drawings and charts are positioned by SVG presentation attributes
(`x`, `width`, `points`, …), which are not inline style, and coloured by classes.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from config import Config
from kernel.web import keeping
from kernel.web.keeping import Guard

csrf = Guard()

STRIPE_CHECKOUT = "https://checkout.stripe.com"


class Key(IntegerConverter):
    """`<int:…>` in an address: never more than a database's whole number can hold."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        kwargs.setdefault("max", 2**63 - 1)
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]


def init_app(app: Flask, config: Config) -> None:
    app.secret_key = config.secret_key
    app.config.update(
        SESSION_COOKIE_NAME="sutian",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A basket is remembered so long; a sign-in ends by its own row, not by the cookie.
        PERMANENT_SESSION_LIFETIME=timedelta(days=90),
        SESSION_COOKIE_SECURE=config.production,
        MAX_CONTENT_LENGTH=12 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,
        MAX_FORM_PARTS=5_000,  # a grid of 200 lines with every field it may have
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=config.production,
    )
    app.url_map.converters["int"] = Key
    csrf.init_app(app)
    keeping.init_app(app)
    app.before_request(_refuse_what_no_text_holds)
    app.after_request(_Headers(config))
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    if config.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=config.proxies, x_proto=config.proxies, x_host=config.proxies
        )


def csp_nonce() -> str:
    """This request's nonce, for `<script nonce>` and `<style nonce>`."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def _refuse_what_no_text_holds() -> None:
    """A NUL character is in no name, code or search, and PostgreSQL cannot store it."""
    if "\x00" in request.path or any("\x00" in value for value in request.args.values()):
        abort(400)


class _Headers:
    """Sets the security headers of every answer."""

    def __init__(self, config: Config) -> None:
        # A browser holds redirects after a form to `form-action` too: the payment page is named.
        targets = ["'self'", STRIPE_CHECKOUT]
        if config.stripe_api_base:
            sandbox = urlsplit(config.stripe_api_base)
            targets.append(f"{sandbox.scheme}://{sandbox.netloc}")
        self._form_action = " ".join(targets)
        self._production = config.production

    def __call__(self, response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", self._policy())
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(self), geolocation=(), microphone=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        if self._production:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        _say_how_long_to_keep(response)
        return response

    def _policy(self) -> str:
        nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
        return (
            f"default-src 'none'; script-src 'self'{nonce}; style-src 'self'{nonce}; "
            "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self'; "
            "manifest-src 'self'; worker-src 'self'; "
            f"form-action {self._form_action}; base-uri 'none'; frame-ancestors 'none'; "
            "object-src 'none'"
        )


def _say_how_long_to_keep(response: Response) -> None:
    if request.endpoint == "static":
        if request.args.get("v") and response.status_code in (200, 304):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return
    keeping.mark(response)
