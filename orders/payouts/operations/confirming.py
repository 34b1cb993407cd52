"""What the bank says of a run: paid, or not paid and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.bulk import insert_missing
from kernel.db import get_or_missing, stamp
from kernel.errors import Missing, Refusal, Text
from kernel.money import Money
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import BankLine, BankMatch
from orders.payouts.models import FailureReason, PayoutLine, PayoutRun, PayoutState, RunState
from orders.payouts.rules.references import failure_in, references_in

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a look through the bank's movements has found. `puzzles` are for a person to solve."""

    paid: int = 0
    failed: int = 0
    puzzles: list[Text] = field(default_factory=list)


def confirm_from_statement(
    session: Session,
    *,
    supplier_id: int,
    statement_id: int | None = None,
    by: Actor,
    now: datetime,
) -> Confirmed:
    """Every movement that nothing explains yet and that carries the reference of a payment (or is
    the only one with its amount, account and name) settles that payment; one that came back puts
    the money back on what the household is owed.

    Again it finds nothing more. A movement is used once (R19), and only for the amount it has.
    """
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    movements = _unexplained(session, supplier_id, statement_id)
    lines = _lines_for(session, supplier_id, movements)
    plan = _plan(movements, lines)
    if plan.steps:
        _apply(session, supplier, plan.steps, by, now)
        settle_runs(session, {step.line.run_id for step in plan.steps})
    paid = sum(step.paid for step in plan.steps)
    audit.note(
        session, "confirm_from_statement", f"supplier:{supplier_id}", by=by, now=now,
        paid=paid, failed=len(plan.steps) - paid, puzzles=len(plan.puzzles),
    )  # fmt: skip
    return Confirmed(paid, len(plan.steps) - paid, plan.puzzles)


def _unexplained(session: Session, supplier_id: int, statement_id: int | None) -> list[BankLine]:
    query = (
        sa.select(BankLine)
        .outerjoin(BankMatch, BankMatch.bank_line_id == BankLine.id)
        .where(BankLine.supplier_id == supplier_id, BankMatch.id.is_(None))
        .order_by(BankLine.on, BankLine.id)
    )
    if statement_id is not None:
        query = query.where(BankLine.statement_id == statement_id)
    return list(session.scalars(query))


def _lines_for(
    session: Session, supplier_id: int, movements: Sequence[BankLine]
) -> list[PayoutLine]:
    """Lines under way, and those that the movements name; their runs are locked in id order."""
    named = sorted({ref for each in movements for ref in references_in(each.memo)})
    wanted = [PayoutLine.state == PayoutState.SENT]
    lines: dict[int, PayoutLine] = {}
    wanted += [
        PayoutLine.reference.in_(named[start : start + AT_ONCE])
        for start in range(0, len(named), AT_ONCE)
    ]
    for condition in wanted:
        for line in session.scalars(
            sa.select(PayoutLine)
            .where(PayoutLine.supplier_id == supplier_id, condition)
            .options(joinedload(PayoutLine.household))
            .order_by(PayoutLine.id)
            .execution_options(populate_existing=True)
        ):
            lines[line.id] = line
    return [lines[key] for key in sorted(lines)]


@dataclass(frozen=True, slots=True)
class _Step:
    """One movement and the payment it is about."""

    movement: BankLine
    line: PayoutLine
    paid: bool


@dataclass(slots=True)
class _Plan:
    steps: list[_Step] = field(default_factory=list)
    puzzles: list[Text] = field(default_factory=list)


def _plan(movements: Sequence[BankLine], lines: Sequence[PayoutLine]) -> _Plan:
    by_reference = {line.reference: line for line in lines}
    by_payee: dict[tuple[int, str, str], list[PayoutLine]] = {}
    for line in lines:
        if line.state is PayoutState.SENT:
            key = line.amount.fen, line.account_last4, line.holder
            by_payee.setdefault(key, []).append(line)
    plan = _Plan()
    states = {line.id: line.state for line in lines}
    # What left goes before what came back: a bank often lists both on one day.
    for each in sorted(movements, key=lambda each: (each.amount.fen > 0, each.on, each.id)):
        named = references_in(each.memo)
        payees = by_payee.get((-each.amount.fen, each.account_last4, each.counterparty), [])
        only = payees[0] if len(payees) == 1 else None
        found = by_reference.get(named[0]) if named else only
        if found is None:
            if named:
                plan.puzzles.append(
                    Text("Bank movement %(ref)s names %(payment)s, which is no payment of yours.",
                         ref=each.bank_ref, payment=named[0])
                )  # fmt: skip
            continue
        _place(plan, each, found, states)
    return plan


