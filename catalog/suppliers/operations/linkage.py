"""Links to households are opened with their contract, paid with proof, reviewed once a year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.suppliers.models import (
    HouseholdLink,
    LinkageReview,
    LinkMechanism,
    LinkPayment,
    Supplier,
    SupplierState,
)
from catalog.suppliers.operations.letters import tell
from catalog.suppliers.queries import link_of, managers_of, unreviewed
from catalog.suppliers.rules import Effect, Paid
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money
from kernel.periods import business_day
from kernel.storage import Blob, keep_file
from kernel.text import plain_number, tidy
from kernel.versions import freeze

# The list of a year is certified until the end of March of the next [D].
REVIEW_UNTIL = (3, 31)
_REMIND_DAYS = (60, 30, 7)


def open_link(
    session: Session,
    supplier_id: int,
    *,
    household_id: int,
    mechanism: LinkMechanism,
    since: date,
    until: date | None,
    terms: str,
    evidence: Blob,
    by: Actor,
    now: datetime,
) -> HouseholdLink:
    """A contract with one household, with its scan. It counts nowhere before somebody is paid.

    The same household, mechanism and day again answers the first link.
    """
    get_or_missing(session, Supplier, supplier_id)
    get_or_missing(session, Household, household_id)
    errors = {}
    if not tidy(terms):
        errors["terms"] = Text("Say what was agreed: area, price, wage, share.")
    if until is not None and until < since:
        errors["until"] = Text("It ends before it begins.")
    if errors:
        raise Invalid(errors)
    known = session.scalar(
        sa.select(HouseholdLink).where(
            HouseholdLink.supplier_id == supplier_id,
            HouseholdLink.household_id == household_id,
            HouseholdLink.mechanism == mechanism,
            HouseholdLink.since == since,
        )
    )
    if known is not None:
        return known
    file = keep_file(session, evidence, by=by, now=now)
    link = HouseholdLink(
        supplier_id=supplier_id,
        household_id=household_id,
        mechanism=mechanism,
        since=since,
        until=until,
        terms=tidy(terms)[:200],
        file_id=file.id,
        **stamp(by, now),
    )
    session.add(link)
    session.flush()  # so that payments can point to link.id
    audit.note(
        session, "open_link", f"supplier:{supplier_id}", by=by, now=now,
        household=household_id, mechanism=mechanism,
    )  # fmt: skip
    return link


def end_link(
    session: Session, supplier_id: int, link_id: int, *, on: date, by: Actor, now: datetime
) -> HouseholdLink:
    """The contract is over from that day; what was paid under it stays counted."""
    link = _locked(session, supplier_id, link_id)
    if on < link.since:
        raise Invalid({"until": Text("It ends before it begins.")})
    if link.until != on:
        link.until = on
        audit.note(session, "end_link", f"supplier:{supplier_id}", by=by, now=now, link=link.id)
    return link


def record_link_payment(
    session: Session,
    supplier_id: int,
    link_id: int,
    *,
    paid_on: date,
    amount: Money,
    cost: Money = ZERO,
    reference: str,
    evidence: Blob,
    by: Actor,
    now: datetime,
) -> LinkPayment:
    """The household got this money under the link; `evidence` is the bank's list or receipt.

    Money paid by our own payout runs is known already and is not recorded here. The same
    reference again answers the first payment, another amount under it is refused.
    """
    link = _locked(session, supplier_id, link_id)
    reference = plain_number(reference)
    if problems := _payment_problems(link, paid_on, amount, cost, reference, business_day(now)):
        raise Invalid(problems)
    known = session.scalar(
        sa.select(LinkPayment).where(
            LinkPayment.link_id == link.id,
            LinkPayment.reference == reference,
            LinkPayment.corrects_id.is_(None),
        )
    )
    if known is not None:
        if (known.paid_on, known.amount, known.cost) == (paid_on, amount, cost):
            return known
        raise Refusal("The voucher %(number)s is recorded already, otherwise.", number=reference)
    file = keep_file(session, evidence, by=by, now=now)
    return _write(session, link, paid_on, amount, cost, reference, file.id, None, by=by, now=now)


def _payment_problems(
    link: HouseholdLink, paid_on: date, amount: Money, cost: Money, reference: str, today: date
) -> dict[str, Text]:
    errors = {}
    if amount.fen <= 0:
        errors["amount"] = Text("Enter an amount above zero.")
    if cost.fen < 0:
        errors["cost"] = Text("A cost is not below zero.")
    if not link.since <= paid_on <= today:
        errors["paid_on"] = Text(
            "Choose a day from %(since)s to today.", since=link.since, today=today
        )
    if not reference or len(reference) > 60:
        errors["reference"] = Text("Enter the number of the bank's voucher, up to 60 characters.")
    return errors


def correct_link_payment(
    session: Session, supplier_id: int, link_id: int, payment_id: int, *, by: Actor, now: datetime
) -> LinkPayment:
    """A payment that was recorded by mistake is taken back by a row of its own; twice changes
    nothing."""
    link = _locked(session, supplier_id, link_id)
    wrong = next((each for each in link.payments if each.id == payment_id), None)
    if wrong is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if wrong.corrects_id is not None:
        raise Refusal("This row takes back another one; record a new payment instead.")
    known = session.scalar(sa.select(LinkPayment).where(LinkPayment.corrects_id == wrong.id))
    if known is not None:
        return known
    return _write(
        session, link, wrong.paid_on, Money(-wrong.amount.fen), Money(-wrong.cost.fen),
        wrong.reference, None, wrong.id, by=by, now=now,
    )  # fmt: skip


def _locked(session: Session, supplier_id: int, link_id: int) -> HouseholdLink:
    get_or_missing(session, HouseholdLink, link_id, lock=True)
    return link_of(session, supplier_id, link_id)


def _write(
    session: Session,
    link: HouseholdLink,
    paid_on: date,
    amount: Money,
    cost: Money,
    reference: str,
    file_id: int | None,
    corrects_id: int | None,
    *,
    by: Actor,
    now: datetime,
) -> LinkPayment:
    payment = LinkPayment(
        link_id=link.id,
        paid_on=paid_on,
        amount=amount,
        cost=cost,
        reference=reference,
        file_id=file_id,
        corrects_id=corrects_id,
        **stamp(by, now),
    )
    session.add(payment)
    session.flush()  # so that a correction can point to payment.id
    audit.note(
        session, "record_link_payment", f"supplier:{link.supplier_id}", by=by, now=now,
        link=link.id, amount=amount,
    )  # fmt: skip
    return payment


def review_linkage(
    session: Session,
    supplier_id: int,
    year: int,
    found: Effect,
    payments: Sequence[Paid],
    *,
    certified: bool,
    sentence: str = "",
    by: Actor,
    now: datetime,
) -> LinkageReview:
    """The district looked at what the supplier did for households in a year that is over.

    `found` and the rows behind it are frozen as they are now; refusing to certify asks for a
    sentence. The same year again answers the first review.
    """
    supplier = get_or_missing(session, Supplier, supplier_id, lock=True)
    known = session.scalar(
        sa.select(LinkageReview).where(
            LinkageReview.supplier_id == supplier.id, LinkageReview.year == year
        )
    )
    if known is not None:
        return known
    if supplier.state not in (SupplierState.ADMITTED, SupplierState.RECTIFYING):
        raise Refusal("Only a supplier that is admitted is reviewed.")
    if year >= business_day(now).year:
        raise Refusal("The year %(year)s is not over yet.", year=year)
    sentence = tidy(sentence)[:300]
    if not certified and not sentence:
        raise Invalid({"sentence": Text("Say why.")})
    frozen = freeze(
        session, f"linkage:{supplier.id}", _content(year, found, payments), by=by, now=now
    )
    review = LinkageReview(
        supplier_id=supplier.id,
        year=year,
        certified=certified,
        households=found.households,
        gross=Money(found.gross),
        sentence=sentence,
        frozen_id=frozen.id,
        **stamp(by, now),
    )
    session.add(review)
    session.flush()
    audit.note(
        session, "review_linkage", f"supplier:{supplier.id}", by=by, now=now,
        year=year, certified=certified,
    )  # fmt: skip
    return review


def _content(year: int, found: Effect, payments: Sequence[Paid]) -> dict[str, object]:
    """Households by their keys: the names stay where they are sealed and can be withdrawn."""
    return {
        "year": year,
        "households": found.households,
        "lifted": found.lifted,
        "monitored": found.monitored,
        "gross": found.gross,
        "net": found.net,
        "payments": [
            [each.household_id, each.mechanism, each.on.isoformat(), each.amount, each.cost]
            for each in payments
        ],
    }


def remind_of_review(session: Session, *, now: datetime) -> int:
    """60, 30 and 7 days before the end of March a supplier whose list of last year nobody has
    reviewed is told to complete it; returns how many letters were due."""
    today, letters = business_day(now), 0
    last = date(today.year, *REVIEW_UNTIL)
    left = last - today
    if left < timedelta(0):
        return 0
    days = min((each for each in _REMIND_DAYS if left.days <= each), default=None)
    if days is None:
        return 0
    year = today.year - 1
    for supplier in unreviewed(session, year):
        letters += tell(
            session,
            managers_of(session, supplier.organisation_id, today),
            Text("The households taken along in %(year)s", year=year),
            Text(
                "The district reviews until %(day)s what %(supplier)s did for households in"
                " %(year)s. Please complete the links and their payments under “Households taken"
                " along”; only money that is proven counts.",
                day=last,
                supplier=supplier.organisation.name,
                year=year,
            ),
            key=f"linkage:{supplier.id}:{year}:{days}",
            now=now,
        )
    return letters
