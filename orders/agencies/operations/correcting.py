"""What comes after payment: credit notes, and orders that counted for the wrong unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor, Role
from kernel.db import get_or_missing, stamp
from kernel.errors import Forbidden, Invalid, Refusal, Text
from kernel.money import ZERO, Money, total
from kernel.numbering import next_number
from kernel.periods import business_day
from orders.agencies.models import (
    BulkOrder,
    CreditNote,
    CreditNoteLine,
    QuotaMovement,
    Stage,
    Unit,
)
from orders.agencies.operations.quota import move_quota
from orders.agencies.operations.stages import supplied_order
from orders.agencies.queries.bulk import (
    line_sums,
    lock_bulk,
)
from orders.ledger.rules import receivable
from orders.sales.models import Order
from orders.shares.operations.reversing import reverse_line

PAID_STAGES = (Stage.TO_REVIEW, Stage.DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLine:
    """So much of one order line goes back."""

    line_id: int
    quantity: int
    amount: Money


def refund_after(
    session: Session,
    order_id: int,
    *,
    lines: Sequence[CreditLine],
    reason: str,
    request_key: str,
    by: Actor,
    now: datetime,
) -> CreditNote:
    """A credit note of the supplier for a paid order: the households' parts are taken back in
    proportion, the unit's three figures fall, and the supplier owes the unit the amount.

    Never more than was accepted of a line. The same `request_key` again changes nothing.
    """
    order, bulk = supplied_order(session, order_id, by)
    made = session.scalar(sa.select(CreditNote).where(CreditNote.request_key == request_key))
    if made is not None:
        return made
    if bulk.stage not in PAID_STAGES:
        raise Refusal("Order %(number)s is not paid; nothing can be refunded.", number=order.number)
    if not reason.strip():
        raise Invalid({"reason": Text("Say why.")})
    _check_credits(line_sums(session, order.id), lines)
    note = CreditNote(
        number=next_number(session, "HC", now),
        order_id=order.id,
        request_key=request_key,
        amount=total(line.amount for line in lines),
        reason=reason.strip()[:200],
        on=business_day(now),
        lines=[
            CreditNoteLine(line_id=line.line_id, quantity=line.quantity, amount=line.amount)
            for line in sorted(lines, key=lambda line: line.line_id)
        ],
        **stamp(by, now),
    )
    session.add(note)
    session.flush()
    _reverse(session, order, note, by, now)
    move_quota(session, bulk, order, cause=f"credit_note:{note.id}", on=note.on, by=by, now=now)
    audit.note(
        session,
        "refund_after",
        f"order:{order.id}",
        by=by,
        now=now,
        amount=note.amount,
        reason=reason,
    )
    return note


def correct_unit(
    session: Session, order_id: int, *, to_unit_id: int, reason: str, by: Actor, now: datetime
) -> BulkOrder:
    """An order that counted for the wrong unit counts for another from now on (domain.md §1.6).

    Approved by the platform. One unit's figures fall by what the other's rise; the contract, the
    payer and what was published stay as they were (G10).
    """
    if by.role is not Role.OPERATOR:
        raise Forbidden(Text("Only the platform corrects which unit an order counts for."))
    order, bulk = lock_bulk(session, order_id)
    if not reason.strip():
        raise Invalid({"reason": Text("Say why.")})
    unit = get_or_missing(session, Unit, to_unit_id)
    if bulk.unit_id == unit.id:
        return bulk
    wrong, bulk.unit_id = bulk.unit_id, unit.id
    moved = session.scalar(
        sa.select(sa.func.count())
        .select_from(QuotaMovement)
        .where(QuotaMovement.order_id == order.id)
    )
    move_quota(
        session,
        bulk,
        order,
        cause=f"correction:{order.id}:{moved}",
        on=business_day(now),
        by=by,
        now=now,
    )
    audit.note(
        session, "correct_unit", f"order:{order.id}", by=by, now=now,
        wrong=wrong, right=unit.id, reason=reason,
    )  # fmt: skip
    return bulk


def _check_credits(
    sums: dict[int, tuple[int, Money, int, Money]], lines: Sequence[CreditLine]
) -> None:
    if not lines or len({line.line_id for line in lines}) < len(lines):
        raise Refusal("Name each line that is refunded once.")
    for line in lines:
        accepted, amount, credited, returned = sums.get(line.line_id, (0, ZERO, 0, ZERO))
        if line.amount <= ZERO or line.quantity < 0:
            raise Invalid({"amount": Text("The amount must be more than nothing.")})
        if line.amount + returned > amount or line.quantity + credited > accepted:
            sentence = "No more is refunded than was accepted: %(left)s is left of this line."
            raise Invalid({"amount": Text(sentence, left=amount - returned)})


def _reverse(session: Session, order: Order, note: CreditNote, by: Actor, now: datetime) -> None:
    assert order.supplier is not None
    assert order.organisation_id is not None
    for line in note.lines:
        reverse_line(
            session,
            subject=f"credit_note_line:{line.id}",
            of_line=f"line:{line.line_id}",
            amount=line.amount,
            quantity=line.quantity,
            credit_code=receivable(order.supplier.code, order.organisation_id),
            on=note.on,
            by=by,
            now=now,
        )
