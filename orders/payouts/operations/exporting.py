"""The bank file of an approved run: what is owed becomes what is under way, once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.households.models import PayoutAccount
from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import account_at
from kernel import audit
from kernel.actors import Actor
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing
from kernel.errors import Refusal, Text
from kernel.labels import Labelled
from kernel.money import Money
from kernel.people import User
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.ledger.queries import balances_of
from orders.payouts.models import PayoutLine, PayoutRun, PayoutState, RunState
from orders.payouts.operations.running import MOST_NAMED, check_move, lines_of, lock_run
from orders.payouts.rules.bankfile import (
    CSV_TYPE,
    XLSX_TYPE,
    Cover,
    Payment,
    as_csv,
    as_xlsx,
)


class FileKind(Labelled):
    CSV = "csv"
    XLSX = "xlsx"


@dataclass(frozen=True, slots=True)
class BankFile:
    """What is handed to the bank."""

    name: str
    media_type: str
    content: bytes
    count: int
    total: Money


def export_run(
    session: Session,
    run_id: int,
    *,
    supplier_id: int,
    kind: FileKind = FileKind.CSV,
    by: Actor,
    now: datetime,
) -> BankFile:
    """The bank file of an approved run. The first time, what is owed becomes what is under way.

    Again, in either form, it is the same list and the books do not move. Refused when somebody's
    claim has fallen or account has changed since the run was drafted: such a run is rejected and
    drafted anew, never quietly paid otherwise than it was approved.
    """
    run = lock_run(session, run_id, supplier_id)
    lines = lines_of(session, run)
    if run.state not in (RunState.EXPORTED, RunState.SETTLED):
        check_move(run, RunState.EXPORTED)
        _send(session, run, lines, by, now)
    cover = _cover(session, run)
    payments = [
        Payment(line.holder, line.account, line.bank, line.amount, line.reference) for line in lines
    ]
    listed = as_csv(cover, payments)
    if not run.file_sha256:
        run.file_sha256 = hashlib.sha256(listed).hexdigest()
    session.flush()
    audit.note(
        session, "export_run", f"payout_run:{run.id}", by=by, now=now,
        number=run.number, kind=kind.value, count=run.count, total=run.total,
    )  # fmt: skip
    if kind is FileKind.CSV:
        return BankFile(f"{run.number}.csv", CSV_TYPE, listed, run.count, run.total)
    assert run.exported_at is not None
    book = as_xlsx(cover, payments, made_at=run.exported_at)
    return BankFile(f"{run.number}.xlsx", XLSX_TYPE, book, run.count, run.total)


def _send(
    session: Session, run: PayoutRun, lines: Sequence[PayoutLine], by: Actor, now: datetime
) -> None:
    supplier = get_or_missing(session, Supplier, run.supplier_id)
    codes = {line.id: accounts.household(line.household.code, supplier.code) for line in lines}
    _check_still_true(session, run, lines, codes)
    for line in lines:
        line.state = PayoutState.SENT
    run.state, run.exported_at = RunState.EXPORTED, now
    post(
        session,
        [
            Entry(
                codes[line.id],
                accounts.in_transit(supplier.code),
                line.amount,
                f"payout_line:{line.id}:sent",
                line.reference,
            )
            for line in lines
        ],
        on=business_day(now),
        by=by,
        now=now,
    )


def _check_still_true(
    session: Session, run: PayoutRun, lines: Sequence[PayoutLine], codes: dict[int, str]
) -> None:
    owed = balances_of(session, sorted(codes.values()))
    now_open = {
        key: (number_hash, holder)
        for key, number_hash, holder in session.execute(
            sa.select(PayoutAccount.household_id, PayoutAccount.number_hash, PayoutAccount.holder)
            .join(PayoutLine, PayoutLine.household_id == PayoutAccount.household_id)
            .where(PayoutLine.run_id == run.id, PayoutAccount.valid_to.is_(None))
        )
    }
    reasons = []
    for line in lines:
        if owed[codes[line.id]] < line.amount:
            reasons.append(
                Text("%(name)s is owed only %(owed)s by now.",
                     name=line.household.name, owed=owed[codes[line.id]])
            )  # fmt: skip
        if now_open.get(line.household_id) != (keyed_hash(line.account), line.holder):
            reasons.append(
                Text("The account of %(name)s has changed since.", name=line.household.name)
            )
    if reasons:
        raise Refusal(
            Text("This run no longer fits. Please reject it and draft another one."),
            tuple(reasons[:MOST_NAMED]),
        )


def _cover(session: Session, run: PayoutRun) -> Cover:
    supplier = session.scalars(
        sa.select(Supplier)
        .where(Supplier.id == run.supplier_id)
        .options(selectinload(Supplier.organisation))
    ).one()
    people = [key for key in (run.made_by_id, run.reviewed_by_id, run.approved_by_id) if key]
    names: dict[int | None, str] = {
        user.id: user.name for user in session.scalars(sa.select(User).where(User.id.in_(people)))
    }
    assert run.exported_at is not None
    # Paid from the account that was in the register when the run was approved.
    bank, account = account_at(session, supplier, run.approved_at)
    return Cover(
        number=run.number,
        payer=supplier.organisation.name,
        payer_bank=bank,
        payer_account=account,
        drafted_by=names.get(run.made_by_id, ""),
        reviewed_by=names.get(run.reviewed_by_id, ""),
        approved_by=names.get(run.approved_by_id, ""),
        on=business_day(run.exported_at).isoformat(),
    )
