"""Which lapsed certificate stops which goods (domain.md §2.1, §2.3). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

# A licence stands behind everything a supplier sells; the food licences only behind what is
# processed, because fresh produce of one's own needs none.
FOR_ALL = frozenset({"licence"})
FOR_PROCESSED = frozenset({"food_production", "food_trade"})


def lapsed(certificates: Iterable[tuple[str, date | None]], today: date) -> set[str]:
    """Kinds of certificate (by value) that the supplier once held and holds no longer today."""
    held = list(certificates)
    valid = {kind for kind, until in held if until is None or until >= today}
    return {kind for kind, _ in held} - valid


def stops(kinds: Iterable[str], *, fresh: bool) -> bool:
    """Whether these lapsed kinds keep a product of this sort from being sold."""
    found = set(kinds)
    return bool(found & FOR_ALL) or (not fresh and bool(found & FOR_PROCESSED))
