"""Every night, and when an auditor asks: every invariant looked at, the outcome kept."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from kernel import audit
from kernel.checks import CheckRun, Sides
from kernel.money import Money, Price
from kernel.outbox import errand
from kernel.services import Services
from shop.selfcheck import Result, run_all

# Read in a snapshot, outside any transaction that writes: looking must not hold anyone up.


@errand("self_check", cron="40 3 * * *")
def self_check(services: Services, *, now: datetime) -> None:
    """A new `CheckRun`; asking twice makes two runs, both true."""
    began = time.perf_counter()
    with services.database.snapshot() as session:
        results = run_all(session)
        count, head = audit.head(session)
    with services.database.transaction() as session:
        session.add(
            CheckRun(
                began_at=now,
                milliseconds=int((time.perf_counter() - began) * 1000),
                rows=sum(each.rows for each in results),
                differences=sum(each.differences for each in results),
                results=[_kept(each) for each in results],
                trail_count=count,
                trail_hash=head,
            )
        )


def _kept(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title.message,
        "rows": result.rows,
        "differences": result.differences,
        "milliseconds": int(result.seconds * 1000),
        "sides": result.sides and _sides(result.sides),
        "examples": [
            {
                "subject": each.subject,
                "message": each.sentence.message,
                "values": {key: _value(value) for key, value in each.sentence.values.items()},
            }
            for each in result.examples
        ],
    }


def _sides(sides: Sides) -> dict[str, Any]:
    return {
        "unit": "fen" if isinstance(sides.left, Money) else "base",
        "left": audit.plain(sides.left),
        "right": audit.plain(sides.right),
    }


def _value(value: object) -> Any:
    """As a sentence says it: an amount is read as yuan, not as fen."""
    return str(value) if isinstance(value, Money | Price) else audit.plain(value)
