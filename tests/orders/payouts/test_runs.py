"""From what is owed to what is paid: drafted, reviewed, approved, exported, confirmed, once."""

from __future__ import annotations

import csv
import io
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from catalog.suppliers.operations import pass_change, request_change
from catalog.suppliers.queries import profile_of, register_entry, supplier_sheet
from catalog.suppliers.rules import edition
from kernel import audit
from kernel.actors import COMMAND, Role
from kernel.errors import Forbidden, Invalid, Missing, Refusal
from kernel.money import ZERO, Money, parse_money
from kernel.people import Organisation
from kernel.storage import Blob
from orders.ledger import queries as ledger
from orders.ledger import rules as accounts
from orders.ledger.models import Transfer
from orders.payments.models import BankMatch
from orders.payments.operations.banking import import_statement
from orders.payments.rules.statements import StatementRow
from orders.payouts.models import FailureReason, PayoutLine, PayoutRun, PayoutState, RunState
from orders.payouts.operations import (
    FileKind,
    approve_run,
    confirm_from_statement,
    draft_run,
    export_run,
    fail_line,
    reject_run,
    review_run,
)
from orders.payouts.queries.owing import owed_households
from tests import makers
from tests.makers import NOON, TODAY


class Coop:
    """A cooperative that owes Zhang 384.00 and Li 256.00 for radish."""

    def __init__(self, session) -> None:
        self.session = session
        self.supplier = makers.supplier(session)
        self.product = makers.product(session, self.supplier)
        makers.rule(session, self.product)
        self.zhang, self.li = makers.household(session, "张三"), makers.household(session, "李四")
        for one, net in ((self.zhang, 120_000), (self.li, 80_000)):
            makers.bought(session, self.product, one, net_g=net)
            makers.account(session, one)
        body = session.get(Organisation, self.supplier.organisation_id)
        self.accountant, self.second = (
            makers.acting(makers.member(session, body, Role.ACCOUNTANT), Role.ACCOUNTANT, body)
            for _ in range(2)
        )
        self.manager = makers.acting(makers.member(session, body, Role.MANAGER), Role.MANAGER, body)
        self.mine = {"supplier_id": self.supplier.id, "now": NOON}

    def draft(self, key="draft:1", *, up_to=TODAY, by=None) -> PayoutRun:
        return draft_run(
            self.session, up_to=up_to, request_key=key, by=by or self.accountant, **self.mine
        )

    def approved(self, key="draft:1") -> PayoutRun:
        run = self.draft(key)
        review_run(self.session, run.id, by=self.second, **self.mine)
        return approve_run(self.session, run.id, by=self.manager, **self.mine)

    def exported(self, key="draft:1") -> PayoutRun:
        run = self.approved(key)
        self.export(run)
        return run

    def export(self, run, kind=FileKind.CSV):
        return export_run(self.session, run.id, kind=kind, by=self.accountant, **self.mine)

    def lines(self, run) -> list[PayoutLine]:
        return list(
            self.session.scalars(
                sa.select(PayoutLine).where(PayoutLine.run_id == run.id).order_by(PayoutLine.id)
            )
        )

    def bank_says(self, *rows, sha="1") -> None:
        """rows: (yuan, memo) or (yuan, memo, counterparty, last four digits)"""
        import_statement(
            self.session, name="bank.csv", sha256=(sha * 64)[:64], by=self.accountant, **self.mine,
            rows=[
                StatementRow(
                    TODAY, parse_money(row[0]), row[2] if len(row) > 2 else "", row[1],
                    f"B{sha}{n}", row[3] if len(row) > 3 else "",
                )
                for n, row in enumerate(rows)
            ],
        )  # fmt: skip

    def confirm(self):
        return confirm_from_statement(self.session, by=self.accountant, **self.mine)

    def owed(self, household) -> str:
        return ledger.balance(
            self.session, accounts.household(household.code, self.supplier.code)
        ).yuan

    def books(self) -> tuple[str, str]:
        """(under way, at the bank)"""
        code = self.supplier.code
        return (
            ledger.balance(self.session, accounts.in_transit(code)).yuan,
            ledger.balance(self.session, accounts.bank(code)).yuan,
        )

    def count(self, model) -> int:
        return self.session.scalar(sa.select(sa.func.count()).select_from(model))


