"""Which slice is replaced by which, so that no gram is lost or invented. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def match(
    old: Sequence[tuple[int, int]], new: Sequence[tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """(old key, new key, quantity) for slices given as (key, quantity), both in their order.

    Both sides hold the same sum; every slice is used up exactly.
    """
    assert sum(quantity for _, quantity in old) == sum(quantity for _, quantity in new)
    pairs: list[tuple[int, int, int]] = []
    rest = list(new)
    for key, quantity in old:
        left = quantity
        while left:
            other, there = rest[0]
            taken = min(left, there)
            pairs.append((key, other, taken))
            left -= taken
            rest[0] = (other, there - taken)
            if rest[0][1] == 0:
                rest.pop(0)
    return pairs
