"""Balances and statements: always sums of transfers, never a stored figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from kernel.db import MoneyColumn, sum_money
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from orders.ledger.models import Account, AccountKind, Transfer
from orders.ledger.rules import DEBIT_NORMAL

AT_ONCE = 500


def _pieces(keys: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(keys)
    while piece := list(islice(rest, AT_ONCE)):
        yield piece


def accounts_by_code(session: Session, codes: Iterable[str]) -> dict[str, Account]:
    return {
        account.code: account
        for piece in _pieces(codes)
        for account in session.scalars(sa.select(Account).where(Account.code.in_(piece)))
    }


def transfers_by_cause(session: Session, causes: Iterable[str]) -> dict[str, Transfer]:
    return {
        transfer.cause: transfer
        for piece in _pieces(causes)
        for transfer in session.scalars(sa.select(Transfer).where(Transfer.cause.in_(piece)))
    }


def _sides(on: date | None = None) -> sa.CompoundSelect[tuple[int, Money, Money]]:
    """Every transfer twice: once for each of its accounts, as (account, debited, credited)."""
    until = Transfer.on <= on if on is not None else sa.true()
    nothing = sa.literal(0)
    amount = Transfer.amount
    return sa.union_all(
        sa.select(
            Transfer.debit_id.label("account_id"),
            amount.label("debited"),
            nothing.label("credited"),
        ).where(until),
        sa.select(Transfer.credit_id, nothing, amount).where(until),
    )


def natural(kind: AccountKind, debited: Money, credited: Money) -> Money:
    """A balance as people read it: what is there, what is owed, what was earned, what was spent."""
    return debited - credited if kind.value in DEBIT_NORMAL else credited - debited


def balance(session: Session, code: str, *, on: date | None = None) -> Money:
    """What the account holds at the end of a day (default: now); ZERO for one never used."""
    return balances_of(session, [code], on=on).get(code, ZERO)


def balances_of(
    session: Session, codes: Iterable[str], *, on: date | None = None
) -> dict[str, Money]:
    """Of those of the accounts that exist."""
    found: dict[str, Money] = {}
    for piece in _pieces(codes):
        found |= _balances(session, Account.code.in_(piece), on)
    return found


def balances(session: Session, prefix: str, *, on: date | None = None) -> dict[str, Money]:
    """Of every account whose code begins with `prefix`, by code."""
    return _balances(session, Account.code.startswith(prefix, autoescape=True), on)


def _balances(session: Session, which: sa.ColumnElement[bool], on: date | None) -> dict[str, Money]:
    """One index look-up per account and side; the rest of the books is not read."""
    found = session.execute(
        sa.select(Account.code, Account.kind, _side(Transfer.debit_id, on),
                  _side(Transfer.credit_id, on)).where(which).order_by(Account.code)
    )  # fmt: skip
    return {code: natural(kind, debited, credited) for code, kind, debited, credited in found}


def _side(column: InstrumentedAttribute[int], on: date | None) -> sa.ColumnElement[Money]:
    summed = sa.select(sum_money(Transfer.amount)).where(column == Account.id)
    if on is not None:
        summed = summed.where(Transfer.on <= on)
    return sa.type_coerce(summed.correlate(Account).scalar_subquery(), MoneyColumn())


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One transfer as one account sees it; `balance` is what the account holds after it."""

    id: int
    on: date
    other: str
    cause: str
    memo: str
    debited: Money
    credited: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class Statement:
    account: Account
    brought_forward: Money
    lines: list[StatementLine]
    balance: Money


def statement(
    session: Session, code: str, *, start: date | None = None, end: date | None = None
) -> Statement:
    """The account's transfers from `start` to `end`, oldest first. Missing for no such account."""
    account = session.scalar(sa.select(Account).where(Account.code == code))
    if account is None:
        raise Missing(Text("There is no account with the code %(code)s.", code=code))
    other = aliased(Account)
    mine = (
        sa.select(
            Transfer.id,
            Transfer.on,
            sa.case((Transfer.debit_id == account.id, Transfer.amount), else_=0).label("debited"),
            sa.case((Transfer.credit_id == account.id, Transfer.amount), else_=0).label("credited"),
            sa.case(
                (Transfer.debit_id == account.id, Transfer.credit_id), else_=Transfer.debit_id
            ).label("other_id"),
            Transfer.cause,
            Transfer.memo,
        )
        .where(sa.or_(Transfer.debit_id == account.id, Transfer.credit_id == account.id))
        .subquery()
    )
    rows = session.execute(
        sa.select(mine, other.code.label("other"))
        .join(other, other.id == mine.c.other_id)
        .where(mine.c.on <= end if end else sa.true())
        .order_by(mine.c.on, mine.c.id)
    )
    running, forward, lines = ZERO, ZERO, []
    for row in rows:
        debited, credited = _money(row.debited), _money(row.credited)
        running += natural(account.kind, debited, credited)
        if start is not None and row.on < start:
            forward = running
            continue
        lines.append(
            StatementLine(
                row.id, row.on, row.other, row.cause, row.memo, debited, credited, running
            )
        )
    return Statement(account, forward, lines, running)


def _money(value: Money | int) -> Money:
    return value if isinstance(value, Money) else Money(int(value))


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account: what was debited and credited in all, and what it holds."""

    account: Account
    debited: Money
    credited: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account; `debited` and `credited` are the two sums that must be equal (R1)."""

    rows: list[TrialRow]
    debited: Money
    credited: Money


def trial_balance(session: Session, *, on: date | None = None) -> TrialBalance:
    """All accounts by code, at the end of a day (default: now)."""
    sides = _sides(on).subquery()
    found = session.execute(
        sa.select(Account, sum_money(sides.c.debited), sum_money(sides.c.credited))
        .join(sides, sides.c.account_id == Account.id)
        .group_by(*Account.__table__.columns)
        .order_by(Account.code)
    )
    rows = [
        TrialRow(account, debited, credited, natural(account.kind, debited, credited))
        for account, debited, credited in found
    ]
    return TrialBalance(rows, _sum(row.debited for row in rows), _sum(row.credited for row in rows))


def _sum(amounts: Iterable[Money]) -> Money:
    return sum(amounts, ZERO)


def latest_day(session: Session) -> date | None:
    """The day of the newest transfer."""
    return session.scalar(sa.select(sa.func.max(Transfer.on)))


def credited_after(
    session: Session, codes: Sequence[str], transfer_id: int
) -> dict[str, list[tuple[int, Money]]]:
    """What these accounts were credited from this transfer on, oldest first: (id, amount)."""
    found: dict[str, list[tuple[int, Money]]] = {}
    for code, key, amount in session.execute(
        sa.select(Account.code, Transfer.id, Transfer.amount)
        .join(Transfer, Transfer.credit_id == Account.id)
        .where(Account.code.in_(codes), Transfer.id >= transfer_id)
        .order_by(Transfer.id)
    ):
        found.setdefault(code, []).append((key, amount))
    return found
