"""What the last signature sets off: the protocol is frozen, its lines are divided among households,
what can be sold again lies in the store, and after the last delivery the term of payment begins."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.operations import put_back
from catalog.lots.queries import lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.errors import Invalid, Refusal, Text
from kernel.money import ZERO, Price, total
from kernel.periods import business_day
from kernel.versions import canonical, freeze
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptanceState,
    BulkOrder,
    Stage,
)
from orders.agencies.operations.quota import move_quota
from orders.agencies.operations.stages import move_stage, supplied_order
from orders.agencies.queries.bulk import accepted_of
from orders.agencies.rules.accepting import (
    SPOILED,
    SlicePart,
    share_slices,
)
from orders.agencies.rules.terms import due_on
from orders.ledger.rules import receivable
from orders.sales.models import Order, OrderLine, OrderState, Shipment, ShipmentLine
from orders.sales.operations import complete_order, mark_received, release_lines
from orders.sales.queries import open_allocations
from orders.shares.operations.settling import SettledLine, Slice, settle_lines

PROTOCOL_FORMAT = 1
REFUSED_WHOLE = Text("nothing was accepted")


def close_acceptance(
    session: Session,
    order: Order,
    bulk: BulkOrder,
    acceptance: Acceptance,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """The protocol is frozen and its lines are settled; the order's row is locked by the caller."""
    lock_pools(session, sorted({line.line.product_id for line in acceptance.lines}))
    acceptance.amount = total(line.amount for line in acceptance.lines)
    acceptance.state = AcceptanceState.SIGNED
    acceptance.signed_at = now
    acceptance.shipment.delivered_at = acceptance.shipment.delivered_at or now
    today = business_day(now)
    settled = [
        _settled(session, order, acceptance, line, today, by, now) for line in acceptance.lines
    ]
    settle_lines(session, settled, by=by, now=now)
    frozen = freeze(
        session,
        f"acceptance:{acceptance.id}",
        _content(order, acceptance, now),
        by=by,
        now=now,
        format=PROTOCOL_FORMAT,
    )
    acceptance.frozen = frozen
    session.flush()
    finish_delivery(session, order, bulk, f"acceptance:{acceptance.id}", by=by, now=now)


def release_rest(
    session: Session, order_id: int, *, reason: str, by: Actor, now: datetime
) -> BulkOrder:
    """The supplier will not ship what is still open: it goes back to the store, and the order is
    whole as far as it was delivered."""
    order, bulk = supplied_order(session, order_id, by)
    if bulk.stage is not Stage.IN_DELIVERY:
        raise Refusal("Order %(number)s has nothing left to ship.", number=order.number)
    if not reason.strip():
        raise Invalid({"reason": Text("Say why, so that the other side understands.")})
    rest: dict[int, int] = {}
    for each in open_allocations(session, [order_id]):
        rest[each.line_id] = rest.get(each.line_id, 0) + each.open
    if rest:
        release_lines(session, order_id, rest, reason=reason.strip()[:200], by=by, now=now)
        if order.state is OrderState.CANCELLED:
            move_stage(bulk, Stage.CANCELLED)
            bulk.decision_reason = reason.strip()[:200]
            move_quota(
                session, bulk, order, cause=f"released:order:{order.id}",
                on=business_day(now), by=by, now=now,
            )  # fmt: skip
        else:
            finish_delivery(session, order, bulk, f"released:order:{order.id}", by=by, now=now)
    audit.note(session, "release_rest", f"order:{order.id}", by=by, now=now, reason=reason)
    return bulk


def shipped_by_line(acceptance: Acceptance) -> dict[int, int]:
    """Order line id → base units of this delivery."""
    found: dict[int, int] = {}
    for each in acceptance.shipment.lines:
        line_id = each.allocation.line_id
        found[line_id] = found.get(line_id, 0) + each.quantity
    return found


def signed_text(acceptance: Acceptance) -> str:
    """SHA-256 of the lines as they read now: what a signature stands under."""
    return hashlib.sha256(canonical({"lines": _lines_content(acceptance)}).encode()).hexdigest()


def _settled(
    session: Session,
    order: Order,
    acceptance: Acceptance,
    line: AcceptanceLine,
    today: date,
    by: Actor,
    now: datetime,
) -> SettledLine:
    """One line to be divided among households; what can be sold again lies in the store again."""
    assert order.supplier is not None
    assert order.organisation_id is not None
    slices = sorted(
        (each for each in acceptance.shipment.lines if each.allocation.line_id == line.line_id),
        key=lambda each: each.allocation_id,
    )
    spoiled = line.reason in {fault.value for fault in SPOILED}
    parts = share_slices(
        [each.quantity for each in slices],
        accepted=line.accepted,
        returned=0 if spoiled else line.rejected,
    )
    subject = f"acceptance_line:{line.id}"
    for each, part in zip(slices, parts, strict=True):
        if part.returned:
            put_back(
                session,
                each.allocation.contribution_id,
                part.returned,
                cause=f"{subject}:slice:{each.id}",
                by=by,
                now=now,
            )
    return SettledLine(
        subject=subject,
        line_key=f"line:{line.line_id}",
        order_key=f"order:{order.id}",
        supplier_id=line.line.supplier_id,
        product_id=line.line.product_id,
        rule_id=line.line.rule_id,
        amount=line.amount,
        slices=_settled_slices(slices, parts),
        debit_code=receivable(order.supplier.code, order.organisation_id),
        citizen=False,
        on=today,
    )


