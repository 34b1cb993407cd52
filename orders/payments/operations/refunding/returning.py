"""Goods that travel back: sent by the buyer, received, inspected, and only then paid back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.operations.stock import put_back
from catalog.lots.queries import lock_pools
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import WORKER, Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money, total
from kernel.periods import business_day
from orders.payments.models import Refund, RefundLine, RefundState
from orders.payments.models.after import ReturnAddress, ReturnParcel, ReturnSlice, ReturnState
from orders.payments.operations.refunding.granting import grant
from orders.payments.operations.refunding.moving import locked_refund, move_parcel, move_refund
from orders.payments.operations.refunding.telling import tell_supplier
from orders.payments.queries import gone_of_lines
from orders.payments.queries.after import returned_by_allocation
from orders.payments.rules.refunds import Gone, LineFacts, amount_for, from_the_end
from orders.sales.models import Allocation, Order
from orders.sales.operations import tell_buyer
from orders.shares.operations import write_off


@dataclass(frozen=True, slots=True)
class Found:
    """In base units of one line: fit for the shelf again, and taken back but spoiled."""

    good: int
    spoiled: int

    @property
    def taken(self) -> int:
        return self.good + self.spoiled


def send_return(
    session: Session, refund_id: int, *, carrier: str, tracking: str, by: Actor, now: datetime
) -> Refund:
    """The buyer has sent the goods back and says with whom; a wrong number is written again."""
    _, refund = locked_refund(session, refund_id)
    parcel = _parcel(refund)
    if parcel.state not in (ReturnState.TO_SEND, ReturnState.UNDER_WAY):
        raise Refusal("These goods have moved on; this step is not possible any more.")
    parcel.carrier, parcel.tracking = carrier[:40], tracking[:40]
    if parcel.state is ReturnState.TO_SEND:
        parcel.sent_at = now
        words = f"{carrier} {tracking}"
        move_parcel(session, parcel, ReturnState.UNDER_WAY, words=words, by=by, now=now)
        tell_supplier(session, refund, "return_sent", now=now)
    session.flush()
    audit.note(session, "send_return", f"refund:{refund.id}", by=by, now=now, tracking=tracking)
    return refund


def receive_return(session: Session, refund_id: int, *, by: Actor, now: datetime) -> Refund:
    """The parcel lies at the cooperative; the days for paying back begin."""
    order, refund = locked_refund(session, refund_id)
    parcel = _parcel(refund)
    if parcel.state is ReturnState.ARRIVED:
        return refund
    parcel.arrived_at = now
    move_parcel(session, parcel, ReturnState.ARRIVED, by=by, now=now)
    tell_buyer(session, order, "return_arrived", about=refund.number, now=now)
    audit.note(session, "receive_return", f"refund:{refund.id}", by=by, now=now)
    return refund


def inspect_return(
    session: Session,
    refund_id: int,
    found: Mapping[int, Found],
    *,
    remark: str = "",
    by: Actor,
    now: datetime,
) -> Refund:
    """What was found in the parcel, by line of the refund: what is taken is paid back, what is fit
    for the shelf lies in its lots again, what is spoiled is the cooperative's loss. What is
    missing or was used up is not paid back, and then a remark says why."""
    order, refund = locked_refund(session, refund_id)
    parcel = _parcel(refund)
    if parcel.state in (ReturnState.ACCEPTED, ReturnState.REFUSED):
        return refund
    if parcel.state is not ReturnState.ARRIVED:
        raise Refusal("Note the arrival of the parcel first.")
    less = _refuse_impossible(refund, found, remark)
    parcel.inspected_at, parcel.remark = now, remark[:200]
    if not any(each.taken for each in found.values()):
        _refuse_all(session, order, refund, parcel, remark, by, now)
        return refund
    if less:
        _take_less(session, order, refund, found)
    refund.answer, refund.answered_at = remark[:200], now
    lock_pools(session, [part.line.product_id for part in refund.lines])
    slices = _slices(session, refund, found, by, now)
    for each, contribution_id in slices:
        put_back(session, contribution_id, each.quantity, cause=f"return:{each.id}", by=by, now=now)
    move_parcel(session, parcel, ReturnState.ACCEPTED, words=remark, by=by, now=now)
    grant(session, order, refund, by=by, now=now, words=remark)
    for each, contribution_id in slices:
        if each.lost:
            cause = f"return_loss:{each.id}"
            write_off(session, contribution_id, each.lost, cause=cause, by=by, now=now)
    audit.note(
        session, "inspect_return", f"refund:{refund.id}", by=by, now=now, amount=refund.amount,
        found={str(key): [each.good, each.spoiled] for key, each in found.items()},
    )  # fmt: skip
    return refund


def save_return_address(
    session: Session,
    supplier_id: int,
    *,
    recipient: str,
    phone: str,
    address: str,
    by: Actor,
    now: datetime,
) -> ReturnAddress:
    """Where this cooperative's buyers send goods back to, from now on."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    known = session.scalar(sa.select(ReturnAddress).where(ReturnAddress.supplier_id == supplier_id))
    if known is None:
        known = ReturnAddress(
            supplier_id=supplier_id, recipient=recipient, phone=phone, address=address,
            **stamp(by, now),
        )  # fmt: skip
        session.add(known)
    known.recipient, known.phone, known.address = recipient, phone, address
    session.flush()
    audit.note(session, "save_return_address", f"supplier:{supplier_id}", by=by, now=now)
    return known


