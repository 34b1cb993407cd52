"""When a unit must pay, and what lateness costs (State Council decree 802; domain.md §3.4)."""

from __future__ import annotations

from datetime import date, timedelta

from kernel.errors import Text
from kernel.labels import Labelled
from kernel.money import ZERO, Money
from kernel.sharing import half_up

STATUTORY_DAYS = 30
MOST_DAYS = 60
# 0.05 % a day where nothing was agreed, in hundredths of a percent of a percent.
STATUTORY_RATE_PER_MILLION = 500


class Age(Labelled):
    """How old a debt is: the buckets of the arrears report."""

    NOT_DUE = "not_due"
    DAYS_1_TO_30 = "days_1_to_30"
    DAYS_31_TO_60 = "days_31_to_60"
    DAYS_61_TO_90 = "days_61_to_90"
    OVER_90_DAYS = "over_90_days"


def term_problem(days: int) -> Text | None:
    """Why these days cannot be agreed; the law allows 60 at most (G13)."""
    if not 1 <= days <= MOST_DAYS:
        return Text("A unit pays within %(most)s days at most; %(days)s cannot be agreed.",
                    most=MOST_DAYS, days=days)  # fmt: skip
    return None


def due_on(accepted_on: date, days: int = STATUTORY_DAYS) -> date:
    """The last day to pay: so many days after the last acceptance (G13)."""
    assert term_problem(days) is None, days
    return accepted_on + timedelta(days=days)


def days_late(due: date, on: date) -> int:
    """Days after the due date; 0 while it is not past."""
    return max(0, (on - due).days)


def days_left(due: date, on: date) -> int:
    """Days until the due date; negative when it is past."""
    return (due - on).days


def late_interest(
    amount: Money, days: int, rate_per_million: int = STATUTORY_RATE_PER_MILLION
) -> Money:
    """Interest for so many days of lateness, rounded half up once (G14)."""
    if amount <= ZERO:
        return ZERO
    return Money(half_up(amount.fen * days * rate_per_million, 1_000_000))


def age(due: date, on: date) -> Age:
    late = days_late(due, on)
    for most, bucket in (
        (0, Age.NOT_DUE),
        (30, Age.DAYS_1_TO_30),
        (60, Age.DAYS_31_TO_60),
        (90, Age.DAYS_61_TO_90),
    ):
        if late <= most:
            return bucket
    return Age.OVER_90_DAYS