def _settled_slices(slices: Sequence[ShipmentLine], parts: Sequence[SlicePart]) -> list[Slice]:
    """Per contribution: what is gone for good, and what of it was accepted."""
    sums: dict[int, tuple[int, int]] = {}
    for each, part in zip(slices, parts, strict=True):
        consumed, accepted = sums.get(each.allocation.contribution_id, (0, 0))
        sums[each.allocation.contribution_id] = (
            consumed + part.consumed,
            accepted + part.accepted,
        )
    return [
        Slice(contribution_id=key, consumed=consumed, accepted=accepted)
        for key, (consumed, accepted) in sorted(sums.items())
        if consumed
    ]


def finish_delivery(
    session: Session, order: Order, bulk: BulkOrder, cause: str, *, by: Actor, now: datetime
) -> None:
    """After the last delivery is accepted the term begins, and what did not come is not ordered."""
    session.flush()
    open_shipments = session.scalar(
        sa.select(sa.func.count())
        .select_from(Shipment)
        .outerjoin(
            Acceptance,
            sa.and_(
                Acceptance.shipment_id == Shipment.id, Acceptance.state == AcceptanceState.SIGNED
            ),
        )
        .where(
            Shipment.order_id == order.id,
            Shipment.cancelled_at.is_(None),
            Acceptance.id.is_(None),
        )
    )
    if order.state is not OrderState.SHIPPED or open_shipments or bulk.accepted_on is not None:
        return
    mark_received(session, order.id, by=by, now=now)
    today = business_day(now)
    bulk.accepted_on = today
    if accepted_of(session, order.id) > ZERO:
        bulk.due_on = due_on(today, bulk.payment_days)
        move_stage(bulk, Stage.TO_INVOICE)
    else:
        move_stage(bulk, Stage.CANCELLED)
        bulk.decision_reason = str(REFUSED_WHOLE)
        complete_order(session, order.id, by=by, now=now)
    move_quota(session, bulk, order, cause=cause, on=today, by=by, now=now)


def _lines_content(acceptance: Acceptance) -> list[dict[str, object]]:
    return [
        {
            "line": line.line_id,
            "position": line.line.position,
            "name": line.line.name_zh,
            "pack": line.line.pack_zh,
            "grade": line.line.grade.value,
            "unit": line.line.product.base_unit.value,
            "price_hundredth_fen": price_of(line.line).per_unit,
            "shipped": line.shipped,
            "weighed": line.weighed,
            "rejected": line.rejected,
            "accepted": line.accepted,
            "reason": line.reason,
            "disposition": line.disposition.value if line.disposition else None,
            "deduction_bp": line.deduction_bp,
            "amount_fen": line.amount.fen,
            "photos": sorted(photo.file.sha256 for photo in line.photos),
        }
        for line in sorted(acceptance.lines, key=lambda line: line.line.position)
    ]


def _content(order: Order, acceptance: Acceptance, now: datetime) -> dict[str, object]:
    """The whole paper: who, what, which lots, how much, and who signed."""
    assert order.supplier is not None
    assert order.organisation is not None
    text = signed_text(acceptance)
    lots: dict[int, set[str]] = {}
    for each in acceptance.shipment.lines:
        lots.setdefault(each.allocation.line_id, set()).add(each.allocation.lot.code)
    return {
        "number": acceptance.number,
        "order": order.number,
        "shipment": acceptance.shipment.number,
        "unit": {"name": order.organisation.name, "uscc": order.organisation.uscc},
        "supplier": {
            "name": order.supplier.organisation.name,
            "uscc": order.supplier.organisation.uscc,
        },
        "shipped_at": acceptance.shipment.shipped_at.isoformat(),
        "signed_at": now.isoformat(),
        "lines": [
            {**line, "lots": sorted(lots.get(int(str(line["line"])), set()))}
            for line in _lines_content(acceptance)
        ],
        "amount_fen": acceptance.amount.fen,
        "signatures": [
            {
                "name": each.name,
                "capacity": each.capacity,
                "at": each.made_at.isoformat(),
                "sha256": each.sha256,
            }
            for each in acceptance.signatures
            if each.sha256 == text
        ],
    }


def price_of(line: OrderLine) -> Price:
    assert line.unit_price is not None, "a canteens' pack is priced per kilogram or piece"
    return line.unit_price
