"""Bank statements: taken in whole or not at all, and what each movement pays for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from kernel.money import Money
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import BankLine, BankMatch, BankStatement
from orders.payments.queries import matched_of
from orders.payments.rules.statements import StatementRow

AT_ONCE = 500


def import_statement(
    session: Session,
    *,
    supplier_id: int,
    name: str,
    sha256: str,
    rows: Sequence[StatementRow],
    by: Actor,
    now: datetime,
) -> BankStatement:
    """Movements on this supplier's account. The same file, or a movement the bank numbered before,
    adds nothing."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    known = session.scalar(
        sa.select(BankStatement).where(
            BankStatement.supplier_id == supplier_id, BankStatement.sha256 == sha256
        )
    )
    if known is not None:
        return known
    there = _known_refs(session, supplier_id, [row.bank_ref for row in rows])
    fresh = [row for row in rows if row.bank_ref not in there]
    statement = BankStatement(
        supplier_id=supplier_id, sha256=sha256, name=name[:200], **stamp(by, now)
    )
    session.add(statement)
    session.flush()  # lines point to statement.id
    session.add_all(
        BankLine(
            statement_id=statement.id,
            supplier_id=supplier_id,
            bank_ref=row.bank_ref,
            on=row.on,
            amount=row.amount,
            counterparty=row.counterparty,
            account_last4=row.account_last4,
            memo=row.memo,
            **stamp(by, now),
        )
        for row in fresh
    )
    session.flush()
    audit.note(
        session, "import_statement", f"statement:{statement.id}", by=by, now=now,
        rows=len(rows), fresh=len(fresh),
    )  # fmt: skip
    return statement


def match_bank_line(
    session: Session,
    bank_line_id: int,
    target: str,
    amount: Money,
    *,
    by: Actor,
    now: datetime,
) -> BankMatch:
    """So much of this movement pays that (`order:123`, `payout_line:45`). Never more than moved;
    the same match again is the same match (R19)."""
    line = get_or_missing(session, BankLine, bank_line_id, lock=True)
    known = session.scalar(
        sa.select(BankMatch).where(BankMatch.bank_line_id == line.id, BankMatch.target == target)
    )
    if known is not None:
        if known.amount != amount:
            raise Refusal("This movement was matched with that before, with another amount.")
        return known
    matched = matched_of(session, [line.id]).get(line.id, Money(0))
    if amount.fen <= 0 or matched.fen + amount.fen > abs(line.amount.fen):
        raise Refusal(
            "Only %(open)s of this movement is not explained yet.",
            open=Money(abs(line.amount.fen) - matched.fen),
        )
    match = BankMatch(bank_line_id=line.id, target=target, amount=amount, **stamp(by, now))
    session.add(match)
    session.flush()
    audit.note(
        session, "match_bank_line", f"bank_line:{line.id}", by=by, now=now,
        target=target, amount=amount,
    )  # fmt: skip
    return match


def recognise_provider_transfer(
    session: Session, bank_line_id: int, *, supplier_id: int, by: Actor, now: datetime
) -> BankMatch:
    """The provider paid out to the cooperative's bank account what citizens had paid."""
    line = get_or_missing(session, BankLine, bank_line_id, lock=True)
    supplier = get_or_missing(session, Supplier, supplier_id)
    if line.supplier_id != supplier_id or line.amount.fen <= 0:
        raise Refusal("This is not money that came in on your account.")
    match = match_bank_line(
        session, line.id, f"provider:{supplier.code}", line.amount, by=by, now=now
    )
    post(
        session,
        [
            Entry(
                accounts.bank(supplier.code),
                accounts.provider(supplier.code),
                line.amount,
                f"bank_line:{line.id}:provider",
                line.memo,
            )
        ],
        on=line.on,
        by=by,
        now=now,
    )
    return match


def _known_refs(session: Session, supplier_id: int, refs: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(refs), AT_ONCE):
        found.update(
            session.scalars(
                sa.select(BankLine.bank_ref).where(
                    BankLine.supplier_id == supplier_id,
                    BankLine.bank_ref.in_(refs[start : start + AT_ONCE]),
                )
            )
        )
    return found
