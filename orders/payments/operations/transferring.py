"""Orders too large for the provider: paid by transfer to the cooperative's bank account, under the
order's number, and recognised from its bank statement."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import BankLine, Payment, PaymentState, RefundKind
from orders.payments.operations.banking import match_bank_line
from orders.payments.operations.refunding.sending import refund_payment
from orders.payments.queries import matched_of, transfer_of
from orders.sales.models import Order, OrderState
from orders.sales.operations import confirm_order, tell_buyer

# As `Payment.method`: the money comes through the bank, not through the provider.
TRANSFER = "transfer"
# So long the goods wait for a transfer: two working days of a bank, and one to look.
TRANSFER_HOLD = timedelta(days=3)


def await_transfer(session: Session, order: Order, *, by: Actor, now: datetime) -> Payment:
    """An order placed in this transaction waits three days for its money from a bank account.

    Its goods are one cooperative's, whose account takes it; otherwise refused.
    """
    assert order.state is OrderState.AWAITING_PAYMENT
    supplier = get_or_missing(session, Supplier, order.supplier_id) if order.supplier_id else None
    if supplier is None:
        raise Refusal(
            "So large an order is paid by bank transfer, to one cooperative's account. "
            "Please order the goods of each cooperative by themselves."
        )
    if not supplier.bank_account:
        raise Refusal(
            "So large an order is paid by bank transfer, and this cooperative has not entered its "
            "account yet. Please order less at once, or ask it."
        )
    order.hold_until = now + TRANSFER_HOLD
    payment = Payment(
        order_id=order.id,
        request_key=f"order:{order.code}:1",
        state=PaymentState.STARTED,
        method=TRANSFER,
        amount=order.total,
        **stamp(by, now),
    )
    session.add(payment)
    session.flush()
    audit.note(session, "await_transfer", f"order:{order.id}", by=by, now=now, amount=order.total)
    return payment


def recognise_transfer(
    session: Session, bank_line_id: int, order_id: int, *, by: Actor, now: datetime
) -> Payment:
    """This movement on the cooperative's account pays that citizen's order, whole. The same again
    changes nothing.

    An order that has ended meanwhile stays so: the money is taken in and goes back by hand.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    payment = transfer_of(session, order.id)
    line = get_or_missing(session, BankLine, bank_line_id, lock=True)
    if payment is None or order.supplier_id != line.supplier_id or line.amount.fen <= 0:
        raise Refusal("This movement pays no order of a citizen on this account.")
    if payment.state is PaymentState.PAID:
        return payment
    matched = matched_of(session, [line.id]).get(line.id)
    left = line.amount if matched is None else line.amount - matched
    if left < payment.amount:
        raise Refusal(
            "%(left)s came, the order costs %(total)s. It is recognised when the whole sum is "
            "there; ask the buyer to send the rest in one piece, or send this back.",
            left=left,
            total=payment.amount,
        )
    match_bank_line(session, line.id, f"order:{order.id}", payment.amount, by=by, now=now)
    supplier = get_or_missing(session, Supplier, line.supplier_id)
    waiting = order.state is OrderState.AWAITING_PAYMENT
    to = accounts.prepaid if waiting else accounts.refunds
    payment.state, payment.received, payment.paid_at = PaymentState.PAID, payment.amount, now
    session.flush()
    post(
        session,
        [
            Entry(
                accounts.bank(supplier.code),
                to(supplier.code),
                payment.amount,
                f"payment:{payment.id}:{supplier.code}",
                order.number,
            )
        ],
        on=line.on,
        by=by,
        now=now,
    )
    audit.note(
        session, "recognise_transfer", f"order:{order.id}", by=by, now=now,
        payment=payment.id, bank_line=line.id,
    )  # fmt: skip
    if waiting:
        confirm_order(session, order.id, reason="paid", by=by, now=now)
        tell_buyer(session, order, "paid", now=now)
    else:
        refund_payment(session, payment.id, kind=RefundKind.TOO_LATE, by=by, now=now)
    return payment
