"""Filing a reserved share: floor, base, exemption, representation, doubts (domain.md §1.3–1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from kernel.errors import Text
from kernel.labels import Labelled
from kernel.money import ZERO, Money
from kernel.periods import day_end, day_start

# Canteen types by value, because rules stand below the models.
LEADING = "shared_leading"
REPRESENTED = "shared"
NO_CANTEEN = "none"

NO_DUTY = frozenset({REPRESENTED, NO_CANTEEN})

# A change of the base beyond this is doubted, not refused.
MOST_BASE_CHANGE_BP = 3_000
# What a meal's food plausibly costs; outside it somebody should look again.
LEAST_PER_MEAL, MOST_PER_MEAL = Money(100), Money(6_000)
MEALS_PER_DINER_AND_YEAR = 200

_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")


class Doubt(Labelled):
    """What does not forbid a filing but makes the reviewer look twice."""

    BELOW_THE_FLOOR_BY_EXEMPTION = "below_the_floor_by_exemption"
    BASE_CHANGED_BY_MORE_THAN_30_PERCENT = "base_changed_by_more_than_30_percent"
    SHARE_FELL_WITH_EXPLANATION = "share_fell_with_explanation"
    IMPLAUSIBLE_AMOUNT_PER_MEAL = "implausible_amount_per_meal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """The unit that runs a shared canteen for others."""

    unit_id: int
    canteen_type: str
    represented: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LastYear:
    base: Money
    reserved: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What a unit declares for one year."""

    unit_id: int
    canteen_type: str
    base: Money
    ratio_bp: int
    union_budget: Money = ZERO
    exemption: str = ""
    explanation: str = ""
    contact: str = ""
    contact_phone: str = ""
    diners: int = 0
    represents_others: bool = False
    representative: Representative | None = None


def must_reserve(canteen_type: str) -> bool:
    """Whether the canteen type brings the duty to reserve; the others are only noted (§1.3)."""
    return canteen_type not in NO_DUTY


def reserved_share(canteen_type: str, base: Money, ratio_bp: int) -> Money:
    """R = base × ratio, rounded half up once; nothing where nothing must be reserved (§1.4)."""
    return base.basis_points(ratio_bp) if must_reserve(canteen_type) else ZERO


def union_duty(canteen_type: str, union_budget: Money, union_share_bp: int | None) -> Money:
    """What a unit without a canteen owes from its union's funds, in its own column (G5)."""
    if canteen_type != NO_CANTEEN or union_share_bp is None:
        return ZERO
    return union_budget.basis_points(union_share_bp)


def window_problem(opens: date, closes: date, now: datetime) -> Text | None:
    """Why one cannot file at this instant; the last day ends at midnight in Shanghai (§1.5)."""
    if now < day_start(opens):
        return Text("Filing opens on %(day)s.", day=opens)
    if now >= day_end(closes):
        return Text("Filing closed at the end of %(day)s.", day=closes)
    return None


def representation_problem(
    *,
    unit_id: int,
    canteen_type: str,
    representative: Representative | None,
    represents_others: bool,
) -> Text | None:
    """Why this representation cannot be: it needs one that leads, and never a chain (G6)."""
    if canteen_type != REPRESENTED:
        if representative is not None:
            return Text("Only a unit that shares another's canteen names a representative.")
        return None
    if representative is None:
        return Text("Name the unit whose canteen you share.")
    if representative.unit_id == unit_id:
        return Text("A unit cannot represent itself.")
    if represents_others:
        return Text("Other units share your canteen; whoever represents others is not represented.")
    if representative.represented:
        return Text("The unit you name is itself represented by another; name that one.")
    if representative.canteen_type != LEADING:
        return Text("The unit you name does not lead a shared canteen.")
    return None


def faults(declared: Declaration, *, floor_bp: int, last_year: LastYear | None) -> dict[str, Text]:
    """Every reason why this cannot be submitted, by field; empty when it can."""
    found: dict[str, Text] = {}
    problem = representation_problem(
        unit_id=declared.unit_id,
        canteen_type=declared.canteen_type,
        representative=declared.representative,
        represents_others=declared.represents_others,
    )
    if problem:
        found["representative_id"] = problem
    if must_reserve(declared.canteen_type):
        found |= _share_faults(declared, floor_bp, last_year)
    if not declared.contact.strip():
        found["contact"] = Text("Say who answers questions about this filing.")
    if not _PHONE.fullmatch(declared.contact_phone):
        found["contact_phone"] = Text("Give a mobile or landline number, such as 023-79200000.")
    return found


def _share_faults(
    declared: Declaration, floor_bp: int, last_year: LastYear | None
) -> dict[str, Text]:
    found: dict[str, Text] = {}
    if declared.base <= ZERO:
        found["base"] = Text("A unit with a canteen declares what its food costs in a year.")
    if not 0 < declared.ratio_bp <= 10_000:
        found["ratio_bp"] = Text("The share is more than 0 and at most 100 percent.")
    elif declared.ratio_bp < floor_bp and not declared.exemption.strip():
        found["ratio_bp"] = Text(
            "Below the floor of %(floor)s %%; a lower share needs an approved exemption.",
            floor=percent(floor_bp),
        )
    share = reserved_share(declared.canteen_type, declared.base, declared.ratio_bp)
    fell = last_year is not None and (share < last_year.reserved or declared.base < last_year.base)
    if fell and not declared.explanation.strip():
        found["explanation"] = Text(
            "Base or share is lower than last year; explain why to the finance department."
        )
    return found


def doubts(declared: Declaration, *, floor_bp: int, last_year: LastYear | None) -> list[Doubt]:
    """What the reviewer should look at twice, in a fixed order."""
    if not must_reserve(declared.canteen_type):
        return []
    share = reserved_share(declared.canteen_type, declared.base, declared.ratio_bp)
    found = []
    if declared.ratio_bp < floor_bp:
        found.append(Doubt.BELOW_THE_FLOOR_BY_EXEMPTION)
    if last_year is not None and last_year.base > ZERO:
        change = abs(declared.base.fen - last_year.base.fen)
        if change * 10_000 > last_year.base.fen * MOST_BASE_CHANGE_BP:
            found.append(Doubt.BASE_CHANGED_BY_MORE_THAN_30_PERCENT)
    if last_year is not None and share < last_year.reserved:
        found.append(Doubt.SHARE_FELL_WITH_EXPLANATION)
    meals = declared.diners * MEALS_PER_DINER_AND_YEAR
    if meals and not LEAST_PER_MEAL * meals <= declared.base <= MOST_PER_MEAL * meals:
        found.append(Doubt.IMPLAUSIBLE_AMOUNT_PER_MEAL)
    return found


def percent(basis_points: int) -> str:
    """1 000 → `10`, 999 → `9.99`: exact, for sentences."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")
