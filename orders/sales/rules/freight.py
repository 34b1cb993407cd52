"""What carriage costs: one rule for checkout, preview and self-check. Pure; whole fen, whole grams.

A template is a list of zones. The zone whose region is the most specific one that holds the
destination counts. Up to the first weight it costs the first fee; each further step that is begun
costs one step fee. From a certain worth of goods on it is free, and so is what the buyer fetches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kernel.errors import Text
from kernel.money import ZERO, Money
from orders.sales.rules.travelling import MOST_DAYS

# Significant digits of a province, a prefecture, a county; a template goes no deeper.
DIGITS = (2, 4, 6)
EVERYWHERE_ELSE = ""
MOST_GRAMS = 1_000_000
MOST_FEE = Money(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """`region` is a code of 12 digits, or empty for everywhere else; weights in grams; `days` on
    the road at the most, where the cooperative says so."""

    region: str
    served: bool = True
    first_g: int = 1000
    first_fee: Money = ZERO
    step_g: int = 1000
    step_fee: Money = ZERO
    free_from: Money | None = None
    days: int | None = None

    def fee(self, grams: int, goods: Money) -> Money:
        """What so many grams cost, when goods worth `goods` travel together."""
        if self.free_from is not None and goods >= self.free_from:
            return ZERO
        steps = -(-max(0, grams - self.first_g) // self.step_g)
        return self.first_fee + self.step_fee * steps


def freight_of(
    zones: Iterable[Zone], *, region: str, grams: int, goods: Money, pick_up: bool = False
) -> Money | None:
    """What it costs to send so much to this region; None where it is not sent at all."""
    assert grams >= 0
    if pick_up:
        return ZERO
    zone = zone_of(zones, region)
    return zone.fee(grams, goods) if zone is not None and zone.served else None


def zone_of(zones: Iterable[Zone], region: str) -> Zone | None:
    """The most specific zone that holds this region; county before prefecture before province."""
    fitting = [each for each in zones if region.startswith(stem(each.region))]
    return max(fitting, key=lambda each: len(stem(each.region)), default=None)


def stem(region: str) -> str:
    """The digits everything inside this province, prefecture or county begins with."""
    if region == EVERYWHERE_ELSE:
        return ""
    plain = region.rstrip("0")
    return region[: next((digits for digits in DIGITS if len(plain) <= digits), DIGITS[-1])]


def problems_of(zones: Sequence[Zone]) -> dict[int, Text]:
    """What is wrong with a template, by the position of the zone; -1 is the whole."""
    problems: dict[int, Text] = {}
    seen: set[str] = set()
    for position, zone in enumerate(zones):
        if stem(zone.region) in seen:
            problems[position] = Text("This region has a row already.")
        elif not 0 < zone.first_g <= MOST_GRAMS or not 0 < zone.step_g <= MOST_GRAMS:
            problems[position] = Text("A weight is more than nothing and at most 1,000 kg.")
        elif not ZERO <= zone.first_fee <= MOST_FEE or not ZERO <= zone.step_fee <= MOST_FEE:
            problems[position] = Text("A fee is at most %(most)s.", most=MOST_FEE)
        elif zone.free_from is not None and zone.free_from <= ZERO:
            problems[position] = Text("Leave it empty if carriage is never free.")
        elif zone.days is not None and not 1 <= zone.days <= MOST_DAYS:
            problems[position] = Text("A parcel is 1 to %(most)s days on the road.", most=MOST_DAYS)
        seen.add(stem(zone.region))
    if not any(zone.served for zone in zones):
        problems[-1] = Text("At least one region must be served.")
    return problems


def gross_weight(*, content: int, gross_g: int | None, weighed: bool, quantity: int) -> int:
    """Grams that travel for so many base units of a pack, box and ice included, rounded up.

    Until somebody has weighed a pack, weighed goods count as much as they hold, and pieces nothing:
    they travel for the first fee.
    """
    if gross_g is None:
        return quantity if weighed else 0
    return -(-quantity * gross_g // content)
