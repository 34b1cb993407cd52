"""In which language this page speaks (`kernel.speech` knows how)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, g, has_request_context, request
from flask_babel import Babel, get_locale, get_translations
from flask_login import current_user

from kernel import speech
from kernel.speech import CHINESE, LOCALES, compile_catalogue

COOKIE = "lang"

babel = Babel()


def init_app(app: Flask, root: Path) -> None:
    folder = root / "translations"
    compile_catalogue(folder / CHINESE)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(folder)
    babel.init_app(
        app,
        default_locale=CHINESE,
        default_timezone="Asia/Shanghai",
        locale_selector=lambda: LOCALES[chosen_language()],
    )
    # A page says a hundred sentences: whose words they are is asked once.
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _words().ugettext(text),
        ngettext=lambda one, many, n: _words().ungettext(one, many, n),
        newstyle=True,
        pgettext=lambda context, text: _words().upgettext(context, text),
        npgettext=lambda context, one, many, n: _words().unpgettext(context, one, many, n),
    )


def _words() -> Any:
    """The catalogue of this request's language."""
    if not has_request_context():
        return get_translations()
    if "words" not in g:
        g.words = get_translations()
    return g.words


def chosen_language() -> str:
    """What the visitor chose on this browser, else what is kept with the account, else Chinese."""
    if not has_request_context():
        return "zh"  # a command at the terminal
    cookie = request.cookies.get(COOKIE)
    if cookie in LOCALES:
        return cookie
    kept: str = current_user.locale if current_user.is_authenticated else "zh"
    return kept if kept in LOCALES else "zh"


def in_chinese() -> bool:
    """Whether the page speaks Chinese; also true outside a request."""
    if not has_request_context():
        return True
    if "in_chinese" not in g:
        g.in_chinese = get_locale().language == "zh"
    chinese: bool = g.in_chinese
    return chinese


def say(value: object) -> str:
    """Anything a sentence may hold, in the reader's language."""
    return speech.say(value, _words(), chinese=in_chinese())


def day(value: date | datetime) -> str:
    """2026年11月23日 / 23 Nov 2026"""
    return speech.day(value, chinese=in_chinese())


def moment(value: datetime) -> str:
    """The day and the minute in Shanghai."""
    return speech.moment(value, chinese=in_chinese())