@pytest.fixture
def coop(session):
    return Coop(session)


def test_a_draft_lists_everybody_who_is_owed_and_moves_nothing(coop):
    before = coop.count(Transfer)

    run = coop.draft()

    assert (run.state, run.count, run.total) == (RunState.DRAFTED, 2, parse_money("640.00"))
    assert {line.household_id: line.amount.yuan for line in coop.lines(run)} == {
        coop.zhang.id: "384.00",
        coop.li.id: "256.00",
    }
    assert [line.reference for line in coop.lines(run)] == [
        f"{run.number}-00001",
        f"{run.number}-00002",
    ]
    assert coop.count(Transfer) == before
    assert coop.owed(coop.zhang) == "384.00"


def test_the_same_draft_again_is_the_same_run(coop):
    first = coop.draft()

    again = coop.draft()

    assert again.id == first.id
    assert (coop.count(PayoutRun), coop.count(PayoutLine)) == (1, 2)


def test_nobody_is_in_two_runs_at_once(coop):
    coop.draft()

    with pytest.raises(Refusal) as refused:
        coop.draft("draft:2")

    assert any("another payout run" in str(reason) for reason in refused.value.reasons)
    assert coop.count(PayoutRun) == 1


def test_who_has_no_account_stays_out_and_is_named(coop):
    poor = makers.household(coop.session, "王五")
    makers.bought(coop.session, coop.product, poor, net_g=10_000)

    run = coop.draft()

    assert run.count == 2
    owed = {each.name: each.hindrance for each in owed_households(coop.session, coop.supplier)}
    assert str(owed["王五"]) == "Has no bank account yet."


def test_a_run_up_to_a_day_leaves_out_what_was_earned_after_it(coop):
    run = coop.draft(up_to=TODAY)
    reject_run(coop.session, run.id, reason="later", by=coop.second, **coop.mine)
    tomorrow = NOON + timedelta(days=1)
    makers.bought(coop.session, coop.product, coop.zhang, net_g=10_000, at=tomorrow)

    run = draft_run(
        coop.session, supplier_id=coop.supplier.id, up_to=TODAY, request_key="draft:2",
        by=coop.accountant, now=tomorrow,
    )  # fmt: skip

    assert coop.owed(coop.zhang) == "416.00"
    assert [line.amount.yuan for line in coop.lines(run)] == ["256.00", "384.00"]


def test_a_run_never_reaches_into_the_future(coop):
    with pytest.raises(Invalid):
        coop.draft(up_to=TODAY + timedelta(days=1))
    assert coop.count(PayoutRun) == 0


def test_the_drafter_neither_reviews_nor_approves(coop):
    run = coop.draft()

    with pytest.raises(Refusal, match="somebody else"):
        review_run(coop.session, run.id, by=coop.accountant, **coop.mine)
    review_run(coop.session, run.id, by=coop.second, **coop.mine)
    with pytest.raises(Refusal, match="somebody else"):
        approve_run(coop.session, run.id, by=coop.accountant, **coop.mine)

    assert run.state is RunState.REVIEWED
    assert run.approved_by_id is None


def test_nobody_lets_the_money_of_their_own_household_go(coop):
    coop.li.user_id = coop.manager.user_id
    run = coop.draft()
    review_run(coop.session, run.id, by=coop.second, **coop.mine)

    with pytest.raises(Refusal, match="own household"):
        approve_run(coop.session, run.id, by=coop.manager, **coop.mine)

    assert run.state is RunState.REVIEWED


def test_a_program_approves_nothing(coop):
    run = coop.draft()

    with pytest.raises(Forbidden):
        review_run(coop.session, run.id, by=COMMAND, **coop.mine)


