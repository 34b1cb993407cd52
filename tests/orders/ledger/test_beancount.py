"""The exported books hold in Beancount, and nothing that was changed by a fen does."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kernel.actors import COMMAND
from kernel.money import Money, parse_money
from orders.ledger.operations import Entry, post
from orders.ledger.queries.beancount import ledger_lines

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
HOUSEHOLD = "liabilities:household:H-7K3Q96:SS"


@pytest.fixture
def books(session, tmp_path):
    """Three months of one household, with two equal amounts on one day."""
    months = (date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 20))
    for n, day in enumerate(months):
        entries = [
            Entry("assets:goods:SS", HOUSEHOLD, Money(38_400), f"slip:{n}a", '萝卜 "一级"'),
            Entry("assets:goods:SS", HOUSEHOLD, Money(38_400), f"slip:{n}b", '萝卜 "一级"'),
            Entry("assets:receivable:SS:12", "liabilities:clearing:SS", Money(117_601), f"a:{n}"),
            Entry(HOUSEHOLD, "assets:bank:SS", Money(38_399), f"payout:{n}"),
        ]
        post(session, entries, on=day, by=COMMAND, now=NOW)
    session.flush()
    file = tmp_path / "books.beancount"
    file.write_text("".join(ledger_lines(session)), encoding="utf-8")
    return file


def bean_check(file: Path) -> int:
    program = Path(sys.executable).parent / "bean-check"
    return subprocess.run(
        [program, "--no-cache", file], capture_output=True, check=False
    ).returncode


def test_bean_check_accepts_the_books(books):
    assert bean_check(books) == 0


def test_every_account_says_what_it_holds_in_each_month_it_moved(books):
    found = re.findall(r"^(\S+) balance (\S+)", books.read_text(), re.MULTILINE)
    of_household = [day for day, name in found if name == "Liabilities:Household:H-7K3Q96:SS"]
    assert of_household == ["2026-10-01", "2026-11-01", "2026-11-21"]


def test_a_fen_more_or_less_in_any_posting_or_balance_is_refused(books, tmp_path):
    """One changed figure at a time; `bean-check` is asked in one process for all of them."""
    from beancount import loader

    lines = books.read_text().splitlines()
    figures = [
        n for n, line in enumerate(lines) if re.search(r"-?\d+\.\d\d (?:~ 0\.00 )?CNY", line)
    ]
    assert len(figures) > 30
    for number in figures:
        for fen in (1, -1):
            changed = list(lines)
            figure = re.search(r"-?\d+\.\d\d(?= )", changed[number])[0]
            other = Money(parse_money(figure).fen + fen).yuan
            changed[number] = changed[number].replace(figure, other, 1)
            _, errors, _ = loader.load_string("\n".join(changed))
            assert errors, changed[number]


def test_a_transaction_written_twice_is_refused(books):
    text = books.read_text()
    first = re.search(r"^\S+ \* .*(?:\n  .*)+", text, re.MULTILINE)[0]
    file = books.with_name("twice.beancount")
    file.write_text(f"{text}\n{first}\n")
    assert bean_check(file) != 0


def test_an_empty_ledger_is_a_valid_file(session, tmp_path):
    file = tmp_path / "empty.beancount"
    file.write_text("".join(ledger_lines(session)))
    assert bean_check(file) == 0
