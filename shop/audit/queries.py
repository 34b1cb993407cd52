"""What an auditor looks at: the last self-check, the books, the trail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.suppliers.models import Supplier
from kernel.audit import AuditEntry
from kernel.checks import CheckRun, Sides
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.outbox import Job, JobState
from kernel.people import Organisation, User
from orders.ledger.queries import balances
from orders.payments.models import BankLine, BankMatch


@dataclass(frozen=True, slots=True)
class Example:
    subject: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Checked:
    """One invariant of a run; `sides` are the two sums it compared, where it has two."""

    name: str
    title: Text
    rows: int
    differences: int
    seconds: float
    examples: list[Example]
    sides: Sides | None


@dataclass(frozen=True, slots=True)
class Run:
    began_at: datetime
    seconds: float
    rows: int
    differences: int
    checks: list[Checked]
    trail_count: int
    trail_hash: str


def latest_run(session: Session) -> Run | None:
    """The newest finished self-check; None before the first."""
    run = session.scalar(sa.select(CheckRun).order_by(CheckRun.id.desc()).limit(1))
    if run is None:
        return None
    checks = [_checked(each) for each in run.results]
    return Run(
        run.began_at, run.milliseconds / 1000, run.rows, run.differences, checks,
        run.trail_count, run.trail_hash,
    )  # fmt: skip


def _checked(kept: dict[str, Any]) -> Checked:
    examples = [
        Example(each["subject"], Text.kept(each["message"], each["values"]))
        for each in kept["examples"]
    ]
    return Checked(
        kept["name"], Text.kept(kept["title"], {}), kept["rows"], kept["differences"],
        kept["milliseconds"] / 1000, examples, _sides(kept.get("sides")),
    )  # fmt: skip


def _sides(kept: dict[str, Any] | None) -> Sides | None:
    if not kept:
        return None
    left, right = kept["left"], kept["right"]
    return Sides(Money(left), Money(right)) if kept["unit"] == "fen" else Sides(left, right)


def is_running(session: Session) -> bool:
    """Whether a self-check waits for a worker or is under way."""
    waiting = sa.select(Job.id).where(
        Job.name == "self_check", Job.state.in_((JobState.READY, JobState.RUNNING))
    )
    return session.scalar(waiting.limit(1)) is not None


@dataclass(frozen=True, slots=True)
class BankBook:
    """One supplier's bank account: what the statements moved, what the books hold, what is open."""

    supplier: str
    code: str
    movements: int
    moved: Money
    held: Money
    unexplained: int
    oldest: date | None

    @property
    def difference(self) -> Money:
        return self.moved - self.held


def bank_books(session: Session) -> list[BankBook]:
    """Every supplier whose statements were imported: R17, the bank book against the statement."""
    matched = (
        sa.select(BankMatch.bank_line_id, sum_money(BankMatch.amount).label("amount"))
        .group_by(BankMatch.bank_line_id)
        .subquery()
    )
    moved = sa.func.abs(sa.type_coerce(BankLine.amount, sa.BigInteger))
    explained = sa.func.coalesce(sa.type_coerce(matched.c.amount, sa.BigInteger), 0)
    is_open = moved > explained
    held = balances(session, "assets:bank:")
    rows = session.execute(
        sa.select(
            Organisation.short_name,
            Supplier.code,
            sa.func.count(BankLine.id),
            sum_money(BankLine.amount),
            sum_whole(sa.case((is_open, 1), else_=0)),
            sa.func.min(sa.case((is_open, BankLine.on))),
        )
        .join(Supplier, Supplier.id == BankLine.supplier_id)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .outerjoin(matched, matched.c.bank_line_id == BankLine.id)
        .group_by(Organisation.short_name, Supplier.code)
        .order_by(Supplier.code)
    )
    return [
        BankBook(
            name,
            code,
            int(count),
            amount,
            held.get(f"assets:bank:{code}", ZERO),
            int(open_),
            oldest,
        )
        for name, code, count, amount, open_, oldest in rows
    ]


@dataclass(frozen=True, slots=True)
class TrailRow:
    """One transaction as the trail tells it."""

    number: int
    at: datetime
    who: str
    door: str
    action: str
    subject: str
    details: str
    rows: int
    hash: str


def trail(session: Session, *, text: str = "", offset: int = 0, limit: int = 50) -> list[TrailRow]:
    """Newest first; `text` finds an action (`place_order`), a subject (`order:12`) or a name."""
    query = sa.select(AuditEntry, User.name).outerjoin(User, User.id == AuditEntry.user_id)
    if text:
        query = query.where(
            sa.or_(
                # A transaction may do several things; each is told in its notes.
                AuditEntry.notes.contains(f'"{text}"', autoescape=True),
                User.name.contains(text, autoescape=True),
            )
        )
    found = session.execute(query.order_by(AuditEntry.number.desc()).offset(offset).limit(limit))
    return [_row(entry, name) for entry, name in found]


def _row(entry: AuditEntry, name: str | None) -> TrailRow:
    notes = json.loads(entry.notes)["notes"]
    details = "; ".join(
        f"{key} {value}" for key, value in notes[0]["details"].items() if value not in ("", None)
    )
    more = f" (+{len(notes) - 1})" if len(notes) > 1 else ""
    rows = sum(len(each) for each in json.loads(entry.rows).values())
    return TrailRow(
        entry.number, entry.at, name or entry.program, entry.door, entry.action + more,
        entry.subject, details, rows, entry.hash,
    )  # fmt: skip
