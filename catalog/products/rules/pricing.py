"""What a buyer pays: one rule for product page, shelf, basket, checkout, grid and order. Pure.

A pack has a price of its own, which everybody pays for whom nothing else was agreed, so there is
always exactly one price. Lists of agreed prices come before it: that of the buyer's organisation
before that of its kind, that of its kind before that of all units. Lists for the same buyers never
overlap, so the most specific one is one. Within the price that won, the tier (阶梯价) is that of
the whole quantity: who takes 100 kg pays the price from 100 kg for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Protocol

from kernel.errors import Text
from kernel.money import ZERO, Money, Price
from kernel.quantities import BaseUnit

MOST_STEPS = 5
# An offer to everybody may rise by so much in a month without the operator; falling is always free.
FREE_RISE_BP = 1_500
RISE_DAYS = 30


class PricedProduct(Protocol):
    @property
    def base_unit(self) -> BaseUnit: ...


class PricedPack(Protocol):
    """As much of a pack as pricing looks at."""

    @property
    def content(self) -> int: ...
    @property
    def price(self) -> Money | None: ...
    @property
    def unit_price(self) -> Price | None: ...
    @property
    def steps(self) -> Sequence[Any]: ...
    @property
    def product(self) -> PricedProduct: ...


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom a price is asked. `audiences` are the kinds of buyer it is, narrowest first; a
    citizen is of none."""

    organisation_id: int | None = None
    audiences: tuple[str, ...] = ()


CITIZEN = Buyer()


@dataclass(frozen=True, slots=True)
class Listed:
    """The price of one pack in one list: for one organisation, or for one kind of buyer."""

    list_id: int
    organisation_id: int | None
    audience: str | None
    valid_from: date
    valid_to: date
    unit_price: Price
    steps: tuple[tuple[int, int], ...] = ()

    def holds(self, day: date) -> bool:
        return self.valid_from <= day <= self.valid_to

    def rank(self, buyer: Buyer) -> int | None:
        """0 is the most specific; None: not for this buyer."""
        if self.organisation_id is not None:
            return 0 if self.organisation_id == buyer.organisation_id else None
        if self.audience in buyer.audiences:
            return 1 + buyer.audiences.index(self.audience)
        return None


@dataclass(frozen=True, slots=True)
class Quote:
    """What a quantity of a pack costs one buyer: per pack (`price`) or per kg or piece
    (`unit_price`), and altogether. `steps` is the whole ladder of the price that won."""

    price: Money | None
    unit_price: Price
    amount: Money
    list_id: int | None
    steps: tuple[tuple[int, int], ...]

    def of_part(self, pack: PricedPack, part: int) -> Quote:
        """The same price for a part of the quantity."""
        if self.price is not None:
            return replace(self, amount=self.price * (part // pack.content))
        return replace(self, amount=self.unit_price.of(part, pack.product.base_unit))


def price_of(
    pack: PricedPack, quantity: int, buyer: Buyer, day: date, listed: Iterable[Listed] = ()
) -> Quote:
    """The price of `quantity` base units of this pack for this buyer on that day.

    `listed` are prices of this pack in any lists; those of other buyers and days are passed over.
    The amount is rounded once, half up; nothing ordered costs nothing at the price of the least.
    """
    unit, content = pack.product.base_unit, pack.content
    if pack.price is not None:
        fen, steps = pack.price.fen, ladder(pack.steps)
        price = Money(_at(fen, steps, quantity))
        each = Price.from_total(price, content, unit)
        return Quote(price, each, price * (quantity // content), None, steps)
    won = _most_specific(listed, buyer, day)
    if won is not None:
        base, steps, list_id = won.unit_price.per_unit, won.steps, won.list_id
    else:
        assert pack.unit_price is not None
        base, steps, list_id = pack.unit_price.per_unit, ladder(pack.steps), None
    each = Price(_at(base, steps, quantity))
    return Quote(None, each, each.of(quantity, unit) if quantity else ZERO, list_id, steps)


def ladder(steps: Sequence[Any]) -> tuple[tuple[int, int], ...]:
    """Steps as they stand in a JSON column → tuples."""
    return tuple((least, value) for least, value in steps)


def _at(base: int, steps: Sequence[tuple[int, int]], quantity: int) -> int:
    """The value of the last step the quantity reaches."""
    value = base
    for least, lower in steps:
        if quantity >= least:
            value = lower
    return value


def _most_specific(listed: Iterable[Listed], buyer: Buyer, day: date) -> Listed | None:
    ranked = [
        (rank, each)
        for each in listed
        if each.holds(day) and (rank := each.rank(buyer)) is not None
    ]
    return min(ranked, key=lambda pair: (pair[0], pair[1].list_id))[1] if ranked else None


def step_problem(base: int, steps: Sequence[tuple[int, int]], content: int) -> Text | None:
    """What is wrong with a ladder: it rises in quantity by whole packs and falls in price."""
    if len(steps) > MOST_STEPS:
        return Text("At most %(most)s tiers.", most=MOST_STEPS)
    if any(least <= content or least % content for least, _ in steps):
        return Text("A tier begins at a whole number of packs, more than one.")
    rungs = [(content, base), *steps]
    if any(more <= less for (less, _), (more, _) in pairwise(rungs)):
        return Text("Write the tiers by rising quantity, each quantity once.")
    if any(not 0 < lower < higher for (_, higher), (_, lower) in pairwise(rungs)):
        return Text("Whoever takes more pays less for each: the price must fall from tier to tier.")
    return None


def rises_too_much(new: int, lowest: int) -> bool:
    """Whether a price goes up further than it may without the operator's review, compared with the
    lowest of the last month: rising in many small steps is rising too."""
    return new * 10_000 > lowest * (10_000 + FREE_RISE_BP)


def span_problem(valid_from: date, valid_to: date, others: Iterable[tuple[date, date]]) -> bool:
    """Whether the days from one to the other meet any of these spans; both ends counted in."""
    return any(begin <= valid_to and valid_from <= end for begin, end in others)
