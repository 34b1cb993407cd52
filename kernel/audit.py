"""The audit trail: one entry per transaction, chained by hash, over every field that matters.

An entry says who did what through which door, and carries a digest of every row that the
transaction made, changed or deleted. `verify` re-computes the chain and compares every row of the
database with its last digest, so a change made behind the house's back is found and named. A
chain cannot see that its own tail was cut: that is why its head is printed on what leaves us.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Actor
from kernel.crypto import Sealed
from kernel.db import Model, Work
from kernel.errors import Text
from kernel.money import Money, Price
from kernel.versions import canonical

GENESIS = "0" * 64
DIGEST_LENGTH = 24


class AuditEntry(Model):
    """One committed transaction. Written once; the database refuses to change or delete it."""

    __tablename__ = "audit_entries"
    __audited__ = False
    __append_only__ = True

    number: Mapped[int] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(index=True)
    organisation_id: Mapped[int | None]
    door: Mapped[str] = mapped_column(sa.String(16))
    program: Mapped[str] = mapped_column(sa.String(40))
    action: Mapped[str] = mapped_column(sa.String(60), index=True)
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    notes: Mapped[str] = mapped_column(sa.Text)
    rows: Mapped[str] = mapped_column(sa.Text)
    previous: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditHead(Model):
    """The length and the last hash of the chain; locking it makes writers take turns at the end."""

    __tablename__ = "audit_heads"
    __audited__ = False

    count: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))


@dataclass(frozen=True, slots=True)
class Note:
    action: str
    subject: str
    by: Actor
    at: datetime
    details: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "subject": self.subject,
            "user": self.by.user_id,
            "at": self.at.isoformat(),
            "details": {name: plain(value) for name, value in self.details.items()},
        }


def note(
    session: orm.Session, action: str, subject: str, *, by: Actor, now: datetime, **details: Any
) -> None:
    """Say what this transaction does: `note(session, "place_order", f"order:{id}", by=…, now=…)`.

    A transaction that changes audited rows without a note is a bug and is refused at commit.
    """
    session.info.setdefault("audit_notes", []).append(Note(action, subject, by, now, details))


def audited(model: type) -> bool:
    return getattr(model, "__audited__", True)


def plain(value: Any) -> Any:
    """A JSON value that is the same before writing and after reading, on both databases."""
    if isinstance(value, Money):
        return value.fen
    if isinstance(value, Price):
        return value.per_unit
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def digest(row: Model) -> str:
    """Of every column but sealed ones (their keyed hash stands beside them) and derived ones; one
    that joined the table later is left out while it holds nothing (`JOINED_LATER`)."""
    later = _joined_later(type(row))
    content = {
        name: plain(value)
        for name in _columns(type(row))
        if (value := getattr(row, name)) not in (None, "", False) or name not in later
    }
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:DIGEST_LENGTH]


_columns_of: dict[type, tuple[str, ...]] = {}


def _columns(model: type[Model]) -> tuple[str, ...]:
    found = _columns_of.get(model)
    if found is None:
        found = tuple(
            sorted(
                attribute.key
                for attribute in sa.inspect(model).column_attrs
                if attribute.columns[0].info.get("audit", True)
                and not isinstance(attribute.columns[0].type, Sealed)
            )
        )
        _columns_of[model] = found
    return found


_joined_of: dict[type, frozenset[str]] = {}


def _joined_later(model: type[Model]) -> frozenset[str]:
    found = _joined_of.get(model)
    if found is None:
        found = _joined_of[model] = frozenset(
            attribute.key
            for attribute in sa.inspect(model).column_attrs
            if attribute.columns[0].info.get("audit_when_set", False)
        )
    return found


@sa.event.listens_for(Work, "after_flush")
def _remember_touched(session: orm.Session, _context: object) -> None:
    touched = session.info.setdefault("audit_touched", {})
    for row in session.new:
        if audited(type(row)):
            touched[(row.__tablename__, row.id)] = row
    for row in session.dirty:
        if audited(type(row)) and session.is_modified(row):
            touched[(row.__tablename__, row.id)] = row
    for row in session.deleted:
        if audited(type(row)):
            touched[(row.__tablename__, row.id)] = None


def remember(session: orm.Session, rows: Iterable[Model]) -> None:
    """Rows that one set-based statement wrote: no flush saw them, the trail must know them all the
    same. Each row is as the database holds it now."""
    touched = session.info.setdefault("audit_touched", {})
    for row in rows:
        touched[(row.__tablename__, row.id)] = row


@sa.event.listens_for(Work, "after_transaction_create")
def _remember_before_savepoint(session: orm.Session, transaction: orm.SessionTransaction) -> None:
    if transaction.nested:
        before = (
            dict(session.info.get("audit_touched", {})),
            list(session.info.get("audit_notes", ())),
        )
        session.info.setdefault("audit_savepoints", {})[transaction] = before


@sa.event.listens_for(Work, "after_transaction_end")
def _forget_savepoint(session: orm.Session, ended: orm.SessionTransaction) -> None:
    session.info.get("audit_savepoints", {}).pop(ended, None)


@sa.event.listens_for(Work, "after_rollback")
def _forget(session: orm.Session) -> None:
    """Nothing of what was rolled back is in the trail: all, or what came after a savepoint."""
    before = session.info.get("audit_savepoints", {}).get(session.get_nested_transaction())
    session.info["audit_touched"], session.info["audit_notes"] = before or ({}, [])


@sa.event.listens_for(Work, "before_commit")
def _append_entry(session: orm.Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    touched = session.info.pop("audit_touched", {})
    notes: list[Note] = session.info.pop("audit_notes", [])
    if not touched and not notes:
        return
    assert notes, f"say what was done with audit.note(): {sorted({table for table, _ in touched})}"
    rows: dict[str, dict[str, str | None]] = {}
    for (table, key), row in touched.items():
        rows.setdefault(table, {})[str(key)] = None if row is None else digest(row)
    _chain(session, notes, rows)


def _chain(session: orm.Session, notes: list[Note], rows: dict[str, dict[str, str | None]]) -> None:
    # The head is the last lock any transaction takes, so it can wait for nothing that waits for it.
    head = session.execute(_NEXT).one_or_none()
    if head is None:
        session.execute(_first_head(session))
        head = session.execute(_NEXT).one()
    number, previous = head
    first = notes[0]
    entry = {
        "number": number,
        "at": first.at,
        "user_id": first.by.user_id,
        "organisation_id": first.by.organisation_id,
        "door": first.by.door.value,
        "program": first.by.program,
        "action": first.action,
        "subject": first.subject,
        "notes": canonical({"notes": [each.plain() for each in notes]}),
        "rows": canonical(rows),
        "previous": previous,
    }
    entry["hash"] = _hash(entry)
    session.execute(sa.insert(AuditEntry).values(**entry))
    session.execute(sa.update(AuditHead).values(hash=entry["hash"]))


_NEXT = (
    sa.update(AuditHead)
    .values(count=AuditHead.count + 1)
    .returning(AuditHead.count, AuditHead.hash)
)


def _first_head(session: orm.Session) -> sa.Insert:
    """Two first transactions may come at once: one of them makes the head, both go on from it."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    head = insert(AuditHead).values(id=1, count=0, hash=GENESIS)
    return head.on_conflict_do_nothing(index_elements=["id"])


