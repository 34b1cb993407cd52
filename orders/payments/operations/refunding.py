"""Money that goes back: for lines of an order, or for a payment that nobody waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.lots.queries import lock_pools
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal
from kernel.money import Money, total
from kernel.numbering import next_number
from kernel.outbox import enqueue
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.payments.models import (
    Payment,
    PaymentState,
    Refund,
    RefundFreight,
    RefundKind,
    RefundLine,
    RefundState,
)
from orders.payments.queries import freight_left, gone_of_lines, sent_by, supplier_parts
from orders.payments.rules.refunds import Gone, LineFacts, amount_for
from orders.sales.models import Order, OrderLine, OrderState
from orders.sales.operations import release_lines, tell_buyer
from orders.sales.queries import open_allocations
from orders.shares.operations import reverse_line

SENDABLE = (RefundState.APPROVED, RefundState.SENT)


def refund_order_lines(
    session: Session,
    order_id: int,
    quantities: Mapping[int, int],
    *,
    kind: RefundKind,
    reason: str = "",
    request_key: str,
    approved: bool = True,
    by: Actor,
    now: datetime,
) -> Refund:
    """Money back for so much of these lines (line id → base units), never beyond what is left.

    What was not shipped yet returns to the store; when nothing of a supplier's goods is left and
    nothing of them was sent, its freight goes back as well. Shares that were settled are taken
    back. With `approved=False` it is only asked for. The same `request_key` again answers the
    first refund.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    if known := _by_key(session, request_key):
        return known
    payment = _paid(session, order)
    refund = Refund(
        number=next_number(session, "TK", now),
        order_id=order.id,
        payment_id=payment.id,
        request_key=request_key,
        state=RefundState.REQUESTED,
        kind=kind,
        reason=reason[:200],
        lines=_lines(session, order, quantities),
        **stamp(by, now),
    )
    refund.freights = _freights(session, order, refund.lines)
    refund.amount = total(part.amount for part in refund.lines)
    refund.amount += total(part.amount for part in refund.freights)
    session.add(refund)
    session.flush()
    audit.note(
        session, "refund_order_lines", f"order:{order.id}", by=by, now=now,
        refund=refund.number, amount=refund.amount, kind=kind,
    )  # fmt: skip
    if approved:
        _grant(session, order, refund, by, now)
    else:
        tell_buyer(session, order, "refund_asked", about=refund.number, now=now)
    return refund


def approve_refund(
    session: Session, refund_id: int, *, answer: str = "", by: Actor, now: datetime
) -> Refund:
    """The cooperative grants what the buyer asked for."""
    order, refund = _locked(session, refund_id)
    if refund.state is not RefundState.REQUESTED:
        return refund
    refund.answer = answer[:200]
    _grant(session, order, refund, by, now)
    audit.note(session, "approve_refund", f"refund:{refund.id}", by=by, now=now)
    return refund


def decline_refund(
    session: Session, refund_id: int, *, answer: str, by: Actor, now: datetime
) -> Refund:
    """The cooperative says no, and why."""
    order, refund = _locked(session, refund_id)
    if refund.state is not RefundState.REQUESTED:
        return refund
    refund.state, refund.answer = RefundState.DECLINED, answer[:200]
    session.flush()
    tell_buyer(session, order, "refund_declined", about=refund.number, now=now)
    audit.note(session, "decline_refund", f"refund:{refund.id}", by=by, now=now, answer=answer)
    return refund


def refund_payment(
    session: Session, payment_id: int, *, kind: RefundKind, by: Actor, now: datetime
) -> Refund:
    """The whole of a payment that bought nothing goes back, once (G18). The order is locked."""
    payment = get_or_missing(session, Payment, payment_id, lock=True)
    key = f"payment:{payment.request_key}"
    if known := _by_key(session, key):
        return known
    order = session.get_one(Order, payment.order_id)
    refund = Refund(
        number=next_number(session, "TK", now),
        order_id=order.id,
        payment_id=payment.id,
        request_key=key,
        state=RefundState.APPROVED,
        amount=payment.received or payment.amount,
        kind=kind,
        lines=[],
        freights=[],
        **stamp(by, now),
    )
    session.add(refund)
    session.flush()
    _send_later(session, refund, now)
    tell_buyer(session, order, "refunded", about=refund.number, now=now)
    audit.note(
        session, "refund_payment", f"order:{order.id}", by=by, now=now,
        refund=refund.number, amount=refund.amount, kind=kind,
    )  # fmt: skip
    return refund


