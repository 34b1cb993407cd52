"""What a canteen takes of a delivery, and what it pays for it (domain.md §3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.errors import Text
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.sharing import half_up, share_out

LEAST_SIGNATURES = 2

# (up to grams of net content, milligrams allowed, or basis points): 定量包装商品计量监督管理办法.
_PREPACKED: tuple[tuple[int, int | None, int | None], ...] = (
    (50, None, 900),
    (100, 4_500, None),
    (200, None, 450),
    (300, 9_000, None),
    (500, None, 300),
    (1_000, 15_000, None),
    (10_000, None, 150),
    (15_000, 150_000, None),
    (50_000, None, 100),
)


class Fault(Labelled):
    """Why goods are rejected (domain.md §3.3)."""

    ROTTEN = "rotten"
    FROSTBITTEN = "frostbitten"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    WRONG_SPECIFICATION = "wrong_specification"
    PAPERS_DO_NOT_MATCH = "papers_do_not_match"
    FAILED_TEST = "failed_test"


# What nobody can sell again, wherever it goes.
SPOILED = frozenset(
    {Fault.ROTTEN, Fault.FROSTBITTEN, Fault.DAMAGED, Fault.EXPIRED, Fault.FAILED_TEST}
)


@dataclass(frozen=True, slots=True)
class Taken:
    """One line as it was taken, in base units."""

    shipped: int
    weighed: int
    rejected: int

    @property
    def accepted(self) -> int:
        """min(weighed, shipped) − rejected: what came over is not paid."""
        return min(self.weighed, self.shipped) - self.rejected

    @property
    def short(self) -> int:
        return max(0, self.shipped - self.weighed)

    @property
    def over(self) -> int:
        return max(0, self.weighed - self.shipped)


def faults(
    taken: Taken, *, reason: str, disposition: str | None, deduction_bp: int
) -> dict[str, Text]:
    """Every reason why a line cannot be recorded like this, by field."""
    found: dict[str, Text] = {}
    if taken.weighed < 0:
        found["weighed"] = Text("A weight is not negative.")
    elif taken.weighed > 2 * taken.shipped:
        found["weighed"] = Text("That is more than twice what was shipped; please check the unit.")
    if taken.rejected < 0:
        found["rejected"] = Text("A weight is not negative.")
    elif taken.accepted < 0:
        found["rejected"] = Text("No more can be rejected than arrived.")
    if not 0 <= deduction_bp <= 10_000:
        found["deduction"] = Text("The deduction lies between 0 and 100 percent.")
    if (taken.rejected > 0 or deduction_bp > 0) and not reason:
        found["reason"] = Text("Say why it is not accepted as ordered.")
    if taken.rejected > 0 and disposition not in ("return", "replenish", "exchange"):
        found["disposition"] = Text("Say what happens with what was rejected.")
    if deduction_bp > 0 and disposition != "reduced_price" and taken.rejected == 0:
        found["disposition"] = Text("A deduction means that the goods are kept at a lower price.")
    if disposition == "reduced_price" and deduction_bp == 0:
        found["deduction"] = Text("Say by how many percent the price falls.")
    return found


def payable(accepted: int, price: Price, unit: BaseUnit, deduction_bp: int = 0) -> Money:
    """accepted × price × (1 − deduction), rounded half up once (G12)."""
    return Money(
        half_up(price.per_unit * accepted * (10_000 - deduction_bp), 1_000_000 * unit.per_priced)
    )


def prepacked_allowance(net_g: int) -> int:
    """Milligrams by which one pack of this net content may fall short; 1 % above 50 kg."""
    for most, milligrams, basis_points in _PREPACKED:
        if net_g <= most:
            return milligrams if milligrams is not None else net_g * (basis_points or 0) // 10
    return net_g * 10


def bulk_allowance(shipped: int, tolerance_bp: int) -> int:
    """Base units by which loose goods may fall short under the contract."""
    return shipped * tolerance_bp // 10_000


@dataclass(frozen=True, slots=True)
class SlicePart:
    """One household's part of a delivered line: what was taken of it, what came back."""

    shipped: int
    accepted: int
    returned: int

    @property
    def consumed(self) -> int:
        """What is gone for good: accepted, short, or spoiled."""
        return self.shipped - self.returned


def share_slices(shipped: Sequence[int], *, accepted: int, returned: int) -> list[SlicePart]:
    """Accepted and returned quantities shared over the shipped slices by largest remainder.

    Earlier slices win ties, so callers sort by allocation id. No part exceeds its slice.
    """
    assert accepted >= 0 <= returned
    assert accepted + returned <= sum(shipped)
    taken = share_out(accepted, shipped)
    room = [whole - part for whole, part in zip(shipped, taken, strict=True)]
    back = share_out(returned, room) if returned else [0] * len(shipped)
    return [SlicePart(*parts) for parts in zip(shipped, taken, back, strict=True)]
