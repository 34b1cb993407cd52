"""Tables as .xlsx and .csv for other people's programs: codes stay text, days are days."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from kernel.cells import Out


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a written table. `choices` become a drop-down, `note` a remark at the cell."""

    words: str
    width: int = 14
    number_format: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    note: str = ""


def write_xlsx(
    path: Path,
    sheet: str,
    title: str,
    headings: Sequence[Heading],
    rows: Iterable[Sequence[Out | None]],
    *,
    example: Sequence[str] = (),
    spare_rows: int = 0,
) -> None:
    """Row by row, whatever their number. `title` stands above the headings: whose table, since
    when; an `example` is set in grey below them, above `spare_rows` with their drop-downs."""
    book = xlsxwriter.Workbook(
        str(path),
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    page = book.add_worksheet(sheet)
    formats = [
        book.add_format({"num_format": each.number_format or "@", "valign": "top"})
        for each in headings
    ]
    head = {
        "bold": True,
        "text_wrap": True,
        "valign": "vcenter",
        "bg_color": "#E3DDD0",
        "border": 1,
    }
    plain, needed = book.add_format(head), book.add_format({**head, "font_color": "#B5385A"})
    grey = book.add_format({"italic": True, "font_color": "#5E6A63", "num_format": "@"})
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(1)
    page.set_footer("&L" + title.replace("&", "&&")[:200] + "&R&P / &N")
    page.freeze_panes(2, 0)
    for column, each in enumerate(headings):
        page.set_column(column, column, each.width, formats[column])
    page.write_string(0, 0, title, book.add_format({"font_color": "#5E6A63"}))
    for column, each in enumerate(headings):
        page.write_string(1, column, each.words, needed if each.required else plain)
        if each.note:
            page.write_comment(1, column, each.note, {"x_scale": 2})
    line = 2
    for column, text in enumerate(example):
        page.write_string(line, column, text, grey)
    line += 1 if example else 0
    for column, each in enumerate(headings):
        if each.choices and spare_rows:
            page.data_validation(
                line, column, line + spare_rows, column,
                {"validate": "list", "source": list(each.choices), "error_type": "warning"},
            )  # fmt: skip
    for row in rows:
        for column, value in enumerate(row):
            _write(page, line, column, value, formats[column])
        line += 1
    book.close()


def _write(page: Any, line: int, column: int, value: Out | None, form: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, str):
        page.write_string(line, column, value, form)
    elif isinstance(value, datetime | date):
        page.write_datetime(line, column, value, form)
    else:
        page.write_number(line, column, value, form)


def csv_lines(
    title: str, headings: Sequence[Heading], rows: Iterable[Sequence[Out | None]]
) -> Iterator[bytes]:
    """UTF-8 with its mark, so that Excel reads it as such; nothing begins like a formula."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([_harmless(title)])
    writer.writerow([each.words for each in headings])
    for row in rows:
        writer.writerow([_harmless(value) for value in row])
        if buffer.tell() > 32_000:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content


def _harmless(value: Out | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@") else text
