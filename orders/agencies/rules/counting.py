"""What of an order counts, in which year, and the signed moves between two of its moments.

C(u,y) = Σ accepted goods (+ freight if the policy says so) − refunds, over orders in a countable
channel that were accepted, paid and, where the policy asks for it, reviewed (domain.md §1.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kernel.money import ZERO, Money

ORDERED, SETTLED, COUNTED = "ordered", "settled", "counted"
BASES = (ORDERED, SETTLED, COUNTED)

Figures = dict[tuple[str, int], Money]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingPolicy:
    """The counting rules of one region and year."""

    needs_review: bool
    countable_channels: frozenset[str]
    by_completion: bool
    freight_counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One bulk order as it stands: money and the days its milestones were reached.

    `accepted` is what was accepted once every delivery is; `refunded` is never more than it.
    """

    channel: str
    ordered_on: date
    goods: Money
    freight: Money = ZERO
    dropped: bool = False
    accepted: Money = ZERO
    accepted_on: date | None = None
    paid_on: date | None = None
    reviewed_on: date | None = None
    refunded: Money = ZERO


def figures(history: History, policy: CountingPolicy) -> Figures:
    """(basis, year) → amount of this order; absent is zero.

    All three stand in one year, that of the last milestone the order has reached, so that in every
    year ordered ≥ settled ≥ counted and the gaps between them are what is still to be done (G9).
    """
    if history.dropped:
        return {}
    ordered_in = history.ordered_on.year
    if history.accepted_on is None:
        return _present({(ORDERED, ordered_in): _with_freight(history.goods, history, policy)})
    amount = _with_freight(history.accepted - history.refunded, history, policy)
    if history.paid_on is None:
        return _present({(ORDERED, ordered_in): amount})
    paid = max(history.accepted_on, history.paid_on)
    counted_on = _counted_on(paid, history, policy)
    year = _year(counted_on or paid, history, policy)
    reached = BASES if counted_on is not None else (ORDERED, SETTLED)
    return _present({(basis, year): amount for basis in reached})


def moves(before: Figures, after: Figures) -> Figures:
    """The signed rows that lead from one standing to the next, in a fixed order; never a zero."""
    keys = sorted(before.keys() | after.keys(), key=lambda key: (BASES.index(key[0]), key[1]))
    changes = {key: after.get(key, ZERO) - before.get(key, ZERO) for key in keys}
    return _present(changes)


def month_of(on: date, year: int) -> int:
    """The month of the year's curve a row belongs to; what comes after the year closes it (G9)."""
    if on.year == year:
        return on.month
    return 12 if on.year > year else 1


def duplicates(external_numbers: Sequence[str | None]) -> list[int]:
    """Positions whose order was named before: one purchase counts once, whoever brings it (G11).

    Spaces and letter case do not make another number; an order without one is never a duplicate.
    """
    seen: set[str] = set()
    found = []
    for position, number in enumerate(external_numbers):
        key = "".join((number or "").split()).upper()
        if key and key in seen:
            found.append(position)
        seen.add(key)
    return found


def _counted_on(paid: date, history: History, policy: CountingPolicy) -> date | None:
    """The day the last required milestone was reached; None while one is missing."""
    if history.channel not in policy.countable_channels:
        return None
    if not policy.needs_review:
        return paid
    return None if history.reviewed_on is None else max(paid, history.reviewed_on)


def _year(day: date, history: History, policy: CountingPolicy) -> int:
    return day.year if policy.by_completion else history.ordered_on.year


def _with_freight(goods: Money, history: History, policy: CountingPolicy) -> Money:
    # Freight is paid once something was accepted; a wholly returned order brings none.
    return goods + history.freight if policy.freight_counts and goods > ZERO else goods


def _present(found: Figures) -> Figures:
    return {key: amount for key, amount in found.items() if amount}
