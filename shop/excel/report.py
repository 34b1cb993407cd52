"""What became of every row, in words that are kept in both languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from catalog.households.rules import Viewer, shown
from kernel.cells import as_text_or_nothing
from kernel.errors import Named, Text
from kernel.speech import say_in
from kernel.text import tidy
from shop.excel.columns import Column, Desk, Kind, Outcome
from shop.excel.reading import ReadRow, Table
from shop.excel.running import RowResult

NOTHING = "—"


@dataclass(frozen=True, slots=True)
class Words:
    """The same in both languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, value: object) -> Words:
        return cls(say_in(value, "zh"), say_in(value, "en"))

    @property
    def named(self) -> Named:
        return Named(self.zh, self.en)


@dataclass(frozen=True, slots=True)
class ChangeTold:
    name: Words
    before: Words
    after: Words


@dataclass(frozen=True, slots=True)
class ProblemTold:
    """`place` is a cell such as C12, or the number of the row."""

    place: str
    name: Words
    sentence: Words


@dataclass(frozen=True, slots=True)
class RowTold:
    number: int
    label: str
    outcome: Outcome
    changes: tuple[ChangeTold, ...]
    problems: tuple[ProblemTold, ...]
    repeats: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Every row of the file, in its order; `notes` say what was left aside."""

    rows: tuple[RowTold, ...]
    notes: tuple[Words, ...]

    def counts(self) -> dict[Outcome, int]:
        return dict.fromkeys(Outcome, 0) | Counter(each.outcome for each in self.rows)

    @property
    def rejected(self) -> int:
        return self.counts()[Outcome.REJECTED]

    def written(self) -> str:
        """For keeping; the same report is always the same text."""
        return json.dumps(asdict(self), ensure_ascii=False, default=_plain, sort_keys=True)


def _plain(value: object) -> str:
    assert isinstance(value, Outcome)
    return str(value.value)


def report_of(kind: Kind, desk: Desk, table: Table, results: Sequence[RowResult]) -> Report:
    raws = {each.row.number: each for each in table.rows}
    return Report(
        tuple(_row(kind, desk, raws[each.number], each) for each in results),
        tuple(Words.of(each) for each in table.notes),
    )


def _row(kind: Kind, desk: Desk, read: ReadRow, result: RowResult) -> RowTold:
    label = [tidy(as_text_or_nothing(read.raw[key])) for key in kind.labels if key in read.raw]
    return RowTold(
        number=result.number,
        label=" ".join(each for each in label if each)[:80],
        outcome=result.outcome,
        changes=tuple(
            ChangeTold(
                Words.of(kind.column(each.key).name),
                _said(kind.column(each.key), each.before, desk),
                _said(kind.column(each.key), each.after, desk),
            )
            for each in result.changes
        ),
        problems=tuple(
            ProblemTold(each.place, _name(kind, each.key), Words.of(each.sentence))
            for each in result.problems
        ),
        repeats=result.repeats,
    )


def _name(kind: Kind, key: str) -> Words:
    found = next((each.name for each in kind.columns if each.key == key), Text("Row"))
    return Words.of(found)


def _said(column: Column, value: Any, desk: Desk) -> Words:
    """As this desk may read it: a preview must not tell a number that the desk may not know."""
    if value is None or value == "":
        return Words(NOTHING, NOTHING)
    words = Words(column.type.said(value, "zh"), column.type.said(value, "en"))
    if column.detail is None or column.key in ("bank", "holder", "proof"):
        return words
    viewer = desk.viewer or Viewer.SUPPLIER
    if not isinstance(value, str):
        return words
    return Words(*(shown(column.detail, each, viewer) for each in (words.zh, words.en)))


def kept_report(text: str) -> Report:
    """What `written` wrote."""
    told = json.loads(text)
    return Report(
        tuple(
            RowTold(
                number=each["number"],
                label=each["label"],
                outcome=Outcome(each["outcome"]),
                changes=tuple(
                    ChangeTold(*(_words(c[key]) for key in ("name", "before", "after")))
                    for c in each["changes"]
                ),
                problems=tuple(
                    ProblemTold(p["place"], _words(p["name"]), _words(p["sentence"]))
                    for p in each["problems"]
                ),
                repeats=each["repeats"],
            )
            for each in told["rows"]
        ),
        tuple(_words(each) for each in told["notes"]),
    )


def _words(told: Mapping[str, str]) -> Words:
    return Words(told["zh"], told["en"])