def test_steps_are_not_skipped(coop):
    run = coop.draft()

    with pytest.raises(Refusal, match="not been reviewed"):
        approve_run(coop.session, run.id, by=coop.manager, **coop.mine)
    with pytest.raises(Refusal, match="not been reviewed"):
        coop.export(run)
    review_run(coop.session, run.id, by=coop.second, **coop.mine)
    with pytest.raises(Refusal, match="not been approved"):
        coop.export(run)

    assert coop.books() == ("0.00", "0.00")


def test_another_cooperatives_run_does_not_exist(coop):
    run = coop.approved()
    other = makers.supplier(coop.session)

    for act in (review_run, approve_run, export_run):
        with pytest.raises(Missing):
            act(coop.session, run.id, supplier_id=other.id, by=coop.second, now=NOON)


def test_the_bank_file_has_everything_the_bank_wants(coop):
    run = coop.approved()

    file = coop.export(run)

    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert ["总笔数", "2"] in rows
    assert ["总金额(元)", "640.00"] in rows
    start = rows.index(["序号", "户名", "账号", "开户行", "金额", "用途", "备注"])
    lines = coop.lines(run)
    assert rows[start + 1 :] == [
        [
            str(n),
            line.holder,
            line.account,
            line.bank,
            line.amount.yuan,
            "农产品货款",
            line.reference,
        ]
        for n, line in enumerate(lines, 1)
    ]
    assert file.name == f"{run.number}.csv"
    assert run.file_sha256


def test_a_run_is_paid_from_the_account_of_the_day_it_was_approved(coop, session):
    run = coop.approved()
    before = coop.export(run, FileKind.XLSX).content
    supplier = supplier_sheet(session, coop.supplier.id)
    entry = register_entry(supplier, profile_of(session, supplier.id))
    change = request_change(
        session, supplier.id, entry | {"bank_account": "6228480402564890018"},
        seen=edition(entry), proof=Blob("0" * 64, 9, "application/pdf", "证明.pdf"),
        by=coop.manager, now=NOON,
    )  # fmt: skip
    for role in (Role.DISTRICT, Role.OPERATOR):
        by = makers.acting(makers.user(session), role)
        pass_change(session, supplier.id, change.number, by=by, now=NOON + timedelta(hours=1))
    assert coop.supplier.bank_account == "6228480402564890018"
    assert coop.export(run, FileKind.XLSX).content == before


def test_the_workbook_says_the_same_and_keeps_long_numbers_whole(coop):
    run = coop.approved()

    book = CalamineWorkbook.from_filelike(io.BytesIO(coop.export(run, FileKind.XLSX).content))

    assert book.sheet_names == ["封面", "代发明细"]
    cover = dict(book.get_sheet_by_name("封面").to_python())
    assert (cover["总笔数"], cover["总金额(元)"]) == ("2", "640.00")
    assert cover["付款账号"].endswith(coop.supplier.bank_account)
    first = book.get_sheet_by_name("代发明细").to_python()[1]
    line = coop.lines(run)[0]
    assert first[2] == line.account
    assert Money(round(first[4] * 100)) == line.amount


def test_exporting_moves_what_is_owed_to_under_way_once(coop):
    run = coop.approved()
    first = coop.export(run)
    before = coop.count(Transfer)

    again = coop.export(run)
    book = coop.export(run, FileKind.XLSX)

    assert again.content == first.content
    assert book.content == coop.export(run, FileKind.XLSX).content
    assert coop.count(Transfer) == before
    assert coop.owed(coop.zhang) == "0.00"
    assert coop.books() == ("640.00", "0.00")
    assert run.state is RunState.EXPORTED


def test_a_run_whose_account_has_changed_is_not_exported(coop):
    run = coop.approved()
    makers.account(coop.session, coop.zhang, number="6217999999999999", proof="新存折")

    with pytest.raises(Refusal) as refused:
        coop.export(run)

    assert [str(reason) for reason in refused.value.reasons] == [
        "The account of 张三 has changed since."
    ]
    assert coop.books() == ("0.00", "0.00")
    assert run.state is RunState.APPROVED


