"""Deliveries, their protocols and photos, found by what stands in an address; scope first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.households.models import Household
from catalog.lots.models import Lot, LotEvent
from catalog.suppliers.models import Supplier
from kernel.errors import Missing
from kernel.money import ZERO, Money
from kernel.storage import StoredFile
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptancePhoto,
    AcceptanceState,
    BulkOrder,
)
from orders.agencies.queries.bulk import NOT_YOURS
from orders.sales.models import Allocation, Order, OrderLine, Shipment, ShipmentLine


def acceptance_id_of(
    session: Session,
    number: str,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
) -> int:
    """The id of a protocol of this unit, or of a delivery of this supplier."""
    found = session.scalar(
        sa.select(Acceptance.id)
        .join(Acceptance.order)
        .join(Order.supplier)
        .where(
            Acceptance.number == number.strip().upper(),
            _side(organisation_id, supplier_organisation_id),
        )
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def shipment_id_of(session: Session, number: str, *, organisation_id: int) -> int:
    """The id of a delivery to this unit; one that was called back is not on its way."""
    found = session.scalar(
        sa.select(Shipment.id)
        .join(Shipment.order)
        .where(
            Shipment.number == number.strip().upper(),
            Order.organisation_id == organisation_id,
            Shipment.cancelled_at.is_(None),
        )
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def acceptance_number_of(session: Session, shipment_id: int) -> str | None:
    """The number of the protocol of this delivery, if somebody has opened it."""
    return session.scalar(sa.select(Acceptance.number).where(Acceptance.shipment_id == shipment_id))


def photo_of(
    session: Session,
    photo_id: int,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
) -> StoredFile:
    """The file of a photo that this side of the contract may see."""
    found = session.scalar(
        sa.select(StoredFile)
        .join(AcceptancePhoto, AcceptancePhoto.file_id == StoredFile.id)
        .join(AcceptanceLine, AcceptanceLine.id == AcceptancePhoto.acceptance_line_id)
        .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .join(Order, Order.id == Acceptance.order_id)
        .join(Supplier, Supplier.id == Order.supplier_id)
        .where(AcceptancePhoto.id == photo_id, _side(organisation_id, supplier_organisation_id))
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def _side(
    organisation_id: int | None, supplier_organisation_id: int | None
) -> sa.ColumnElement[bool]:
    assert (organisation_id is None) is not (supplier_organisation_id is None)
    if organisation_id is not None:
        return Order.organisation_id == organisation_id
    return Supplier.organisation_id == supplier_organisation_id


def contract_days(session: Session, order_id: int) -> int:
    return session.scalars(
        sa.select(BulkOrder.payment_days).where(BulkOrder.order_id == order_id)
    ).one()


def steps_of_lots(session: Session, lot_ids: Collection[int]) -> list[tuple[str, date]]:
    """What happened to these lots: (kind, day) in order, each kind once with its last day."""
    if not lot_ids:
        return []
    events = session.execute(
        sa.select(LotEvent.kind, sa.func.max(LotEvent.on))
        .where(LotEvent.lot_id.in_(sorted(lot_ids)))
        .group_by(LotEvent.kind)
    )
    found = {kind.value: on for kind, on in events}
    if "harvested" not in found:
        harvested = session.scalar(
            sa.select(sa.func.max(Lot.harvested_on)).where(Lot.id.in_(sorted(lot_ids)))
        )
        if harvested:
            found["harvested"] = harvested
    return sorted(found.items(), key=lambda step: (step[1], step[0]))


def order_id_of_acceptance(session: Session, acceptance_id: int) -> int:
    found = session.scalar(sa.select(Acceptance.order_id).where(Acceptance.id == acceptance_id))
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def order_id_of_shipment(session: Session, shipment_id: int) -> int:
    found = session.scalar(sa.select(Shipment.order_id).where(Shipment.id == shipment_id))
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def acceptance_sheet(
    session: Session, acceptance_id: int, *, organisation_id: int | None = None
) -> Acceptance:
    """One protocol with its lines, photos, signatures and the shipment with its lots."""
    found = session.scalar(
        sa.select(Acceptance)
        .join(Acceptance.order)
        .where(
            Acceptance.id == acceptance_id,
            Order.organisation_id == organisation_id if organisation_id is not None else sa.true(),
        )
        .options(
            joinedload(Acceptance.order).options(
                joinedload(Order.supplier).joinedload(Supplier.organisation),
                joinedload(Order.organisation),
                selectinload(Order.lines).joinedload(OrderLine.product),
            ),
            joinedload(Acceptance.frozen),
            joinedload(Acceptance.shipment)
            .selectinload(Shipment.lines)
            .joinedload(ShipmentLine.allocation)
            .options(
                joinedload(Allocation.lot),
                joinedload(Allocation.line).joinedload(OrderLine.product),
                joinedload(Allocation.household).load_only(Household.id, Household.region_code),
            ),
            selectinload(Acceptance.lines).options(
                joinedload(AcceptanceLine.line).joinedload(OrderLine.product),
                selectinload(AcceptanceLine.photos).joinedload(AcceptancePhoto.file),
            ),
            selectinload(Acceptance.signatures),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def acceptances_of(session: Session, order_id: int) -> list[Acceptance]:
    return list(
        session.scalars(
            sa.select(Acceptance)
            .where(Acceptance.order_id == order_id)
            .order_by(Acceptance.id)
            .options(
                joinedload(Acceptance.frozen),
                selectinload(Acceptance.lines),
                selectinload(Acceptance.signatures),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One shipment that came, or is coming, to a unit."""

    shipment_id: int
    number: str
    order_number: str
    supplier: str
    shipped_at: datetime
    carrier: str
    lines: int
    acceptance_id: int | None
    acceptance_number: str | None
    state: AcceptanceState | None
    signed_at: datetime | None
    amount: Money


def deliveries(session: Session, organisation_id: int, *, limit: int = 100) -> list[Delivery]:
    """Shipments to this unit, those not yet accepted first, then the newest."""
    lines = (
        sa.select(sa.func.count(sa.distinct(Allocation.line_id)))
        .select_from(ShipmentLine)
        .join(Allocation, Allocation.id == ShipmentLine.allocation_id)
        .where(ShipmentLine.shipment_id == Shipment.id)
        .correlate(Shipment)
        .scalar_subquery()
    )
    found = session.execute(
        sa.select(Shipment, Acceptance, lines)
        .join(Order, Order.id == Shipment.order_id)
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .outerjoin(Acceptance, Acceptance.shipment_id == Shipment.id)
        .where(Order.organisation_id == organisation_id, Shipment.cancelled_at.is_(None))
        .order_by(
            sa.case((Acceptance.state == AcceptanceState.SIGNED, 1), else_=0), Shipment.id.desc()
        )
        .limit(limit)
        .options(
            joinedload(Shipment.order).joinedload(Order.supplier).joinedload(Supplier.organisation)
        )
    )
    return [
        Delivery(
            shipment_id=shipment.id,
            number=shipment.number,
            order_number=shipment.order.number,
            supplier=shipment.order.supplier.organisation.short_name
            if shipment.order.supplier
            else "",
            shipped_at=shipment.shipped_at,
            carrier=shipment.carrier,
            lines=count,
            acceptance_id=acceptance.id if acceptance else None,
            acceptance_number=acceptance.number if acceptance else None,
            state=acceptance.state if acceptance else None,
            signed_at=acceptance.signed_at if acceptance else None,
            amount=acceptance.amount if acceptance else ZERO,
        )
        for shipment, acceptance, count in found
    ]
