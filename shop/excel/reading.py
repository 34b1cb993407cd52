"""A file → typed rows of one kind, with every cell that could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kernel.cells import Raw, Unreadable, as_text_or_nothing, is_empty
from kernel.errors import Invalid, Text
from kernel.sheets import address, read_grid
from kernel.text import tidy
from shop.excel.columns import Column, Desk, Kind, Row
from shop.excel.heading import Found, Heading, find_heading

EXAMPLE = "示例"
_NOT_ROWS = ("合计", "总计", "小计", "制表", "填表", "审核", "注:", "注：", "说明", "total")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at which place: `C12`, or the row when no cell is to blame."""

    place: str
    sentence: Text
    key: str = ""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """A row with what is wrong with its cells; `raw` is as it was typed, by column."""

    row: Row
    problems: tuple[Problem, ...]
    raw: dict[str, Raw]


@dataclass(frozen=True, slots=True)
class Table:
    """All rows of a file, in its order, and what of the file was left aside."""

    rows: list[ReadRow]
    columns: tuple[Column, ...]
    units: tuple[str, ...]
    notes: list[Text]


def read_table(kind: Kind, desk: Desk, content: bytes) -> Table:
    """Raises Invalid (`file`) when the file as a whole is of no use."""
    grid = read_grid(content)
    wanted = [each for each in kind.columns if desk.sees(each)]
    heading = find_heading(grid.rows, wanted)
    rows: list[ReadRow] = []
    left_out: list[str] = []
    for index in range(heading.first, len(grid.rows)):
        cells = grid.rows[index]
        raw = {each.column.key: cells[each.index] for each in heading.found}
        if all(is_empty(cell) for cell in raw.values()):
            continue
        if _is_no_row(cells, heading) or _is_example(kind, raw):
            left_out.append(str(index + 1))
            continue
        rows.append(_read_row(index, heading.found, raw))
    if not rows:
        raise Invalid({"file": Text("There is nothing below the headings.")})
    notes = list(grid.notes)
    if heading.unused:
        notes.append(Text("Not used: the columns %(names)s.", names=list(heading.unused[:20])))
    if left_out:
        notes.append(
            Text("Left aside as sums, remarks or the example: rows %(rows)s.", rows=left_out[:20])
        )
    return Table(
        rows,
        tuple(each.column for each in heading.found),
        tuple(_unit(each) for each in heading.found),
        notes,
    )


def _unit(found: Found) -> str:
    """The unit of the heading as it was written; a price's is `元/斤`."""
    if found.unit and found.column.unit.startswith("元/"):
        return f"元/{found.unit}"
    return found.unit


def _is_no_row(cells: Sequence[Raw], heading: Heading) -> bool:
    """A sum or remark below the table, or the headings once more on the next printed page."""
    texts = [as_text_or_nothing(cell) for cell in cells]
    first = next((text for text in texts if text), "").lower().replace(" ", "")
    if first.startswith(_NOT_ROWS):
        return True
    again = sum(
        texts[each.index].replace(" ", "").startswith((each.column.zh, each.column.en))
        for each in heading.found
    )
    return again >= max(2, len(heading.found) - 1)


def _is_example(kind: Kind, raw: dict[str, Raw]) -> bool:
    """The example row of our own form, as it was printed there; it says so in a cell of its own,
    so that no real row is ever taken for it."""
    told = {each.key: each.example for each in kind.columns if each.key in raw and each.example}
    marked = any(example.startswith(EXAMPLE) for example in told.values())
    return marked and all(tidy(as_text_or_nothing(raw[key])) == told[key] for key in told)


def _read_row(index: int, found: Sequence[Found], raw: dict[str, Raw]) -> ReadRow:
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for each in found:
        key = each.column.key
        places[key] = address(index, each.index)
        if is_empty(raw[key]):
            if each.column.required:
                problems.append(
                    Problem(
                        places[key],
                        Text("%(name)s is missing.", name=each.column.name),
                        key,
                    )
                )
            continue
        try:
            values[key] = each.column.type.read(raw[key], each.unit)
        except Unreadable as unreadable:
            problems.append(Problem(places[key], unreadable.sentence, key))
    return ReadRow(Row(index + 1, values, places), tuple(problems), raw)
