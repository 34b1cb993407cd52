"""Weights, yields, codes, and costs that follow the goods. Pure (domain.md §4.5, §6.4)."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kernel.codes import CODE_ALPHABET, check_character, closing_character, code_closes, fold_code
from kernel.sharing import half_up, share_out

# What a field bears in a very good year, and a tenth more (domain.md §4.5).
TOLERANCE_TENTHS = 11


def net_weight(gross_g: int, tare_g: int, deduction_bp: int) -> int:
    """(gross − tare) × (1 − deduction), rounded half up to the gram."""
    return half_up((gross_g - tare_g) * (10_000 - deduction_bp), 10_000)


def plausible_g(area_mu_100: int, most_yield_kg_per_mu: int) -> int:
    """The most such fields can have borne, in grams: 1.2 mu × 2,500 kg × 1.1 = 3,300 kg."""
    return area_mu_100 * most_yield_kg_per_mu * TOLERANCE_TENTHS


def lot_code(region_code: str, product_code: str, day: date, serial: int) -> str:
    """`500114125-R01-261108-001-C`: township, product, day, serial, check character (§6.4)."""
    body = f"{region_code[:9]}-{product_code}-{day:%y%m%d}-{serial:03}"
    return f"{body}-{check_character(body.upper())}"


def lot_code_is_whole(code: str) -> bool:
    """Whether the last character belongs to the others: finds any single mistyped one."""
    body, dash, check = code.upper().rpartition("-")
    return bool(dash) and len(check) == 1 and check_character(body) == check


# A bag's code ends in four digits, three characters nobody can guess, and one that closes it.
MOST_BAGS = 9_999
_SEAL = 3
_TAIL = 4 + _SEAL + 1
_WRITTEN_AS = {"0": "0O", "1": "1IL", "V": "VU"}


def bag_code(lot: str, serial: int, key: str) -> str:
    """`500114125-R01-261108-001-C-0137-K3MX`: the lot's code, the bag's number in it, three
    characters that only the holder of `key` can make, and one that closes the whole."""
    assert 1 <= serial <= MOST_BAGS, serial
    digest = hmac.new(key.encode(), f"{lot}:{serial}".encode(), hashlib.sha256).digest()
    seal = "".join(CODE_ALPHABET[byte % 32] for byte in digest[:_SEAL])
    body = f"{lot}-{serial:04}-{seal}"
    return body + closing_character(fold_code(body))


def bag_parts(folded: str) -> tuple[str, int] | None:
    """A folded bag code as (folded code of its lot, number of the bag), if it can be one."""
    lot, number = folded[:-_TAIL], folded[-_TAIL : -_TAIL + 4]
    if not lot or not number.isdigit() or int(number) == 0 or not code_closes(folded):
        return None
    return lot, int(number)


def lot_codes(folded: str) -> list[str]:
    """Every way to write a folded lot code with its hyphens: nine digits of a region, a product,
    a day, a number of three or four digits and the check character that belongs to them."""
    found = []
    for digits in (3, 4):
        region, product, day, serial, check = (
            folded[:9], folded[9 : -digits - 7], folded[-digits - 7 : -digits - 1],
            folded[-digits - 1 : -1], folded[-1:],
        )  # fmt: skip
        if not (1 <= len(product) <= 8 and (region + day + serial).isdigit()):
            continue
        ways = itertools.product(*(_WRITTEN_AS.get(each, each) for each in product))
        found += [
            code
            for way in itertools.islice(ways, 64)
            if lot_code_is_whole(code := f"{region}-{''.join(way)}-{day}-{serial}-{check}")
        ]
    return found


# A bag goes through a few hands; a label that was copied goes through many.
COPIED_SCANS = 12


def looks_copied(scans_of_a_week: int) -> bool:
    """Whether one bag's code was opened so often in seven days that its label may be copied."""
    return scans_of_a_week > COPIED_SCANS


def cost_up_to(cost: int, quantity: int, taken: int) -> int:
    """What the first `taken` of `quantity` units cost of `cost` fen; parts add up exactly."""
    return half_up(cost * taken, quantity)


def cost_from_the_top(cost: int, quantity: int, gone: int, taken: int) -> int:
    """What `taken` more units cost when `gone` have left for processing or as loss.

    Sold goods are counted from the bottom (`cost_up_to`), these from the top: whatever mixture of
    both empties a contribution, their costs add up to its cost to the fen.
    """
    left = quantity - gone
    return cost_up_to(cost, quantity, left) - cost_up_to(cost, quantity, left - taken)


@dataclass(frozen=True, slots=True)
class Part:
    """So much of one household's goods, with what it cost."""

    household_id: int | None
    quantity: int
    cost: int


def carry_over(inputs: Sequence[Part], output_quantity: int) -> list[Part]:
    """The output in the households' proportions of the input, each with its own cost to the fen.

    Goods of the cooperative's own base (no household) come first. A household whose part rounds to
    nothing leaves its cost with the next one that has some: nothing is lost.
    """
    weights: dict[int | None, int] = {}
    costs: dict[int | None, int] = {}
    for part in inputs:
        weights[part.household_id] = weights.get(part.household_id, 0) + part.quantity
        costs[part.household_id] = costs.get(part.household_id, 0) + part.cost
    households = sorted(weights, key=lambda each: each or 0)
    shares = share_out(output_quantity, [weights[each] for each in households])
    carried: list[Part] = []
    stray = 0
    for household, share in zip(households, shares, strict=True):
        stray += costs[household]
        if share:
            carried.append(Part(household, share, stray))
            stray = 0
    if stray and carried:
        last = carried[-1]
        carried[-1] = Part(last.household_id, last.quantity, last.cost + stray)
    return carried


def draw_evenly(quantity: int, frees: Sequence[int]) -> list[int]:
    """Take `quantity` in proportion to what is free in each part; never more than is there."""
    assert 0 < quantity <= sum(frees), (quantity, frees)
    return share_out(quantity, frees)