def record_refund(
    session: Session, refund_id: int, *, provider_id: str, status: str, by: Actor, now: datetime
) -> str:
    """What the provider says became of it. Only a refund that is done has left our books."""
    order, refund = _locked(session, refund_id)
    refund.provider_id = refund.provider_id or provider_id
    if refund.state not in (*SENDABLE, RefundState.FAILED):
        session.flush()
        return f"refund {refund.state.value} already"
    if status == "succeeded":
        refund.state, refund.done_at = RefundState.DONE, now
        _post_done(session, order, refund, accounts.provider, by, now)
        payment = get_or_missing(session, Payment, refund.payment_id, lock=True)
        if not refund.lines:
            payment.state = PaymentState.REFUNDED
    else:
        failed = status in ("failed", "canceled")
        refund.state = RefundState.FAILED if failed else RefundState.SENT
    session.flush()
    audit.note(session, "record_refund", f"refund:{refund.id}", by=by, now=now, status=status)
    return f"refund {refund.state.value}"


def settle_refund_by_hand(
    session: Session, refund_id: int, *, voucher: str, by: Actor, now: datetime
) -> Refund:
    """The provider could not send it back, so the cooperative paid it from its bank account."""
    order, refund = _locked(session, refund_id)
    if refund.state is RefundState.DONE:
        return refund
    if refund.state is not RefundState.FAILED:
        raise Refusal("The provider is still at work on this refund.")
    refund.state, refund.done_at, refund.answer = RefundState.DONE, now, voucher[:200]
    session.flush()
    _post_done(session, order, refund, accounts.bank, by, now)
    audit.note(
        session, "settle_refund_by_hand", f"refund:{refund.id}", by=by, now=now, voucher=voucher
    )
    return refund


def _by_key(session: Session, request_key: str) -> Refund | None:
    return session.scalar(
        sa.select(Refund)
        .where(Refund.request_key == request_key)
        .options(selectinload(Refund.lines), selectinload(Refund.freights))
    )


def _locked(session: Session, refund_id: int) -> tuple[Order, Refund]:
    refund = get_or_missing(session, Refund, refund_id)
    order = get_or_missing(session, Order, refund.order_id, lock=True)
    found = session.scalars(
        sa.select(Refund)
        .where(Refund.id == refund_id)
        .options(
            selectinload(Refund.lines).joinedload(RefundLine.line), selectinload(Refund.freights)
        )
        .execution_options(populate_existing=True)
    ).one()
    return order, found


def _paid(session: Session, order: Order) -> Payment:
    paid = session.scalar(
        sa.select(Payment)
        .where(Payment.order_id == order.id, Payment.state == PaymentState.PAID)
        .order_by(Payment.id)
        .limit(1)
    )
    if paid is None:
        raise Refusal("This order was not paid here; there is nothing to refund.")
    return paid


def _lines(session: Session, order: Order, quantities: Mapping[int, int]) -> list[RefundLine]:
    gone = gone_of_lines(session, order.id)
    known = {
        line.id: line
        for line in session.scalars(
            sa.select(OrderLine)
            .where(OrderLine.order_id == order.id)
            .options(joinedload(OrderLine.product))
        )
    }
    lines = []
    for line_id, quantity in sorted(quantities.items()):
        line = known.get(line_id)
        if line is None:
            raise Refusal("This line does not belong to the order.")
        facts = LineFacts(line.quantity, line.amount.fen, gone.get(line_id, Gone()))
        try:
            fen = amount_for(facts, quantity)
        except ValueError:
            raise Refusal("More is to be refunded than is left of this line.") from None
        if fen:
            lines.append(RefundLine(line=line, quantity=quantity, amount=Money(fen)))
    if not lines:
        raise Refusal("Choose what the refund is for.")
    return lines


