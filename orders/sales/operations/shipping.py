"""Sending goods, whole orders or parts: out of the very lots they were promised from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots import operations as lots
from catalog.lots.models import LotState
from catalog.lots.queries import lock_pools, lots_without_certificate
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.text import tidy
from orders.sales.models import (
    Allocation,
    Order,
    OrderState,
    Shipment,
    ShipmentLine,
)
from orders.sales.operations.moving import move
from orders.sales.operations.returning import count_up
from orders.sales.operations.telling import tell_buyer
from orders.sales.queries import (
    TO_PACK,
    open_allocations,
    products_of,
    shipment_by_key,
    standing_shipments,
)
from orders.sales.queries.packing import carrier_of, shipment_of, shipment_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """Who takes the goods away: a carrier of the list, or words for one that is not on it.

    Plate and driver are those of the list's vehicle unless others are given.
    """

    carrier_id: int | None = None
    carrier: str = ""
    tracking: str = ""
    plate: str = ""
    driver: str = ""


def ship_order(
    session: Session,
    order_id: int,
    *,
    supplier_id: int,
    lines: Mapping[int, int] | None = None,
    carrier: str = "",
    tracking: str = "",
    transport: Transport | None = None,
    request_key: str,
    by: Actor,
    now: datetime,
) -> Shipment:
    """One delivery of this supplier: `lines` (line id → base units), or all that is open.

    Never more than is open; never from a lot on hold, past its day, or without the certificate its
    goods need (domain.md §3.5). The same `request_key` again answers the first shipment and changes
    nothing.
    """
    order = get_or_missing(session, Order, order_id, lock=True)
    if shipped := shipment_by_key(session, request_key):
        return shipped
    if order.state not in TO_PACK:
        raise Refusal(
            "Order %(number)s has moved on; this step is not possible any more.",
            number=order.number,
        )
    lock_pools(session, products_of(session, [order_id]))
    held = open_allocations(session, [order_id])
    ours = [each for each in held if each.line.supplier_id == supplier_id]
    draws = _choose(ours, lines)
    if len({each.line.recipient_id for each, quantity in draws if quantity}) > 1:
        raise Refusal("One parcel goes to one of the people; please send theirs one by one.")
    if problems := _problems(session, draws, business_day(now)):
        raise Refusal("This cannot be shipped now.", tuple(problems))

    transport = transport or Transport(carrier=carrier, tracking=tracking)
    shipment = Shipment(
        number=next_number(session, "FH", now),
        order_id=order.id,
        supplier_id=supplier_id,
        request_key=request_key,
        shipped_at=now,
        lines=[ShipmentLine(allocation_id=each.id, quantity=quantity) for each, quantity in draws],
        **_transport_columns(session, transport, supplier_id),
        **stamp(by, now),
    )
    session.add(shipment)
    session.flush()  # the moves' causes name shipment.id
    lots.ship_out(
        session,
        _by_contribution(draws),
        cause_prefix=f"shipment:{shipment.id}",
        by=by,
        now=now,
    )
    count_up(session, "shipped", draws)
    all_gone = not any(each.open for each in held)
    after = OrderState.SHIPPED if all_gone else OrderState.PARTLY_SHIPPED
    if order.state is not after:
        move(session, order, after, reason=shipment.number, by=by, now=now)
    tell_buyer(session, order, "shipped", about=shipment.number, now=now)
    audit.note(session, "ship_order", f"order:{order.id}", by=by, now=now, shipment=shipment.number)
    return shipment


def correct_transport(
    session: Session,
    shipment_id: int,
    transport: Transport,
    *,
    supplier_id: int,
    by: Actor,
    now: datetime,
) -> Shipment:
    """A wrong carrier or number is put right; the audit trail keeps what stood there before."""
    order_id = shipment_of(session, shipment_id, supplier_id=supplier_id).order_id
    get_or_missing(session, Order, order_id, lock=True)
    shipment = get_or_missing(session, Shipment, shipment_id, lock=True)
    if shipment.cancelled_at is not None:
        raise Refusal("Shipment %(number)s was called back.", number=shipment.number)
    columns = _transport_columns(session, transport, supplier_id)
    before = {name: getattr(shipment, name) for name in columns}
    if before == columns:
        return shipment
    for name, value in columns.items():
        setattr(shipment, name, value)
    session.flush()
    audit.note(
        session, "correct_transport", f"order:{order_id}", by=by, now=now,
        shipment=shipment.number, before=before, after=columns,
    )  # fmt: skip
    return shipment


def cancel_shipment(
    session: Session,
    shipment_id: int,
    *,
    supplier_id: int,
    reason: str,
    by: Actor,
    now: datetime,
) -> Shipment:
    """A shipment that never left is called back: its goods lie in the store, reserved as before.

    Refused once the buyer has it. Twice changes nothing. Whether somebody has begun to accept it is
    known one room above (`orders.agencies.operations.call_back_shipment`).
    """
    order_id = shipment_of(session, shipment_id, supplier_id=supplier_id).order_id
    order = get_or_missing(session, Order, order_id, lock=True)
    lock_pools(session, products_of(session, [order_id]))
    shipment = get_or_missing(session, Shipment, shipment_id, lock=True)
    if shipment.cancelled_at is not None:
        return shipment
    why = tidy(reason)[:200]
    if not why:
        raise Invalid({"reason": Text("Say why it did not leave.")})
    if shipment.delivered_at is not None or order.state not in (
        OrderState.PARTLY_SHIPPED,
        OrderState.SHIPPED,
    ):
        raise Refusal(
            "Shipment %(number)s has arrived; it cannot be called back.", number=shipment.number
        )
    draws = [
        (each.allocation, each.quantity)
        for each in shipment_sheet(session, shipment_id, supplier_id=supplier_id).lines
    ]
    lots.call_back(
        session,
        _by_contribution(draws),
        cause_prefix=f"shipment:{shipment.id}:back",
        by=by,
        now=now,
    )
    count_up(session, "shipped", [(each, -quantity) for each, quantity in draws])
    shipment.cancelled_at, shipment.cancel_reason = now, why
    shipment.cancelled_by_id = by.user_id
    session.flush()
    others = standing_shipments(session, order_id)
    after = OrderState.PARTLY_SHIPPED if others else OrderState.TO_SHIP
    if order.state is not after:
        move(session, order, after, reason=f"{shipment.number}: {why}"[:200], by=by, now=now)
    tell_buyer(session, order, "called_back", about=shipment.number, now=now)
    audit.note(
        session, "cancel_shipment", f"order:{order.id}", by=by, now=now,
        shipment=shipment.number, reason=why,
    )  # fmt: skip
    return shipment


def _choose(
    ours: Sequence[Allocation], lines: Mapping[int, int] | None
) -> list[tuple[Allocation, int]]:
    """Allocations in the order they were chosen, until each line's quantity is reached."""
    if lines is None:
        return [(each, each.open) for each in ours]
    draws: list[tuple[Allocation, int]] = []
    for line_id, quantity in sorted(lines.items()):
        left = quantity
        for each in ours:
            take = min(left, each.open) if each.line_id == line_id else 0
            if take > 0:
                draws.append((each, take))
                left -= take
        if quantity < 0 or left > 0:
            raise Refusal("More is to be shipped than this order still waits for.")
    return draws