def lapse_return(session: Session, refund_id: int, *, now: datetime) -> Refund:
    """Nothing was sent back in time: the order goes its way."""
    order, refund = locked_refund(session, refund_id)
    parcel = _parcel(refund)
    if parcel.state is not ReturnState.TO_SEND or business_day(now) <= parcel.send_by:
        return refund
    move_parcel(session, parcel, ReturnState.ENDED, by=WORKER, now=now)
    move_refund(session, refund, RefundState.WITHDRAWN, by=WORKER, now=now)
    tell_buyer(session, order, "return_ended", about=refund.number, now=now)
    audit.note(session, "lapse_return", f"refund:{refund.id}", by=WORKER, now=now)
    return refund


def returns_to_lapse(session: Session, *, now: datetime) -> list[int]:
    """Refunds whose goods should have been sent back by now."""
    return list(
        session.scalars(
            sa.select(ReturnParcel.refund_id)
            .where(
                ReturnParcel.state == ReturnState.TO_SEND, ReturnParcel.send_by < business_day(now)
            )
            .order_by(ReturnParcel.refund_id)
        )
    )


def _parcel(refund: Refund) -> ReturnParcel:
    if refund.parcel is None:
        raise Refusal("Nothing is to be sent back for this refund.")
    return refund.parcel


def _refuse_impossible(refund: Refund, found: Mapping[int, Found], remark: str) -> bool:
    """Whether less than everything was taken."""
    errors, less = {}, False
    for part in refund.lines:
        each = found.get(part.id, Found(0, 0))
        if min(each.good, each.spoiled) < 0 or each.taken > part.quantity:
            errors[f"good-{part.id}"] = Text("More than was to be sent back.")
        less = less or each.taken < part.quantity
    if set(found) - {part.id for part in refund.lines}:
        raise Refusal("This line does not belong to the order.")
    if less and not remark:
        errors["remark"] = Text("Say why not everything is paid back.")
    if errors:
        raise Invalid(errors)
    return less


def _refuse_all(
    session: Session, order: Order, refund: Refund, parcel: ReturnParcel, remark: str, by: Actor,
    now: datetime,
) -> None:  # fmt: skip
    refund.answer, refund.answered_at = remark[:200], now
    move_parcel(session, parcel, ReturnState.REFUSED, words=remark, by=by, now=now)
    move_refund(session, refund, RefundState.DECLINED, words=remark, by=by, now=now)
    tell_buyer(session, order, "refund_declined", about=refund.number, now=now)
    audit.note(session, "inspect_return", f"refund:{refund.id}", by=by, now=now, found={})


def _take_less(session: Session, order: Order, refund: Refund, found: Mapping[int, Found]) -> None:
    """Each line is refunded as far as it came back, as if no more had been asked for."""
    gone = gone_of_lines(session, order.id)
    refund.asked = refund.asked or refund.amount
    for part in list(refund.lines):
        taken = found.get(part.id, Found(0, 0)).taken
        if taken == part.quantity:
            continue
        if not taken:
            refund.lines.remove(part)
            session.delete(part)
            continue
        known = gone.get(part.line_id, Gone())
        others = Gone(known.quantity - part.quantity, known.fen - part.amount.fen)
        part.asked = part.quantity if part.asked is None else part.asked
        fen = amount_for(LineFacts(part.line.quantity, part.line.amount.fen, others), taken)
        part.quantity, part.amount = taken, Money(min(fen, part.amount.fen))
    refund.amount = total(part.amount for part in refund.lines)
    session.flush()


def _slices(
    session: Session, refund: Refund, found: Mapping[int, Found], by: Actor, now: datetime
) -> list[tuple[ReturnSlice, int]]:
    """(slice, contribution) for everything that was taken, from the last parcel backwards."""
    rows = []
    for part in refund.lines:
        sent = _still_out(session, part)
        each = found[part.id]
        spoiled = each.spoiled
        if each.taken > sum(out for _, out in sent):
            raise Refusal("More came back of %(goods)s than was sent.", goods=part.line.name_zh)
        back = from_the_end([out for _, out in sent], each.taken)
        for (allocation, _), quantity in zip(sent, back, strict=True):
            if quantity:
                lost = min(spoiled, quantity)
                spoiled -= lost
                row = ReturnSlice(
                    refund_line_id=part.id, allocation_id=allocation.id, quantity=quantity,
                    lost=lost, **stamp(by, now),
                )  # fmt: skip
                rows.append((row, allocation.contribution_id))
    session.add_all(row for row, _ in rows)
    session.flush()  # causes of stock moves name these rows
    return rows


def _still_out(session: Session, part: RefundLine) -> list[tuple[Allocation, int]]:
    allocations = session.scalars(
        sa.select(Allocation)
        .where(Allocation.line_id == part.line_id, Allocation.shipped > 0)
        .order_by(Allocation.id)
        .execution_options(populate_existing=True)
    ).all()
    back = returned_by_allocation(session, [each.id for each in allocations])
    return [(each, each.shipped - back.get(each.id, 0)) for each in allocations]
