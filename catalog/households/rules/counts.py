"""How many households, as the public may read it (domain.md §5.5). Pure."""

from __future__ import annotations

from collections.abc import Iterable

SMALL = 5


def shown_count(count: int) -> str:
    """A count for the public: what lies between nothing and five is only `<5`."""
    assert count >= 0
    return f"<{SMALL}" if 0 < count < SMALL else str(count)


def shown_counts(counts: Iterable[int]) -> list[str]:
    """Parts of a published sum. When exactly one part is hidden it could be found by subtraction,
    so the smallest of the others is rounded down to a multiple of five and marked with `+`."""
    parts = list(counts)
    hidden = [count for count in parts if 0 < count < SMALL]
    shown = [shown_count(count) for count in parts]
    if len(hidden) == 1 and len(parts) > 1:
        others = [i for i, count in enumerate(parts) if count >= SMALL]
        if others:
            blurred = min(others, key=lambda i: (parts[i], i))
            shown[blurred] = f"{parts[blurred] // SMALL * SMALL}+"
    return shown


def shown_total(counts: Iterable[int]) -> str:
    """The sum of published parts. Beside a hidden part the exact sum would give it away, so it is
    rounded down to a multiple of five and marked with `+`."""
    parts = list(counts)
    total = sum(parts)
    if total >= SMALL and len(parts) > 1 and any(0 < count < SMALL for count in parts):
        return f"{total // SMALL * SMALL}+"
    return shown_count(total)
