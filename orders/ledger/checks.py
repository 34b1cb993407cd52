"""What must always be true of the books (domain.md §4.6, R1)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, Findings, Sides, rows_of
from kernel.db import sum_money
from kernel.errors import Text
from kernel.money import ZERO
from orders.ledger.models import Account, Transfer
from orders.ledger.queries import trial_balance
from orders.ledger.rules import kind_of, subject_of

# What can never be owed the wrong way round.
NEVER_NEGATIVE = (
    "assets:goods:",
    "liabilities:household:",
    "liabilities:in-transit:",
    "liabilities:prepaid:",
    "liabilities:refunds:",
)


def _debits_are_credits(session: Session) -> Findings:
    trial = trial_balance(session)
    if trial.debited != trial.credited:
        yield Difference(
            "ledger",
            Text(
                "%(debited)s debited, %(credited)s credited",
                debited=trial.debited,
                credited=trial.credited,
            ),
        )
    written = session.scalar(sa.select(sum_money(Transfer.amount)))
    if trial.debited != written:
        yield Difference("ledger", Text("some transfers belong to no account"))
    return Sides(trial.debited, trial.credited)


def _accounts_are_what_they_say(session: Session) -> Iterator[Difference]:
    for account in session.scalars(sa.select(Account).order_by(Account.code)):
        if (account.kind.value, account.subject) != (
            kind_of(account.code),
            subject_of(account.code),
        ):
            yield Difference(account.code, Text("is of another kind or person than its code says"))


def _nothing_is_owed_backwards(session: Session) -> Iterator[Difference]:
    """A claim that was reversed after it had been paid leaves less than nothing: so much and no
    more, until it is set off against the next one."""
    rows = session.execute(
        sa.select(Transfer.debit_id, sum_money(Transfer.amount))
        .where(Transfer.cause.endswith(":reversed"))
        .group_by(Transfer.debit_id)
    )
    reversed_ = {account_id: amount for account_id, amount in rows}  # noqa: C416
    for row in trial_balance(session).rows:
        allowed = reversed_.get(row.account.id, ZERO)
        if row.account.code.startswith(NEVER_NEGATIVE) and row.balance + allowed < ZERO:
            yield Difference(row.account.code, Text("holds %(balance)s", balance=row.balance))


CHECKS: list[Check] = [
    Check(
        "ledger.trial_balance",
        Text("R1: debits are credits"),
        _debits_are_credits,
        rows_of(Transfer),
    ),
    Check(
        "ledger.accounts",
        Text("Every account is what its code says"),
        _accounts_are_what_they_say,
        rows_of(Account),
    ),
    Check(
        "ledger.signs",
        Text("Nobody is owed less than nothing, but for what was reversed after it was paid"),
        _nothing_is_owed_backwards,
        rows_of(Account),
    ),
]
