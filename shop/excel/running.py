"""All rows of a table go through the rooms' operations; each says what became of it.

The rehearsal and the real run are the same function in the same kind of transaction. What differs
is only whether the transaction is kept: a preview cannot promise anything else than what happens.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from kernel.db import attempt
from kernel.errors import Invalid, Refusal, Text
from shop.excel.columns import Change, Desk, Handling, Kind, Outcome, Row
from shop.excel.reading import Problem, ReadRow, Table

Tell = Callable[[int, int], None]
_EVERY = 50


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row; `repeats` is the earlier row that says the same."""

    number: int
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()
    repeats: int | None = None


def run_rows(
    session: Session, kind: Kind, desk: Desk, table: Table, *, now: datetime, tell: Tell
) -> list[RowResult]:
    """One result per row, in the order of the file. A rejected row leaves nothing behind."""
    good = [each.row for each in table.rows if not each.problems]
    running = _Running(kind, kind.handle(session, desk, good, now), session)
    results = []
    # Rows that cannot be read have no order; their place does not matter, they do nothing.
    broken = [each for each in table.rows if each.problems]
    ordered = sorted(
        (each for each in table.rows if not each.problems), key=lambda each: kind.order(each.row)
    )
    ordered += broken
    for place, each in enumerate(ordered):
        if place % _EVERY == 0:
            tell(place, len(ordered))
        results.append(running.result_of(each))
    session.flush()
    tell(len(ordered), len(ordered))
    return sorted(results, key=lambda each: each.number)


class _Running:
    """What earlier rows of the file have said."""

    def __init__(self, kind: Kind, handling: Handling, session: Session) -> None:
        self._kind, self._handling, self._session = kind, handling, session
        self._whole: dict[Hashable, tuple[int, Outcome]] = {}
        self._told: dict[tuple[Hashable, str], tuple[int, Any]] = {}

    def result_of(self, read: ReadRow) -> RowResult:
        row = read.row
        if read.problems:
            return RowResult(row.number, Outcome.REJECTED, problems=read.problems)
        whole = tuple(sorted((key, repr(value)) for key, value in row.values.items()))
        if whole in self._whole:
            return self._repeated(row, *self._whole[whole])
        subjects = self._handling.subjects(row)
        if contradictions := self._contradictions(row, subjects):
            return RowResult(row.number, Outcome.REJECTED, problems=contradictions)
        try:
            with attempt(self._session):
                done = self._handling.apply(row)
                self._session.flush()
        except Refusal as refusal:
            result = RowResult(row.number, Outcome.REJECTED, problems=self._placed(row, refusal))
        else:
            result = RowResult(row.number, done.outcome, done.changes)
            for subject, keys in subjects:
                for key in keys:
                    if key in row.values:
                        self._told.setdefault((subject, key), (row.number, row.values[key]))
        self._whole[whole] = (row.number, result.outcome)
        return result

    def _repeated(self, row: Row, earlier: int, outcome: Outcome) -> RowResult:
        """The very same row again: nothing new, unless it may have happened twice."""
        if outcome is Outcome.REJECTED or self._kind.events:
            sentence = Text("This is the same as row %(row)s.", row=earlier)
            if self._kind.events:
                sentence = Text(
                    "This is the same as row %(row)s. "
                    "If it happened twice, give both of them their numbers.",
                    row=earlier,
                )
            problem = Problem(_row_place(row), sentence)
            return RowResult(row.number, Outcome.REJECTED, problems=(problem,), repeats=earlier)
        return RowResult(row.number, Outcome.UNCHANGED, repeats=earlier)

    def _contradictions(
        self, row: Row, subjects: list[tuple[Hashable, tuple[str, ...]]]
    ) -> tuple[Problem, ...]:
        found = []
        for subject, keys in subjects:
            for key in keys:
                told = self._told.get((subject, key))
                if told and key in row.values and told[1] != row.values[key]:
                    column = self._kind.column(key)
                    found.append(
                        Problem(
                            row.places[key],
                            Text(
                                "Row %(row)s of this file says %(value)s.",
                                row=told[0],
                                value=column.type.said(told[1], "zh"),
                            ),
                            key,
                        )
                    )
        return tuple(found)

    def _placed(self, row: Row, refusal: Refusal) -> tuple[Problem, ...]:
        if isinstance(refusal, Invalid):
            found = []
            for name, sentence in refusal.errors.items():
                key = self._kind.fields.get(name, name)
                found.append(Problem(row.places.get(key, _row_place(row)), sentence, key))
            return tuple(found)
        sentences = (refusal.sentence, *refusal.reasons)
        return tuple(Problem(_row_place(row), each) for each in sentences)


def _row_place(row: Row) -> str:
    return str(row.number)
