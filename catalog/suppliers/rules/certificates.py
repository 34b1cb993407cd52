"""Numbers of certificates, and which lapsed one stops which goods (domain.md §2.1, §2.3). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from kernel.codes import uscc_problem
from kernel.errors import Text

# A licence stands behind everything a supplier sells; the food licences only behind what is
# processed, because fresh produce of one's own needs none.
FOR_ALL = frozenset({"licence"})
FOR_PROCESSED = frozenset({"food_production", "food_trade", "small_workshop"})

# The days before the end of a certificate on which somebody is told.
WARN_DAYS = (30, 15, 7)
WARN_FROM = max(WARN_DAYS)

# One of these is for one test, one person, one load: another of the kind does not go on from it.
_EACH_FOR_ITSELF = frozenset({"test_report", "quarantine", "health", "cold_chain"})

_PATTERNS: dict[str, tuple[re.Pattern[str], Text]] = {
    "food_trade": (
        re.compile(r"(?:JY|YB)\d{14}"),
        Text("A food trade number is JY or YB and 14 digits."),
    ),
    "green_food": (
        re.compile(r"LB-\d{2}-\d{4,14}A"),
        Text("A green food number looks like LB-44-22110012345A."),
    ),
    "organic": (re.compile(r"\d{17}"), Text("An organic code has 17 digits.")),
    "geographical": (
        re.compile(r"AGI\d{4,8}|\d{6,10}"),
        Text("Enter AGI and its digits, or the registration number of the trade mark."),
    ),
}


def number_problem(kind: str, number: str) -> Text | None:
    """Why a certificate of this kind (by value) cannot have this number; None if it can.

    Kinds whose numbers follow local rules only need one.
    """
    if kind == "licence":
        return uscc_problem(number)
    if kind == "food_production":
        return _production_problem(number)
    pattern, sentence = _PATTERNS.get(kind, (re.compile(r".{2,}"), Text("Enter its number.")))
    return None if pattern.fullmatch(number) else sentence


def _production_problem(number: str) -> Text | None:
    """SC and 14 digits: category, province, city, county, serial, check (GB/T 17710, mod 11,10)."""
    if not re.fullmatch(r"SC\d{14}", number, re.ASCII):
        return Text("A food production number is SC and 14 digits.")
    if number[-1] != check_digit(number[2:-1]):
        return Text("The last digit does not match the others; please check each one.")
    return None


def check_digit(body: str) -> str:
    """The check digit of GB/T 17710 (mod 11,10) behind these digits; finds every wrong digit."""
    rest = 10
    for digit in body:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


def lapsed(certificates: Iterable[tuple[str, date | None]], today: date) -> set[str]:
    """Kinds of certificate (by value) that the supplier once held and holds no longer today."""
    held = list(certificates)
    valid = {kind for kind, until in held if until is None or until >= today}
    return {kind for kind, _ in held} - valid


def stops(kinds: Iterable[str], *, fresh: bool) -> bool:
    """Whether these lapsed kinds keep a product of this sort from being sold."""
    found = set(kinds)
    return bool(found & FOR_ALL) or (not fresh and bool(found & FOR_PROCESSED))


def stands_alone(kind: str) -> bool:
    """Whether a later certificate of this kind says nothing about an earlier one."""
    return kind in _EACH_FOR_ITSELF


def warning_due(until: date, today: date) -> int | None:
    """Which warning (30, 15 or 7 days before) is the newest that is due; None before the first
    and after the end. A day on which nobody looked is made up for on the next."""
    left = (until - today).days
    if left < 0:
        return None
    return min((days for days in WARN_DAYS if left <= days), default=None)
