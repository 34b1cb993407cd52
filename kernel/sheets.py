"""A file that people made → a grid of raw cells, or one sentence why it cannot be read.

Excel files are looked at before they are opened: a small file can unpack to gigabytes, and one cell
in a far corner makes a table of billions of empty ones.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import python_calamine

from kernel.cells import Broken, Raw
from kernel.errors import Invalid, Text

MOST_BYTES = 12 * 1024 * 1024
MOST_UNPACKED = 120 * 1024 * 1024
MOST_COLUMNS = 200
MOST_ROWS = 20_000

_CELL = re.compile(rb"<(?:\w+:)?(?:(row)\b|c\b([^>]*?)(/?)>)")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>'
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]{1,20})<",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows from the first one of the sheet; every row is as long as the sheet is wide."""

    rows: list[list[Raw]]
    sheet: str = ""
    notes: list[Text] = field(default_factory=list)


def address(row: int, column: int) -> str:
    """`C12` for the cell of index (11, 2)."""
    return f"{letters(column)}{row + 1}"


def letters(column: int) -> str:
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_grid(content: bytes) -> Grid:
    """Raises Invalid with `file`: what is wrong with it and what to do."""
    if not content:
        raise _bad(Text("This file is empty."))
    if len(content) > MOST_BYTES:
        raise _bad(Text("A file or form may have at most %(n)s MB.", n=MOST_BYTES // 1024**2))
    if content.startswith(b"PK"):
        return _read_excel(content)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise _bad(
                Text("This file is protected by a password. Save it without one and try again.")
            )
        raise _bad(
            Text("This is a file of an old Excel. Open it and save it as .xlsx, then try again.")
        )
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise _bad(
            Text(
                "This is a web page that was only named like an Excel file. "
                "Open it in Excel and save it as .xlsx."
            )
        )
    return _read_csv(content)


def _bad(sentence: Text) -> Invalid:
    return Invalid({"file": sentence})


def _unreadable() -> Invalid:
    return _bad(Text("This file cannot be read. Save it again as .xlsx or .csv."))


def _read_csv(content: bytes) -> Grid:
    text = _decoded(content)
    if "\x00" in text:
        raise _unreadable()
    start = text[:4000]
    delimiter = max(",\t;", key=start.count)
    rows: list[list[Raw]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(list(row))
            _check_size(len(rows), len(row))
    except csv.Error:
        raise _unreadable() from None
    if not any(any(str(cell).strip() for cell in row) for row in rows):
        raise _bad(Text("This file is empty."))
    width = max(map(len, rows))
    return Grid([[*row, *([None] * (width - len(row)))] for row in rows])


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "",
                     "gb18030"):  # fmt: skip
        try:
            if encoding:
                return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable()


def _check_size(rows: int, columns: int) -> None:
    if columns > MOST_COLUMNS:
        raise _bad(
            Text(
                "This sheet has %(n)s columns; a form has at most %(most)s. "
                "Delete the columns that are not needed.",
                n=columns,
                most=MOST_COLUMNS,
            )
        )
    if rows > MOST_ROWS:
        raise _bad(Text("This sheet has more than %(most)s rows. Please split it.", most=MOST_ROWS))


def _read_excel(content: bytes) -> Grid:
    parts = _unpacked(content)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        visible = [
            each.name
            for each in book.sheets_metadata
            if each.visible is python_calamine.SheetVisibleEnum.Visible
            and each.typ is python_calamine.SheetTypeEnum.WorkSheet
        ]
        for name in visible:
            sheet = book.get_sheet_by_name(name)
            rows: list[list[Raw]] = [
                [_plain(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)
            ]
            if any(any(cell is not None for cell in row) for row in rows):
                _spread_merged(rows, sheet.merged_cell_ranges or ())
                _mark_errors(rows, parts, name)
                others = len(visible) > 1
                notes = [Text("Only the sheet %(name)s was read.", name=name)] if others else []
                return Grid(rows, name, notes)
    except (
        python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError,
        python_calamine.PasswordError, ValueError, OSError,
    ):  # fmt: skip
        raise _unreadable() from None
    raise _bad(Text("This file is empty."))


def _plain(cell: object) -> Raw:
    if cell == "" or cell is None:
        return None
    if isinstance(cell, datetime | date | time | timedelta | bool | int | float | str):
        return cell
    return str(cell)


def _spread_merged(rows: list[list[Raw]], ranges: object) -> None:
    """What stands once over several rows or columns holds for each of them."""
    for (top, left), (bottom, right) in ranges:  # type: ignore[attr-defined]
        if top >= len(rows) or left >= len(rows[top]):
            continue
        value = rows[top][left]
        for row in rows[top : bottom + 1]:
            for column in range(left, min(right + 1, len(row))):
                if row[column] is None:
                    row[column] = value


def _unpacked(content: bytes) -> dict[str, bytes]:
    """The parts that matter, unpacked within bounds and measured."""
    wanted: dict[str, bytes] = {}
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.infolist()
            if len(names) > 2000 or sum(each.file_size for each in names) > MOST_UNPACKED:
                raise _bomb()
            for each in names:
                if each.flag_bits & 1:
                    raise _bad(
                        Text(
                            "This file is protected by a password. "
                            "Save it without one and try again."
                        )
                    )
                with archive.open(each) as part:
                    unpacked = part.read(left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise _bomb()
                if each.filename.startswith("xl/") and each.filename.endswith((".xml", ".rels")):
                    wanted[each.filename] = unpacked
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise _unreadable() from None
    strings = wanted.get("xl/sharedStrings.xml", b"")
    longest = max((len(each) for each in re.split(rb"<(?:\w+:)?si\b", strings)), default=0)
    for name, xml in wanted.items():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            texts = xml.count(b't="s"')
            if texts * longest > 8 * MOST_UNPACKED:
                raise _bomb()
            _check_size(*_extent(xml))
    return wanted


def _bomb() -> Invalid:
    return _bad(Text("This file unpacks to far more than a table can hold. It is not read."))


def _extent(xml: bytes) -> tuple[int, int]:
    """(rows, columns) up to the last cell that holds anything."""
    row = column = rows = columns = 0
    for found in _CELL.finditer(xml):
        if found[1]:
            row, column = row + 1, 0
            continue
        place = _PLACE.search(found[2])
        if place:
            row, column = int(place[2]), _index(place[1]) + 1
        else:
            column += 1
        if not found[3]:  # an empty cell that only has a colour counts for nothing
            rows, columns = max(rows, row), max(columns, column)
    return rows, columns


def _index(name: bytes) -> int:
    number = 0
    for letter in name:
        number = number * 26 + letter - 64
    return number - 1


def _mark_errors(rows: list[list[Raw]], parts: dict[str, bytes], sheet: str) -> None:
    """The reader hands over an empty cell where a formula failed; that would be a lie."""
    xml = parts.get(_part_of(parts, sheet), b"")
    if b't="e"' not in xml:
        return
    for name, number, error in _ERROR.findall(xml):
        row, column = int(number) - 1, _index(name)
        while row >= len(rows):
            rows.append([None] * (len(rows[0]) if rows else 0))
        rows[row].extend([None] * (column + 1 - len(rows[row])))
        rows[row][column] = Broken(error.decode("utf-8", "replace"))


def _part_of(parts: dict[str, bytes], sheet: str) -> str:
    """The part of the archive in which the sheet of this name stands."""
    book = parts.get("xl/workbook.xml", b"").decode("utf-8", "replace")
    links = parts.get("xl/_rels/workbook.xml.rels", b"").decode("utf-8", "replace")
    targets = {}
    for each in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links):
        found = dict(_ATTRIBUTE.findall(each))
        targets[found.get("Id", "")] = found.get("Target", "")
    for each in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book):
        found = dict(_ATTRIBUTE.findall(each))
        name = found.get("name", "").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
        if name == sheet:
            target = targets.get(found.get("r:id", ""), "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return ""
