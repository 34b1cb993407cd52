"""The roof: puts the rooms together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, request
from flask_login import current_user
from jinja2 import StrictUndefined
from werkzeug.datastructures import MultiDict

import kernel.web.drawing
import kernel.web.failures
import kernel.web.filters
import kernel.web.i18n
import kernel.web.limits
import kernel.web.observing
import kernel.web.openid
import kernel.web.security
import kernel.web.sign_in
import shop.commands
import shop.navigation
import shop.work  # registers what the worker can do
from config import Config
from kernel import crypto
from kernel.actors import Role
from kernel.db import Database
from kernel.mailer import Mailer
from kernel.people import TextSize
from kernel.services import Services
from kernel.storage import Storage
from kernel.web.access import acting
from kernel.web.addresses import public_address, static_url
from kernel.web.once import form_guard
from kernel.web.work import close_reading, now, today
from shop.doors import BLUEPRINTS
from shop.views.settings import THEMES

TEXT_SIZES = tuple(each.value for each in TextSize)


def create_app(
    config: Config,
    *,
    database: Database | None = None,
    clock: Callable[[], datetime] | None = None,
    data_dir: Path | None = None,
) -> Flask:
    """The whole house. Tests give it their own database, clock and folder."""
    crypto.use_key(config.field_key)
    folder = data_dir or config.data_dir
    app = Flask("shop", root_path=str(config.root), static_folder="static")
    app.extensions["services"] = Services(
        config=config,
        database=database or Database(config.database_url, config.replica_url),
        storage=Storage(folder / "files"),
        mailer=Mailer(config.smtp_url, config.mail_from, folder / "mail"),
        clock=clock or (lambda: datetime.now(UTC)),
    )
    app.teardown_appcontext(close_reading)
    kernel.web.observing.init_app(app)
    kernel.web.i18n.init_app(app, config.root)
    kernel.web.sign_in.init_app(app)
    kernel.web.openid.init_app(app, config)
    kernel.web.security.init_app(app, config)
    kernel.web.limits.init_app(app, config)
    kernel.web.failures.init_app(app)
    _dress(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    shop.commands.register(app)
    return app


def _dress(app: Flask) -> None:
    """What every template can use."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        Role=Role,
        form_guard=form_guard,
        now=now,
        public_address=public_address,
        static_url=static_url,
        today=today,
    )
    kernel.web.filters.init_app(app)
    kernel.web.drawing.init_app(app)
    shop.navigation.init_app(app)
    app.context_processor(_reader)


def _reader() -> dict[str, object]:
    """Who reads, in which language, size and colours; empty forms are simply empty."""
    lang = kernel.web.i18n.chosen_language()
    kept = current_user.text_size.value if current_user.is_authenticated else "normal"
    return {
        "acting": acting(),
        "errors": {},
        "form": MultiDict(),
        "html_lang": "zh-Hans" if lang == "zh" else "en",
        "lang": lang,
        "text_size": _chosen("text_size", TEXT_SIZES, kept),
        "theme": _chosen("theme", THEMES, "auto"),
    }


def _chosen(cookie: str, values: tuple[str, ...], otherwise: str) -> str:
    """What this browser was told, else what is kept."""
    value = request.cookies.get(cookie)
    return value if value in values else otherwise
