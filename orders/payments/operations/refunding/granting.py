"""A refund is granted: goods are free again, shares are taken back, the money is on its way."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.queries import lock_pools
from catalog.suppliers.models import Supplier
from kernel.actors import Actor
from kernel.money import Money
from kernel.outbox import enqueue
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import Refund, RefundKind, RefundState
from orders.payments.operations.refunding.moving import move_refund
from orders.payments.queries import gone_of_lines
from orders.payments.queries.after import returned_of
from orders.payments.rules.refunds import Gone, free_of_claim
from orders.sales.models import Allocation, Order, OrderLine, OrderState
from orders.sales.operations import release_lines, tell_buyer
from orders.sales.queries import open_allocations
from orders.shares.operations import reverse_line


def grant(
    session: Session, order: Order, refund: Refund, *, by: Actor, now: datetime, words: str = ""
) -> None:
    """In one transaction: what is refunded leaves the books where it stands. Before the order was
    settled that is what the buyer had paid in advance; afterwards the same shares, with the
    opposite sign, except what a household was already paid (G16)."""
    move_refund(session, refund, RefundState.APPROVED, words=words, by=by, now=now)
    settled = order.state is OrderState.COMPLETED
    _free_unshipped(session, order, refund, by, now)
    if settled:
        _take_shares_back(session, refund, by, now)
    else:
        _post_owed(session, order, refund, by, now)
    send_later(session, refund, now=now)
    tell_buyer(session, order, "refunded", about=refund.number, now=now)


def give_less(session: Session, refund: Refund, amount: Money) -> None:
    """The refund is of this amount from now on, shared out over its lines; asked for stays said."""
    assert not refund.freights
    assert Money(0) < amount < refund.amount, (amount, refund.amount)
    refund.asked = refund.asked or refund.amount
    parts = amount.split([part.amount.fen for part in refund.lines])
    for part, less in zip(list(refund.lines), parts, strict=True):
        part.asked = part.quantity if part.asked is None else part.asked
        part.amount = less
        if not less:
            refund.lines.remove(part)
            session.delete(part)
    refund.amount = amount
    session.flush()


def _free_unshipped(
    session: Session, order: Order, refund: Refund, by: Actor, now: datetime
) -> None:
    if order.state not in (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED):
        return
    held: dict[int, int] = {}
    for each in open_allocations(session, [order.id]):
        held[each.line_id] = held.get(each.line_id, 0) + each.open
    sent, gone = _sent_of_lines(session, order.id), gone_of_lines(session, order.id)
    free = {}
    for part in refund.lines:
        line = part.line
        shipped, unsent = sent.get(line.id, 0), held.get(line.id, 0)
        before = gone.get(line.id, Gone()).quantity - part.quantity
        free[line.id] = free_of_claim(
            part.quantity,
            sent=shipped,
            sent_back=max(0, before - (line.quantity - shipped - unsent)),
            unsent=unsent,
            cancels=refund.kind is RefundKind.CANCELLED,
        )
    free = {line_id: quantity for line_id, quantity in free.items() if quantity}
    if free:
        release_lines(session, order.id, free, reason=refund.number, by=by, now=now)


def _sent_of_lines(session: Session, order_id: int) -> dict[int, int]:
    rows = session.execute(
        sa.select(Allocation.line_id, sa.func.sum(Allocation.shipped))
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .where(OrderLine.order_id == order_id)
        .group_by(Allocation.line_id)
    )
    return {line_id: int(shipped) for line_id, shipped in rows}


def codes_of(session: Session, refund: Refund) -> dict[int, str]:
    """Supplier id → code, of everybody whose goods or freight the refund is about."""
    ids = {part.line.supplier_id for part in refund.lines}
    ids |= {part.supplier_id for part in refund.freights}
    return dict(
        session.execute(sa.select(Supplier.id, Supplier.code).where(Supplier.id.in_(ids))).all()  # type: ignore[arg-type]
    )


def _post_owed(session: Session, order: Order, refund: Refund, by: Actor, now: datetime) -> None:
    codes = codes_of(session, refund)
    post(
        session,
        [
            Entry(
                accounts.prepaid(codes[part.line.supplier_id]),
                accounts.refunds(codes[part.line.supplier_id]),
                part.amount,
                f"refund_line:{part.id}",
                f"{order.number} {refund.number}",
            )
            for part in refund.lines
        ]
        + [
            Entry(
                accounts.prepaid(codes[part.supplier_id]),
                accounts.refunds(codes[part.supplier_id]),
                part.amount,
                f"refund_freight:{part.id}",
                f"{order.number} {refund.number}",
            )
            for part in refund.freights
        ],
        on=business_day(now),
        by=by,
        now=now,
    )


def _take_shares_back(session: Session, refund: Refund, by: Actor, now: datetime) -> None:
    codes = codes_of(session, refund)
    back = returned_of(session, [part.id for part in refund.lines])
    # All products together, in id order: two refunds of the same goods wait for each other.
    lock_pools(session, [part.line.product_id for part in refund.lines])
    for part in refund.lines:
        reverse_line(
            session,
            subject=f"refund_line:{part.id}",
            of_line=f"line:{part.line.id}",
            amount=part.amount,
            quantity=part.quantity,
            credit_code=accounts.refunds(codes[part.line.supplier_id]),
            on=business_day(now),
            returned=back.get(part.id),
            by=by,
            now=now,
        )


def send_later(session: Session, refund: Refund, *, now: datetime) -> None:
    """The provider is asked to send it once this is committed."""
    enqueue(
        session, "send_refund", now=now, unique_key=f"send_refund:{refund.id}", refund_id=refund.id
    )
