"""Papers of the store: the pick list by lot, pack lists by order, the load list of a tour.

All are made of the same pieces: what is open of these orders, or what went with these shipments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Lot, LotState
from kernel.quantities import BaseUnit
from orders.sales.models import (
    Allocation,
    Order,
    OrderLine,
    OrderRecipient,
    Shipment,
    ShipmentLine,
)
from orders.sales.queries import TO_PACK
from orders.sales.rules.freight import gross_weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """So much of one line out of one lot."""

    order: Order
    line: OrderLine
    lot_code: str
    lot_state: LotState
    best_before: date
    quantity: int
    shipment: str = ""
    # Empty: the main store.
    store: str = ""


def open_pieces(session: Session, supplier_id: int, order_ids: Collection[int]) -> list[Piece]:
    """What is still to be packed of these orders, as far as it is this supplier's. One query."""
    rows = session.scalars(
        sa.select(Allocation)
        .join(Allocation.line)
        .join(OrderLine.order)
        .where(
            OrderLine.order_id.in_(sorted(order_ids)),
            OrderLine.supplier_id == supplier_id,
            Order.state.in_(TO_PACK),
            Allocation.quantity > Allocation.released + Allocation.shipped,
        )
        .order_by(OrderLine.order_id, OrderLine.position, Allocation.id)
        .options(
            joinedload(Allocation.lot).joinedload(Lot.store),
            joinedload(Allocation.line).options(
                joinedload(OrderLine.product),
                joinedload(OrderLine.pack),
                joinedload(OrderLine.to),
                joinedload(OrderLine.order).joinedload(Order.organisation),
            ),
        )
    )
    return [_piece(each, each.open) for each in rows]


def shipped_pieces(
    session: Session, supplier_id: int, shipment_ids: Collection[int]
) -> list[Piece]:
    """What went with these shipments of this supplier; nothing of those called back. One query."""
    rows = session.execute(
        sa.select(ShipmentLine, Shipment.number)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .join(ShipmentLine.allocation)
        .join(Allocation.line)
        .where(
            Shipment.id.in_(sorted(shipment_ids)),
            Shipment.supplier_id == supplier_id,
            Shipment.cancelled_at.is_(None),
        )
        .order_by(OrderLine.order_id, OrderLine.position, ShipmentLine.id)
        .options(
            joinedload(ShipmentLine.allocation).options(
                joinedload(Allocation.lot).joinedload(Lot.store),
                joinedload(Allocation.line).options(
                    joinedload(OrderLine.product),
                    joinedload(OrderLine.pack),
                    joinedload(OrderLine.to),
                    joinedload(OrderLine.order).joinedload(Order.organisation),
                ),
            )
        )
    )
    return [_piece(each.allocation, each.quantity, number) for each, number in rows]


def _piece(allocation: Allocation, quantity: int, shipment: str = "") -> Piece:
    return Piece(
        order=allocation.line.order,
        line=allocation.line,
        lot_code=allocation.lot.code,
        lot_state=allocation.lot.state,
        best_before=allocation.lot.best_before,
        quantity=quantity,
        shipment=shipment,
        store=allocation.lot.store.name if allocation.lot.store else "",
    )


@dataclass(slots=True)
class PickLot:
    """So much of one lot, and for which orders: (number, quantity)."""

    code: str
    state: LotState
    best_before: date
    quantity: int
    orders: list[tuple[str, int]]
    store: str


@dataclass(slots=True)
class PickProduct:
    name_zh: str
    name_en: str
    grade: object
    unit: BaseUnit
    quantity: int
    lots: list[PickLot]


