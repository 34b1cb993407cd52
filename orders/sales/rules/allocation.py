"""Which household's part of which lot serves which line. Pure: numbers in, slices or shortages out.

Only goods that are there on the promised day, good on that day and not held are drawn. Among them
the earliest freshness bucket goes first; within a bucket the household furthest behind its share
(what was taken from it, over what it brought); then the lower contribution id. A household that
has reached its yearly cap is passed over, and the slice after it says so. The result does not
depend on the order of the rows that came in (product.md "Order to lots"; lessons.md §1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import groupby
from math import ceil, lcm
from typing import Any

FRESH_BUCKET_DAYS = 3
LASTING_BUCKET_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One line: so much of a product and grade, promised for a day.

    `until` is the last day it may leave on when that is later than the day it is promised for:
    goods that are not good until then are not promised.
    `worth` is what one base unit uses up of a household's cap: fen for a cap in money (the
    default counts base units, for a cap in quantity).
    """

    key: int
    product_id: int
    grade: str
    quantity: int
    on: date
    until: date | None = None
    worth: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One household's part of one lot. `household_id` is empty for the cooperative's own base."""

    contribution_id: int
    product_id: int
    grade: str
    household_id: int | None
    free: int
    best_before: date
    available_from: date
    held: bool = False
    lot_id: int = 0

    def fits(self, demand: Demand) -> bool:
        last = demand.until or demand.on
        return not self.held and self.available_from <= demand.on and last <= self.best_before


@dataclass(frozen=True, slots=True)
class Standing:
    """How a household stands with one product this year: taken from it, of what it brought."""

    served: int
    weight: int


@dataclass(frozen=True, slots=True)
class Slice:
    """So much of this line from that contribution, with the reason in plain JSON values."""

    key: int
    contribution_id: int
    lot_id: int
    household_id: int | None
    quantity: int
    reason: dict[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a product and grade lack, all lines together; `capped` of it lies behind caps."""

    product_id: int
    grade: str
    wanted: int
    missing: int
    capped: int


@dataclass(frozen=True, slots=True)
class Plan:
    slices: tuple[Slice, ...]
    shortages: tuple[Shortage, ...]


def allocate(
    demands: Iterable[Demand],
    stock: Iterable[Stock],
    *,
    bucket_days: Mapping[int, int],
    standings: Mapping[tuple[int, int], Standing] | None = None,
    cap_left: Mapping[int, int] | None = None,
) -> Plan:
    """Slices that serve every demand in full, or shortages that name all that is missing.

    `bucket_days` is per product; `standings` per (household, product); `cap_left` per household,
    and a household it does not name has no cap. A plan with shortages must not be carried out.
    """
    wanted = sorted(demands, key=lambda d: (d.product_id, d.grade, d.on, d.key))
    there: dict[tuple[int, str], list[Stock]] = {}
    for part in sorted(stock, key=lambda s: s.contribution_id):
        there.setdefault((part.product_id, part.grade), []).append(part)
    known, cap = standings or {}, dict(cap_left or {})
    slices: list[Slice] = []
    shortages: list[Shortage] = []
    for (product_id, grade), pool in groupby(wanted, key=lambda d: (d.product_id, d.grade)):
        lines, parts = list(pool), there.get((product_id, grade), [])
        days = bucket_days.get(product_id, LASTING_BUCKET_DAYS)
        left, drawn = _serve(lines, parts, _left_of(parts, known, cap), days)
        cap = left.cap
        slices += drawn
        total = sum(line.quantity for line in lines)
        missing = total - _sum(drawn)
        if missing:
            capped = min(missing, _behind_caps(lines, parts, left))
            shortages.append(Shortage(product_id, grade, total, missing, capped))
    return Plan(tuple(slices), tuple(shortages))


