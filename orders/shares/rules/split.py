"""The split of one settled line to the fen, and of what is refunded of it later (domain.md §4.2).

    amount − costs − what the goods cost at the farm gate = margin
    margin × retained share (by resolution) → the collective
    the rest → households by accepted weight (models B and C), or the cooperative (model A)

A margin below zero is borne by the cooperative alone: no household ever falls below its farm gate.
Parts always add up to the amount. Largest remainder; ties go to the lower household id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from catalog.lots.rules import cost_up_to
from kernel.money import ZERO, Money, Price, total
from kernel.quantities import BaseUnit
from kernel.sharing import share_out

FARM_GATE, RETAINED, COOPERATIVE = "farm_gate", "retained", "cooperative"

# What the rest of the margin is called when households receive it, by benefit model.
CONSIGNMENT = "consignment"
POOLS = {CONSIGNMENT: "consigned", "floor_and_rebate": "rebate"}

REACHING_HOUSEHOLDS = frozenset({FARM_GATE, *POOLS.values()})


@dataclass(frozen=True, slots=True)
class CostTerm:
    """One cost of a line: per kg (or piece) of what left the store, or a share of the amount."""

    kind: str
    per_unit: Price | None = None
    share_bp: int | None = None
    citizens_only: bool = False

    def of(self, amount: Money, quantity: int, unit: BaseUnit) -> Money:
        if self.per_unit is not None:
            return self.per_unit.of(quantity, unit)
        assert self.share_bp is not None
        return amount.basis_points(self.share_bp)


@dataclass(frozen=True, slots=True)
class Terms:
    """A benefit rule, as far as the arithmetic needs it."""

    model: str
    retained_bp: int
    costs: tuple[CostTerm, ...] = ()

    @property
    def pool(self) -> str | None:
        """The kind of part households get of the margin; None when they were bought out."""
        return POOLS.get(self.model)


@dataclass(frozen=True, slots=True)
class Piece:
    """So much of one contribution: what is gone for good, what of it the buyer accepted, and what
    the goods that are gone had cost. No household: the cooperative's own base."""

    contribution_id: int
    household_id: int | None
    consumed: int
    accepted: int
    cost: Money


@dataclass(frozen=True, slots=True)
class Part:
    """Where so much goes. `quantity` is what is gone (FARM_GATE) or what was accepted."""

    kind: str
    amount: Money
    household_id: int | None = None
    contribution_id: int | None = None
    quantity: int = 0


def split_line(
    terms: Terms, amount: Money, unit: BaseUnit, pieces: Sequence[Piece], *, citizen: bool
) -> list[Part]:
    """Parts that add up to `amount` exactly. The order of the pieces changes nothing."""
    assert amount >= ZERO
    pieces = sorted(pieces, key=_by_household)
    consumed = sum(piece.consumed for piece in pieces)
    farm = [
        Part(FARM_GATE, piece.cost, piece.household_id, piece.contribution_id, piece.consumed)
        for piece in pieces
        if piece.cost
    ]
    costs = cost_parts(terms, amount, consumed, unit, citizen=citizen)
    margin = amount - total(part.amount for part in (*farm, *costs))
    weights = [(piece.household_id, piece.contribution_id, piece.accepted) for piece in pieces]
    return [*farm, *costs, *margin_parts(terms, margin, weights)]


def cost_parts(
    terms: Terms, amount: Money, quantity: int, unit: BaseUnit, *, citizen: bool
) -> list[Part]:
    """One part for each kind of cost that applies to this buyer."""
    sums: dict[str, Money] = {}
    for term in terms.costs:
        if citizen or not term.citizens_only:
            sums[term.kind] = sums.get(term.kind, ZERO) + term.of(amount, quantity, unit)
    return [Part(kind, cost) for kind, cost in sums.items() if cost]


def margin_parts(
    terms: Terms, margin: Money, weights: Sequence[tuple[int | None, int, int]]
) -> list[Part]:
    """The margin as parts; `weights` are (household, contribution, accepted), sorted by household.

    Pool parts are written for every household with accepted goods, also when they are of nothing:
    they remember the weights for a refund.
    """
    retained = retained_of(terms, margin)
    parts = [Part(RETAINED, retained)] if retained else []
    left = margin - retained
    if terms.pool is not None:
        shared = [each for each in weights if each[2] > 0]
        amounts = pool_amounts(max(left, ZERO), shared)
        for (household_id, contribution_id, accepted), amount in zip(shared, amounts, strict=True):
            kind = COOPERATIVE if household_id is None else terms.pool
            parts.append(Part(kind, amount, household_id, contribution_id, accepted))
            left -= amount
    return [*parts, Part(COOPERATIVE, left)] if left else parts


def retained_of(terms: Terms, margin: Money) -> Money:
    """提留: a share of what is left over, of nothing when nothing is."""
    return margin.basis_points(terms.retained_bp) if margin > ZERO else ZERO


def pool_amounts(pool: Money, weights: Sequence[tuple[int | None, int, int]]) -> list[Money]:
    """The pool, first over the households by all they brought, then within each over its goods."""
    if not weights:
        return []
    of_household: dict[int | None, list[int]] = {}
    for place, (household_id, _, _) in enumerate(weights):
        of_household.setdefault(household_id, []).append(place)
    groups = list(of_household.values())
    sums = [sum(weights[place][2] for place in group) for group in groups]
    amounts = [ZERO] * len(weights)
    for group, share in zip(groups, share_out(pool.fen, sums), strict=True):
        within = share_out(share, [weights[place][2] for place in group])
        for place, fen in zip(group, within, strict=True):
            amounts[place] = Money(fen)
    return amounts


