"""What a citizen's order, credited to the unit they work for, is worth to it at any moment.

The same counting rule as for a unit's own orders (`rules.counting`): ordered once it is paid,
accepted when the buyer has it and the time for returns is over, less everything that went back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from kernel.money import ZERO, Money
from orders.agencies.rules.counting import CountingPolicy, Figures, History, figures


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffOrder:
    """A citizen's order as it stands: what it costs, what went back, its milestones.

    `goods` is after any discount. Money counts as gone back when the provider has sent it.
    """

    channel: str
    ordered_on: date
    goods: Money
    freight: Money = ZERO
    refunded_goods: Money = ZERO
    refunded_freight: Money = ZERO
    ended: bool = False
    paid_on: date | None = None
    completed_on: date | None = None
    reviewed_on: date | None = None


def staff_figures(order: StaffOrder, policy: CountingPolicy, *, counts: bool = True) -> Figures:
    """(basis, year) → amount; nothing while it is not paid, when it ended, or when staff's own
    purchases do not count there. Never more than was paid for it."""
    if not counts or order.ended or order.paid_on is None:
        return {}
    left = max(ZERO, order.goods - order.refunded_goods)
    history = History(
        channel=order.channel,
        ordered_on=order.ordered_on,
        goods=left,
        freight=max(ZERO, order.freight - order.refunded_freight),
        accepted=left if order.completed_on else ZERO,
        accepted_on=order.completed_on,
        paid_on=order.paid_on if order.completed_on else None,
        reviewed_on=order.reviewed_on,
    )
    return figures(history, policy)


def last_day_to_credit(ordered_on: date, days: int) -> date:
    """Until that day, included, the buyer may still credit an order or take it back."""
    return ordered_on + timedelta(days=days)
