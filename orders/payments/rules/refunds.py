"""How much of a line goes back with some of its quantity. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.sharing import half_up, share_out


@dataclass(frozen=True, slots=True)
class Gone:
    """What of a line was refunded before, granted or still asked for."""

    quantity: int = 0
    fen: int = 0


@dataclass(frozen=True, slots=True)
class LineFacts:
    quantity: int
    fen: int
    gone: Gone


def amount_for(line: LineFacts, quantity: int) -> int:
    """Fen that go back with this much more of the line.

    Computed on the whole refunded quantity so far, so that any history of parts ends at exactly
    the line's amount when all of it went back. Raises ValueError beyond what is left.
    """
    after = line.gone.quantity + quantity
    if quantity <= 0 or after > line.quantity:
        raise ValueError(quantity)
    return max(0, half_up(line.fen * after, line.quantity) - line.gone.fen)


def accepted_parts(shipped: Sequence[int], sent_back: int) -> list[int]:
    """What the buyer kept of each slice when `sent_back` of all that was shipped was refunded."""
    if not sent_back:
        return list(shipped)
    lost = share_out(sent_back, list(shipped))
    return [one - part for one, part in zip(shipped, lost, strict=True)]
