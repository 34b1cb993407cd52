"""All the invariants of all the rooms, one after the other (`flask selfcheck`, the audit desk)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import checks as households
from catalog.lots import checks as lots
from catalog.products import checks as products
from catalog.suppliers import checks as suppliers
from kernel import audit
from kernel.checks import Check, Difference, Sides, rows_of
from kernel.errors import Text
from kernel.numbering import DocumentSequence
from kernel.versions import FrozenVersion
from orders.agencies import checks as agencies
from orders.ledger import checks as ledger
from orders.payments import checks as payments
from orders.payouts import checks as payouts
from orders.sales import checks as sales
from orders.shares import checks as shares
from orders.tracing import checks as tracing
from shop.excel import checks as excel

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found; `sides` are the two sums it compared, where it has two."""

    name: str
    title: Text
    rows: int
    differences: int
    examples: tuple[Difference, ...]
    seconds: float
    sides: Sides | None

    def plain(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rows": self.rows,
            "differences": self.differences,
            "examples": [f"{each.subject}: {each.sentence}" for each in self.examples],
        }


def _trail(session: Session) -> Iterator[Difference]:
    for sentence in audit.verify(session):
        yield Difference("audit", sentence)


def _frozen(session: Session) -> Iterator[Difference]:
    for version in session.scalars(
        sa.select(FrozenVersion).order_by(FrozenVersion.id).execution_options(yield_per=500)
    ):
        if not version.intact:
            yield Difference(
                f"version:{version.code}", Text("A signed version is not what was signed.")
            )
        session.expunge(version)


def _version_numbers(session: Session) -> Iterator[Difference]:
    number = FrozenVersion.number
    for subject, count, last in session.execute(
        sa.select(FrozenVersion.subject, sa.func.count(), sa.func.max(number))
        .group_by(FrozenVersion.subject)
        .having(sa.func.count() != sa.func.max(number))
    ):
        yield Difference(
            subject,
            Text(
                "Has %(count)s versions, but the last is number %(last)s.", count=count, last=last
            ),
        )


CHECKS: list[Check] = [
    Check(
        "kernel.audit", Text("The audit trail matches every row"), _trail, rows_of(audit.AuditEntry)
    ),
    Check(
        "kernel.versions", Text("Signed versions are unchanged"), _frozen, rows_of(FrozenVersion)
    ),
    Check(
        "kernel.version_numbers",
        Text("No signed version is missing"),
        _version_numbers,
        rows_of(FrozenVersion, DocumentSequence),
    ),
    *households.CHECKS,
    *suppliers.CHECKS,
    *products.CHECKS,
    *lots.CHECKS,
    *ledger.CHECKS,
    *shares.CHECKS,
    *sales.CHECKS,
    *payments.CHECKS,
    *agencies.CHECKS,
    *tracing.CHECKS,
    *payouts.CHECKS,
    *excel.CHECKS,
]


def run_all(session: Session) -> list[Result]:
    return [_run(session, check) for check in CHECKS]


def _run(session: Session, check: Check) -> Result:
    began = time.perf_counter()
    examples, differences, sides = _look(check.run(session))
    rows = check.rows(session)
    seconds = time.perf_counter() - began
    return Result(check.name, check.title, rows, differences, examples, seconds, sides)


def _look(found: Iterator[Difference]) -> tuple[tuple[Difference, ...], int, Sides | None]:
    """The first few differences, how many there are, and the two sums the check returns."""
    examples: list[Difference] = []
    differences = 0
    while True:
        try:
            each = next(found)
        except StopIteration as end:
            return tuple(examples), differences, end.value
        differences += 1
        if differences <= EXAMPLES:
            examples.append(each)
