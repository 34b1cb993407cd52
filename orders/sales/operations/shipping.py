"""Sending goods, whole orders or parts: out of the very lots they were promised from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.lots.operations import ship_out
from catalog.lots.queries import lock_pools, lots_without_certificate
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal, Text
from kernel.numbering import next_number
from orders.sales.models import Allocation, Order, OrderState, Shipment, ShipmentLine
from orders.sales.operations.moving import move
from orders.sales.operations.returning import count_up
from orders.sales.operations.telling import tell_buyer
from orders.sales.queries import TO_PACK, held_lots, open_allocations, products_of, shipment_by_key


def ship_order(
    session: Session,
    order_id: int,
    *,
    supplier_id: int,
    lines: Mapping[int, int] | None = None,
    carrier: str = "",
    tracking: str = "",
    request_key: str,
    by: Actor,
    now: datetime,
) -> Shipment:
    """One delivery of this supplier: `lines` (line id → base units), or all that is open.

    Never more than is open, never from a lot on hold. The same `request_key` again answers the
    first shipment and changes nothing.
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
    if problems := _problems(session, draws):
        raise Refusal("This cannot be shipped now.", tuple(problems))

    shipment = _shipment(
        session, order, draws, supplier_id, carrier, tracking, request_key, by, now
    )
    ship_out(
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


def _problems(session: Session, draws: Sequence[tuple[Allocation, int]]) -> list[Text]:
    if not draws:
        return [Text("Nothing of this order is left for you to ship.")]
    held = [
        Text("Lot %(lot)s is on hold and must stay in the store.", lot=lot.code)
        for lot in held_lots(each for each, _ in draws)
    ]
    lacking = lots_without_certificate(session, {each.lot_id for each, _ in draws})
    return held + [
        Text(
            "Lot %(lot)s has no certificate of conformity yet; issue one on the lot's page.",
            lot=code,
        )
        for code in lacking
    ]


def _by_contribution(draws: Sequence[tuple[Allocation, int]]) -> list[tuple[int, int]]:
    out: dict[int, int] = {}
    for each, quantity in draws:
        out[each.contribution_id] = out.get(each.contribution_id, 0) + quantity
    return sorted(out.items())


def _shipment(
    session: Session,
    order: Order,
    draws: Sequence[tuple[Allocation, int]],
    supplier_id: int,
    carrier: str,
    tracking: str,
    request_key: str,
    by: Actor,
    now: datetime,
) -> Shipment:
    shipment = Shipment(
        number=next_number(session, "FH", now),
        order_id=order.id,
        supplier_id=supplier_id,
        request_key=request_key,
        shipped_at=now,
        carrier=carrier,
        tracking=tracking,
        lines=[ShipmentLine(allocation_id=each.id, quantity=quantity) for each, quantity in draws],
        **stamp(by, now),
    )
    session.add(shipment)
    session.flush()  # the moves' causes name shipment.id
    return shipment
