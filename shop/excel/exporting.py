"""Rows go out in the same columns in which they come in; empty forms; rejected rows to correct."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from catalog.households.rules import Display, Viewer, display
from kernel import audit
from kernel.actors import Actor
from kernel.cells import Broken, Out, Raw, as_text_or_nothing
from kernel.errors import Text
from kernel.sheet_writing import Heading, csv_lines, write_xlsx
from kernel.speech import say_in
from shop.excel.columns import Column, Desk, Kind
from shop.excel.reading import Table
from shop.excel.report import Report

REASON = Text("Reason")
_FORM_ROWS = 1000
_IN_CLEAR = (Display.FULL, Display.GROUP, Display.VILLAGE)


def columns_out(kind: Kind, viewer: Viewer | None) -> list[Column]:
    """What may leave in a file: never more than its reader may read in clear (domain.md §5.5).

    A masked number is of no use in a table, so its column is not there at all.
    """
    return [
        each
        for each in kind.columns
        if each.detail is None or (viewer and display(each.detail, viewer) in _IN_CLEAR)
    ]


def columns_in(kind: Kind, desk: Desk) -> list[Column]:
    """What the empty form asks for at this desk."""
    wanted = [each for each in kind.columns if desk.sees(each) and not each.told_only]
    own = desk.supplier is not None
    return [each for each in wanted if not (own and each.key == "supplier")]


def note_export(
    session: Session, kind: Kind, columns: Sequence[Column], *, by: Actor, now: datetime
) -> None:
    """Who took which table out of the house, with which columns (G21)."""
    keys = [each.key for each in columns]
    subject = f"organisation:{by.organisation_id}"
    audit.note(session, f"export_{kind.key}", subject, by=by, now=now, columns=keys)


def export_rows(
    session: Session, kind: Kind, desk: Desk, columns: Sequence[Column], *, lang: str, now: datetime
) -> Iterator[list[Out | None]]:
    """One after the other; the whole table is never in memory."""
    for row in kind.export(session, desk, now):
        yield [_out(each, row.get(each.key), lang) for each in columns]


def _out(column: Column, value: Any, lang: str) -> Out | None:
    if value is None or value == "" or value == []:
        return None
    return column.type.write(value, lang)


def headings(columns: Iterable[Column], lang: str, *, form: bool = False) -> list[Heading]:
    return [
        Heading(
            words=each.heading(lang) + ("*" if form and each.required else ""),
            width=max(each.type.width, 2 * len(each.heading(lang)) if lang == "zh" else 0),
            number_format=each.type.number_format,
            required=form and each.required,
            choices=tuple(each.type.choices(lang)) if form else (),
            note=say_in(each.note, lang) if form and each.note else "",
        )
        for each in columns
    ]


def write_export(
    path: Path,
    session: Session,
    kind: Kind,
    desk: Desk,
    columns: Sequence[Column],
    *,
    mark: str,
    lang: str,
    now: datetime,
) -> None:
    """An .xlsx with the mark of whoever took it, on the page and on every print."""
    rows = export_rows(session, kind, desk, columns, lang=lang, now=now)
    write_xlsx(path, say_in(kind.title, lang)[:31], mark, headings(columns, lang), rows)


def export_csv(
    session: Session,
    kind: Kind,
    desk: Desk,
    columns: Sequence[Column],
    *,
    mark: str,
    lang: str,
    now: datetime,
) -> Iterator[bytes]:
    rows = export_rows(session, kind, desk, columns, lang=lang, now=now)
    return csv_lines(mark, headings(columns, lang), rows)


def write_form(path: Path, kind: Kind, columns: Sequence[Column], *, lang: str) -> None:
    """The empty form: drop-downs, remarks, and an example that is never taken in."""
    title = say_in(
        Text(
            "%(title)s. Red columns must be filled in. The grey row is an example and is not "
            "taken in.",
            title=kind.title,
        ),
        lang,
    )
    write_xlsx(
        path, say_in(kind.title, lang)[:31], title, headings(columns, lang, form=True), (),
        example=[each.example for each in columns], spare_rows=_FORM_ROWS,
    )  # fmt: skip


def write_rejected(path: Path, kind: Kind, table: Table, report: Report, *, lang: str) -> None:
    """The rejected rows as they were typed, each with its reasons, to be corrected and sent."""
    raws = {each.row.number: each.raw for each in table.rows}
    reasons = {
        each.number: "\n".join(
            f"{problem.place} {getattr(problem.name, lang)}: {getattr(problem.sentence, lang)}"
            for problem in each.problems
        )
        for each in report.rows
        if each.problems
    }
    title = say_in(Text("Correct these rows and bring the file in again."), lang)
    write_xlsx(
        path,
        say_in(kind.title, lang)[:31],
        title,
        [Heading(say_in(REASON, lang), 48), *_typed_headings(table, lang)],
        (
            [reason, *(_typed(raws[number].get(each.key)) for each in table.columns)]
            for number, reason in reasons.items()
        ),
    )


def _typed_headings(table: Table, lang: str) -> list[Heading]:
    """With the unit that the file had: the cells below are as they were typed."""
    return [
        Heading(f"{each.en if lang == 'en' else each.zh}" + (f"({unit})" if unit else ""), 16)
        for each, unit in zip(table.columns, table.units, strict=True)
    ]


def _typed(raw: Raw) -> str:
    if isinstance(raw, Broken):
        return raw.error
    return raw if isinstance(raw, str) else as_text_or_nothing(raw)