@dataclass(frozen=True, slots=True)
class Standing:
    """How a line stands before a refund: its parts so far, added up.

    `weights` are the accepted quantities as in `margin_parts`; `unpaid` is what of each household's
    pool part has not left for its account yet.
    """

    parts: Mapping[tuple[str, int | None], Money]
    weights: Sequence[tuple[int | None, int, int]]
    unpaid: Mapping[int, Money]

    @property
    def amount(self) -> Money:
        return total(self.parts.values())


def reverse(
    terms: Terms, standing: Standing, back: Money, returned: Sequence[Piece] = ()
) -> list[Part]:
    """What changes when `back` of a settled line is refunded: parts that add up to −`back`.

    The line is split again as if it had been worth less from the start. The goods and the costs
    were spent all the same; only what is put back into the store (`returned`) gives its cost back.
    What a household has already been paid stays with it: the collective's retained share bears
    that first, the cooperative the rest (domain.md §3.5, G16). Whatever the sequence of refunds,
    the last one leaves exactly what a single one would have left.
    """
    assert ZERO < back <= standing.amount, (back, standing.amount)
    now = dict(standing.parts)
    farm = [
        Part(FARM_GATE, -piece.cost, piece.household_id, piece.contribution_id, -piece.consumed)
        for piece in returned
        if piece.cost
    ]
    spent = total(
        amount for (kind, _), amount in now.items() if kind not in _of_the_margin(terms)
    ) + total(part.amount for part in farm)
    margin = standing.amount - back - spent
    target = _summed(margin_parts(terms, margin, sorted(standing.weights, key=_by_weight)))
    _spare_the_paid(terms, target, now, standing.unpaid)
    keys = sorted({*target, *(key for key in now if key[0] in _of_the_margin(terms))}, key=_by_key)
    changes = [
        Part(kind, target.get((kind, who), ZERO) - now.get((kind, who), ZERO), who)
        for kind, who in keys
    ]
    return [*farm, *(part for part in changes if part.amount)]


def _spare_the_paid(
    terms: Terms,
    target: dict[tuple[str, int | None], Money],
    now: Mapping[tuple[str, int | None], Money],
    unpaid: Mapping[int, Money],
) -> None:
    """Households keep at least what they were paid; the retained share and then the cooperative
    pay the difference."""
    kept = ZERO
    for (kind, household_id), amount in now.items():
        if kind == terms.pool and household_id is not None:
            least = max(amount - unpaid.get(household_id, ZERO), ZERO)
            wanted = target.get((kind, household_id), ZERO)
            if wanted < least:
                target[kind, household_id] = least
                kept += least - wanted
    retained = target.get((RETAINED, None), ZERO)
    from_collective = min(kept, retained)
    target[RETAINED, None] = retained - from_collective
    target[COOPERATIVE, None] = target.get((COOPERATIVE, None), ZERO) - (kept - from_collective)


def _of_the_margin(terms: Terms) -> frozenset[str]:
    return frozenset({RETAINED, COOPERATIVE, *([terms.pool] if terms.pool else [])})


def _summed(parts: Iterable[Part]) -> dict[tuple[str, int | None], Money]:
    sums: dict[tuple[str, int | None], Money] = {}
    for part in parts:
        key = part.kind, part.household_id
        sums[key] = sums.get(key, ZERO) + part.amount
    return sums


def _by_household(piece: Piece) -> tuple[bool, int, int]:
    """The cooperative's own goods after everybody's."""
    return piece.household_id is None, piece.household_id or 0, piece.contribution_id


def _by_weight(weight: tuple[int | None, int, int]) -> tuple[bool, int, int]:
    household_id, contribution_id, _ = weight
    return household_id is None, household_id or 0, contribution_id


def _by_key(key: tuple[str, int | None]) -> tuple[str, int]:
    return key[0], key[1] or 0


def split_price(
    terms: Terms, farm_price: Price | None, price: Money, content: int, unit: BaseUnit
) -> list[Part]:
    """A citizen's pack of `content` base units as it would be settled at this price; nothing while
    nobody knows what its goods cost at the farm gate (`farm_price`: per kg or piece). Goods on
    consignment cost nothing before they are sold."""
    if terms.model == CONSIGNMENT:
        farm = ZERO
    elif farm_price is None:
        return []
    else:
        farm = farm_price.of(content, unit)
    return split_line(terms, price, unit, [Piece(1, 1, content, content, farm)], citizen=True)


def reaches_households(part: Part) -> bool:
    return part.kind in REACHING_HOUSEHOLDS and part.household_id is not None


def reaching_households(parts: Iterable[Part]) -> Money:
    """What of these parts households receive, or received when they brought the goods."""
    return total(part.amount for part in parts if reaches_households(part))


def benefit_rate(parts: Sequence[Part]) -> Fraction | None:
    """到户率: what reaches households of each yuan; None of a line worth nothing."""
    whole = total(part.amount for part in parts)
    return Fraction(reaching_households(parts).fen, whole.fen) if whole else None


def sold_cost(cost: Money, quantity: int, before: int, more: int) -> Money:
    """What `more` units of a contribution had cost when `before` were sold already.

    Sold goods are counted from the bottom, lost and processed ones from the top, so that over any
    history the pieces add up to the cost to the fen. `more` is negative for goods that come back.
    """
    assert 0 <= before + more <= quantity, (quantity, before, more)
    upto = cost_up_to(cost.fen, quantity, before + more)
    return Money(upto - cost_up_to(cost.fen, quantity, before))
