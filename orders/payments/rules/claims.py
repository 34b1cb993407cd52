"""Which after-sales claims are open, by kind, freshness and days since receipt (domain.md §3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from kernel.errors import Text
from kernel.periods import business_day, day_end

FRESH_HOURS = 48
UNOPENED_DAYS = 7

BUYERS_KINDS = ("damaged", "short_weight", "unopened", "quality")


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
