"""Where goods went, in general: kinds of buyers and the workshop, never a name."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import MoveKind, StockMove
from kernel.labels import Labelled
from orders.agencies.models import Unit, UnitKind
from orders.sales.models import Allocation, BuyerKind, Order, OrderLine


class Destination(Labelled):
    """Where goods went, in general: never to whom."""

    CITIZENS = "citizens"
    SCHOOL = "school"
    HOSPITAL = "hospital"
    OFFICE = "office"
    INSTITUTION = "institution"
    WORKSHOP = "workshop"


def destinations(
    session: Session, contribution_ids: Sequence[int]
) -> dict[int, tuple[Destination, ...]]:
    """Where the goods of these contributions went so far: kinds of buyers, and the workshop."""
    found: dict[int, set[Destination]] = {}
    for key, buyer, unit in session.execute(
        sa.select(Allocation.contribution_id, Order.buyer_kind, Unit.kind)
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(Unit, Unit.organisation_id == Order.organisation_id)
        .where(Allocation.contribution_id.in_(contribution_ids), Allocation.shipped > 0)
        .distinct()
    ):
        place = _UNITS.get(unit) if buyer is BuyerKind.UNIT else Destination.CITIZENS
        found.setdefault(key, set()).add(place or Destination.INSTITUTION)
    for key in session.scalars(
        sa.select(StockMove.contribution_id)
        .where(
            StockMove.contribution_id.in_(contribution_ids),
            StockMove.kind == MoveKind.TO_PROCESSING,
        )
        .distinct()
    ):
        found.setdefault(key, set()).add(Destination.WORKSHOP)
    return {
        key: tuple(place for place in Destination if place in places)
        for key, places in found.items()
    }


_UNITS = {
    UnitKind.SCHOOL: Destination.SCHOOL,
    UnitKind.HOSPITAL: Destination.HOSPITAL,
    UnitKind.OFFICE: Destination.OFFICE,
    UnitKind.INSTITUTION: Destination.INSTITUTION,
}
