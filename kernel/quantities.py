"""Quantities are whole base units: grams for what is weighed, pieces for what is counted."""

from __future__ import annotations

import re
from fractions import Fraction

from kernel.labels import Labelled

_WEIGHT = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?\s*(kg|g|t|公斤|千克|克|斤|两|吨)?", re.IGNORECASE)
_GRAMS = {
    "kg": 1000,
    "公斤": 1000,
    "千克": 1000,
    "g": 1,
    "克": 1,
    "斤": 500,
    "两": 50,
    "t": 10**6,
    "吨": 10**6,
}


class BaseUnit(Labelled):
    GRAM = "gram"
    PIECE = "piece"

    @property
    def per_priced(self) -> int:
        """How many base units one priced unit has: prices are per kilogram or per piece."""
        return 1000 if self is BaseUnit.GRAM else 1


def parse_quantity(text: str, unit: BaseUnit) -> int:
    """Base units from what a person typed: `"12.5"` means kilograms, `"25斤"` is 12 500 g.

    Raises ValueError for anything else, for pieces that are not whole and for parts of a gram.
    """
    match = _WEIGHT.fullmatch(text.replace(",", "").strip())
    if not match:
        raise ValueError(text)
    number = Fraction(f"{match[1]}.{match[2] or 0}")
    if unit is BaseUnit.GRAM:
        number *= _GRAMS[(match[3] or "kg").lower()]
    elif match[3]:
        raise ValueError(text)
    if number.denominator != 1:
        raise ValueError(text)
    return int(number)


def kilograms(grams: int, decimals: int = 3) -> str:
    """Grams as kilograms, exactly: 12 500 → `12.500`; trailing zeros go when decimals is 0."""
    sign = "-" if grams < 0 else ""
    whole, rest = divmod(abs(grams), 1000)
    digits = f"{rest:03}"
    shown = digits[:decimals] + digits[decimals:].rstrip("0")
    return f"{sign}{whole:,}" + (f".{shown}" if shown else "")
