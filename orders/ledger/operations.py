"""Posting: the one way money moves in the books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.bulk import insert_missing
from kernel.db import stamp
from kernel.money import Money
from orders.ledger.models import Account, AccountKind, Transfer
from orders.ledger.queries import accounts_by_code, transfers_by_cause
from orders.ledger.rules import account_name, kind_of, subject_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer to be written: `debit` and `credit` are codes of accounts.

    `cause` names what it is for, once and for ever: `acceptance_line:45:rebate:7`.
    """

    debit: str
    credit: str
    amount: Money
    cause: str
    memo: str = ""


def post(
    session: Session, entries: Iterable[Entry], *, on: date, by: Actor, now: datetime
) -> list[Transfer]:
    """Write these transfers, opening accounts on first use; the transfers of all their causes.

    A cause that was posted before is left as it is, also when somebody else posts it at this very
    moment; the same cause with another amount or other accounts is a bug. Nothing is written for
    an amount of zero. The statements do not grow with the number of entries.
    """
    wanted = _distinct(entries)
    if not wanted:
        return []
    known = transfers_by_cause(session, wanted)
    fresh = [entry for cause, entry in wanted.items() if cause not in known]
    accounts = _accounts(session, wanted.values(), on)
    if fresh:
        known |= _write(session, fresh, accounts, on, by, now)
    if missing := [cause for cause in wanted if cause not in known]:
        # Another transaction wrote them between our looking and our writing.
        known |= transfers_by_cause(session, missing)
    found = [known[cause] for cause in wanted]
    for transfer in found:
        entry = wanted[transfer.cause]
        said = (transfer.debit_id, transfer.credit_id, transfer.amount)
        meant = (accounts[entry.debit].id, accounts[entry.credit].id, entry.amount)
        assert said == meant, f"{entry.cause} was posted before, and otherwise"
    return found


def _distinct(entries: Iterable[Entry]) -> dict[str, Entry]:
    wanted: dict[str, Entry] = {}
    for entry in entries:
        assert entry.amount.fen >= 0, entry
        assert entry.debit != entry.credit, entry
        if entry.amount:
            assert wanted.setdefault(entry.cause, entry) == entry, entry
    return wanted


def _write(
    session: Session,
    entries: Sequence[Entry],
    accounts: dict[str, Account],
    on: date,
    by: Actor,
    now: datetime,
) -> dict[str, Transfer]:
    made = stamp(by, now)
    rows = [
        {
            "debit_id": accounts[entry.debit].id,
            "credit_id": accounts[entry.credit].id,
            "amount": entry.amount,
            "on": on,
            "cause": entry.cause,
            "memo": entry.memo,
            **made,
        }
        for entry in entries
    ]
    written = insert_missing(session, Transfer, rows, unique="cause")
    if written:
        audit.note(
            session, "post", f"transfer:{written[0].id}", by=by, now=now,
            count=len(written), total=sum(each.amount.fen for each in written),
        )  # fmt: skip
    return {each.cause: each for each in written}


def _accounts(session: Session, entries: Iterable[Entry], on: date) -> dict[str, Account]:
    codes = sorted({code for entry in entries for code in (entry.debit, entry.credit)})
    found = accounts_by_code(session, codes)
    missing = [code for code in codes if code not in found]
    if missing:
        rows = [
            {
                "code": code,
                "kind": AccountKind(kind_of(code)),
                "name": str(account_name(code)),
                "subject": subject_of(code),
                "opened_on": on,
            }
            for code in missing
        ]
        # In the order of their codes, so that two who open the same accounts wait, not deadlock.
        found |= {each.code: each for each in insert_missing(session, Account, rows, unique="code")}
        elsewhere = [code for code in missing if code not in found]
        found |= accounts_by_code(session, elsewhere)
    return found
