"""Bank statements: read strictly, taken in once, matched never beyond what moved."""

from __future__ import annotations

import io
from datetime import date

import pytest
import sqlalchemy as sa
import xlsxwriter

from kernel.actors import Role
from kernel.errors import Invalid, Refusal
from kernel.money import Money
from kernel.people import Organisation
from orders.ledger.queries import balances
from orders.payments import operations as payments
from orders.payments.forms import read_statement
from orders.payments.models import BankLine, BankStatement
from orders.payments.queries import bank_lines
from orders.payments.rules.references import references_in
from orders.payments.rules.statements import StatementRow
from tests import makers
from tests.web import given, person

HEAD = "日期,金额,对方户名,摘要,流水号\n"
GOOD = HEAD + "2026-11-20,1176.00,水市小学,货款DG26-000001,A1\n2026/11/21,-384.00,张三,收购款,A2\n"


def test_csv_in_either_encoding_and_with_titles_above_is_read():
    text = "重庆农村商业银行对账单,,,,\n" + GOOD

    for content in (text.encode("utf-8-sig"), text.encode("gb18030")):
        assert read_statement("a.csv", content) == [
            StatementRow(date(2026, 11, 20), Money(117_600), "水市小学", "货款DG26-000001", "A1"),
            StatementRow(date(2026, 11, 21), Money(-38_400), "张三", "收购款", "A2"),
        ]


def test_xlsx_with_debit_and_credit_columns_is_read():
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        rows = [
            ["交易日期", "借方金额", "贷方金额", "对方户名", "对方账号", "摘要", "附言", "流水号"],
            ["20261120", "", 1176.1, "水市小学", "6217 0000 1234 5678", "转账", "货款", 900001],
            ["2026年11月21日", "384.00", "", "张三", "", "", "", 900002],
        ]
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    first, second = read_statement("a.xlsx", file.getvalue())

    assert (first.amount, first.memo, first.account_last4) == (Money(117_610), "转账 货款", "5678")
    assert (second.on, second.amount, second.bank_ref) == (
        date(2026, 11, 21), Money(-38_400), "900002",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "no heading"),
        ("日期,流水号\n2026-11-20,1\n", "lacks an amount"),
        (HEAD, "no rows"),
        (HEAD + "20.11.,1,x,y,1\n", "Row 2: 20.11. is no date"),
        (HEAD + "2026-11-31,1,x,y,1\n", "is no date"),
        (HEAD + "2026-11-20,1.001,x,y,1\n", "Row 2: the amount cannot be read"),
        (HEAD + "2026-11-20,0,x,y,1\n", "the amount is zero"),
        (HEAD + "2026-11-20,1,x,y,\n", "serial number is missing"),
        (
            HEAD + "2026-11-20,1,x,y,7\n2026-11-20,2,x,y,7\n",
            "Row 3: serial number 7 stands in row 2",
        ),
    ],
)
def test_every_row_that_is_wrong_is_named_and_nothing_is_taken(text, says):
    with pytest.raises(Invalid) as refused:
        read_statement("a.csv", text.encode())

    assert says in " ".join(str(each) for each in refused.value.reasons)


def test_rubbish_is_no_statement():
    for content in (b"PK\x03\x04 not a sheet", b"\xff\xfe\x00\x81", b"\x00\x01\x02"):
        with pytest.raises(Invalid):
            read_statement("a", content)


def test_the_same_file_and_the_same_movement_are_taken_in_once(session):
    supplier = makers.supplier(session)
    rows = read_statement("a.csv", GOOD.encode())

    def take(sha, given_rows):
        return payments.import_statement(
            session, supplier_id=supplier.id, name="a.csv", sha256=sha, rows=given_rows,
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip

    first, again = take("a" * 64, rows), take("a" * 64, rows)
    more = StatementRow(date(2026, 11, 22), Money(5), "x", "y", "A3")
    take("b" * 64, [*rows, more])

    assert again is first
    assert session.scalar(sa.select(sa.func.count(BankStatement.id))) == 2
    assert session.scalars(sa.select(BankLine.bank_ref).order_by(BankLine.id)).all() == [
        "A1", "A2", "A3",
    ]  # fmt: skip


def test_a_movement_is_matched_up_to_what_moved_and_once_per_target(session):
    supplier = makers.supplier(session)
    payments.import_statement(
        session, supplier_id=supplier.id, name="a", sha256="a" * 64,
        rows=read_statement("a.csv", GOOD.encode()), by=makers.SOMEBODY, now=makers.NOON,
    )  # fmt: skip
    line = session.scalars(sa.select(BankLine).where(BankLine.bank_ref == "A1")).one()

    def match(target, fen):
        return payments.match_bank_line(
            session, line.id, target, Money(fen), by=makers.SOMEBODY, now=makers.NOON
        )

    first = match("order:1", 100_000)
    assert match("order:1", 100_000) is first
    with pytest.raises(Refusal, match="another amount"):
        match("order:1", 99_999)
    with pytest.raises(Refusal, match=r"Only ¥176.00"):
        match("order:2", 17_601)
    match("order:2", 17_600)
    assert [each.line.bank_ref for each in bank_lines(session, supplier.id, only_open=True)] == [
        "A2"
    ]
    assert len(bank_lines(session, supplier.id)) == 2


def test_what_the_provider_pays_out_leaves_its_account(session):
    order = makers.paid_order(session)
    supplier_id = order.supplier_id
    payments.import_statement(
        session, supplier_id=supplier_id, name="a", sha256="a" * 64,
        rows=[StatementRow(makers.TODAY, Money(2900), "支付机构", "结算", "P1")],
        by=makers.SOMEBODY, now=makers.NOON,
    )  # fmt: skip
    line = session.scalars(sa.select(BankLine)).one()

    for _ in range(2):
        payments.recognise_provider_transfer(
            session, line.id, supplier_id=supplier_id, by=makers.SOMEBODY, now=makers.NOON
        )

    assert set(balances(session, "assets:provider:").values()) == {Money(0)}
    assert list(balances(session, "assets:bank:").values()) == [Money(2900)]


def test_references_are_read_however_they_are_typed():
    assert references_in("货款ＤＧ26－000043、dg26 000044 DG26000044 XDG26-0000431") == [
        "DG26-000043",
        "DG26-000044",
    ]


def test_an_accountant_takes_a_statement_in_and_hears_what_is_wrong(app, db):
    with given(db) as session:
        supplier = makers.supplier(session)
        body = session.get(Organisation, supplier.organisation_id)
        accountant = makers.member(session, body, Role.ACCOUNTANT)
    desk = person(app, accountant).open("/coop/bank")

    def upload(content: bytes, status: int):
        form, _ = desk._form_with("Take it in")
        data = {each["name"]: each["value"] for each in form.find_all("input", {"type": "hidden"})}
        data["file"] = (io.BytesIO(content), "a.csv")
        answer = desk.client.post("/coop/bank", data=data, follow_redirects=True)
        return desk._show(answer, status)

    upload((HEAD + "20.11.,1,x,y,1\n").encode(), 422).sees("Row 2: 20.11. is no date")
    desk.open("/coop/bank")
    upload(GOOD.encode(), 200).sees("Taken in", "水市小学", "¥1,176.00")
    upload(GOOD.encode(), 200).sees("nothing was added")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(BankLine.id))) == 2
