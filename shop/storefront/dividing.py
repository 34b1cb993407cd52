"""How a price or a year's money divides, grouped as a reader understands it. Pure.

A pack's price is divided by the benefit rule in force and the price published for households: the
same arithmetic as when it will be settled (orders.shares).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from catalog.products.models import Grade
from kernel.errors import Text
from kernel.money import ZERO, Money, total
from kernel.quantities import BaseUnit
from orders.shares.models import PartKind
from orders.shares.queries import Sharing
from orders.shares.rules import split

HOUSEHOLDS = "households"


@dataclass(frozen=True, slots=True)
class Group:
    """One line under the ruler. `tone` is its colour, `short` stands inside the bar."""

    key: str
    name: Text
    short: Text
    tone: int
    amount: Money
    note: Text | None = None


_NAMES: dict[str, tuple[Text, Text, int]] = {
    HOUSEHOLDS: (Text("The households that grew it"), Text("Households"), 1),
    PartKind.FREIGHT.value: (Text("Delivery"), Text("Delivery"), 3),
    PartKind.PACKAGING.value: (Text("Packaging"), Text("Packaging"), 4),
    PartKind.SORTING.value: (Text("Sorting and testing"), Text("Sorting"), 5),
    PartKind.PROCESSING.value: (Text("Processing"), Text("Processing"), 5),
    PartKind.RETAINED.value: (Text("The village collective"), Text("Collective"), 2),
    PartKind.PAYMENT_FEE.value: (Text("Payment fee"), Text("Payment fee"), 6),
    PartKind.COOPERATIVE.value: (Text("The cooperative"), Text("Cooperative"), 7),
}


def groups_of_price(
    sharing: Sharing, grade: Grade, price: Money, content: int, unit: BaseUnit
) -> list[Group]:
    """A citizen's pack as it would be settled today; nothing where nobody can say."""
    parts = sharing.parts(grade, price, content, unit)
    return grouped(parts, retained_bp=sharing.terms.retained_bp)


def grouped(parts: Iterable[split.Part], *, retained_bp: int | None = None) -> list[Group]:
    """Parts as lines of the ruler: households first, the rest by size."""
    sums: dict[str, Money] = {}
    farm_gate = ZERO
    for part in parts:
        of_households = split.reaches_households(part)
        if of_households and part.kind == split.FARM_GATE:
            farm_gate += part.amount
        own = PartKind.COOPERATIVE.value if part.kind in split.REACHING_HOUSEHOLDS else part.kind
        key = HOUSEHOLDS if of_households else own
        sums[key] = sums.get(key, ZERO) + part.amount
    notes = {HOUSEHOLDS: _how_households_get_it(farm_gate, sums.get(HOUSEHOLDS, ZERO))}
    if retained_bp:
        notes[PartKind.RETAINED.value] = Text(
            "%(share)s %% of what is left, by resolution of the villagers",
            share=_whole(retained_bp),
        )
    return _lines(sums, notes)


def _how_households_get_it(farm_gate: Money, whole: Money) -> Text | None:
    if not farm_gate:
        return None
    if whole == farm_gate:
        return Text("bought at the farm gate")
    return Text(
        "%(farm)s at the farm gate, %(later)s later", farm=farm_gate, later=whole - farm_gate
    )


def _whole(basis_points: int) -> str:
    return (
        f"{Fraction(basis_points, 100):.2f}".rstrip("0").rstrip(".")
        if basis_points % 100
        else str(basis_points // 100)
    )


def _lines(sums: dict[str, Money], notes: dict[str, Text | None]) -> list[Group]:
    lines = [
        Group(key, *_NAMES[key], amount=amount, note=notes.get(key))
        for key, amount in sums.items()
        if amount
    ]
    return sorted(lines, key=lambda line: (line.key != HOUSEHOLDS, -line.amount.fen, line.key))


def households_get(groups: Sequence[Group]) -> Money:
    return total(group.amount for group in groups if group.key == HOUSEHOLDS)