def _freights(session: Session, order: Order, lines: Sequence[RefundLine]) -> list[RefundFreight]:
    """Freight of suppliers who send nothing, once this refund is reckoned with."""
    left = freight_left(session, order.id)
    if not left:
        return []
    gone, sent = gone_of_lines(session, order.id), sent_by(session, order.id)
    back = {part.line.id: part.quantity for part in lines}
    keeps = {
        line.supplier_id
        for line in session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order.id))
        if gone.get(line.id, Gone()).quantity + back.get(line.id, 0) < line.quantity
    }
    return [
        RefundFreight(supplier_id=supplier_id, amount=amount)
        for supplier_id, amount in left.items()
        if supplier_id not in keeps | sent
    ]


def _grant(session: Session, order: Order, refund: Refund, by: Actor, now: datetime) -> None:
    refund.state = RefundState.APPROVED
    session.flush()
    settled = order.state is OrderState.COMPLETED
    _free_unshipped(session, order, refund, by, now)
    if settled:
        _take_shares_back(session, refund, by, now)
    else:
        _post_owed(session, order, refund, by, now)
    _send_later(session, refund, now)
    tell_buyer(session, order, "refunded", about=refund.number, now=now)


def _free_unshipped(
    session: Session, order: Order, refund: Refund, by: Actor, now: datetime
) -> None:
    if order.state not in (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED):
        return
    open_of: dict[int, int] = {}
    for each in open_allocations(session, [order.id]):
        open_of[each.line_id] = open_of.get(each.line_id, 0) + each.open
    free = {part.line.id: min(part.quantity, open_of.get(part.line.id, 0)) for part in refund.lines}
    free = {line_id: quantity for line_id, quantity in free.items() if quantity}
    if free:
        release_lines(session, order.id, free, reason=refund.number, by=by, now=now)


def _codes(session: Session, refund: Refund) -> dict[int, str]:
    ids = {part.line.supplier_id for part in refund.lines}
    ids |= {part.supplier_id for part in refund.freights}
    return dict(
        session.execute(sa.select(Supplier.id, Supplier.code).where(Supplier.id.in_(ids))).all()  # type: ignore[arg-type]
    )


def _post_owed(session: Session, order: Order, refund: Refund, by: Actor, now: datetime) -> None:
    codes = _codes(session, refund)
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
    codes = _codes(session, refund)
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
            by=by,
            now=now,
        )


def _post_done(
    session: Session,
    order: Order,
    refund: Refund,
    out_of: Callable[[str], str],
    by: Actor,
    now: datetime,
) -> None:
    """It has reached the buyer, out of what the provider holds or from the bank."""
    memo = f"{order.number} {refund.number}"
    parts = _done_parts(session, refund)
    post(
        session,
        [
            Entry(
                accounts.refunds(code),
                out_of(code),
                amount,
                f"refund:{refund.id}:{code}",
                memo,
            )
            for code, amount in parts
        ],
        on=business_day(now),
        by=by,
        now=now,
    )


def _done_parts(session: Session, refund: Refund) -> Sequence[tuple[str, Money]]:
    if refund.lines:
        codes = _codes(session, refund)
        sums: dict[str, Money] = {}
        for part in refund.lines:
            code = codes[part.line.supplier_id]
            sums[code] = sums.get(code, Money(0)) + part.amount
        for freight in refund.freights:
            code = codes[freight.supplier_id]
            sums[code] = sums.get(code, Money(0)) + freight.amount
        return sorted(sums.items())
    return sorted(supplier_parts(session, refund.order_id, refund.amount).items())


def _send_later(session: Session, refund: Refund, now: datetime) -> None:
    enqueue(
        session, "send_refund", now=now, unique_key=f"send_refund:{refund.id}", refund_id=refund.id
    )
