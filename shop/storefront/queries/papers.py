"""Papers behind a lot: which of them anybody may read, and how many are there that name a buyer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import ConformityCertificate
from catalog.lots.queries import public_certificates
from orders.sales.models import Allocation, Shipment, ShipmentLine


@dataclass(frozen=True, slots=True)
class Papers:
    """The lot's own certificates, the newest first; a household's names it and is left out."""

    certificates: Sequence[ConformityCertificate]
    dispatch_notes: int


def papers_of(session: Session, lot_id: int) -> Papers:
    """Two queries. A dispatch note bears the buyer's name and address: it is only counted."""
    sent = session.scalar(
        sa.select(sa.func.count(sa.distinct(Shipment.id)))
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(Allocation, Allocation.id == ShipmentLine.allocation_id)
        .where(Allocation.lot_id == lot_id, Shipment.cancelled_at.is_(None))
    )
    return Papers(public_certificates(session, lot_id), sent or 0)
