"""Rounding once and sharing out without losing or inventing a unit. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded to the nearest whole, halves away from zero."""
    assert denominator > 0
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def share_out(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `amount` in proportion to `weights`, adding up to it exactly.

    Largest remainder; ties go to the earlier weight, so callers sort by id first
    (domain.md §4.2). A negative amount is shared as its positive twin.
    """
    total = sum(weights)
    if any(weight < 0 for weight in weights) or total <= 0:
        raise ValueError("weights must be non-negative and not all zero")
    if amount < 0:
        return [-part for part in share_out(-amount, weights)]
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
