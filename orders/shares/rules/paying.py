"""Whether what households are owed of some goods has reached them. Pure.

Payments settle the oldest claims first (domain.md §4.5), so a claim is paid on the day the bank
confirms the payment that reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from catalog.households.rules import SMALL
from kernel.labels import Labelled
from kernel.money import ZERO, Money, total


class PaidState(Labelled):
    """付了没有, of one kind of money."""

    PAID = "paid"
    PARTLY = "partly"
    OWED = "owed"
    NOT_DUE = "not_due"
    PAID_BEFORE = "paid_before"


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that the bank confirmed, and how many households the same cooperative paid on that
    day: of five and more nobody learns whose payment it was."""

    on: date
    together: int


@dataclass(frozen=True, slots=True)
class Debit:
    """Money that left a household's account: how much had left it then, this included. Without a
    payment it was taken back of a claim, because a buyer got money back."""

    reached: int
    payment: Payment | None


def payment_of(reached: int, debits: Sequence[Debit]) -> Payment | None:
    """What paid the claim with which all claims of an account came to `reached` fen; None while it
    is owed. What was taken back of a claim pays nothing by itself."""
    return next((each.payment for each in debits if each.reached >= reached and each.payment), None)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one household is owed of these goods, less what was taken back of it. `known` says
    whether it stands in our books at all: goods from before them were paid elsewhere."""

    household_id: int
    amount: Money
    payment: Payment | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Paid:
    """One kind of money as the public may read it. `on` is the day of the last payment, unless
    fewer than five households stand behind it; what is partly paid has no figures, because the rest
    may be one household's."""

    amount: Money
    state: PaidState
    households: int
    on: date | None = None


def state_of(claims: Iterable[Claim]) -> Paid:
    """All claims of one kind together."""
    rows = [claim for claim in claims if claim.amount > ZERO]
    amount, households = total(row.amount for row in rows), len({row.household_id for row in rows})
    if not rows:
        return Paid(ZERO, PaidState.NOT_DUE, 0)
    if not all(row.known for row in rows):
        return Paid(amount, PaidState.PAID_BEFORE, households)
    paid = [row.payment for row in rows if row.payment is not None]
    if len(paid) < len(rows):
        return Paid(amount, PaidState.PARTLY if paid else PaidState.OWED, households)
    last = max(each.on for each in paid)
    crowd = min(each.together for each in paid if each.on == last)
    hidden = max(crowd, households) < SMALL
    return Paid(amount, PaidState.PAID, households, on=None if hidden else last)
