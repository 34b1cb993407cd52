"""Where goods may be fetched."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.errors import Missing, Text
from orders.sales.models import PickUpPoint


def points_of(
    session: Session, supplier_ids: Collection[int], *, in_use: bool = True
) -> dict[int, list[PickUpPoint]]:
    """Supplier → its places by name; a supplier without any is left out."""
    chosen = [PickUpPoint.supplier_id.in_(sorted(supplier_ids))]
    if in_use:
        chosen.append(PickUpPoint.in_use.is_(True))
    found: dict[int, list[PickUpPoint]] = {}
    for each in session.scalars(sa.select(PickUpPoint).where(*chosen).order_by(PickUpPoint.name)):
        found.setdefault(each.supplier_id, []).append(each)
    return found


def point_of(session: Session, point_id: int, *, supplier_id: int) -> PickUpPoint:
    """One place, if it is this supplier's."""
    found = session.scalar(
        sa.select(PickUpPoint).where(
            PickUpPoint.id == point_id, PickUpPoint.supplier_id == supplier_id
        )
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def chosen_points(
    points: Mapping[int, list[PickUpPoint]], chosen: Mapping[int, str]
) -> list[PickUpPoint]:
    """For each supplier the place that was chosen by its id, or the first of its places."""
    return [
        next((one for one in places if str(one.id) == chosen.get(supplier_id)), places[0])
        for supplier_id, places in sorted(points.items())
    ]
