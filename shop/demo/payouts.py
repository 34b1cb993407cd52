"""What cooperatives pay their households: a run a month, four eyes, and the bank's answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.operations import open_payout_account
from kernel.actors import Role
from kernel.errors import Refusal
from orders.payouts.models import PayoutLine
from orders.payouts.operations import approve_run, draft_run, export_run, reject_run, review_run
from shop.demo import rhythm, tables
from shop.demo.statements import Till
from shop.demo.town import Town, at

PAY_DAY = 20
# The newest run waits for the manager: drafted so many days ago, reviewed the day after.
WAITING_SINCE = 4
# Cooperatives whose households are paid every month; the others once a quarter.
_MONTHLY = ("SS",)


@dataclass(slots=True)
class Run:
    """One payout run on its way."""

    town: Town
    till: Till
    supplier: str
    drafted: date
    waits: bool = False
    fails: bool = False
    ids: list[int] = field(default_factory=list)

    @property
    def supplier_id(self) -> int:
        return self.town.suppliers[self.supplier]


def plan_payouts(town: Town, till: Till) -> None:
    """A run on the twentieth of every month, and one that is not finished yet."""
    last = rhythm.working_day(town.span.today - timedelta(days=WAITING_SINCE))
    if last >= town.span.today:
        last = town.span.today - timedelta(days=1)
    for row in tables.suppliers():
        days = _pay_days(town, row["code"])
        for number, day in enumerate(days):
            # One refusal by the bank every now and then: a wrong name on the account.
            fails = row["code"] == "SS" and number % 5 == 3
            _plan(Run(town, till, row["code"], day, fails=fails))
        if row["code"] == "SS":
            _plan(Run(town, till, row["code"], last, waits=True))


def _pay_days(town: Town, supplier: str) -> list[date]:
    found = []
    month = town.span.trade.replace(day=PAY_DAY)
    number = 0
    while month <= town.span.today - timedelta(days=8):
        if month > town.span.trade and (supplier in _MONTHLY or number % 3 == 2):
            found.append(rhythm.working_day(month))
        number += 1
        month = (month.replace(day=1) + timedelta(days=32)).replace(day=PAY_DAY)
    return found


def _plan(run: Run) -> None:
    next_day = run.drafted + timedelta(days=1)
    run.town.plan(at(run.drafted, 9, 30), _draft, run)
    run.town.plan(at(next_day, 10, 10), _review, run)
    if not run.waits:
        run.town.plan(at(next_day, 15, 0), _approve, run)
        run.town.plan(at(next_day, 16, 0), _export, run)


def _draft(run: Run, session: Session, now: datetime) -> None:
    try:
        drafted = draft_run(
            session,
            supplier_id=run.supplier_id,
            up_to=run.drafted - timedelta(days=1),
            request_key=f"run:{run.supplier}:{run.drafted}",
            by=run.town.actor(run.supplier, Role.ACCOUNTANT),
            now=now,
        )
    except Refusal:
        return  # nobody is owed anything this month
    run.ids.append(drafted.id)


def _review(run: Run, session: Session, now: datetime) -> None:
    reviewer = run.town.actor(run.supplier, Role.ACCOUNTANT, 1)
    for key in run.ids:
        review_run(session, key, supplier_id=run.supplier_id, by=reviewer, now=now)


def _approve(run: Run, session: Session, now: datetime) -> None:
    manager = run.town.actor(run.supplier, Role.MANAGER)
    for key in run.ids:
        approve_run(session, key, supplier_id=run.supplier_id, by=manager, now=now)


def _export(run: Run, session: Session, now: datetime) -> None:
    """The file goes to the bank; it pays the next day, and sometimes one comes back."""
    accountant = run.town.actor(run.supplier, Role.ACCOUNTANT)
    paid_on = (now + timedelta(hours=8)).date() + timedelta(days=1)
    for key in run.ids:
        try:
            export_run(session, key, supplier_id=run.supplier_id, by=accountant, now=now)
        except Refusal:
            # Somebody's claim fell in between, by a refund: it is given up and drafted anew.
            _begin_again(run, key, session, now)
            continue
        lines = session.execute(
            sa.select(
                PayoutLine.amount,
                PayoutLine.holder,
                PayoutLine.reference,
                PayoutLine.account_last4,
                PayoutLine.household_id,
            )
            .where(PayoutLine.run_id == key)
            .order_by(PayoutLine.id)
        ).all()
        for amount, holder, reference, last4, _ in lines:
            run.till.move(run.supplier, paid_on, -amount, holder, f"代发 {reference}", last4)
        if run.fails and lines:
            amount, holder, reference, last4, whose = lines[len(lines) // 2]
            back = paid_on + timedelta(days=2)
            memo = f"退汇 {reference} 户名不符"
            run.till.move(run.supplier, back, amount, holder, memo, last4)
            mended = at(back + timedelta(days=11), 9, 40)
            run.town.plan(mended, _mend, run, whose, holder)


def _begin_again(run: Run, key: int, session: Session, now: datetime) -> None:
    manager = run.town.actor(run.supplier, Role.MANAGER)
    reason = "有农户应付因退款减少，退回重编"
    reject_run(session, key, supplier_id=run.supplier_id, reason=reason, by=manager, now=now)
    tomorrow = rhythm.working_day((now + timedelta(hours=8)).date() + timedelta(days=1))
    _plan(Run(run.town, run.till, run.supplier, tomorrow, fails=run.fails))


def _mend(run: Run, household_id: int, holder: str, session: Session, now: datetime) -> None:
    """The household brings its new passbook; the next run pays it again."""
    open_payout_account(
        session,
        household_id,
        holder=holder,
        bank="样例农商行水市支行",
        number=run.town.names.account(),
        proof="新开户存折复印件",
        by=run.town.actor(run.supplier, Role.ACCOUNTANT),
        now=now,
    )