def _problems(session: Session, draws: Sequence[tuple[Allocation, int]], today: date) -> list[Text]:
    """Every reason why a lot may not leave the store today, each lot once."""
    if not draws:
        return [Text("Nothing of this order is left for you to ship.")]
    lacking = set(lots_without_certificate(session, {each.lot_id for each, _ in draws}))
    problems: dict[int, Text] = {}
    for each, _quantity in sorted(draws, key=lambda draw: draw[0].lot_id):
        lot = each.lot
        if lot.state is LotState.EXPECTED:
            sentence = Text("Harvest %(lot)s is not in the store yet.", lot=lot.code)
        elif lot.state is not LotState.OPEN:
            sentence = Text("Lot %(lot)s is on hold and must stay in the store.", lot=lot.code)
        elif lot.best_before < today:
            sentence = Text(
                "Lot %(lot)s was good until %(day)s; take another lot.",
                lot=lot.code,
                day=lot.best_before,
            )
        elif lot.code in lacking:
            sentence = Text(
                "Lot %(lot)s has no certificate of conformity yet; issue one on the lot's page.",
                lot=lot.code,
            )
        else:
            continue
        problems[lot.id] = sentence
    return list(problems.values())


def _by_contribution(draws: Sequence[tuple[Allocation, int]]) -> list[tuple[int, int]]:
    out: dict[int, int] = {}
    for each, quantity in draws:
        out[each.contribution_id] = out.get(each.contribution_id, 0) + quantity
    return sorted(out.items())


def _transport_columns(
    session: Session, transport: Transport, supplier_id: int
) -> dict[str, int | str | None]:
    listed = (
        carrier_of(session, transport.carrier_id, supplier_id=supplier_id)
        if transport.carrier_id is not None
        else None
    )
    return {
        "carrier_id": listed.id if listed else None,
        "carrier": listed.name if listed else transport.carrier,
        "tracking": transport.tracking,
        "plate": transport.plate or (listed.plate if listed else ""),
        "driver": transport.driver or (listed.driver if listed else ""),
    }
