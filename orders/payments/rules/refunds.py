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
    the line's amount when all of it went back in full. Where a part was settled for less, that
    rest is not made up for later. Raises ValueError beyond what is left.
    """
    after = line.gone.quantity + quantity
    if quantity <= 0 or after > line.quantity:
        raise ValueError(quantity)
    before = half_up(line.fen * line.gone.quantity, line.quantity)
    return max(0, half_up(line.fen * after, line.quantity) - max(before, line.gone.fen))


def accepted_parts(shipped: Sequence[int], sent_back: int) -> list[int]:
    """What the buyer kept of each slice when `sent_back` of all that was shipped was refunded."""
    if not sent_back:
        return list(shipped)
    lost = share_out(sent_back, list(shipped))
    return [one - part for one, part in zip(shipped, lost, strict=True)]


def free_of_claim(quantity: int, *, sent: int, sent_back: int, unsent: int, cancels: bool) -> int:
    """How much of what is refunded need not be sent any more.

    A cancellation is of what was not sent; a claim is of what was, as far as that goes.
    """
    return min(unsent, quantity if cancels else max(0, quantity - (sent - sent_back)))


def from_the_end(shipped: Sequence[int], wanted: int) -> list[int]:
    """Which slices came back: the last to be chosen was the last to be packed."""
    found = [0] * len(shipped)
    for n in range(len(shipped) - 1, -1, -1):
        found[n] = min(shipped[n], wanted)
        wanted -= found[n]
    if wanted:
        raise ValueError(wanted)
    return found
