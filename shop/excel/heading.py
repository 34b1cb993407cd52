"""Where the headings of a table stand, and which column each of them means. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.cells import Raw, as_text_or_nothing
from kernel.errors import Invalid, Text
from kernel.sheets import letters
from kernel.text import plain_number
from shop.excel.columns import Column

# Titles, units and explanations stand above; nobody writes more than this before the table.
_LOOKED_AT = 30
_UNITS = (
    "公斤", "千克", "kg", "斤", "吨", "克", "两", "g", "t", "亩", "mu", "公顷", "平方米", "m2",
)  # fmt: skip
_PRICED = tuple(f"元/{each}" for each in ("公斤", "千克", "kg", "斤", "吨"))
# Columns that everybody has and nothing needs.
IGNORED = {"序号", "编号", "no", "no.", "原因", "reason", "备注", "note", "签字", "签名"}


@dataclass(frozen=True, slots=True)
class Found:
    column: Column
    index: int
    unit: str


@dataclass(frozen=True, slots=True)
class Heading:
    """`first` is the index of the first row below the headings."""

    first: int
    found: tuple[Found, ...]
    unused: tuple[str, ...]


def find_heading(rows: Sequence[Sequence[Raw]], columns: Sequence[Column]) -> Heading:
    """Raises Invalid (`file`) when there is no row of headings, or when it lacks what must be."""
    names = _names(columns)
    best: list[Found] = []
    best_texts: list[str] = []
    first = 0
    for index in range(min(len(rows), _LOOKED_AT)):
        one = [as_text_or_nothing(cell) for cell in rows[index]]
        candidates = [(one, index + 1)]
        if index + 1 < len(rows):
            below = [as_text_or_nothing(cell) for cell in rows[index + 1]]
            candidates.append((_two_rows(one, below, names), index + 2))
        for texts, after in candidates:
            found = _meant(texts, names)
            if len({each.column.key for each in found}) > len({each.column.key for each in best}):
                best, best_texts, first = found, texts, after
    _check(best, columns)
    used = {each.index for each in best}
    unused = tuple(
        text
        for index, text in enumerate(best_texts)
        if text and index not in used and _plain(text)[0] not in IGNORED
    )
    return Heading(first, tuple(best), unused)


def _check(found: Sequence[Found], columns: Sequence[Column]) -> None:
    keys = [each.column.key for each in found]
    needed = [each for each in columns if each.required]
    if len(set(keys)) < min(2, len(columns)):
        raise Invalid(
            {
                "file": Text(
                    "No row of headings was found. It must name columns such as %(names)s.",
                    names=[each.name for each in (needed or columns)[:4]],
                )
            }
        )
    for each in found:
        twice = [other for other in found if other.column is each.column]
        if len(twice) > 1:
            raise Invalid(
                {
                    "file": Text(
                        "Columns %(places)s all say %(name)s. Keep one of them.",
                        places=[letters(other.index) for other in twice],
                        name=each.column.name,
                    )
                }
            )
    missing = [each.name for each in needed if each.key not in keys]
    if missing:
        raise Invalid({"file": Text("These columns are missing: %(names)s.", names=missing)})


def _two_rows(upper: list[str], lower: list[str], names: dict[str, Column]) -> list[str]:
    """Headings over two rows: the lower one names the column, else the upper one, else both."""
    joined = []
    for index, above in enumerate(upper):
        below = lower[index] if index < len(lower) else ""
        if _names_column(below, names):
            joined.append(below)
        elif _names_column(above, names) and (not below or below == above or _is_unit(below)):
            unit = f"({below})" if below and below != above else ""
            joined.append(above + unit)
        else:
            joined.append(above + below)
    return joined


def _names_column(text: str, names: dict[str, Column]) -> bool:
    return _whole(text) in names or _plain(text)[0] in names


def _is_unit(text: str) -> bool:
    return plain_number(text).strip("()").lower() in (*_UNITS, *_PRICED, "元", "%")


def _meant(texts: Sequence[str], names: dict[str, Column]) -> list[Found]:
    found = []
    for index, text in enumerate(texts):
        name, unit = _plain(text)
        # `Storage (English)` is a name; `毛重(公斤)` is a name with its unit.
        column = names.get(_whole(text)) or names.get(name)
        if column is not None and not column.told_only:
            found.append(Found(column, index, unit))
    return found


def _names(columns: Sequence[Column]) -> dict[str, Column]:
    return {
        _whole(word): column for column in columns for word in (column.zh, column.en, *column.also)
    }


def _whole(heading: str) -> str:
    return plain_number(heading).lower().strip("*:：")


def _plain(heading: str) -> tuple[str, str]:
    """`毛 重（公斤）*` → ("毛重", "公斤"): the bare name, and the unit if one is said."""
    text = _whole(heading)
    unit = ""
    bracket = re.fullmatch(r"(.+?)[(\[【](.*?)[)\]】]\*?", text)
    if bracket:
        text, inside = bracket[1], bracket[2]
        unit = _unit_in(inside)
    else:
        for each in (*_PRICED, *_UNITS):
            if text.endswith((f"/{each}", f"_{each}")) or (
                text.endswith(each) and len(text) > len(each) and not each.isascii()
            ):
                bare = text.removesuffix(each).rstrip("/_")
                if bare:
                    text, unit = bare, _unit_in(each)
                break
    return text.strip("*:："), unit


def _unit_in(text: str) -> str:
    text = text.replace("每", "元/") if text.startswith("每") else text
    for each in _PRICED:
        if each in text:
            return each.partition("/")[2]
    for each in _UNITS:
        if text in (each, f"单位:{each}"):
            return each
    return ""
