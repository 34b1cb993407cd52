"""Whom to call about a recall, on paper and as a table. Names and numbers in clear: whoever asks
for it has the right, and it is written into the trail. Chinese first: it is read at a telephone."""

from __future__ import annotations

import io
from datetime import datetime

import xlsxwriter

from kernel.pdf import make_pdf
from kernel.quantities import BaseUnit, kilograms
from kernel.speech import moment
from orders.tracing.models import Recall, RecallKind, RecallLine
from orders.tracing.queries.recalls import accounted

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD = ("订单", "买家", "收货人", "电话", "地址", "邮箱", "货品", "批次", "已发", "未交代")
_MAIL, _LOT = HEAD.index("邮箱"), HEAD.index("批次")


def sheet(recall: Recall, kind: str, *, by: str, made: datetime) -> bytes:
    """A recall with lines, orders, lots and reports loaded, as `pdf` or `xlsx`."""
    rows = [_row(line, own=line.lot.supplier_id == recall.supplier_id) for line in recall.lines]
    drill = "（演练）" if recall.kind is RecallKind.DRILL else ""
    title = f"召回联系单 {recall.number}{drill}"
    said = f"原因：{recall.reason}　怎么说：{recall.advice}"
    printed = f"{by}，{moment(made, chinese=True)} 取出，含个人信息，用后收回销毁"
    if kind == "xlsx":
        return _table(title, said, printed, rows)
    # Paper is for the telephone: the mail addresses stay in the table.
    head, *rows = ([*each[:_MAIL], *each[_MAIL + 1 :]] for each in (HEAD, *rows))
    data = {"title": title, "said": said, "printed": printed, "head": head, "rows": rows}
    return make_pdf("recall_contacts", data, made=made)


def _row(line: RecallLine, *, own: bool) -> list[str]:
    """Whoever bought from another supplier, who made something of these goods, is called by that
    supplier: it has their numbers and was told."""
    order, product = line.order, line.lot.product
    person = (
        [order.recipient, order.phone, order.address, order.email or ""]
        if own
        else ["由供货方联系", "", "", ""]
    )
    return [
        order.number,
        order.organisation.short_name if order.organisation else "市民",
        *person,
        product.name_zh,
        line.lot.code,
        _amount(line.shipped, product.base_unit),
        _amount(accounted([line]).open, product.base_unit),
    ]


def _amount(quantity: int, unit: BaseUnit) -> str:
    return f"{kilograms(quantity, 1)} kg" if unit is BaseUnit.GRAM else f"{quantity} 件"


def _table(title: str, said: str, printed: str, rows: list[list[str]]) -> bytes:
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False})
    page = book.add_worksheet("联系单")
    bold = book.add_format({"bold": True})
    right = book.add_format({"align": "right"})
    page.write_string(0, 0, title, bold)
    page.write_string(1, 0, said)
    page.write_string(2, 0, printed)
    for column, words in enumerate(HEAD):
        page.write_string(4, column, words, bold)
    for place, row in enumerate(rows, 5):
        for column, words in enumerate(row):
            page.write_string(place, column, words, right if column > _LOT else None)
    for column, width in enumerate((14, 16, 12, 16, 36, 24, 14, 30, 12, 12)):
        page.set_column(column, column, width)
    page.freeze_panes(5, 1)
    book.close()
    return made.getvalue()
