"""From acceptance to counted: invoice, payment, review.

A unit's order is finished when accepted = invoiced = paid (domain.md §3.2) and reviewed; each step
brings the three figures up to date.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp, sum_money
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money
from kernel.periods import business_day
from kernel.text import plain_number
from orders.agencies.models import (
    BulkOrder,
    Invoice,
    Stage,
)
from orders.agencies.operations.quota import move_quota
from orders.agencies.operations.stages import move_stage, own_order, shared_order, supplied_order
from orders.agencies.queries.bulk import (
    NOT_YOURS,
    accepted_of,
    invoice_of,
    paid_of,
    payments_of,
)
from orders.ledger.operations import Entry, post
from orders.ledger.rules import bank, receivable
from orders.payments.models import BankLine, BankMatch
from orders.payments.operations import match_bank_line
from orders.sales.models import Order, Review
from orders.sales.operations import complete_order

INVOICE_DIGITS = 20


def record_invoice(
    session: Session,
    order_id: int,
    *,
    number: str,
    amount: Money,
    issued_on: date,
    by: Actor,
    now: datetime,
) -> Invoice:
    """The 数电票 of an accepted order: 20 digits, its amount what was accepted, to the fen (R6).

    Either side may enter it; until it is checked it may be corrected. Entering it twice changes
    nothing.
    """
    order, bulk = shared_order(session, order_id, by)
    number = plain_number(number)
    accepted = accepted_of(session, order.id)
    invoice = invoice_of(session, order.id)
    if invoice is not None and (invoice.number, invoice.amount) == (number, amount):
        return invoice
    if bulk.stage is not Stage.TO_INVOICE:
        raise Refusal("Order %(number)s is not waiting for an invoice.", number=order.number)
    problems = _invoice_problems(
        session, order, number, amount, issued_on, accepted, business_day(now)
    )
    if problems:
        raise Invalid(problems)
    if invoice is None:
        invoice = Invoice(order_id=order.id, checked_by_id=None, checked_at=None, **stamp(by, now))
        session.add(invoice)
    invoice.number, invoice.amount, invoice.issued_on = number, amount, issued_on
    session.flush()
    audit.note(session, "record_invoice", f"order:{order.id}", by=by, now=now, number=number)
    return invoice


def check_invoice(session: Session, order_id: int, *, by: Actor, now: datetime) -> Invoice:
    """The unit's finance has compared the invoice with the protocols; the order is to be paid.

    Whoever entered the invoice does not check it (R20).
    """
    order, bulk = own_order(session, order_id, by)
    invoice = invoice_of(session, order.id)
    if invoice is None:
        raise Refusal("There is no invoice for order %(number)s yet.", number=order.number)
    if invoice.checked_at is not None:
        return invoice
    if by.user_id is not None and by.user_id == invoice.made_by_id:
        raise Refusal("Whoever entered an invoice cannot check it.")
    accepted = accepted_of(session, order.id)
    if invoice.amount != accepted:
        raise Refusal(
            "The invoice says %(invoice)s, accepted was %(accepted)s.",
            invoice=invoice.amount,
            accepted=accepted,
        )
    invoice.checked_by_id = by.user_id
    invoice.checked_at = now
    move_stage(bulk, Stage.TO_PAY)
    session.flush()
    audit.note(session, "check_invoice", f"order:{order.id}", by=by, now=now, number=invoice.number)
    return invoice


def recognise_payment(
    session: Session,
    bank_line_id: int,
    order_id: int,
    *,
    amount: Money | None = None,
    by: Actor,
    now: datetime,
) -> BulkOrder:
    """So much of a bank line pays this order: all that is left of either, or `amount`.

    More than is owed, or than the line still holds, is refused; less is a part payment. The same
    line for the same order again changes nothing. When all is paid the order is settled.
    """
    order, bulk = supplied_order(session, order_id, by)
    line = get_or_missing(session, BankLine, bank_line_id, lock=True)
    if line.supplier_id != order.supplier_id:
        raise Missing(NOT_YOURS)
    target = f"order:{order.id}"
    matched = session.scalar(
        sa.select(BankMatch).where(BankMatch.bank_line_id == line.id, BankMatch.target == target)
    )
    if matched is not None:
        return bulk
    if bulk.stage is not Stage.TO_PAY:
        raise Refusal("Order %(number)s is not waiting for payment.", number=order.number)
    outstanding = accepted_of(session, order.id) - paid_of(session, order.id)
    left = line.amount - _used(session, line)
    amount = min(outstanding, left) if amount is None else amount
    _check_amount(amount, outstanding, left)

    match = match_bank_line(session, line.id, target, amount, by=by, now=now)
    post(session, [_received(order, match)], on=line.on, by=by, now=now)
    if amount == outstanding:
        # Paid on the day the last money came, not on the day somebody looked at the statement.
        bulk.paid_on = max(each.bank_line.on for each in payments_of(session, order.id))
        move_stage(bulk, Stage.TO_REVIEW)
        move_quota(
            session,
            bulk,
            order,
            cause=f"bank_match:{match.id}",
            on=business_day(now),
            by=by,
            now=now,
        )
    session.flush()
    audit.note(
        session, "recognise_payment", f"order:{order.id}", by=by, now=now, amount=amount,
        bank_line=line.id,
    )  # fmt: skip
    return bulk


def review_order(
    session: Session, order_id: int, *, stars: int, text: str = "", by: Actor, now: datetime
) -> BulkOrder:
    """The unit says how it was; the order is finished and counts (domain.md §1.6). Once."""
    order, bulk = own_order(session, order_id, by)
    if bulk.stage is Stage.DONE:
        return bulk
    if bulk.stage is not Stage.TO_REVIEW:
        raise Refusal(
            "Order %(number)s is not paid yet; then it can be reviewed.", number=order.number
        )
    if not 1 <= stars <= 5:
        raise Invalid({"stars": Text("Give one to five stars.")})
    session.add(
        Review(
            order_id=order.id,
            line_id=None,
            product_id=None,
            subject=f"order:{order.id}",
            stars=stars,
            text=text.strip()[:1000],
            **stamp(by, now),
        )
    )
    bulk.reviewed_on = business_day(now)
    move_stage(bulk, Stage.DONE)
    complete_order(session, order.id, by=by, now=now)
    move_quota(
        session, bulk, order, cause=f"review:order:{order.id}", on=bulk.reviewed_on, by=by, now=now
    )
    audit.note(session, "review_order", f"order:{order.id}", by=by, now=now, stars=stars)
    return bulk


def _invoice_problems(
    session: Session,
    order: Order,
    number: str,
    amount: Money,
    issued_on: date,
    accepted: Money,
    today: date,
) -> dict[str, Text]:
    found = {}
    if len(number) != INVOICE_DIGITS or not number.isdigit():
        found["number"] = Text(
            "An electronic invoice has 20 digits; this has %(n)s.", n=len(number)
        )
    else:
        taken = session.scalar(
            sa.select(Invoice.id).where(Invoice.number == number, Invoice.order_id != order.id)
        )
        if taken:
            found["number"] = Text("This invoice belongs to another order already.")
    if amount != accepted:
        found["amount"] = Text(
            "The invoice must say what was accepted: %(accepted)s.", accepted=accepted
        )
    if issued_on > today:
        found["issued_on"] = Text("The date lies in the future.")
    return found


def _received(order: Order, match: BankMatch) -> Entry:
    """Dr bank, Cr receivable."""
    assert order.supplier is not None
    assert order.organisation_id is not None
    return Entry(
        debit=bank(order.supplier.code),
        credit=receivable(order.supplier.code, order.organisation_id),
        amount=match.amount,
        cause=f"bank_match:{match.id}",
        memo=order.number,
    )


def _used(session: Session, line: BankLine) -> Money:
    return (
        session.scalar(
            sa.select(sum_money(BankMatch.amount)).where(BankMatch.bank_line_id == line.id)
        )
        or ZERO
    )


def _check_amount(amount: Money, outstanding: Money, left: Money) -> None:
    if left <= ZERO:
        raise Refusal("This bank line is used up.")
    if amount <= ZERO:
        raise Invalid({"amount": Text("The amount must be more than nothing.")})
    if amount > outstanding:
        raise Invalid(
            {"amount": Text("Only %(outstanding)s is still owed.", outstanding=outstanding)}
        )
    if amount > left:
        raise Invalid({"amount": Text("Only %(left)s is left of this bank line.", left=left)})
