"""Every sentence the house can say, and which of them have no Chinese yet.

`python -m shop.phrases` prints what is missing; `tests/house` demands that nothing is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from babel.messages.extract import extract_from_file

import shop.app  # noqa: F401  loads every enum and every refusal
from config import ROOT
from kernel.errors import Refusal
from kernel.labels import Labelled
from kernel.speech import CHINESE, first_form, read_messages

ROOMS = ("kernel", "catalog", "orders", "shop")
T = TypeVar("T")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """An English sentence, with the class name as context if it is the label of an enum."""

    words: str
    context: str | None
    where: str


def phrases() -> list[Phrase]:
    """All that is said in code, in templates and by labels, each once."""
    found: dict[tuple[str, str | None], Phrase] = {}
    for phrase in (*_in_code(), *_in_templates(), *_labels()):
        found.setdefault((phrase.words, phrase.context), phrase)
    return list(found.values())


def missing_translations() -> list[str]:
    """Sentences without Chinese."""
    known = {
        (first_form(message.id), message.context)
        for path in sources()
        for message in read_messages(path)
        if message.string and all(message.string if isinstance(message.string, tuple) else ("x",))
    }
    return [
        f"{each.where}: {f'[{each.context}] ' if each.context else ''}{each.words}"
        for each in phrases()
        if (each.words, each.context) not in known
    ]


def broken_translations() -> list[str]:
    """Chinese whose place-holders differ from the English, or that two files say differently."""
    wrong: list[str] = []
    said: dict[tuple[str, str | None], tuple[str, str]] = {}
    for path in sources():
        for message in read_messages(path, strict=True):
            if not message.string:
                continue
            words, chinese = first_form(message.id), first_form(message.string)
            english = words if isinstance(message.id, str) else " ".join(message.id)
            if set(PLACEHOLDER.findall(chinese)) - set(PLACEHOLDER.findall(english)):
                wrong.append(f"{path.name}: place-holders of {words!r}")
            before = said.setdefault((words, message.context), (path.name, chinese))
            if before[1] != chinese:
                wrong.append(f"{path.name} and {before[0]} translate {words!r} differently")
    return wrong


def sources() -> list[Path]:
    return sorted((ROOT / "translations" / CHINESE).glob("*.po"))


def _in_code() -> Iterator[Phrase]:
    # Invalid takes field names, not a sentence; those are Texts of their own.
    kinds: list[type[Refusal]] = [Refusal, *_subclasses(Refusal)]
    refusals: dict[str, Any] = {each.__name__: None for each in kinds}
    refusals.pop("Invalid")
    keywords: dict[str, Any] = {
        "_": None, "gettext": None, "Text": None, "ngettext": (1, 2),
        "pgettext": ((1, "c"), 2), **refusals,
    }  # fmt: skip
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from _extracted("python", path, keywords)


def _in_templates() -> Iterator[Phrase]:
    keywords: dict[str, Any] = {
        "_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2),
    }  # fmt: skip
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.suffix in (".html", ".txt", ".svg"):
            yield from _extracted("jinja2", path, keywords)


def _extracted(method: str, path: Path, keywords: dict[str, Any]) -> Iterator[Phrase]:
    for line, words, _comments, context in extract_from_file(
        method, path, keywords=keywords, options={"encoding": "utf-8", "silent": "false"}
    ):
        yield Phrase(first_form(words), context, f"{path.relative_to(ROOT)}:{line}")


def _labels() -> Iterator[Phrase]:
    for kind in _subclasses(Labelled):
        if kind.__module__.startswith(ROOMS):
            for member in kind:
                yield Phrase(member.label, kind.__name__, kind.__module__)


def _subclasses(kind: type[T]) -> list[type[T]]:
    found: list[type[T]] = []
    for each in kind.__subclasses__():
        found += [each, *_subclasses(each)]
    return sorted(found, key=lambda each: each.__name__)


if __name__ == "__main__":
    problems = [*missing_translations(), *broken_translations()]
    print("\n".join(problems))
    sys.exit(bool(problems))
