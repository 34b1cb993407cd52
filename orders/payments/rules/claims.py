"""Which after-sales claims are open, by kind, freshness and days since receipt (domain.md §3.1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from kernel.errors import Text
from kernel.periods import business_day, day_end

FRESH_HOURS = 48
UNOPENED_DAYS = 7

BUYERS_KINDS = ("damaged", "short_weight", "unopened", "quality")
# What a picture can show must be shown; quality may be a matter of taste.
NEED_PHOTO = ("damaged", "short_weight")
MOST_PHOTOS = 6

# Days within which a cooperative answers (working days), a buyer answers an offer, disagrees with
# an answer, and sends goods back.
ANSWER_WORKING_DAYS = 2
OFFER_DAYS = 7
DISAGREE_DAYS = 15
SEND_DAYS = 15
# Consumer Protection Law, article 25: the money goes back within seven days of the goods.
REFUND_AFTER_ARRIVAL_DAYS = 7


def claim_problem(
    kind: str, *, fresh: bool, received_at: datetime | None, now: datetime
) -> Text | None:
    """Why this claim cannot be made now, or None. Quality can be claimed at any time."""
    if received_at is None:
        return None
    if kind == "unopened" and fresh:
        return Text(
            "Fresh and perishable goods are excepted from the seven-day return without reasons "
            "(Consumer Protection Law, article 25). Damage and short weight are made good within "
            "48 hours; quality at any time."
        )
    if kind == "unopened" and now >= last_moment_unopened(received_at):
        return Text("The seven days for returning without reasons are over.")
    if kind in ("damaged", "short_weight") and now > received_at + timedelta(hours=FRESH_HOURS):
        return Text(
            "Damage and short weight are claimed within 48 hours of receipt. If the quality is "
            "bad, claim quality instead: that has no such limit."
        )
    return None


def last_moment_unopened(received_at: datetime) -> datetime:
    """Seven days, counted from the day after signing."""
    return day_end(business_day(received_at) + timedelta(days=UNOPENED_DAYS))


def answer_due(asked_at: datetime) -> datetime:
    """The last second of the second working day after the claim; weekends do not count."""
    day, left = business_day(asked_at), ANSWER_WORKING_DAYS
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < 5
    return day_end(day) - timedelta(seconds=1)


def may_disagree(answered_at: datetime, now: datetime) -> bool:
    """Whether the buyer may still ask the platform to decide."""
    return now < day_end(business_day(answered_at) + timedelta(days=DISAGREE_DAYS))


def send_by(now: datetime) -> date:
    """The last day on which goods are sent back."""
    return business_day(now) + timedelta(days=SEND_DAYS)


def refund_due(arrived_at: datetime) -> date:
    """The last day on which the money for returned goods is sent."""
    return business_day(arrived_at) + timedelta(days=REFUND_AFTER_ARRIVAL_DAYS)
