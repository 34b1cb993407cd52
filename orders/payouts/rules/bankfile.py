"""The file a bank pays a list of people from (代发), as CSV and as a workbook. Pure.

序号、户名、账号、开户行、金额、用途、备注; count and sum stand on the cover. The same run always
gives the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from kernel.money import Money, total

HEADINGS = ("序号", "户名", "账号", "开户行", "金额", "用途", "备注")
WIDTHS = (6, 14, 24, 30, 14, 18, 22)
PURPOSE = "农产品货款"

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Payment:
    """One line: whom, where, how much; `reference` comes back on the bank's statement."""

    holder: str
    account: str
    bank: str
    amount: Money
    reference: str


@dataclass(frozen=True, slots=True)
class Cover:
    """What stands above the list."""

    number: str
    payer: str
    payer_bank: str
    payer_account: str
    drafted_by: str
    reviewed_by: str
    approved_by: str
    on: str

    def rows(self, payments: Sequence[Payment]) -> list[tuple[str, str]]:
        return [
            ("代发批次", self.number),
            ("付款单位", self.payer),
            ("付款账号", f"{self.payer_bank} {self.payer_account}".strip()),
            ("总笔数", str(len(payments))),
            ("总金额(元)", total(each.amount for each in payments).yuan),
            ("编制", self.drafted_by),
            ("复核", self.reviewed_by),
            ("审批", self.approved_by),
            ("日期", self.on),
        ]


def as_csv(cover: Cover, payments: Sequence[Payment]) -> bytes:
    """UTF-8 with a byte order mark, so that every office program opens it right."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([name, plain(value)] for name, value in cover.rows(payments))
    writer.writerow([])
    writer.writerow(HEADINGS)
    for place, each in enumerate(payments, 1):
        writer.writerow([plain(cell) for cell in _cells(place, each)])
    return ("\ufeff" + text.getvalue()).encode()


def as_xlsx(cover: Cover, payments: Sequence[Payment], *, made_at: datetime) -> bytes:
    """A cover sheet and the list; account numbers are text, amounts are numbers."""
    bytes_ = io.BytesIO()
    book = xlsxwriter.Workbook(bytes_, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": made_at.replace(tzinfo=None)})
    bold, cash = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    first = book.add_worksheet("封面")
    first.set_column(0, 0, 14)
    first.set_column(1, 1, 44)
    for row, (name, value) in enumerate(cover.rows(payments)):
        first.write_string(row, 0, name, bold)
        first.write_string(row, 1, value)
    sheet = book.add_worksheet("代发明细")
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    for column, (heading, width) in enumerate(zip(HEADINGS, WIDTHS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, heading, bold)
    for place, each in enumerate(payments, 1):
        for column, cell in enumerate(_cells(place, each)):
            if HEADINGS[column] == "金额":
                sheet.write_number(place, column, each.amount.fen / 100, cash)
            else:
                sheet.write_string(place, column, cell)
    book.close()
    return bytes_.getvalue()


def _cells(place: int, payment: Payment) -> tuple[str, ...]:
    return (
        str(place), payment.holder, payment.account, payment.bank, payment.amount.yuan,
        PURPOSE, payment.reference,
    )  # fmt: skip


def plain(cell: str) -> str:
    """A text that no office program takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell
