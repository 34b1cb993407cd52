"""What buyers want written on an invoice, and the suppliers' electronic invoices."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money
from kernel.storage import Blob, keep_file
from orders.payments.models.invoices import InvoiceFile, InvoiceWish
from orders.payments.queries.invoices import invoiced_of, kept_by_supplier, wish_of
from orders.payments.rules.invoices import number_problem
from orders.sales.models import BuyerKind, Order, OrderState
from orders.sales.operations import tell_buyer

PAID = (
    OrderState.TO_SHIP,
    OrderState.PARTLY_SHIPPED,
    OrderState.SHIPPED,
    OrderState.RECEIVED,
    OrderState.COMPLETED,
)
# What may be said of it is said while ordering already.
WISHED = (OrderState.AWAITING_PAYMENT, *PAID)


def ask_invoice(
    session: Session, order_id: int, *, title: str, tax_number: str, by: Actor, now: datetime
) -> InvoiceWish:
    """Whose name is to stand on the invoice; may be written anew until one was issued."""
    order = get_or_missing(session, Order, order_id, lock=True)
    if order.buyer_kind is not BuyerKind.CITIZEN or order.state not in WISHED:
        raise Refusal("An invoice is issued for what was paid.")
    wish = wish_of(session, order.id)
    if wish is not None and (wish.title, wish.tax_number) == (title, tax_number):
        return wish
    if invoiced_of(session, order.id):
        raise Refusal("An invoice was issued already; please call the cooperative to change it.")
    if wish is None:
        wish = InvoiceWish(order_id=order.id, title=title, tax_number=tax_number, **stamp(by, now))
        session.add(wish)
    wish.title, wish.tax_number = title, tax_number
    session.flush()
    audit.note(session, "ask_invoice", f"order:{order.id}", by=by, now=now)
    return wish


def file_invoice(
    session: Session,
    order_id: int,
    *,
    supplier_id: int,
    number: str,
    amount: Money,
    issued_on: date,
    blob: Blob,
    by: Actor,
    now: datetime,
) -> InvoiceFile:
    """The supplier's electronic invoice for its part of the order, to the fen what the buyer kept
    of it; after a refund a red one with a negative amount brings the sum down again."""
    order = get_or_missing(session, Order, order_id, lock=True)
    known = session.scalar(sa.select(InvoiceFile).where(InvoiceFile.number == number))
    if known is not None:
        if (known.order_id, known.supplier_id, known.amount) == (order.id, supplier_id, amount):
            return known
        raise Invalid({"number": Text("An invoice with this number was filed already.")})
    kept = kept_by_supplier(session, order.id).get(supplier_id)
    if kept is None or order.buyer_kind is not BuyerKind.CITIZEN or order.state not in PAID:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    problem = number_problem(number)
    if problem is not None:
        raise Invalid({"number": problem})
    before = invoiced_of(session, order.id).get(supplier_id, ZERO)
    if before + amount != kept:
        raise Invalid(
            {
                "amount": Text(
                    "It must be %(missing)s: the buyer kept %(kept)s, invoiced before %(before)s.",
                    missing=kept - before, kept=kept, before=before,
                )
            }
        )  # fmt: skip
    if amount == ZERO:
        raise Invalid({"amount": Text("There is nothing left to invoice.")})
    invoice = InvoiceFile(
        order_id=order.id,
        supplier_id=supplier_id,
        number=number,
        amount=amount,
        issued_on=issued_on,
        file_id=keep_file(session, blob, by=by, now=now).id,
        **stamp(by, now),
    )
    session.add(invoice)
    session.flush()
    tell_buyer(session, order, "invoice", about=number, now=now)
    audit.note(
        session, "file_invoice", f"order:{order.id}", by=by, now=now, number=number, amount=amount
    )
    return invoice