def pick_list(pieces: Sequence[Piece]) -> list[PickProduct]:
    """One walk through the store for many orders: product → lot → quantity → orders.

    Store by store, in each the lots that expire first; the quantities of the orders add up to the
    lot's, the lots' to the product's.
    """
    products: dict[tuple[int, str], PickProduct] = {}
    lots: dict[tuple[int, str, str], PickLot] = {}
    for each in pieces:
        line = each.line
        key = (line.product_id, line.grade.value)
        product = products.setdefault(
            key,
            PickProduct(line.name_zh, line.name_en, line.grade, line.product.base_unit, 0, []),
        )
        lot = lots.get((*key, each.lot_code))
        if lot is None:
            lot = lots[*key, each.lot_code] = PickLot(
                each.lot_code, each.lot_state, each.best_before, 0, [], each.store
            )
            product.lots.append(lot)
        product.quantity += each.quantity
        lot.quantity += each.quantity
        number = each.order.number
        if lot.orders and lot.orders[-1][0] == number:
            lot.orders[-1] = (number, lot.orders[-1][1] + each.quantity)
        else:
            lot.orders.append((number, each.quantity))
    for product in products.values():
        product.lots.sort(key=lambda lot: (lot.store, lot.best_before, lot.code))
    return sorted(products.values(), key=lambda each: (each.name_zh, str(each.grade)))


@dataclass(slots=True)
class ParcelLine:
    """One line of what goes to one buyer, with the lots it is taken from: (code, quantity)."""

    line: OrderLine
    quantity: int
    lots: list[tuple[str, int]]

    @property
    def unit(self) -> BaseUnit:
        return self.line.product.base_unit

    @property
    def packs(self) -> int:
        """How many packs that is; a pack that is begun counts."""
        return -(-self.quantity // self.line.pack.content)

    @property
    def grams(self) -> int:
        return gross_weight(
            content=self.line.pack.content,
            gross_g=self.line.pack.gross_g,
            weighed=self.unit is BaseUnit.GRAM,
            quantity=self.quantity,
        )


@dataclass(slots=True)
class Parcel:
    """What goes to one address: of one order, of one of the people it is for, or of one shipment.

    `to` knows who receives it and where: the order itself, or its recipient."""

    order: Order
    shipment: str
    lines: list[ParcelLine]
    to: Order | OrderRecipient

    @property
    def buyer(self) -> str:
        return self.order.organisation.name if self.order.organisation else self.to.recipient

    @property
    def note(self) -> str:
        """What the buyer wrote for the courier, of the order and of this parcel."""
        words = (self.order.note, self.to.note if self.to is not self.order else "")
        return " ".join(filter(None, words))

    @property
    def grams(self) -> int:
        return sum(each.grams for each in self.lines)

    @property
    def packs(self) -> int:
        """Boxes of citizens' packs; a canteen's goods are weighed, not counted in boxes."""
        return sum(each.packs for each in self.lines if each.line.pack_price is not None)


def parcels(pieces: Sequence[Piece]) -> list[Parcel]:
    """The pieces by order, recipient (and shipment), each line once, in the order they came."""
    found: dict[tuple[int, int, str], Parcel] = {}
    lines: dict[tuple[int, int, str, int], ParcelLine] = {}
    for each in pieces:
        to = each.line.to or each.order
        key = (each.order.id, each.line.recipient_id or 0, each.shipment)
        parcel = found.setdefault(key, Parcel(each.order, each.shipment, [], to))
        line = lines.get((*key, each.line.id))
        if line is None:
            line = lines[*key, each.line.id] = ParcelLine(each.line, 0, [])
            parcel.lines.append(line)
        line.quantity += each.quantity
        if line.lots and line.lots[-1][0] == each.lot_code:
            line.lots[-1] = (each.lot_code, line.lots[-1][1] + each.quantity)
        else:
            line.lots.append((each.lot_code, each.quantity))
    return list(found.values())


def loading_order(found: Sequence[Parcel]) -> list[Parcel]:
    """Stops of a tour: neighbours together, so that the van is loaded and emptied in one go."""
    return sorted(found, key=lambda each: (each.to.delivery_region, each.buyer, each.order.number))
