"""What the store has to pack and what has left: lists for those who pack."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.lots.models import Lot
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.periods import business_day, day_end, day_start
from orders.sales.models import (
    Allocation,
    BuyerKind,
    Carrier,
    Order,
    OrderLine,
    OrderRecipient,
    OrderState,
    Shipment,
    ShipmentLine,
)
from orders.sales.queries import TO_PACK
from orders.sales.rules.packing import SHIP_WITHIN_HOURS

MOST = 1000
NOT_YOURS = Text("There is nothing at this address, or it is not yours.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderToShip:
    """One order on the store's list, with what is still open of this supplier's lines.

    `due_on` is the promised day, or the end of the 48 hours after it was placed (domain.md §3.1).
    """

    order_id: int
    number: str
    buyer_kind: BuyerKind
    buyer: str
    region: str
    deliver_on: date | None
    due_on: date
    placed_at: datetime
    state: OrderState
    lines: int
    open_quantity: int
    goods: tuple[str, ...]
    pick_up: bool


def to_ship(session: Session, supplier_id: int, *, limit: int = MOST) -> list[OrderToShip]:
    """What this supplier has to pack, the earliest promised day first. Two queries."""
    open_part = Allocation.quantity - Allocation.released - Allocation.shipped
    waiting = (
        sa.select(
            OrderLine.order_id,
            sa.func.min(OrderLine.deliver_on).label("promised"),
            sa.func.count(sa.distinct(OrderLine.id)).label("lines"),
            sum_whole(open_part).label("quantity"),
        )
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .where(OrderLine.supplier_id == supplier_id, open_part > 0)
        .group_by(OrderLine.order_id)
        .subquery()
    )
    promised = sa.func.coalesce(waiting.c.promised, Order.deliver_on)
    rows = session.execute(
        sa.select(Order, promised, waiting.c.lines, waiting.c.quantity)
        .join(waiting, waiting.c.order_id == Order.id)
        .where(Order.state.in_(TO_PACK))
        .order_by(promised.asc().nulls_first(), Order.id)
        .limit(limit)
        .options(joinedload(Order.organisation))
    ).all()
    goods = _goods_of(session, supplier_id, [order.id for order, *_ in rows])
    found = [
        OrderToShip(
            order_id=order.id,
            number=order.number,
            buyer_kind=order.buyer_kind,
            buyer=order.organisation.short_name if order.organisation else order.recipient,
            region=order.delivery_region,
            deliver_on=day,
            due_on=day or business_day(order.placed_at + timedelta(hours=SHIP_WITHIN_HOURS)),
            placed_at=order.placed_at,
            state=order.state,
            lines=lines,
            open_quantity=int(quantity),
            goods=tuple(goods.get(order.id, ())),
            pick_up=order.pick_up,
        )
        for order, day, lines, quantity in rows
    ]
    return sorted(found, key=lambda each: (each.due_on, each.order_id))


def _goods_of(
    session: Session, supplier_id: int, order_ids: Collection[int]
) -> dict[int, list[str]]:
    """Order → the names of what is ordered, both languages, for searching and for the list."""
    rows = session.execute(
        sa.select(OrderLine.order_id, OrderLine.name_zh, OrderLine.name_en)
        .where(OrderLine.order_id.in_(order_ids), OrderLine.supplier_id == supplier_id)
        .order_by(OrderLine.order_id, OrderLine.position)
    )
    found: dict[int, list[str]] = {}
    for order_id, chinese, english in rows:
        names = found.setdefault(order_id, [])
        names += [each for each in (chinese, english) if each not in names]
    return found


def shipments_of(
    session: Session,
    supplier_id: int,
    *,
    on: date | None = None,
    number: str = "",
    limit: int = 50,
    offset: int = 0,
) -> list[Shipment]:
    """This supplier's deliveries with their orders, newest first; of one day, or by the number of
    the shipment, the order or the parcel."""
    chosen = [Shipment.supplier_id == supplier_id]
    if on is not None:
        chosen += [Shipment.shipped_at >= day_start(on), Shipment.shipped_at < day_end(on)]
    if number:
        chosen.append(
            sa.or_(
                *(
                    column.contains(number.upper(), autoescape=True)
                    for column in (Shipment.number, Shipment.tracking, Order.number)
                )
            )
        )
    return list(
        session.scalars(
            sa.select(Shipment)
            .join(Shipment.order)
            .where(*chosen)
            .order_by(Shipment.id.desc())
            .limit(limit)
            .offset(offset)
            .options(
                joinedload(Shipment.order).joinedload(Order.organisation),
                joinedload(Shipment.by_carrier),
                selectinload(Shipment.lines),
            )
        )
    )


def shipment_sheet(
    session: Session, shipment_id: int, *, supplier_id: int | None = None
) -> Shipment:
    """One delivery with order, lines, lots and households; of this supplier if one is given."""
    found = session.scalar(
        sa.select(Shipment)
        .where(
            Shipment.id == shipment_id,
            Shipment.supplier_id == supplier_id if supplier_id is not None else sa.true(),
        )
        .options(
            joinedload(Shipment.order).joinedload(Order.organisation),
            joinedload(Shipment.by_carrier),
            selectinload(Shipment.lines)
            .joinedload(ShipmentLine.allocation)
            .options(
                joinedload(Allocation.lot),
                joinedload(Allocation.line).options(
                    joinedload(OrderLine.product),
                    joinedload(OrderLine.pack),
                    joinedload(OrderLine.to),
                ),
                joinedload(Allocation.household),
            ),
        )
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def destination_of(shipment: Shipment) -> Order | OrderRecipient:
    """Who receives this delivery and where; the sheet is loaded."""
    first = shipment.lines[0].allocation.line if shipment.lines else None
    return (first.to if first is not None else None) or shipment.order


def shipment_of(session: Session, shipment_id: int, *, supplier_id: int) -> Shipment:
    """The bare row, if it is this supplier's."""
    found = session.scalar(
        sa.select(Shipment).where(Shipment.id == shipment_id, Shipment.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def lots_of(allocations: Iterable[Allocation]) -> list[Lot]:
    """The lots of these slices, each once, in id order."""
    lots = {each.lot.id: each.lot for each in allocations}
    return [lots[key] for key in sorted(lots)]


def carriers_of(session: Session, supplier_id: int, *, in_use: bool = False) -> list[Carrier]:
    """Own vehicles first, then parcel services, by name."""
    chosen = [Carrier.supplier_id == supplier_id]
    if in_use:
        chosen.append(Carrier.in_use.is_(True))
    return list(
        session.scalars(sa.select(Carrier).where(*chosen).order_by(Carrier.kind, Carrier.name))
    )


def carrier_of(session: Session, carrier_id: int, *, supplier_id: int) -> Carrier:
    """One carrier, if it is this supplier's."""
    found = session.scalar(
        sa.select(Carrier).where(Carrier.id == carrier_id, Carrier.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Tour:
    """What one vehicle or service took away on one day."""

    carrier: str
    plate: str
    driver: str
    shipments: tuple[Shipment, ...]

    @property
    def stops(self) -> int:
        return len({each.order_id for each in self.shipments})


def tours_of(shipments: Sequence[Shipment]) -> list[Tour]:
    """Shipments grouped by who took them; those that were called back are left out."""
    groups: dict[tuple[str, str, str], list[Shipment]] = {}
    for each in sorted(shipments, key=lambda shipment: shipment.id):
        if each.cancelled_at is None:
            groups.setdefault((each.carrier, each.plate, each.driver), []).append(each)
    return [
        Tour(carrier=carrier, plate=plate, driver=driver, shipments=tuple(group))
        for (carrier, plate, driver), group in sorted(groups.items())
    ]
