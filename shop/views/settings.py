"""How a visitor likes to read: language, size of the letters, light or dark. Kept in cookies, and
with the account of whoever is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request

from kernel.errors import Missing
from kernel.people import TextSize
from kernel.signing_in import keep_reading_settings
from kernel.speech import LOCALES
from kernel.web import i18n
from kernel.web.access import actor, public, signed_in
from kernel.web.addresses import own_address
from kernel.web.keeping import from_shared_pages
from kernel.web.work import now, services, transaction

bp = Blueprint("settings", __name__)

YEAR = 365 * 24 * 3600
THEMES = ("auto", "light", "dark")


@bp.get("/lang/<lang>")
@public
def language(lang: str) -> Response:
    """Speak this language from now on and go back to where the visitor was."""
    if lang not in LOCALES:
        raise Missing("We do not speak this language.")
    return _back(i18n.COOKIE, lang)


@bp.post("/settings/language")
@signed_in
def account_language() -> Response:
    """Speak this language on every browser that was told nothing else."""
    lang = _one_of("lang", list(LOCALES))
    _keep(locale=lang)
    return _back(i18n.COOKIE, lang)


@bp.post("/settings/text-size")
@from_shared_pages
@public
def text_size() -> Response:
    """Larger letters (长辈版), also at the next sign-in from elsewhere."""
    size = _one_of("text_size", [each.value for each in TextSize])
    if actor().user_id is not None:
        _keep(text_size=TextSize(size))
    return _back("text_size", size)


@bp.post("/settings/theme")
@public
def theme() -> Response:
    return _back("theme", _one_of("theme", list(THEMES)))


def _one_of(name: str, values: list[str]) -> str:
    value = request.form.get(name, "")
    if value not in values:
        raise Missing("Please choose one.")
    return value


def _keep(*, locale: str | None = None, text_size: TextSize | None = None) -> None:
    by = actor()
    with transaction() as work:
        keep_reading_settings(work, locale=locale, text_size=text_size, by=by, now=now())


def _back(cookie: str, value: str) -> Response:
    wanted = request.values.get("next") or request.referrer
    response: Response = redirect(own_address(wanted), code=303)  # type: ignore[assignment]
    response.set_cookie(
        cookie, value, max_age=YEAR, httponly=True, samesite="Lax",
        secure=services().config.production,
    )  # fmt: skip
    return response