def _hash(entry: dict[str, Any]) -> str:
    content = {name: plain(value) for name, value in entry.items() if name not in ("id", "hash")}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def head(session: orm.Session) -> tuple[int, str]:
    """(row count, head hash) of the chain; what bulletins and receipts print."""
    found = session.execute(sa.select(AuditHead.count, AuditHead.hash)).one_or_none()
    if found is None:
        return 0, GENESIS
    count, hashed = found
    return count, hashed


def verify(session: orm.Session) -> Iterator[Text]:
    """Every way in which chain and data disagree, in order; nothing when all is well."""
    latest: dict[str, dict[str, str | None]] = {}
    previous, count = GENESIS, 0
    for entry in session.scalars(
        sa.select(AuditEntry).order_by(AuditEntry.number).execution_options(yield_per=500)
    ):
        count += 1
        content = {name: getattr(entry, name) for name in _columns(AuditEntry)}
        if entry.number != count:
            yield Text("Audit entry %(n)s is missing.", n=count)
            count = entry.number
        if entry.previous != previous:
            yield Text("Audit entry %(n)s does not follow the one before it.", n=entry.number)
        if _hash(content) != entry.hash:
            yield Text("Audit entry %(n)s was changed.", n=entry.number)
        previous = entry.hash
        for table, digests in json.loads(entry.rows).items():
            latest.setdefault(table, {}).update(digests)
        session.expunge(entry)
    if head(session) != (count, previous):
        yield Text("The chain ends at entry %(n)s, but its head says otherwise.", n=count)
    yield from _compare_rows(session, latest)


def _compare_rows(session: orm.Session, latest: dict[str, dict[str, str | None]]) -> Iterator[Text]:
    for mapper in Model.registry.mappers:
        model: type[Model] = mapper.class_
        if not audited(model):
            continue
        table = model.__tablename__
        known = latest.pop(table, {})
        for row in session.scalars(
            sa.select(model).order_by(model.id).execution_options(yield_per=1000)
        ):
            told = known.pop(str(row.id), None)
            if told is None:
                yield Text("%(row)s was written behind the trail.", row=f"{table} {row.id}")
            elif told != digest(row):
                yield Text("%(row)s was changed behind the trail.", row=f"{table} {row.id}")
            session.expunge(row)
        for key, told in known.items():
            if told is not None:
                yield Text("%(row)s was deleted behind the trail.", row=f"{table} {key}")
