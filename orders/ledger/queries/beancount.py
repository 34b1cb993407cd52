"""The whole ledger as a Beancount file that another program can prove (contract.md).

Strict: no tolerance anywhere, duplicates refused, every commodity declared, only leaves posted to;
and after the last posting of each month every account that moved says what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.money import ZERO, Money
from orders.ledger.models import Account, Transfer

HEADER = """\
option "title" "溯田 Sutian"
option "operating_currency" "CNY"
option "tolerance_multiplier" "0"
plugin "beancount.plugins.noduplicates"
plugin "beancount.plugins.leafonly"
plugin "beancount.plugins.check_commodity"
"""


@dataclass(slots=True)
class _Running:
    """One account while transfers pass by in order: debits are positive, as Beancount has it."""

    name: str
    holds: Money = ZERO
    moved_on: date | None = None

    def assertion(self) -> str:
        assert self.moved_on is not None
        # A balance is asserted at the beginning of a day: of the day after the last posting.
        day = self.moved_on + timedelta(days=1)
        return f"{day} balance {self.name} {self.holds.yuan} ~ 0.00 CNY\n"


def ledger_lines(session: Session) -> Iterator[str]:
    """The file, piece by piece, in the order of the days. Memory does not grow with the books."""
    yield HEADER
    first = session.scalar(sa.select(sa.func.min(Transfer.on)))
    if first is None:
        return
    yield f"{first} commodity CNY\n"
    accounts = _open_accounts(session)
    for account in accounts.values():
        yield f"{first} open {account.name} CNY\n"
    for transfer in session.execute(
        sa.select(Transfer.on, Transfer.cause, Transfer.memo, Transfer.amount, Transfer.debit_id,
                  Transfer.credit_id)
        .order_by(Transfer.on, Transfer.id)
        .execution_options(yield_per=1000)
    ):  # fmt: skip
        for key, amount in (
            (transfer.debit_id, transfer.amount),
            (transfer.credit_id, -transfer.amount),
        ):
            account = accounts[key]
            if account.moved_on and _month(account.moved_on) != _month(transfer.on):
                yield account.assertion()
            account.moved_on = transfer.on
            account.holds += amount
        yield _transaction(transfer, accounts)
    for account in accounts.values():
        if account.moved_on:
            yield account.assertion()


def _open_accounts(session: Session) -> dict[int, _Running]:
    rows = session.execute(sa.select(Account.id, Account.code).order_by(Account.code))
    return {key: _Running(beancount_name(code)) for key, code in rows}


def beancount_name(code: str) -> str:
    """`liabilities:household:H-7K3Q96:SS` → `Liabilities:Household:H-7K3Q96:SS`"""
    return ":".join(part[:1].upper() + part[1:] for part in code.split(":"))


def _transaction(transfer: sa.Row[date, str, str, Money, int, int],
                 accounts: dict[int, _Running]) -> str:  # fmt: skip
    on, cause, memo, amount, debit_id, credit_id = transfer
    # The cause is a link and not only a remark, so that two equal amounts of one day differ.
    return (
        f"{on} * {_quoted(memo or cause)} ^{cause.replace(':', '/')}\n"
        f"  cause: {_quoted(cause)}\n"
        f"  {accounts[debit_id].name}  {amount.yuan} CNY\n"
        f"  {accounts[credit_id].name}  {(-amount).yuan} CNY\n"
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month