def _place(
    plan: _Plan, movement: BankLine, line: PayoutLine, states: dict[int, PayoutState]
) -> None:
    left = movement.amount.fen < 0
    expected = PayoutState.SENT if left else PayoutState.PAID
    if abs(movement.amount.fen) != line.amount.fen:
        plan.puzzles.append(
            Text("Bank movement %(ref)s is %(moved)s, but payment %(payment)s is %(amount)s.",
                 ref=movement.bank_ref, moved=movement.amount, payment=line.reference,
                 amount=line.amount)
        )  # fmt: skip
    elif states[line.id] is not expected:
        plan.puzzles.append(
            Text("Bank movement %(ref)s does not fit payment %(payment)s, which is already settled "
                 "or not under way.", ref=movement.bank_ref, payment=line.reference)
        )  # fmt: skip
    else:
        states[line.id] = PayoutState.PAID if left else PayoutState.FAILED
        plan.steps.append(_Step(movement, line, left))


def _apply(
    session: Session, supplier: Supplier, steps: Sequence[_Step], by: Actor, now: datetime
) -> None:
    made = stamp(by, now)
    matches = [
        {
            "bank_line_id": step.movement.id,
            "target": f"payout_line:{step.line.id}",
            "amount": Money(abs(step.movement.amount.fen)),
            **made,
        }
        for step in steps
    ]
    written = insert_missing(session, BankMatch, matches, unique=("bank_line_id", "target"))
    assert len(written) == len(matches), "the supplier is locked"
    for step in steps:
        _mark(step, now)
    session.flush()
    for day in sorted({step.movement.on for step in steps}):
        entries = [_entry(step, supplier.code) for step in steps if step.movement.on == day]
        post(session, entries, on=day, by=by, now=now)


def _mark(step: _Step, now: datetime) -> None:
    line = step.line
    line.done_at = now
    if step.paid:
        line.state, line.bank_ref = PayoutState.PAID, step.movement.bank_ref
    else:
        line.state = PayoutState.FAILED
        line.failure = FailureReason(failure_in(step.movement.memo))
        line.failure_note = step.movement.memo[:120]


def _entry(step: _Step, supplier: str) -> Entry:
    line, memo = step.line, step.movement.bank_ref
    bank = accounts.bank(supplier)
    if step.paid:
        cause = f"payout_line:{line.id}:paid"
        return Entry(accounts.in_transit(supplier), bank, line.amount, cause, memo)
    household = accounts.household(line.household.code, supplier)
    return Entry(bank, household, line.amount, f"payout_line:{line.id}:returned", memo)


def fail_line(
    session: Session,
    line_id: int,
    *,
    supplier_id: int,
    reason: FailureReason,
    note: str = "",
    by: Actor,
    now: datetime,
) -> PayoutLine:
    """The bank reports that it did not pay: the household is owed the amount again.

    Said twice it is said once. A payment that the statement shows as paid is not failed by hand.
    """
    line = session.get(PayoutLine, line_id)
    if line is None or line.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    line = session.scalars(
        sa.select(PayoutLine)
        .where(PayoutLine.id == line_id)
        .options(joinedload(PayoutLine.household))
        .execution_options(populate_existing=True)
    ).one()
    if line.state is PayoutState.FAILED:
        return line
    if line.state is not PayoutState.SENT:
        raise Refusal("Only a payment that is with the bank can fail.")
    line.state, line.failure, line.failure_note = PayoutState.FAILED, reason, note.strip()[:120]
    line.done_at = now
    session.flush()
    post(
        session,
        [
            Entry(
                accounts.in_transit(supplier.code),
                accounts.household(line.household.code, supplier.code),
                line.amount,
                f"payout_line:{line.id}:failed",
                line.reference,
            )
        ],
        on=business_day(now),
        by=by,
        now=now,
    )
    settle_runs(session, {line.run_id})
    audit.note(
        session, "fail_line", f"payout_line:{line.id}", by=by, now=now,
        reason=reason.value, amount=line.amount,
    )  # fmt: skip
    return line


def settle_runs(session: Session, run_ids: set[int]) -> None:
    """A run is finished when no payment of it is under way any more."""
    session.flush()
    under_way = set(
        session.scalars(
            sa.select(PayoutLine.run_id)
            .where(PayoutLine.run_id.in_(run_ids), PayoutLine.state == PayoutState.SENT)
            .distinct()
        )
    )
    for run_id in sorted(run_ids - under_way):
        run = get_or_missing(session, PayoutRun, run_id, lock=True)
        if run.state is RunState.EXPORTED:
            run.state = RunState.SETTLED
    session.flush()
