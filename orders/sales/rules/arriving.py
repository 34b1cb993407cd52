"""Which promises of a harvest the goods that came fulfil, and which of them fall short. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Open:
    """What is open of one allocation; `part` is the household's part of the harvest."""

    key: int
    part: int
    household_id: int | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Goods:
    """What is free of one household's part of the lot that came."""

    contribution_id: int
    household_id: int | None
    free: int


def own_goods_first(promises: Sequence[Open], goods: Iterable[Goods]) -> list[tuple[int, int, int]]:
    """(allocation, contribution, quantity): each household's goods fulfil what was promised of
    that household, oldest promise first. `promises` are in that order."""
    there: dict[int | None, list[list[int]]] = {}
    for each in sorted(goods, key=lambda one: one.contribution_id):
        there.setdefault(each.household_id, []).append([each.contribution_id, each.free])
    moved = []
    for promise in promises:
        left = promise.quantity
        for slot in there.get(promise.household_id, []):
            taken = min(left, slot[1])
            if taken:
                moved.append((promise.key, slot[0], taken))
                slot[1] -= taken
                left -= taken
    return moved


def shortfalls(promises: Sequence[Open], may_promise: Mapping[int, int]) -> dict[int, int]:
    """Allocation → base units it is short: of what is promised beyond a part's `may_promise`, the
    newest promise is short first. `promises` are oldest first."""
    beyond: dict[int, int] = {}
    for each in promises:
        beyond[each.part] = beyond.get(each.part, -may_promise[each.part]) + each.quantity
    short: dict[int, int] = {}
    for each in reversed(promises):
        lacking = min(each.quantity, max(0, beyond[each.part]))
        if lacking:
            short[each.key] = lacking
            beyond[each.part] -= lacking
    return short
