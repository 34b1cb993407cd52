"""A supplier's code against its kind, and its credit points. Pure (domain.md §2.2, §6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from kernel.errors import Text

# The first two characters of the code that a kind of body usually has (domain.md §6.2).
PREFIXES = {
    "cooperative": ("93",),
    "company": ("91",),
    "family_farm": ("91", "92", "93"),
    "workshop": ("91", "92", "N1", "N2"),
    "collective": ("N1", "N2", "N3", "54", "55"),
    "trader": ("91", "92"),
}

FULL_POINTS = 100
_COSTS = {"rectifying": 10, "suspended": 25}
REMEMBERED = timedelta(days=730)


def uscc_doubt(kind: str, code: str) -> Text | None:
    """What a reviewer should look at: the prefix is not the usual one of this kind. Never a reason
    to refuse (G22: `93…` of a cooperative is as it should be, `91…` is worth a second look)."""
    usual = PREFIXES[kind]
    if code[:2].upper() in usual:
        return None
    return Text(
        "The code begins with %(found)s; for this kind of body %(usual)s is usual.",
        found=code[:2].upper(),
        usual="、".join(usual),
    )


def credit_points(moves: Iterable[tuple[str, date]], today: date) -> int:
    """100, less 10 for every time it had to put things right and 25 for every suspension of the
    last two years; never below 0. `moves` are (state reached, day)."""
    lost = sum(_COSTS.get(state, 0) for state, day in moves if today - day <= REMEMBERED)
    return max(0, FULL_POINTS - lost)
