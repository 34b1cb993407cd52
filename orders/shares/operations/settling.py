"""Splitting what was accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Product
from kernel import audit
from kernel.actors import Actor
from kernel.bulk import insert_missing
from kernel.db import stamp
from kernel.money import ZERO, Money, total
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.shares.models import BenefitRule, PartKind, SplitPart
from orders.shares.queries import splitting
from orders.shares.queries.splitting import Source, terms_of
from orders.shares.rules.split import Part, Piece, sold_cost, split_line

POOLS = (PartKind.CONSIGNED, PartKind.REBATE)


@dataclass(frozen=True, slots=True)
class Slice:
    """So much of one contribution: gone for good, and what of that the buyer accepted."""

    contribution_id: int
    consumed: int
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledLine:
    """An order line (or the part of it in one delivery) whose money is certain now.

    `subject` names what made it certain (`acceptance_line:45`) and is settled once; `debit_code` is
    the account the amount comes from: what a citizen paid in advance, or what a unit owes now.
    """

    subject: str
    line_key: str
    order_key: str
    supplier_id: int
    product_id: int
    rule_id: int
    amount: Money
    slices: Sequence[Slice]
    debit_code: str
    citizen: bool
    on: date


def settle_line(
    session: Session, line: SettledLine, *, by: Actor, now: datetime
) -> list[SplitPart]:
    """The frozen parts of the line, which add up to its amount, posted; see `settle_lines`."""
    return settle_lines(session, [line], by=by, now=now)[line.subject]


def settle_lines(
    session: Session, lines: Sequence[SettledLine], *, by: Actor, now: datetime
) -> dict[str, list[SplitPart]]:
    """Split every line by the rule its order was placed under; subject → parts (domain.md §4.2).

    A subject that was settled before keeps its parts. The number of queries does not grow with the
    lines, and their products are locked together, in id order: settle a whole delivery in one call.
    """
    assert len({line.subject for line in lines}) == len(lines), "a subject is settled once"
    lock_pools(session, [line.product_id for line in lines])
    found = splitting.parts_of_subjects(session, [line.subject for line in lines])
    fresh = [line for line in lines if line.subject not in found]
    if not fresh:
        return found
    books = _books(session, fresh)
    rows: list[dict[str, object]] = []
    for line in fresh:
        parts = _split(line, books)
        assert total(part.amount for part in parts) == line.amount, line.subject
        rows += [_row(line, part, by, now) for part in parts]
        found[line.subject] = []
    for part in write_parts(session, rows):
        found[part.subject].append(part)
    for day in sorted({line.on for line in fresh}):
        entries = [
            entry
            for line in fresh
            if line.on == day
            for entry in _entries_of(line, found[line.subject], books)
        ]
        post(session, entries, on=day, by=by, now=now)
    audit.note(
        session, "settle_lines", fresh[0].order_key, by=by, now=now,
        lines={line.subject: line.amount.fen for line in fresh},
    )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class _Books:
    """What is looked up once for all lines."""

    rules: dict[int, BenefitRule]
    products: dict[int, Product]
    suppliers: dict[int, str]
    sources: dict[int, Source]
    households: dict[int, str]


def _books(session: Session, lines: Sequence[SettledLine]) -> _Books:
    sources = splitting.sources(
        session, [slice_.contribution_id for line in lines for slice_ in line.slices]
    )
    return _Books(
        splitting.rules_by_id(session, [line.rule_id for line in lines]),
        splitting.products_by_id(session, [line.product_id for line in lines]),
        splitting.supplier_codes(session, [line.supplier_id for line in lines]),
        sources,
        splitting.household_codes(
            session, [each.household_id for each in sources.values() if each.household_id]
        ),
    )


def _split(line: SettledLine, books: _Books) -> list[Part]:
    pieces = []
    for slice_ in line.slices:
        assert slice_.consumed >= slice_.accepted >= 0, slice_
        source = books.sources[slice_.contribution_id]
        cost = sold_cost(source.cost, source.quantity, source.sold, slice_.consumed)
        source.sold += slice_.consumed if source.cost else 0
        pieces.append(Piece(source.id, source.household_id, slice_.consumed, slice_.accepted, cost))
    return split_line(
        terms_of(books.rules[line.rule_id]),
        line.amount,
        books.products[line.product_id].base_unit,
        pieces,
        citizen=line.citizen,
    )


def write_parts(session: Session, rows: Sequence[dict[str, object]]) -> list[SplitPart]:
    """In one statement; their cause says that they are written once."""
    written = insert_missing(session, SplitPart, rows, unique="cause")
    assert len(written) == len(rows), "the product was locked, nobody else can have split this"
    return written


def _row(line: SettledLine, part: Part, by: Actor, now: datetime) -> dict[str, object]:
    return {
        "subject": line.subject,
        "line": line.line_key,
        "order": line.order_key,
        "supplier_id": line.supplier_id,
        "product_id": line.product_id,
        "rule_id": line.rule_id,
        "on": line.on,
        **columns_of(line.subject, part),
        **stamp(by, now),
    }


def columns_of(subject: str, part: Part) -> dict[str, object]:
    """The columns of a row that say what the part is."""
    return {
        "kind": PartKind(part.kind),
        "household_id": part.household_id,
        "contribution_id": part.contribution_id,
        "quantity": part.quantity,
        "amount": part.amount,
        "cause": f"{subject}:{part.kind}:{part.household_id or 0}:{part.contribution_id or 0}",
    }


def _entries_of(line: SettledLine, parts: Sequence[SplitPart], books: _Books) -> list[Entry]:
    supplier = books.suppliers[line.supplier_id]
    memo = books.products[line.product_id].name_zh
    clearing = accounts.clearing(supplier)
    return [
        Entry(line.debit_code, clearing, line.amount, line.subject, memo),
        *clear(line.subject, parts, supplier, books.households, memo),
    ]


def clear(
    subject: str,
    parts: Sequence[SplitPart],
    supplier: str,
    households: Mapping[int, str],
    memo: str,
) -> list[Entry]:
    """From clearing to where each part belongs; one transfer for each kind and household.

    When all are posted, clearing is as empty as before."""
    sums: dict[tuple[PartKind, int | None], Money] = {}
    for part in parts:
        whose = part.household_id if part.kind in POOLS else None
        sums[part.kind, whose] = sums.get((part.kind, whose), ZERO) + part.amount
    clearing = accounts.clearing(supplier)
    entries = []
    for (kind, whose), amount in sums.items():
        account = _account(kind, households[whose] if whose else None, supplier)
        cause = pool_cause(subject, kind, whose) if whose else f"{subject}:{kind.value}"
        pair = (clearing, account) if amount >= ZERO else (account, clearing)
        entries.append(Entry(*pair, amount if amount >= ZERO else -amount, cause, memo))
    return entries


def pool_cause(subject: str, kind: PartKind, household_id: int) -> str:
    """The cause of the transfer that credits a household with its part of a line."""
    return f"{subject}:{kind.value}:{household_id}"


def _account(kind: PartKind, household: str | None, supplier: str) -> str:
    if household is not None:
        return accounts.household(household, supplier)
    if kind is PartKind.FARM_GATE:
        return accounts.goods(supplier)
    if kind is PartKind.RETAINED:
        return accounts.collective(supplier)
    if kind is PartKind.COOPERATIVE:
        return accounts.cooperative(supplier)
    return accounts.cost(kind.value, supplier)
