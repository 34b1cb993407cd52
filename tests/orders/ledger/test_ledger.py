"""Double entry: what is posted once stays, and balances are sums."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from kernel import audit
from kernel.actors import COMMAND
from kernel.errors import Missing
from kernel.money import ZERO, Money
from orders.ledger import queries, rules
from orders.ledger.models import Account, AccountKind, Transfer
from orders.ledger.operations import Entry, post

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
BANK, GOODS = rules.bank("SS"), rules.goods("SS")
WANG, LI = rules.household("H-AAAA", "SS"), rules.household("H-BBBB", "SS")


def write(session, *entries, on=TODAY):
    return post(session, entries, on=on, by=COMMAND, now=NOW)


def count(session) -> tuple[int, int]:
    return tuple(
        session.scalar(sa.select(sa.func.count()).select_from(model))
        for model in (Account, Transfer)
    )


def test_a_transfer_moves_money_from_one_account_to_another(session):
    write(session, Entry(GOODS, WANG, Money(38_400), "slip:1", "radish"))

    assert queries.balance(session, GOODS) == Money(38_400)
    assert queries.balance(session, WANG) == Money(38_400)
    assert queries.balance(session, BANK) == ZERO


def test_accounts_open_on_first_use_and_know_what_they_are(session):
    write(session, Entry(GOODS, WANG, Money(1), "slip:1"))

    opened = queries.accounts_by_code(session, [GOODS, WANG])
    assert opened[WANG].kind is AccountKind.LIABILITIES
    assert opened[WANG].subject == "household:H-AAAA"
    assert opened[WANG].name == "SS owes household H-AAAA"
    assert opened[GOODS].subject == "supplier:SS"
    assert opened[GOODS].opened_on == TODAY


def test_the_same_cause_again_changes_nothing(session):
    entry = Entry(GOODS, WANG, Money(500), "slip:1")
    [first] = write(session, entry)
    before = count(session)

    [again] = write(session, entry)

    assert again.id == first.id
    assert count(session) == before
    assert queries.balance(session, WANG) == Money(500)


@pytest.mark.parametrize(
    "other",
    [
        Entry(GOODS, WANG, Money(501), "slip:1"),
        Entry(GOODS, LI, Money(500), "slip:1"),
        Entry(BANK, WANG, Money(500), "slip:1"),
    ],
)
def test_the_same_cause_with_another_meaning_is_a_bug(session, other):
    write(session, Entry(GOODS, WANG, Money(500), "slip:1"))

    with pytest.raises(AssertionError, match="slip:1"):
        write(session, other)


def test_nothing_is_written_for_zero_and_nothing_below_it(session):
    assert write(session, Entry(GOODS, WANG, ZERO, "slip:1")) == []
    assert count(session) == (0, 0)
    with pytest.raises(AssertionError):
        write(session, Entry(GOODS, WANG, Money(-1), "slip:2"))
    with pytest.raises(AssertionError):
        write(session, Entry(GOODS, GOODS, Money(1), "slip:3"))


def test_a_code_that_is_not_in_the_plan_is_refused(session):
    for code in ("cash", "assets", "assets:", "assets:bank SS", "money:bank:SS"):
        with pytest.raises(ValueError, match="not the code"):
            write(session, Entry(code, WANG, Money(1), "slip:1"))


def test_a_thousand_entries_take_as_many_statements_as_ten(session, statements):
    def sent(start: int, number: int) -> int:
        statements.clear()
        codes = [rules.household(f"H-{start + n}", "SS") for n in range(number)]
        post(
            session,
            [Entry(GOODS, code, Money(1), f"slip:{code}") for code in codes],
            on=TODAY, by=COMMAND, now=NOW,
        )  # fmt: skip
        return len(statements)

    few = sent(0, 10)
    many = sent(100, 400)

    assert many <= few + 2  # the driver cuts very long lists of rows in pieces


def test_transfers_can_neither_be_changed_nor_deleted(db):
    with db.transaction() as session:
        write(session, Entry(GOODS, WANG, Money(500), "slip:1"))
    for statement in ("UPDATE transfers SET amount = 1", "DELETE FROM transfers"):
        with db.writing() as session, pytest.raises(DBAPIError, match="written once"):
            session.execute(sa.text(statement))


def test_the_audit_trail_knows_accounts_and_transfers(db):
    with db.transaction() as session:
        write(session, Entry(GOODS, WANG, Money(500), "slip:1"))
    with db.reading() as session:
        assert list(audit.verify(session)) == []
    with db.writing() as session:
        session.execute(
            sa.text("UPDATE accounts SET code = 'assets:goods:XX' WHERE code = :c"), {"c": GOODS}
        )
        session.commit()
    with db.reading() as session:
        assert any("accounts" in str(sentence) for sentence in audit.verify(session))


def test_a_statement_adds_up_line_by_line_from_any_day(session):
    write(session, Entry(GOODS, WANG, Money(500), "slip:1"), on=date(2026, 10, 31))
    write(session, Entry(GOODS, WANG, Money(70), "slip:2"), on=date(2026, 11, 2))
    write(session, Entry(WANG, BANK, Money(500), "payout_line:1:sent"), on=date(2026, 11, 6))

    found = queries.statement(session, WANG, start=date(2026, 11, 1))

    assert found.brought_forward == Money(500)
    assert [(line.other, line.balance.fen) for line in found.lines] == [(GOODS, 570), (BANK, 70)]
    assert found.balance == queries.balance(session, WANG) == Money(70)
    assert queries.balance(session, WANG, on=date(2026, 10, 31)) == Money(500)


def test_a_statement_of_no_account_is_missing(session):
    with pytest.raises(Missing):
        queries.statement(session, WANG)


def test_balances_by_the_beginning_of_a_code(session):
    write(
        session,
        Entry(GOODS, WANG, Money(500), "slip:1"),
        Entry(GOODS, LI, Money(70), "slip:2"),
    )

    assert queries.balances(session, "liabilities:household:") == {WANG: Money(500), LI: Money(70)}


CODES = [BANK, GOODS, WANG, LI, rules.cooperative("SS"), rules.loss("SS")]


@given(st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(CODES), st.integers(0, 10**9))))
def test_debits_and_credits_of_any_plan_are_equal(moves):
    """The natural balances of all kinds, signed, add up to nothing whatever was moved."""
    debited = dict.fromkeys(CODES, ZERO)
    credited = dict.fromkeys(CODES, ZERO)
    for debit, credit, fen in moves:
        debited[debit] += Money(fen)
        credited[credit] += Money(fen)
    signed = 0
    for code in CODES:
        kind = AccountKind(rules.kind_of(code))
        held = queries.natural(kind, debited[code], credited[code]).fen
        signed += held if kind.value in rules.DEBIT_NORMAL else -held
    assert signed == 0


def test_the_trial_balance_is_even(session):
    write(
        session,
        Entry(GOODS, WANG, Money(500), "slip:1"),
        Entry(WANG, rules.in_transit("SS"), Money(300), "payout_line:1:sent"),
        Entry(rules.in_transit("SS"), BANK, Money(300), "payout_line:1:paid"),
    )

    trial = queries.trial_balance(session)

    assert trial.debited == trial.credited == Money(1100)
    assert {row.account.code: row.balance.fen for row in trial.rows} == {
        GOODS: 500, WANG: 200, rules.in_transit("SS"): 0, BANK: -300,
    }  # fmt: skip


@pytest.mark.race
def test_two_who_post_the_same_cause_at_once_post_it_once(db):
    barrier = threading.Barrier(4)
    problems: list[Exception] = []

    def work() -> None:
        barrier.wait()
        try:
            for n in range(5):
                with db.transaction() as session:
                    write(session, Entry(GOODS, WANG, Money(500), f"slip:{n}"))
        except Exception as problem:  # noqa: BLE001  shown by the assertion below
            problems.append(problem)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert problems == []
    with db.reading() as session:
        assert queries.balance(session, WANG) == Money(2500)
        assert count(session) == (2, 5)
        assert list(audit.verify(session)) == []