def test_the_statement_pays_what_it_names(coop):
    run = coop.exported()
    li, zhang = coop.lines(run)
    coop.bank_says(
        ("-384.00", f"代发 {zhang.reference}"), ("-256.00", f"代发{li.reference.lower()}")
    )

    found = coop.confirm()

    assert (found.paid, found.failed, found.puzzles) == (2, 0, [])
    assert [line.state for line in coop.lines(run)] == [PayoutState.PAID] * 2
    assert zhang.bank_ref == "B10"
    assert run.state is RunState.SETTLED
    assert coop.books() == ("0.00", "-640.00")


def test_the_same_statement_again_pays_nothing_more(coop):
    run = coop.exported()
    li, zhang = coop.lines(run)
    rows = (("-384.00", zhang.reference), ("-256.00", li.reference))
    coop.bank_says(*rows)
    coop.confirm()
    before = coop.count(Transfer), coop.count(BankMatch)

    coop.bank_says(*rows)
    again = coop.confirm()

    assert (again.paid, again.failed) == (0, 0)
    assert (coop.count(Transfer), coop.count(BankMatch)) == before


def test_a_movement_without_reference_is_known_by_amount_name_and_account(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)
    coop.bank_says(
        ("-384.00", "代发", "张三", zhang.account_last4), ("-256.00", "代发", "王二", "0000")
    )

    found = coop.confirm()

    assert found.paid == 1
    assert zhang.state is PayoutState.PAID
    assert coop.books() == ("256.00", "-384.00")


def test_a_movement_of_another_amount_is_a_puzzle_and_pays_nothing(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)
    coop.bank_says(("-348.00", zhang.reference), ("-1.00", "FF26-000099-00001"))

    found = coop.confirm()

    assert found.paid == 0
    assert [str(each) for each in found.puzzles] == [
        f"Bank movement B10 is −¥348.00, but payment {zhang.reference} is ¥384.00.",
        "Bank movement B11 names FF26-000099-00001, which is no payment of yours.",
    ]
    assert coop.books() == ("640.00", "0.00")


def test_a_payment_the_bank_made_twice_is_a_puzzle(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)
    coop.bank_says(("-384.00", zhang.reference), ("-384.00", zhang.reference))

    found = coop.confirm()

    assert (found.paid, len(found.puzzles)) == (1, 1)
    assert coop.books() == ("256.00", "-384.00")


def test_a_payment_that_comes_back_is_owed_again(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)
    coop.bank_says(("-384.00", zhang.reference), ("384.00", f"退汇 户名不符 {zhang.reference}"))

    found = coop.confirm()

    assert (found.paid, found.failed) == (1, 1)
    assert (zhang.state, zhang.failure) == (PayoutState.FAILED, FailureReason.NAME_MISMATCH)
    assert coop.owed(coop.zhang) == "384.00"
    assert coop.books() == ("256.00", "0.00")


def test_a_failed_payment_returns_to_what_is_owed_once(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)

    for _ in range(2):
        fail_line(
            coop.session, zhang.id, reason=FailureReason.ACCOUNT_CLOSED, by=coop.accountant,
            **coop.mine,
        )  # fmt: skip

    assert zhang.state is PayoutState.FAILED
    assert coop.owed(coop.zhang) == "384.00"
    assert coop.books() == ("256.00", "0.00")
    assert run.state is RunState.EXPORTED


def test_a_refused_account_is_paid_again_only_when_there_is_another(coop):
    run = coop.exported()
    li, zhang = coop.lines(run)
    coop.bank_says(("-256.00", li.reference))
    coop.confirm()
    fail_line(
        coop.session, zhang.id, reason=FailureReason.ACCOUNT_CLOSED, by=coop.accountant, **coop.mine
    )
    assert run.state is RunState.SETTLED
    with pytest.raises(Refusal) as refused:
        coop.draft("draft:2")
    assert "refused this account" in str(refused.value.reasons[0])

    makers.account(coop.session, coop.zhang, number="6217999999999999", proof="新存折")
    second = coop.draft("draft:2")

    assert [(line.household_id, line.account_last4) for line in coop.lines(second)] == [
        (coop.zhang.id, "9999")
    ]


