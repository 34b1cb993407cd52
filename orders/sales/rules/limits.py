"""How much of a pack one citizen may have: so many within so many days. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` packs within `days` business days, today being one of them."""

    most: int
    days: int

    def since(self, today: date) -> date:
        """The first day whose orders still count."""
        return today - timedelta(days=self.days - 1)

    def left(self, bought: int) -> int:
        """How many this buyer may still have, never below nothing."""
        return max(0, self.most - bought)


def limit_of(most: int | None, days: int | None) -> Limit | None:
    """The limit a pack carries; None is no limit. A pack with a number and no days is meant for
    each day."""
    return None if most is None else Limit(most, max(1, days or 1))
