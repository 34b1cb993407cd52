"""What a cooperative owes its households, and which of it can be paid now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from catalog.households.models import Household, PayoutAccount
from catalog.households.queries import short_name
from catalog.suppliers.models import Supplier
from kernel.db import sum_money
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money, total
from kernel.regions import Region
from orders.ledger.models import Account, Transfer
from orders.payouts.models import ACCOUNT_AT_FAULT, PayoutLine, PayoutState

_HOUSEHOLDS = "liabilities:household:"
_PAYMENTS = ("liabilities:in-transit:", "assets:bank:")

# A household in such a line is in no other run.
UNDER_WAY = (PayoutState.PENDING, PayoutState.SENT)


def supplier_of_organisation(session: Session, organisation_id: int) -> Supplier:
    found = session.scalar(sa.select(Supplier).where(Supplier.organisation_id == organisation_id))
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


@dataclass(frozen=True, slots=True)
class Owed:
    """One household's claim. `hindrance` says why it cannot be paid now; None when it can."""

    household_id: int
    code: str
    name: str
    village: str
    group_no: int
    amount: Money
    account: PayoutAccount | None
    hindrance: Text | None
    in_a_run: bool = False


def owed_households(
    session: Session, supplier: Supplier, *, up_to: date | None = None
) -> list[Owed]:
    """Everybody who is owed something for what they brought until that day, by village and name.

    Payments settle the oldest claims first: what is owed until a day is what is owed now, less
    what was earned after it. Five queries, whatever the number of households.
    """
    amounts = _balances(session, supplier.code, up_to)
    amounts = {code: amount for code, amount in amounts.items() if amount > ZERO}
    rows = session.execute(
        sa.select(Household, Region.name)
        .join(Region, Region.code == Household.region_code)
        .join(Account, Account.subject == "household:" + Household.code)
        .where(Account.code.startswith(_HOUSEHOLDS), Account.code.endswith(f":{supplier.code}"))
        .order_by(Household.region_code, Household.group_no, Household.pinyin, Household.id)
    ).all()
    owed = [(household, place) for household, place in rows if household.code in amounts]
    accounts = _open_accounts(session, supplier.code)
    waiting = _under_way(session, supplier.id)
    faults = _faulty_accounts(session, supplier.id)
    return [
        Owed(
            household.id,
            household.code,
            household.name,
            short_name(place),
            household.group_no,
            amounts[household.code],
            accounts.get(household.id),
            _hindrance(household.id, accounts.get(household.id), waiting, faults),
            household.id in waiting,
        )
        for household, place in owed
    ]


def _balances(session: Session, supplier_code: str, up_to: date | None) -> dict[str, Money]:
    """Household code → what it is owed now and had earned by that day."""
    mine = sa.and_(Account.code.startswith(_HOUSEHOLDS), Account.code.endswith(f":{supplier_code}"))
    other = aliased(Account)
    credited = _sums(session, mine, Transfer.credit_id)
    debited = _sums(session, mine, Transfer.debit_id)
    later: dict[str, Money] = {}
    if up_to is not None:
        newer = (
            sa.select(Account.subject, sum_money(Transfer.amount))
            .join(Transfer, Transfer.credit_id == Account.id)
            .join(other, other.id == Transfer.debit_id)
            .where(
                mine,
                Transfer.on > up_to,
                *(~other.code.startswith(prefix) for prefix in _PAYMENTS),
            )
            .group_by(Account.subject)
        )
        later = {subject: amount for subject, amount in session.execute(newer)}  # noqa: C416
    return {
        subject.removeprefix("household:"): amount
        - debited.get(subject, ZERO)
        - later.get(subject, ZERO)
        for subject, amount in credited.items()
    }


def _sums(
    session: Session, mine: sa.ColumnElement[bool], side: InstrumentedAttribute[int]
) -> dict[str, Money]:
    rows = session.execute(
        sa.select(Account.subject, sum_money(Transfer.amount))
        .join(Transfer, side == Account.id)
        .where(mine)
        .group_by(Account.subject)
    )
    return {subject: amount for subject, amount in rows}  # noqa: C416  rows are not pairs to mypy


def _open_accounts(session: Session, supplier_code: str) -> dict[int, PayoutAccount]:
    subjects = sa.select(Account.subject).where(
        Account.code.startswith(_HOUSEHOLDS), Account.code.endswith(f":{supplier_code}")
    )
    return {
        account.household_id: account
        for account in session.scalars(
            sa.select(PayoutAccount)
            .join(Household, Household.id == PayoutAccount.household_id)
            .where(
                PayoutAccount.valid_to.is_(None),
                ("household:" + Household.code).in_(subjects),
            )
        )
    }


def _under_way(session: Session, supplier_id: int) -> set[int]:
    return set(
        session.scalars(
            sa.select(PayoutLine.household_id).where(
                PayoutLine.supplier_id == supplier_id,
                PayoutLine.state.in_(UNDER_WAY),
            )
        )
    )


def _faulty_accounts(session: Session, supplier_id: int) -> set[tuple[int, str]]:
    """(household, last four digits) of accounts the bank refused and said why."""
    rows = session.execute(
        sa.select(PayoutLine.household_id, PayoutLine.account_last4).where(
            PayoutLine.supplier_id == supplier_id,
            PayoutLine.state == PayoutState.FAILED,
            PayoutLine.failure.in_(ACCOUNT_AT_FAULT),
        )
    )
    return {(key, last4) for key, last4 in rows}


def _hindrance(
    household_id: int,
    account: PayoutAccount | None,
    waiting: set[int],
    faults: set[tuple[int, str]],
) -> Text | None:
    if household_id in waiting:
        return Text("Is in another payout run already.")
    if account is None:
        return Text("Has no bank account yet.")
    if (household_id, account.last4) in faults:
        return Text("The bank refused this account; it needs another one.")
    return None


def payable(owed: Sequence[Owed]) -> list[Owed]:
    """Those that can be paid now."""
    return [each for each in owed if each.hindrance is None]


def owed_total(owed: Sequence[Owed]) -> Money:
    return total(each.amount for each in owed)
