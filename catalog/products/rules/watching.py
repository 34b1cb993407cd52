"""How far a price is from what the same costs elsewhere (domain.md §7, report 11; §9, 1). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from kernel.money import Price
from kernel.sharing import half_up

# What was seen longer ago says little about a price of today.
FRESH = timedelta(days=60)
SOURCES = ("wholesale", "supermarket", "neighbours")


@dataclass(frozen=True, slots=True)
class Seen:
    """A price elsewhere: the newest of its source and place."""

    source: str
    place: str
    unit_price: Price
    seen_on: date


@dataclass(frozen=True, slots=True)
class Comparison:
    """Our price beside the others: the mean of each source's newest prices, and the deviation from
    the mean of those sources. `deviation` is exact; a verdict is never taken on a rounded one."""

    means: dict[str, Price]
    reference: Price | None
    deviation: Fraction | None
    newest: date | None

    def flagged(self, band_bp: int) -> bool:
        """Further away than the policy allows, up or down."""
        return self.deviation is not None and abs(self.deviation) * 10_000 > band_bp

    @property
    def deviation_bp(self) -> int | None:
        """To be shown: hundredths of a percent, rounded half up."""
        if self.deviation is None:
            return None
        return half_up(self.deviation.numerator * 10_000, self.deviation.denominator)


def compare(ours: Price | None, seen: Iterable[Seen], today: date) -> Comparison:
    """A source with many places counts once: one town's supermarkets do not outvote the market."""
    fresh = [each for each in seen if today - FRESH <= each.seen_on <= today]
    exact = {
        source: _mean([each.unit_price.per_unit for each in fresh if each.source == source])
        for source in SOURCES
        if any(each.source == source for each in fresh)
    }
    means = {source: _price(mean) for source, mean in exact.items()}
    if not exact:
        return Comparison({}, None, None, None)
    reference = sum(exact.values(), Fraction(0)) / len(exact)
    deviation = None if ours is None else Fraction(ours.per_unit) / reference - 1
    newest = max(each.seen_on for each in fresh)
    return Comparison(means, _price(reference), deviation, newest)


def _mean(values: Sequence[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def _price(value: Fraction) -> Price:
    return Price(half_up(value.numerator, value.denominator))
