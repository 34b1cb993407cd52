"""What a supplier did for households, counted by money that reached them (domain.md §2.2). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

# Lowers what a household spends, but puts nothing into its hand: not counted alone.
NOT_ALONE = frozenset({"input"})


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment to one household; amounts in fen. `mechanism` by value of LinkMechanism."""

    household_id: int
    mechanism: str
    on: date
    amount: int
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Effect:
    """带动: distinct households that were paid, and the fen they got, with and without costs."""

    households: int
    lifted: int
    monitored: int
    gross: int
    net: int
    by_mechanism: Mapping[str, tuple[int, int]]

    @property
    def gross_each(self) -> int:
        """户均增收 in fen, rounded half up; 0 where nobody was paid."""
        return _each(self.gross, self.households)

    @property
    def net_each(self) -> int:
        return _each(self.net, self.households)


def _each(amount: int, households: int) -> int:
    return (2 * amount + households) // (2 * households) if households else 0


def effect(
    payments: Iterable[Paid],
    statuses: Mapping[int, Iterable[tuple[date, bool, bool]]],
    *,
    begin: date,
    end: date,
) -> Effect:
    """Payments of the days `begin` to `end`, both inclusive; a household counts once, whatever it
    got, if something above zero is left after corrections, not only for INPUT.

    `statuses`: household → (as of, lifted out of poverty, monitored), in any order. A household's
    category is the one in force on the day of its latest payment; both may be true at once.
    """
    inside = [each for each in payments if begin <= each.on <= end]
    sums: dict[int, int] = {}
    last: dict[int, date] = {}
    for each in inside:
        if each.mechanism not in NOT_ALONE:
            sums[each.household_id] = sums.get(each.household_id, 0) + each.amount
            last[each.household_id] = max(each.on, last.get(each.household_id, each.on))
    counted = {key for key, amount in sums.items() if amount > 0}
    lifted = monitored = 0
    for key in counted:
        was_lifted, was_monitored = _status(statuses.get(key, ()), last[key])
        lifted += was_lifted
        monitored += was_monitored
    ours = [each for each in inside if each.household_id in counted]
    return Effect(
        households=len(counted),
        lifted=lifted,
        monitored=monitored,
        gross=sum(each.amount for each in ours),
        net=sum(each.amount - each.cost for each in ours),
        by_mechanism=_by_mechanism(ours),
    )


def _status(known: Iterable[tuple[date, bool, bool]], on: date) -> tuple[bool, bool]:
    valid = sorted(each for each in known if each[0] <= on)
    return (valid[-1][1], valid[-1][2]) if valid else (False, False)


def _by_mechanism(payments: Iterable[Paid]) -> dict[str, tuple[int, int]]:
    """Mechanism → (households with money left under it, fen)."""
    sums: dict[str, dict[int, int]] = {}
    for each in payments:
        of_kind = sums.setdefault(each.mechanism, {})
        of_kind[each.household_id] = of_kind.get(each.household_id, 0) + each.amount
    return {
        kind: (sum(amount > 0 for amount in of_kind.values()), sum(of_kind.values()))
        for kind, of_kind in sorted(sums.items())
    }
