"""What must always be true, looked at: the shape of a check for `flask selfcheck`.

Each room lists its own in `checks.py` as `CHECKS: list[Check]`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Model
from kernel.errors import Text
from kernel.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it must be: `Difference("lot:12", Text("reserved …"))`."""

    subject: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sums an invariant holds equal: both money, or both base units. Equal sums prove
    nothing by themselves (a fen too much here, one too little there), so they are shown beside the
    differences, which are found row by row."""

    left: Money | int
    right: Money | int

    @classmethod
    def of_money(cls, left: Iterable[Money], right: Iterable[Money]) -> Sides:
        return cls(sum(left, ZERO), sum(right, ZERO))


# A look at the rows: every difference one by one, and at the end the two sums, where it has two.
Findings = Generator[Difference, None, Sides | None]


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant. `run` yields every difference and may return the two sums it compared;
    `rows` counts what was looked at."""

    name: str
    title: Text
    run: Callable[[Session], Iterator[Difference]]
    rows: Callable[[Session], int]


def rows_of(*models: type[Model]) -> Callable[[Session], int]:
    """For `Check.rows`: all rows of these tables."""

    def count(session: Session) -> int:
        return sum(
            session.scalar(sa.select(sa.func.count()).select_from(model)) or 0 for model in models
        )

    return count


def totals(session: Session, left: Any, right: Any) -> Sides:
    """`Sides` of two sums (`sum_money`, `sum_whole`), each over all rows of its table."""
    return Sides(
        *(session.execute(sa.select(each)).scalar_one() for each in (left, right)),
    )


class CheckRun(Model):
    """One look at every invariant: when, how long, what was found, where the trail ended."""

    __tablename__ = "check_runs"
    __audited__ = False

    began_at: Mapped[datetime] = mapped_column(index=True)
    milliseconds: Mapped[int]
    rows: Mapped[int]
    differences: Mapped[int]
    results: Mapped[list[Any]]
    trail_count: Mapped[int]
    trail_hash: Mapped[str] = mapped_column(sa.String(64))
