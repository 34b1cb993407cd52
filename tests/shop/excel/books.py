"""Excel files as people make them, for tests."""

from __future__ import annotations

import io

import xlsxwriter

from kernel.actors import COMMAND
from shop.excel.doing import desk_for
from shop.excel.kinds import KINDS
from shop.excel.reading import read_table
from shop.excel.report import report_of
from shop.excel.running import run_rows
from tests.makers import NOON


def book(rows, *, merges=(), dates="yyyy-mm-dd", sheet="数据") -> bytes:
    """An .xlsx of these rows; a date is a real one, `=…` a formula that failed."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True})
    page = made.add_worksheet(sheet)
    day = made.add_format({"num_format": dates})
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is None or value == "":
                continue
            if hasattr(value, "year"):
                page.write_datetime(line, column, value, day)
            elif isinstance(value, str) and value.startswith("=1/0"):
                page.write_formula(line, column, "=1/0", None, "#DIV/0!")
            elif isinstance(value, str):
                page.write_string(line, column, value)
            else:
                page.write(line, column, value)
    for where, text in merges:
        page.merge_range(where, text)
    made.close()
    return out.getvalue()


def upload(person, path, content, name="台账.xlsx"):
    """A person chooses a file on this page and sends it."""
    person.open(path)
    form = next(
        each for each in person.page.find_all("form") if each.find("input", {"type": "file"})
    )
    data = {
        field["name"]: field["value"]
        for field in form.find_all("input")
        if field.get("name") in ("once", "csrf_token")
    }
    data["file"] = (io.BytesIO(content), name)
    answer = person.client.post(
        form["action"], data=data, content_type="multipart/form-data", follow_redirects=True
    )
    person.last_data = data
    return person._show(answer, answer.status_code)


def run(db, kind, content, *, commit, by=COMMAND, now=NOON):
    """All rows through the engine, at the terminal or as this actor; the report."""
    with db.reading() as session:
        desk = desk_for(session, by)
    table = read_table(KINDS[kind], desk, content)
    with db.transaction() if commit else db.rehearsal() as session:
        desk = desk_for(session, by)
        results = run_rows(session, KINDS[kind], desk, table, now=now, tell=lambda done, of: None)
        return report_of(KINDS[kind], desk, table, results)
