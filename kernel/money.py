"""Money is a whole number of fen; a price is a whole number of hundredths of a fen per kg or piece.

No float ever comes near either. A line is rounded once, half up (domain.md §6.5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from kernel.quantities import BaseUnit
from kernel.sharing import half_up, share_out

_AMOUNT = re.compile(r"([+-]?)(\d{1,13})(?:\.(\d{1,4}))?")


@dataclass(frozen=True, order=True, slots=True)
class Money:
    """An amount in fen."""

    fen: int

    def __post_init__(self) -> None:
        if type(self.fen) is not int:
            raise TypeError(f"fen must be an int, not {self.fen!r}")

    def __add__(self, other: Money) -> Money:
        return Money(self.fen + other.fen)

    def __sub__(self, other: Money) -> Money:
        return Money(self.fen - other.fen)

    def __neg__(self) -> Money:
        return Money(-self.fen)

    def __mul__(self, count: int) -> Money:
        return Money(self.fen * count)

    def __bool__(self) -> bool:
        return self.fen != 0

    def basis_points(self, share: int) -> Money:
        """`share` ten-thousandths of this amount, rounded half up."""
        return Money(half_up(self.fen * share, 10_000))

    def split(self, weights: list[int]) -> list[Money]:
        """Parts that add up to this amount exactly; see `share_out`."""
        return [Money(part) for part in share_out(self.fen, weights)]

    @property
    def yuan(self) -> str:
        """Plain decimal yuan for files and forms, such as `1176.00`."""
        sign = "-" if self.fen < 0 else ""
        whole, rest = divmod(abs(self.fen), 100)
        return f"{sign}{whole}.{rest:02}"

    def __str__(self) -> str:
        sign = "−" if self.fen < 0 else ""
        whole, rest = divmod(abs(self.fen), 100)
        return f"{sign}¥{whole:,}.{rest:02}"


ZERO = Money(0)


def total(amounts: object) -> Money:
    """The sum of an iterable of Money; ZERO when empty."""
    return sum(amounts, ZERO)  # type: ignore[call-overload, no-any-return]


def parse_money(text: str) -> Money:
    """`"1,176.00"` → Money(117600). Raises ValueError for anything but yuan with ≤ 2 decimals."""
    return Money(_hundredths(text, decimals=2))


@dataclass(frozen=True, order=True, slots=True)
class Price:
    """Hundredths of a fen per kilogram (or per piece): 2.35 元/斤 = 4.70 元/kg = Price(47_000)."""

    per_unit: int

    def __post_init__(self) -> None:
        if type(self.per_unit) is not int:
            raise TypeError(f"a price must be an int, not {self.per_unit!r}")

    def of(self, quantity: int, unit: BaseUnit) -> Money:
        """What `quantity` base units cost, rounded half up once."""
        return Money(half_up(self.per_unit * quantity, 100 * unit.per_priced))

    @property
    def yuan(self) -> str:
        """Yuan per kg or piece with two decimals, or four where they are needed."""
        whole, rest = divmod(self.per_unit, 10_000)
        digits = f"{rest:04}"
        return f"{whole}.{digits[:2]}{digits[2:].rstrip('0')}"

    @classmethod
    def from_total(cls, amount: Money, quantity: int, unit: BaseUnit) -> Price:
        """The price per kg or piece that a pack of `quantity` at `amount` comes to."""
        return cls(half_up(amount.fen * 100 * unit.per_priced, quantity))


def parse_price(text: str) -> Price:
    """`"4.70"` yuan per kg or piece, ≤ 4 decimals. Raises ValueError otherwise."""
    return Price(_hundredths(text, decimals=4))


def _hundredths(text: str, *, decimals: int) -> int:
    match = _AMOUNT.fullmatch(text.replace(",", "").replace("¥", "").strip())
    if not match or len(match[3] or "") > decimals:
        raise ValueError(text)
    value = Fraction(match[0]) * 10**decimals
    assert value.denominator == 1
    return int(value)