@dataclass(slots=True)
class _Left:
    """What is still free in one pool while its lines are served one after another.

    `scale` turns what was served into a whole number that compares like the exact share: it is
    the same multiple of one over the weight for every household of the pool.
    """

    free: dict[int, int]
    served: dict[int | None, int]
    weight: dict[int | None, int]
    scale: dict[int | None, int]
    cap: dict[int, int]

    def copy(self) -> _Left:
        return _Left(dict(self.free), dict(self.served), self.weight, self.scale, dict(self.cap))

    def permitted(self, part: Stock, demand: Demand) -> int:
        """How much the household's cap still allows of this part."""
        if part.household_id not in self.cap or demand.worth <= 0:
            return self.free[part.contribution_id]
        return min(self.free[part.contribution_id], int(self.cap[part.household_id] / demand.worth))

    def take(self, part: Stock, demand: Demand, quantity: int) -> None:
        self.free[part.contribution_id] -= quantity
        self.served[part.household_id] += quantity
        if part.household_id in self.cap:
            self.cap[part.household_id] -= ceil(quantity * demand.worth)


def _left_of(
    parts: Sequence[Stock], known: Mapping[tuple[int, int], Standing], cap: dict[int, int]
) -> _Left:
    standings = {
        part.household_id: known.get((part.household_id or 0, part.product_id), Standing(0, 0))
        for part in parts
    }
    common = lcm(*(each.weight or 1 for each in standings.values()))
    return _Left(
        free={part.contribution_id: part.free for part in parts},
        served={who: each.served for who, each in standings.items()},
        weight={who: each.weight for who, each in standings.items()},
        scale={who: common // (each.weight or 1) for who, each in standings.items()},
        cap=cap,
    )


def _serve(
    lines: list[Demand], parts: Sequence[Stock], left: _Left, bucket_days: int
) -> tuple[_Left, list[Slice]]:
    """One pool. When lines for several days would fall short only because fairness spent what
    the later days needed, the strict order of expiry is used instead: it never wastes."""
    fair = left.copy()
    drawn = [part for line in lines for part in _draw(line, parts, fair, bucket_days)]
    if _sum(drawn) == sum(line.quantity for line in lines) or len({line.on for line in lines}) == 1:
        return fair, drawn
    strict = left.copy()
    again = [part for line in lines for part in _draw(line, parts, strict, 1)]
    return (strict, again) if _sum(again) > _sum(drawn) else (fair, drawn)


def _draw(demand: Demand, parts: Sequence[Stock], left: _Left, bucket_days: int) -> list[Slice]:
    def rank(part: Stock) -> tuple[int, bool, int, int]:
        bucket = (part.best_before - demand.on).days // bucket_days
        who = part.household_id
        return bucket, who is None, left.served[who] * left.scale[who], part.contribution_id

    drawn: list[Slice] = []
    passed_over: list[int] = []
    missing = demand.quantity
    for part in sorted((part for part in parts if part.fits(demand)), key=rank):
        if not missing:
            break
        quantity = min(missing, left.permitted(part, demand))
        wanted = min(missing, left.free[part.contribution_id])
        if quantity:
            reason = _reason(demand, part, left, bucket_days, passed_over)
            source = (part.contribution_id, part.lot_id, part.household_id)
            drawn.append(Slice(demand.key, *source, quantity, reason))
            left.take(part, demand, quantity)
            missing -= quantity
        if quantity < wanted and part.household_id is not None:
            passed_over.append(part.household_id)
    return drawn


def _reason(
    demand: Demand, part: Stock, left: _Left, bucket_days: int, passed_over: list[int]
) -> dict[str, Any]:
    reason: dict[str, Any] = {
        "best_before": part.best_before.isoformat(),
        "bucket": (part.best_before - demand.on).days // bucket_days,
        "bucket_days": bucket_days,
        "served": left.served[part.household_id],
        "weight": left.weight[part.household_id],
    }
    if passed_over:
        reason["capped"] = sorted(set(passed_over))
    return reason


def _behind_caps(lines: list[Demand], parts: Sequence[Stock], left: _Left) -> int:
    """What would still be free for these lines if nobody had a cap."""
    return sum(
        left.free[part.contribution_id] for part in parts if any(part.fits(line) for line in lines)
    )


def _sum(slices: list[Slice]) -> int:
    return sum(each.quantity for each in slices)
