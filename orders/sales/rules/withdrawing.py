"""Which slices of a line are given back, and what the rest of it costs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.money import ZERO, Money, Price
from kernel.quantities import BaseUnit


@dataclass(frozen=True, slots=True)
class Held:
    """What is open of one slice, and how much of that a harvest falls short of."""

    key: int
    open: int
    short: int = 0


def slices_back(held: Sequence[Held], quantity: int) -> list[tuple[int, int]]:
    """(slice, base units) that are given back, in the order of the slices: first what a harvest
    cannot bring, then the last that was chosen. `quantity` is at most what is open of all."""
    left, taken = quantity, dict.fromkeys((each.key for each in held), 0)
    for each in reversed(held):
        part = min(left, each.short)
        taken[each.key] += part
        left -= part
    for each in reversed(held):
        part = min(left, each.open - taken[each.key])
        taken[each.key] += part
        left -= part
    assert left == 0, (held, quantity)
    return [(each.key, taken[each.key]) for each in held if taken[each.key]]


def given_up(price: Price, unit: BaseUnit, stands: int, owed: Money, quantity: int) -> Money:
    """What a line that stands at so much for so much costs less when `quantity` is given back: the
    rest costs its price, rounded once; of nothing is left nothing."""
    rest = stands - quantity
    return owed - (price.of(rest, unit) if rest else ZERO)