def test_what_was_paid_is_not_failed_by_hand(coop):
    run = coop.exported()
    _, zhang = coop.lines(run)
    coop.bank_says(("-384.00", zhang.reference))
    coop.confirm()

    with pytest.raises(Refusal, match="with the bank"):
        fail_line(
            coop.session, zhang.id, reason=FailureReason.OTHER, by=coop.accountant, **coop.mine
        )

    assert zhang.state is PayoutState.PAID


def test_a_rejected_run_frees_its_households(coop):
    run = coop.draft()
    with pytest.raises(Invalid):
        reject_run(coop.session, run.id, reason=" ", by=coop.second, **coop.mine)
    reject_run(coop.session, run.id, reason="少一户", by=coop.second, **coop.mine)

    assert {line.state for line in coop.lines(run)} == {PayoutState.DROPPED}
    assert coop.draft("draft:2").count == 2


def test_what_has_gone_to_the_bank_cannot_be_rejected(coop):
    run = coop.exported()

    with pytest.raises(Refusal, match="gone to the bank"):
        reject_run(coop.session, run.id, reason="zu spät", by=coop.second, **coop.mine)


def test_the_audit_trail_agrees_with_a_whole_run(db):
    with db.transaction() as session:
        coop = Coop(session)
        run = coop.exported()
        coop.bank_says(*((f"-{line.amount.yuan}", line.reference) for line in coop.lines(run)))
        coop.confirm()
    with db.reading() as session:
        assert list(audit.verify(session)) == []


def test_a_run_of_many_takes_as_many_statements_as_one_of_few(session, statements):
    coop = Coop(session)
    for n in range(30):
        one = makers.household(session, f"农户{n}")
        makers.bought(session, coop.product, one, net_g=5_000)
        makers.account(session, one)

    statements.clear()
    run = coop.draft()

    assert run.count == 32
    assert len(statements) <= 16


@pytest.mark.race
def test_two_runs_drafted_at_once_pay_everybody_once(db):
    with db.transaction() as session:
        coop = Coop(session)
        supplier_id, clerk = coop.supplier.id, coop.accountant
    barrier = threading.Barrier(2)
    answers: list[object] = []

    def work(key: str) -> None:
        barrier.wait()
        try:
            with db.transaction() as session:
                draft_run(
                    session, supplier_id=supplier_id, up_to=TODAY, request_key=key, by=clerk,
                    now=NOON,
                )  # fmt: skip
            answers.append("drafted")
        except Refusal as refusal:
            answers.append(str(refusal))

    workers = [threading.Thread(target=work, args=(key,)) for key in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(answers) == ["Nobody is owed anything that can be paid now.", "drafted"]
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PayoutLine)) == 2


@pytest.mark.race
def test_a_run_exported_and_confirmed_by_two_at_once_pays_once(db):
    with db.transaction() as session:
        coop = Coop(session)
        run = coop.approved()
        coop.bank_says(*((f"-{line.amount.yuan}", line.reference) for line in coop.lines(run)))
        given = {"supplier_id": coop.supplier.id, "by": coop.accountant, "now": NOON}
        run_id, code = run.id, coop.supplier.code
    problems: list[Exception] = []

    def at_once(act) -> None:
        barrier = threading.Barrier(2)

        def work() -> None:
            barrier.wait()
            try:
                with db.transaction() as session:
                    act(session)
            except Exception as problem:  # noqa: BLE001  shown by the assertion below
                problems.append(problem)

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    at_once(lambda session: export_run(session, run_id, **given))
    at_once(lambda session: confirm_from_statement(session, **given))

    assert problems == []
    with db.reading() as session:
        assert ledger.balance(session, accounts.in_transit(code)) == ZERO
        assert ledger.balance(session, accounts.bank(code)) == parse_money("-640.00")
        assert list(audit.verify(session)) == []
