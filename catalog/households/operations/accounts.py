"""Where a household is paid, and who signs in for it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households import rules
from catalog.households.models import Household, HouseholdMember, PayoutAccount
from kernel import audit
from kernel.actors import Actor
from kernel.crypto import keyed_hash
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Text
from kernel.periods import business_day
from kernel.text import plain_number, tidy


def open_payout_account(
    session: Session,
    household_id: int,
    *,
    holder: str,
    bank: str,
    number: str,
    proof: str,
    by: Actor,
    now: datetime,
) -> PayoutAccount:
    """Where the household is paid from now on; the account before it closes (domain.md §4.5).

    The same account again changes nothing.
    """
    household = get_or_missing(session, Household, household_id, lock=True)
    number = plain_number(number)
    holder, proof = tidy(holder), tidy(proof)
    _check_account(session, household, holder, number, proof)
    today = business_day(now)
    current = session.scalar(
        sa.select(PayoutAccount).where(
            PayoutAccount.household_id == household.id, PayoutAccount.valid_to.is_(None)
        )
    )
    if current is not None:
        if (current.number_hash, current.holder) == (keyed_hash(number), holder):
            return current
        if not proof:
            raise Invalid({"proof": Text("Name the paper that proves the new account.")})
        current.valid_to = today
    account = PayoutAccount(
        household_id=household.id,
        holder=holder,
        bank=tidy(bank),
        number=number,
        number_hash=keyed_hash(number),
        last4=number[-4:],
        valid_from=today,
        proof=proof,
        **stamp(by, now),
    )
    session.add(account)
    session.flush()  # so that the caller can point to account.id
    audit.note(
        session,
        "open_payout_account",
        f"household:{household.id}",
        by=by,
        now=now,
        last4=account.last4,
    )
    return account


def _check_account(
    session: Session, household: Household, holder: str, number: str, proof: str
) -> None:
    errors: dict[str, Text] = {}
    if not holder:
        errors["holder"] = Text("Please fill this in.")
    if not (number.isdigit() and 8 <= len(number) <= 30):
        errors["number"] = Text("An account number has 8 to 30 digits.")
    members = session.scalars(
        sa.select(HouseholdMember.name).where(
            HouseholdMember.household_id == household.id, HouseholdMember.left_on.is_(None)
        )
    )
    if rules.needs_mandate(holder, [household.name, *members]) and not proof:
        errors["proof"] = Text(
            "%(holder)s does not belong to this household: name the written mandate.", holder=holder
        )
    if errors:
        raise Invalid(errors)


def give_account(
    session: Session, household_id: int, user_id: int, *, by: Actor, now: datetime
) -> None:
    """This person signs in as the household and reads its passbook."""
    household = get_or_missing(session, Household, household_id, lock=True)
    household.user_id = user_id
    audit.note(session, "give_account", f"household:{household.id}", by=by, now=now, user=user_id)
