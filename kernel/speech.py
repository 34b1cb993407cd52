"""Two languages: Chinese as people here speak it, and complete English.

Each part of the house keeps its own `translations/zh_Hans_CN/<part>.po`; they are merged into one
catalogue whenever one of them is newer. Pages speak through `kernel.web.i18n`; mail and files,
which are written without a page, through `say_in`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from kernel.errors import Named, Text
from kernel.labels import Labelled
from kernel.money import Price
from kernel.periods import SHANGHAI, business_day

CHINESE = "zh_Hans_CN"
LOCALES = {"zh": CHINESE, "en": "en"}
FOLDER = Path(__file__).parent.parent / "translations"
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip


def say_in(value: object, lang: str) -> str:
    """A Text or anything a sentence may hold, in `zh` or `en`, without a page around it."""
    return say(value, _spoken(lang), chinese=lang != "en")


def say(value: object, translations: Any, *, chinese: bool) -> str:
    """The same with these translations."""
    if isinstance(value, Text):
        words: str = translations.ugettext(value.message)
        if not value.values:
            return words
        return words % {
            name: say(each, translations, chinese=chinese) for name, each in value.values.items()
        }
    if isinstance(value, Named):
        return value.zh if chinese else value.en
    if isinstance(value, Labelled):
        return str(translations.upgettext(value.context, value.label))
    if isinstance(value, datetime):
        return moment(value, chinese=chinese)
    if isinstance(value, date):
        return day(value, chinese=chinese)
    if isinstance(value, list | tuple):
        said = (say(each, translations, chinese=chinese) for each in value)
        return ("、" if chinese else ", ").join(said)
    if isinstance(value, Price):
        return f"¥{value.yuan}"
    return str(value)


def day(value: date | datetime, *, chinese: bool) -> str:
    """2026年11月23日 / 23 Nov 2026. An instant is shown as its day in Shanghai."""
    if isinstance(value, datetime):
        value = business_day(value)
    if chinese:
        return f"{value.year}年{value.month}月{value.day}日"
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def moment(value: datetime, *, chinese: bool) -> str:
    """The day and the minute in Shanghai."""
    return f"{day(value, chinese=chinese)} {value.astimezone(SHANGHAI):%H:%M}"


@cache
def _spoken(lang: str) -> NullTranslations:
    if lang == "en":
        return NullTranslations()
    with compile_catalogue(FOLDER / CHINESE).open("rb") as file:
        return Translations(file)


def compile_catalogue(folder: Path) -> Path:
    """`LC_MESSAGES/messages.mo` holds every .po of the folder; rebuilt whole when one is newer."""
    target = folder / "LC_MESSAGES" / "messages.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    sources = sorted(folder.glob("*.po"))
    # The folder's own time changes when a file is taken away.
    newest = max(each.stat().st_mtime_ns for each in [*sources, folder])
    if target.exists() and target.stat().st_mtime_ns >= newest:
        return target
    handle, draft = tempfile.mkstemp(dir=target.parent, suffix=".draft")
    with os.fdopen(handle, "wb") as file:
        write_mo(file, merged_catalogue(sources))
    Path(draft).chmod(0o644)
    Path(draft).replace(target)  # whoever reads meanwhile reads the old one, whole
    return target


def merged_catalogue(sources: list[Path]) -> Catalog:
    """All messages of all files; where two files translate the same words, the first one speaks."""
    merged = Catalog(locale=CHINESE, domain="messages", charset="utf-8")
    for path in sources:
        for message in read_messages(path):
            known = merged.get(first_form(message.id), message.context)
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


def first_form(words: str | tuple[str, ...] | list[str]) -> str:
    """The singular of a message that has several forms."""
    return words if isinstance(words, str) else words[0]
