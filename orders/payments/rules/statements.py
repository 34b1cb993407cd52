"""Rows of a bank statement, read strictly and refused with a sentence per row. Pure.

Banks name their columns in many ways; the amount stands signed in one column, or unsigned in a
debit and a credit column. Everything is refused if anything is wrong: half a statement is worse
than none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from kernel.errors import Text
from kernel.money import Money, parse_money

COLUMNS = {
    "on": ("日期", "交易日期", "记账日期", "入账日期", "交易时间", "date"),
    "amount": ("金额", "交易金额", "发生额", "amount"),
    "debit": ("借方金额", "借方发生额", "借", "支出", "支出金额", "金额(借)", "debit"),
    "credit": ("贷方金额", "贷方发生额", "贷", "收入", "收入金额", "金额(贷)", "credit"),
    "counterparty": ("对方户名", "对方名称", "对方账户名称", "户名", "counterparty"),
    "account": ("对方账号", "对方账户", "账号", "account"),
    "memo": ("摘要", "附言", "摘要/附言", "用途", "备注", "memo"),
    "bank_ref": ("流水号", "交易流水号", "凭证号", "银行流水号", "bank_ref"),
}
MOST_ROWS = 20_000
MOST_PROBLEMS = 20

_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[ T].*)?")


@dataclass(frozen=True, slots=True)
class StatementRow:
    on: date
    amount: Money
    counterparty: str
    memo: str
    bank_ref: str
    account_last4: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows, or what is wrong with them."""

    rows: list[StatementRow] = field(default_factory=list)
    problems: list[Text] = field(default_factory=list)


def read_table(table: Sequence[Sequence[object]]) -> Reading:
    """A sheet as it lies in the file; lines above the heading are skipped."""
    for number, row in enumerate(table):
        columns = _columns(row)
        if "on" in columns and "bank_ref" in columns:
            return _read_rows(table[number + 1 :], columns, first=number + 2)
    problem = Text("The file has no heading with a date and a serial number column (日期, 流水号).")
    return Reading(problems=[problem])


def _columns(row: Sequence[object]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, cell in enumerate(row):
        heading = _plain(cell).lower()
        for name, headings in COLUMNS.items():
            if heading in headings:
                found.setdefault(name, []).append(place)
    return found


def _read_rows(
    table: Sequence[Sequence[object]], columns: dict[str, list[int]], *, first: int
) -> Reading:
    reading = Reading()
    missing = [name for name in ("counterparty", "memo") if name not in columns]
    if missing or not ({"amount"} & set(columns) or {"debit", "credit"} <= set(columns)):
        reading.problems.append(
            Text(
                "The heading lacks an amount, the other party's name or a memo (金额、户名、摘要)."
            )
        )
        return reading
    if len(table) > MOST_ROWS:
        reading.problems.append(Text("At most %(most)s rows at a time.", most=MOST_ROWS))
        return reading
    seen: dict[str, int] = {}
    for number, row in enumerate(table, first):
        if not any(_plain(cell) for cell in row):
            continue
        _read_row(reading, row, columns, number, seen)
    if not reading.rows and not reading.problems:
        reading.problems.append(Text("The file has no rows below its heading."))
    return reading


def _read_row(
    reading: Reading,
    row: Sequence[object],
    columns: dict[str, list[int]],
    number: int,
    seen: dict[str, int],
) -> None:
    def cell(name: str) -> str:
        texts = (_plain(row[at]) for at in columns.get(name, []) if at < len(row))
        return " ".join(text for text in texts if text)

    def refuse(sentence: str, **values: object) -> None:
        reading.problems.append(Text(sentence, row=number, **values))

    on, amount, ref = _day(cell("on")), _amount(cell), cell("bank_ref")
    if on is None:
        refuse("Row %(row)s: %(value)s is no date.", value=cell("on") or "—")
    if amount is None:
        refuse("Row %(row)s: the amount cannot be read; it needs at most two decimals.")
    elif not amount:
        refuse("Row %(row)s: the amount is zero.")
    if not 1 <= len(ref) <= 40:
        refuse("Row %(row)s: the bank's serial number is missing or too long.")
    elif ref in seen:
        refuse(
            "Row %(row)s: serial number %(ref)s stands in row %(other)s too.",
            ref=ref,
            other=seen[ref],
        )
    seen.setdefault(ref, number)
    if on is not None and amount:
        reading.rows.append(
            StatementRow(
                on=on,
                amount=amount,
                counterparty=cell("counterparty")[:120],
                memo=cell("memo")[:200],
                bank_ref=ref,
                account_last4=re.sub(r"\D", "", cell("account"))[-4:],
            )
        )


def _amount(cell: Callable[[str], str]) -> Money | None:
    try:
        if signed := cell("amount"):
            return parse_money(signed)
        credit, debit = parse_money(cell("credit") or "0"), parse_money(cell("debit") or "0")
    except ValueError:
        return None
    if credit.fen < 0 or debit.fen < 0 or (credit and debit):
        return None
    return credit - debit


def _day(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _plain(cell: object) -> str:
    if isinstance(cell, datetime | date):
        return cell.strftime("%Y-%m-%d")
    if isinstance(cell, float):
        # A sheet holds 1176.1 as the nearest double; two decimals are all an amount has.
        return f"{cell:.2f}" if cell % 1 else str(int(cell))
    return unicodedata.normalize("NFKC", str(cell if cell is not None else "")).strip()
