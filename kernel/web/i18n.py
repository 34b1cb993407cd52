"""Two languages: Chinese as people here speak it, and complete English.

Each part of the house keeps its own `translations/zh_Hans_CN/<part>.po`; they are merged into one
catalogue whenever one of them is newer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, request
from flask_babel import Babel, get_locale, get_translations, pgettext
from flask_login import current_user

from kernel.errors import Text
from kernel.labels import Labelled
from kernel.money import Price
from kernel.periods import SHANGHAI, business_day

CHINESE = "zh_Hans_CN"
LOCALES = {"zh": CHINESE, "en": "en"}
COOKIE = "lang"

babel = Babel()


def init_app(app: Flask, root: Path) -> None:
    translations = root / "translations"
    compile_catalogue(translations / CHINESE)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(translations)
    babel.init_app(
        app,
        default_locale=CHINESE,
        default_timezone="Asia/Shanghai",
        locale_selector=lambda: LOCALES[chosen_language()],
    )


def chosen_language() -> str:
    """What the visitor chose on this browser, else what is kept with the account, else Chinese."""
    cookie = request.cookies.get(COOKIE)
    if cookie in LOCALES:
        return cookie
    kept = current_user.locale if current_user.is_authenticated else "zh"
    return kept if kept in LOCALES else "zh"


def in_chinese() -> bool:
    """Whether the page speaks Chinese; also true outside a request."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def say(value: object) -> str:
    """Anything a sentence may hold, in the reader's language."""
    if isinstance(value, Text):
        translated = get_translations().ugettext(value.message)
        if not value.values:
            return translated
        return translated % {name: say(each) for name, each in value.values.items()}
    if isinstance(value, Labelled):
        return pgettext(value.context, value.label)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, list | tuple):
        return ("、" if in_chinese() else ", ").join(say(each) for each in value)
    if isinstance(value, Price):
        return f"¥{value.yuan}"
    return str(value)


def day(value: date | datetime) -> str:
    """2026年11月23日 / 23 Nov 2026. An instant is shown as its day in Shanghai."""
    if isinstance(value, datetime):
        value = business_day(value)
    if in_chinese():
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime) -> str:
    """The day and the minute in Shanghai."""
    return f"{day(value)} {value.astimezone(SHANGHAI):%H:%M}"


_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def compile_catalogue(folder: Path) -> Path:
    """`LC_MESSAGES/messages.mo` holds every .po of the folder; rebuilt whole when one is newer."""
    target = folder / "LC_MESSAGES" / "messages.mo"
    sources = sorted(folder.glob("*.po"))
    # The folder's own time changes when a file is taken away.
    newest = max((each.stat().st_mtime_ns for each in [*sources, folder]), default=0)
    if target.exists() and target.stat().st_mtime_ns >= newest:
        return target
    target.parent.mkdir(exist_ok=True)
    merged = merged_catalogue(sources)
    handle, draft = tempfile.mkstemp(dir=target.parent, suffix=".draft")
    with os.fdopen(handle, "wb") as file:
        write_mo(file, merged)
    Path(draft).chmod(0o644)
    Path(draft).replace(target)  # whoever reads meanwhile reads the old one, whole
    return target


def merged_catalogue(sources: list[Path]) -> Catalog:
    """All messages of all files; where two files translate the same words, the first one speaks."""
    merged = Catalog(locale=CHINESE, domain="messages", charset="utf-8")
    for path in sources:
        for message in read_messages(path):
            known = merged.get(_first(message.id), message.context)
            if known is None or not known.string:
                merged.add(message.id, message.string, context=message.context)
    return merged


def read_messages(path: Path, *, strict: bool = False) -> Iterator[Message]:
    """The finished messages of one file, its header left out."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=CHINESE, abort_invalid=strict)
    for message in catalogue:
        if message.id and "fuzzy" not in message.flags:
            yield message


def _first(words: str | tuple[str, ...] | list[str]) -> str:
    return words if isinstance(words, str) else words[0]
