"""Finding protocols, deliveries and photos by what stands in an address; scope first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Lot, LotEvent
from catalog.suppliers.models import Supplier
from kernel.errors import Missing
from kernel.storage import StoredFile
from orders.agencies.models import Acceptance, AcceptanceLine, AcceptancePhoto, BulkOrder
from orders.agencies.queries.bulk import NOT_YOURS
from orders.sales.models import Order, Shipment


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
    """The id of a delivery to this unit."""
    found = session.scalar(
        sa.select(Shipment.id)
        .join(Shipment.order)
        .where(Shipment.number == number.strip().upper(), Order.organisation_id == organisation_id)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


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
