"""What must always be true of households, runs and the bank (domain.md §4.6, R11, R12, R19)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.lots.models import Contribution, WeighSlip
from catalog.lots.queries.stock import IN_LOT
from catalog.suppliers.models import Supplier
from kernel.checks import Check, Difference, Findings, Sides, rows_of, totals
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO, Money
from orders.ledger import rules as accounts
from orders.ledger.queries import balances
from orders.payments.models import BankLine, BankMatch
from orders.payouts.models import PayoutLine, PayoutRun, PayoutState, RunState
from orders.shares.models import PartKind, SplitPart

UNDER_WAY = (PayoutState.SENT, PayoutState.PAID)


def _owed_is_earned_less_paid(session: Session) -> Findings:
    """R11: per household and supplier, from slips, parts and payments against the ledger."""
    due: dict[str, Money] = {}
    for rows, sign in ((_bought(), 1), (_pooled(), 1), (_paid(), -1)):
        for household, supplier, amount in session.execute(rows):
            code = accounts.household(household, supplier)
            due[code] = due.get(code, ZERO) + amount * sign
    held = balances(session, "liabilities:household:")
    for code in sorted({*due, *held}):
        if due.get(code, ZERO) != held.get(code, ZERO):
            yield Difference(
                code,
                Text(
                    "the books owe %(held)s, slips and payments say %(due)s",
                    held=held.get(code, ZERO),
                    due=due.get(code, ZERO),
                ),
            )
    return Sides.of_money(due.values(), held.values())


_Owed = sa.Select[str, str, Money]


def _bought() -> _Owed:
    """What was weighed in, bought and not reversed; goods on consignment came in at no cost."""
    return (
        sa.select(Household.code, Supplier.code, sum_money(Contribution.cost))
        .select_from(WeighSlip)
        .join(Contribution, Contribution.id == WeighSlip.contribution_id)
        .join(Household, Household.id == WeighSlip.household_id)
        .join(Supplier, Supplier.id == WeighSlip.supplier_id)
        .where(IN_LOT)
        .group_by(Household.code, Supplier.code)
    )


def _pooled() -> _Owed:
    return (
        sa.select(Household.code, Supplier.code, sum_money(SplitPart.amount))
        .select_from(SplitPart)
        .join(Household, Household.id == SplitPart.household_id)
        .join(Supplier, Supplier.id == SplitPart.supplier_id)
        .where(SplitPart.kind.in_((PartKind.CONSIGNED, PartKind.REBATE)))
        .group_by(Household.code, Supplier.code)
    )


def _paid() -> _Owed:
    return (
        sa.select(Household.code, Supplier.code, sum_money(PayoutLine.amount))
        .select_from(PayoutLine)
        .join(Household, Household.id == PayoutLine.household_id)
        .join(Supplier, Supplier.id == PayoutLine.supplier_id)
        .where(PayoutLine.state.in_(UNDER_WAY))
        .group_by(Household.code, Supplier.code)
    )


def _runs_are_their_lines(session: Session) -> Findings:
    """R12: count and sum that were approved are those of the list."""
    counted, summed = sa.func.count(PayoutLine.id), sum_money(PayoutLine.amount)
    for run, count, amount in session.execute(
        sa.select(PayoutRun, counted, summed)
        .outerjoin(PayoutLine, PayoutLine.run_id == PayoutRun.id)
        .group_by(*PayoutRun.__table__.columns)
        .having(
            sa.or_(
                counted != PayoutRun.count,
                sa.type_coerce(summed, sa.BigInteger)
                != sa.type_coerce(PayoutRun.total, sa.BigInteger),
            )
        )
        .order_by(PayoutRun.id)
    ):
        yield Difference(
            f"payout_run:{run.number}",
            Text(
                "%(count)s payments of %(total)s, its lines are %(lines)s of %(amount)s",
                count=run.count, total=run.total, lines=count, amount=amount,
            ),
        )  # fmt: skip
    return totals(session, sum_money(PayoutRun.total), sum_money(PayoutLine.amount))


def _under_way_is_sent(session: Session) -> Findings:
    """What is with the bank in the books is what is with the bank in the lists."""
    sent: dict[str, Money] = {
        accounts.in_transit(code): amount
        for code, amount in session.execute(
            sa.select(Supplier.code, sum_money(PayoutLine.amount))
            .join(Supplier, Supplier.id == PayoutLine.supplier_id)
            .where(PayoutLine.state == PayoutState.SENT)
            .group_by(Supplier.code)
        )
    }
    held = balances(session, "liabilities:in-transit:")
    for code in sorted({*sent, *held}):
        if sent.get(code, ZERO) != held.get(code, ZERO):
            yield Difference(
                code,
                Text(
                    "holds %(held)s, payments under way are %(sent)s",
                    held=held.get(code, ZERO), sent=sent.get(code, ZERO),
                ),
            )  # fmt: skip
    return Sides.of_money(sent.values(), held.values())


def _slips_are_used_once(session: Session) -> Iterator[Difference]:
    """R19: a confirmed payment has one movement of its amount; a returned one has two or none."""
    target = "payout_line:" + sa.cast(PayoutLine.id, sa.String)
    times = sa.func.count(BankMatch.id)
    amount = sum_money(BankMatch.amount)
    expected = sa.case((PayoutLine.state == PayoutState.PAID, 1), else_=0)
    wrong = sa.or_(
        sa.and_(PayoutLine.state == PayoutState.PAID, times != expected),
        sa.and_(PayoutLine.state == PayoutState.FAILED, times.not_in((0, 2))),
        sa.and_(PayoutLine.state.not_in((PayoutState.PAID, PayoutState.FAILED)), times != 0),
        sa.type_coerce(amount, sa.BigInteger)
        != times * sa.type_coerce(PayoutLine.amount, sa.BigInteger),
    )
    for reference, count in session.execute(
        sa.select(PayoutLine.reference, times)
        .outerjoin(BankMatch, BankMatch.target == target)
        .group_by(PayoutLine.id, PayoutLine.reference, PayoutLine.state, PayoutLine.amount)
        .having(wrong)
        .order_by(PayoutLine.reference)
    ):
        yield Difference(
            reference, Text("is settled by %(count)s movements of the bank", count=count)
        )


def _bank_book_is_the_statement(session: Session) -> Findings:
    """R17: what the books hold at the bank is what its explained movements add up to."""
    signed = sa.case(
        (sa.type_coerce(BankLine.amount, sa.BigInteger) > 0, _fen(BankMatch.amount)),
        else_=-_fen(BankMatch.amount),
    )
    moved: dict[str, Money] = {
        accounts.bank(code): Money(int(fen))
        for code, fen in session.execute(
            sa.select(Supplier.code, sum_whole(signed))
            .join(BankLine, BankLine.supplier_id == Supplier.id)
            .join(BankMatch, BankMatch.bank_line_id == BankLine.id)
            .group_by(Supplier.code)
        )
    }
    held = balances(session, "assets:bank:")
    for code in sorted({*moved, *held}):
        if moved.get(code, ZERO) != held.get(code, ZERO):
            yield Difference(
                code,
                Text(
                    "the books hold %(held)s, the bank's explained movements are %(moved)s",
                    held=held.get(code, ZERO), moved=moved.get(code, ZERO),
                ),
            )  # fmt: skip
    return Sides.of_money(moved.values(), held.values())


def _fen(amount: object) -> sa.ColumnElement[int]:
    return sa.type_coerce(amount, sa.BigInteger)  # type: ignore[arg-type]


def _nobody_paid_alone(session: Session) -> Iterator[Difference]:
    """R20: drafted by one, reviewed and approved by others."""
    gone = (RunState.APPROVED, RunState.EXPORTED, RunState.SETTLED)
    alone = sa.or_(
        PayoutRun.reviewed_by_id.is_(None),
        PayoutRun.approved_by_id.is_(None),
        PayoutRun.made_by_id == PayoutRun.reviewed_by_id,
        PayoutRun.made_by_id == PayoutRun.approved_by_id,
    )
    for number in session.scalars(
        sa.select(PayoutRun.number)
        .where(PayoutRun.state.in_(gone), alone)
        .order_by(PayoutRun.number)
    ):
        yield Difference(f"payout_run:{number}", Text("was let go by fewer than two people"))


CHECKS: list[Check] = [
    Check(
        "payouts.owed",
        Text("R11: owed to a household is what it earned less what it was paid"),
        _owed_is_earned_less_paid,
        rows_of(WeighSlip, PayoutLine),
    ),
    Check(
        "payouts.lists",
        Text("R12: count and sum of a payout are those approved"),
        _runs_are_their_lines,
        rows_of(PayoutRun, PayoutLine),
    ),
    Check(
        "payouts.under_way",
        Text("R12: what is under way in the books is with the bank"),
        _under_way_is_sent,
        rows_of(PayoutLine),
    ),
    Check(
        "payouts.bank",
        Text("R19: a bank slip is used once"),
        _slips_are_used_once,
        rows_of(PayoutLine, BankMatch),
    ),
    Check(
        "payouts.bank_book",
        Text("R17: the bank book is the bank's statement"),
        _bank_book_is_the_statement,
        rows_of(BankLine, BankMatch),
    ),
    Check(
        "payouts.four_eyes",
        Text("R20: nobody pays alone"),
        _nobody_paid_alone,
        rows_of(PayoutRun),
    ),
]
