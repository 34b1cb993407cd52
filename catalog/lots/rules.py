"""Weights, yields, codes, and costs that follow the goods. Pure (domain.md §4.5, §6.4)."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from kernel.codes import CODE_ALPHABET, check_character, closing_character, code_closes, fold_code
from kernel.money import Money
from kernel.sharing import half_up, share_out

# What a field bears in a very good year, and a tenth more (domain.md §4.5).
TOLERANCE_TENTHS = 11

# A household's year is pointed out when four fifths of the cap are bought.
CAP_WARNS = Fraction(4, 5)

# A phone's clock may be a little fast, and a slip may have waited for a network so long.
CLOCK_MAY_BE_FAST = timedelta(minutes=10)
MAY_HAVE_WAITED = timedelta(days=30)


# A citizen's order without a promised day leaves within 48 hours (domain.md §3.1).
SHIPPED_WITHIN = timedelta(days=2)


def citizens_until(day: date) -> date:
    """The day until which goods must be good that a citizen orders on that day: whatever day of
    the 48 hours they leave on, they may leave."""
    return day + SHIPPED_WITHIN


def net_weight(gross_g: int, tare_g: int, deduction_bp: int) -> int:
    """(gross − tare) × (1 − deduction), rounded half up to the gram."""
    return half_up((gross_g - tare_g) * (10_000 - deduction_bp), 10_000)


def plausible_g(area_mu_100: int, most_yield_kg_per_mu: int) -> int:
    """The most such fields can have borne, in grams: 1.2 mu × 2,500 kg × 1.1 = 3,300 kg."""
    return area_mu_100 * most_yield_kg_per_mu * TOLERANCE_TENTHS


def promisable(expected: int, came: int, confidence_bp: int) -> int:
    """What of a harvest may be promised: the confident part of what is still to come, rounded
    down to the base unit."""
    return max(0, expected - came) * confidence_bp // 10_000


def over_the_cap(bought: Money, more: Money, cap: Money | None) -> bool:
    """Whether `more` takes the year above its cap; reaching it exactly does not."""
    return cap is not None and bought + more > cap


def near_the_cap(bought: Money, cap: Money | None) -> bool:
    """Whether four fifths of the cap are bought. A cap of nothing is near from the start."""
    return cap is not None and bought.fen >= CAP_WARNS * cap.fen


def clock_is_plausible(weighed_at: datetime, now: datetime) -> bool:
    """Whether a phone may say so of a slip that arrives now."""
    return now - MAY_HAVE_WAITED <= weighed_at <= now + CLOCK_MAY_BE_FAST


def card_code(keyed_hash: str) -> str:
    """Six digits out of a keyed hash: what stands on a household's card beside its QR."""
    return f"{int(keyed_hash[:15], 16) % 1_000_000:06}"


def lot_code(region_code: str, product_code: str, day: date, serial: int) -> str:
    """`500114125-R01-261108-001-C`: township, product, day, serial, check character (§6.4)."""
    body = f"{region_code[:9]}-{product_code}-{day:%y%m%d}-{serial:03}"
    return f"{body}-{check_character(body.upper())}"


def lot_code_is_whole(code: str) -> bool:
    """Whether the last character belongs to the others: finds any single mistyped one."""
    body, dash, check = code.upper().rpartition("-")
    return bool(dash) and len(check) == 1 and check_character(body) == check


def keep_until(issued_on: date) -> date:
    """A certificate of conformity is kept for two years at least (domain.md §2.3)."""
    try:
        return issued_on.replace(year=issued_on.year + 2)
    except ValueError:  # a 29 February
        return issued_on.replace(year=issued_on.year + 2, month=3, day=1)


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


def carry_over(inputs: Sequence[Part], outputs: Sequence[int]) -> list[list[Part]]:
    """Each output in the households' proportions of the input; a household's own cost is split
    over its parts of the outputs by weight. Largest remainders both times, so that every output
    and every cost is whole.

    Goods of the cooperative's own base (no household) come first. A household whose parts all
    round to nothing leaves its cost with the next one that has some: nothing is lost.
    """
    weights: dict[int | None, int] = {}
    costs: dict[int | None, int] = {}
    for part in inputs:
        weights[part.household_id] = weights.get(part.household_id, 0) + part.quantity
        costs[part.household_id] = costs.get(part.household_id, 0) + part.cost
    households = sorted(weights, key=lambda each: each or 0)
    shares = [share_out(each, [weights[whose] for whose in households]) for each in outputs]
    carried: list[list[Part]] = [[] for _ in outputs]
    stray, last = 0, -1
    for place, household in enumerate(households):
        stray += costs[household]
        mine = [of_output[place] for of_output in shares]
        if not any(mine):
            continue
        for which, (share, cost) in enumerate(zip(mine, share_out(stray, mine), strict=True)):
            if share:
                carried[which].append(Part(household, share, cost))
                last = which
        stray = 0
    if stray:
        part = carried[last].pop()
        carried[last].append(Part(part.household_id, part.quantity, part.cost + stray))
    return carried


def draw_evenly(quantity: int, frees: Sequence[int]) -> list[int]:
    """Take `quantity` in proportion to what is free in each part; never more than is there."""
    assert 0 < quantity <= sum(frees), (quantity, frees)
    return share_out(quantity, frees)


# What a step may bring out of its input when nobody published better (domain.md §2.3, R9: 2 %).
# A split, a repacking or a transfer loses nothing; drying and milling only never add.
USUAL_BANDS = {
    "sort": (9_800, 10_000),
    "wash": (9_800, 10_000),
    "pack": (9_800, 10_000),
    "dry": (0, 10_000),
    "mill": (0, 10_000),
    "split": (10_000, 10_000),
    "repack": (10_000, 10_000),
    "transfer": (10_000, 10_000),
}


def within_band(put_in: int, came_out: int, band: tuple[int, int] | None) -> bool:
    """Whether so much may come out of so much; decided on whole numbers, not on a rounded rate."""
    return band is None or band[0] * put_in <= came_out * 10_000 <= band[1] * put_in


# A storekeeper writes off alone up to 2 % of a lot (R9), worth at most ¥100.
ALONE_UP_TO_FEN, ALONE_UP_TO_BP = 10_000, 200


def may_write_off_alone(lost: int, came_in: int, cost_fen: int) -> bool:
    """Whether a loss is small enough for one person; `lost` with what they lost before."""
    return lost * 10_000 <= ALONE_UP_TO_BP * came_in and cost_fen <= ALONE_UP_TO_FEN


@dataclass(frozen=True, slots=True)
class Counted:
    """What one person counted, and what the book said at that moment."""

    counted: int
    book: int

    @property
    def difference(self) -> int:
        return self.counted - self.book


def agreed_difference(first: Counted | None, second: Counted | None) -> int | None:
    """What both found too much or too little; None while one is missing or they disagree.

    Each is compared with the book at its own moment: goods may leave between the two.
    """
    if first is None or second is None or first.difference != second.difference:
        return None
    return first.difference


def spread_surplus(more: int, rooms: Sequence[int]) -> tuple[list[int], int]:
    """(what each part takes back of what it had lost, what nobody had lost).

    In proportion to what is missing from each part and never more than that.
    """
    taken = min(more, sum(rooms))
    return (share_out(taken, rooms) if taken else [0] * len(rooms)), more - taken
