"""Drafted by one, reviewed and approved by others, exported once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.bulk import insert_missing
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Missing, Refusal, Text
from kernel.money import total
from kernel.numbering import next_number
from kernel.periods import business_day
from orders.payouts.models import RUN_MOVES, PayoutLine, PayoutRun, PayoutState, RunState
from orders.payouts.queries.owing import Owed, owed_households, payable
from orders.payouts.rules.references import NUMBER_KIND, reference

MOST_NAMED = 20


def draft_run(
    session: Session,
    *,
    supplier_id: int,
    up_to: date,
    request_key: str,
    by: Actor,
    now: datetime,
) -> PayoutRun:
    """A list of everybody who is owed something for goods until `up_to` and can be paid.

    The books do not move. Whoever has no account, is in a run under way, or whose account the bank
    refused stays out of it. The same `request_key` again answers the first run.
    """
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    known = session.scalar(sa.select(PayoutRun).where(PayoutRun.request_key == request_key))
    if known is not None:
        return known
    if up_to > business_day(now):
        raise Invalid({"up_to": Text("Choose %(day)s or earlier.", day=business_day(now))})
    owed = owed_households(session, supplier, up_to=up_to)
    wanted = payable(owed)
    if not wanted:
        raise Refusal(Text("Nobody is owed anything that can be paid now."), tuple(_hindered(owed)))
    run = PayoutRun(
        number=next_number(session, NUMBER_KIND, now),
        supplier_id=supplier.id,
        request_key=request_key,
        state=RunState.DRAFTED,
        up_to=up_to,
        total=total(each.amount for each in wanted),
        count=len(wanted),
        **stamp(by, now),
    )
    session.add(run)
    session.flush()  # lines point to run.id
    rows = [_line(run, place, each, by, now) for place, each in enumerate(wanted, 1)]
    written = insert_missing(session, PayoutLine, rows, unique="reference")
    assert len(written) == run.count
    audit.note(
        session, "draft_run", f"payout_run:{run.id}", by=by, now=now,
        number=run.number, count=run.count, total=run.total,
    )  # fmt: skip
    return run


def _hindered(owed: Sequence[Owed]) -> list[Text]:
    return [
        Text("%(name)s (%(code)s): %(why)s", name=each.name, code=each.code, why=each.hindrance)
        for each in owed[:MOST_NAMED]
    ]


def _line(run: PayoutRun, place: int, owed: Owed, by: Actor, now: datetime) -> dict[str, object]:
    assert owed.account is not None
    return {
        "run_id": run.id,
        "supplier_id": run.supplier_id,
        "household_id": owed.household_id,
        "amount": owed.amount,
        "holder": owed.account.holder,
        "bank": owed.account.bank,
        "account": owed.account.number,
        "account_last4": owed.account.last4,
        "reference": reference(run.number, place),
        "state": PayoutState.PENDING,
        "bank_ref": "",
        "failure": None,
        "failure_note": "",
        "done_at": None,
        **stamp(by, now),
    }


def review_run(
    session: Session, run_id: int, *, supplier_id: int, by: Actor, now: datetime
) -> PayoutRun:
    """Somebody else has gone through it household by household (复核)."""
    run = lock_run(session, run_id, supplier_id)
    if run.state is RunState.REVIEWED and run.reviewed_by_id == by.user_id:
        return run
    check_move(run, RunState.REVIEWED)
    _check_person(session, run, by)
    run.state, run.reviewed_by_id, run.reviewed_at = RunState.REVIEWED, by.user_id, now
    session.flush()
    audit.note(session, "review_run", f"payout_run:{run.id}", by=by, now=now, number=run.number)
    return run


def approve_run(
    session: Session, run_id: int, *, supplier_id: int, by: Actor, now: datetime
) -> PayoutRun:
    """Whoever answers for the cooperative lets the money go; never whoever drafted it (审批)."""
    run = lock_run(session, run_id, supplier_id)
    if run.state is RunState.APPROVED and run.approved_by_id == by.user_id:
        return run
    check_move(run, RunState.APPROVED)
    _check_person(session, run, by)
    run.state, run.approved_by_id, run.approved_at = RunState.APPROVED, by.user_id, now
    session.flush()
    audit.note(
        session, "approve_run", f"payout_run:{run.id}", by=by, now=now,
        number=run.number, count=run.count, total=run.total,
    )  # fmt: skip
    return run


def reject_run(
    session: Session, run_id: int, *, supplier_id: int, reason: str, by: Actor, now: datetime
) -> PayoutRun:
    """The run ends before anything was paid; its households can be in another one."""
    run = lock_run(session, run_id, supplier_id)
    if run.state is RunState.REJECTED:
        return run
    if not reason.strip():
        raise Invalid({"reason": Text("Please fill this in.")})
    check_move(run, RunState.REJECTED)
    run.state, run.reason = RunState.REJECTED, reason.strip()[:200]
    for line in lines_of(session, run):
        line.state = PayoutState.DROPPED
    session.flush()
    audit.note(
        session, "reject_run", f"payout_run:{run.id}", by=by, now=now,
        number=run.number, reason=run.reason,
    )  # fmt: skip
    return run


def lock_run(session: Session, run_id: int, supplier_id: int) -> PayoutRun:
    """This supplier's run, locked, or Missing."""
    run = get_or_missing(session, PayoutRun, run_id, lock=True)
    if run.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return run


def lines_of(session: Session, run: PayoutRun) -> list[PayoutLine]:
    return list(
        session.scalars(
            sa.select(PayoutLine)
            .where(PayoutLine.run_id == run.id)
            .options(joinedload(PayoutLine.household))
            .order_by(PayoutLine.id)
            .execution_options(populate_existing=True)
        )
    )


_NOT_NOW = {
    RunState.DRAFTED: Text("This payout run has not been reviewed yet."),
    RunState.REVIEWED: Text("This payout run has not been approved yet, or was reviewed before."),
    RunState.APPROVED: Text("This payout run was approved before."),
    RunState.EXPORTED: Text("This payout run has gone to the bank already."),
    RunState.SETTLED: Text("This payout run is finished."),
    RunState.REJECTED: Text("This payout run was rejected."),
}


def check_move(run: PayoutRun, to: RunState) -> None:
    """Steps are not skipped and not repeated."""
    if to not in RUN_MOVES[run.state]:
        raise Refusal(_NOT_NOW[run.state])


def _check_person(session: Session, run: PayoutRun, by: Actor) -> None:
    """Four eyes (R20), and nobody lets their own money go."""
    if by.user_id is None:
        raise Forbidden(Text("Only a person can do this, not a program."))
    if by.user_id == run.made_by_id:
        raise Refusal("You drafted this payout run; somebody else must do this.")
    own = session.scalar(
        sa.select(PayoutLine.id)
        .join(Household, Household.id == PayoutLine.household_id)
        .where(PayoutLine.run_id == run.id, Household.user_id == by.user_id)
        .limit(1)
    )
    if own is not None:
        raise Refusal("Your own household is paid by this run; somebody else must do this.")
