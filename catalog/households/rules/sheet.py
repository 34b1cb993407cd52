"""The register as an Excel file, marked with who took it and when (domain.md §5.5). Pure."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime

import xlsxwriter


def as_xlsx(
    mark: str, headings: Sequence[str], rows: Iterable[Sequence[str | int]], *, made_at: datetime
) -> bytes:
    """One sheet: the mark on top and on every printed page, headings, rows. Texts stay texts."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": made_at.replace(tzinfo=None), "comments": mark})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("农户")
    sheet.write_string(0, 0, mark)
    sheet.set_footer(f"&L{mark.replace('&', '&&')}&R&P / &N")
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.freeze_panes(2, 0)
    sheet.repeat_rows(1)
    for column, heading in enumerate(headings):
        sheet.set_column(column, column, max(10, 2 * len(heading) + 2))
        sheet.write_string(1, column, heading, bold)
    for place, row in enumerate(rows, 2):
        for column, cell in enumerate(row):
            if isinstance(cell, int):
                sheet.write_number(place, column, cell)
            else:
                sheet.write_string(place, column, cell)
    book.close()
    return written.getvalue()
