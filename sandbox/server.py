"""The provider as one WSGI application."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from sandbox import api, openid, pages
from sandbox.provider import Provider
from sandbox.store import Store
from sandbox.webhooks import Sender


def create_sandbox(
    public_url: str, webhooks: list[tuple[str, str]] | None = None, file: Path | None = None
) -> Flask:
    """`webhooks` are (address, secret); without a file everything is forgotten at the end."""
    app = Flask("sandbox", root_path=str(Path(__file__).parent))
    store = Store(file)
    sender = Sender(store, list(webhooks or []))
    app.extensions["provider"] = Provider(store, sender, public_url.rstrip("/"))
    app.extensions["openid_provider"] = openid.OpenID(public_url.rstrip("/"))
    app.register_blueprint(api.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(openid.bp)
    return app
