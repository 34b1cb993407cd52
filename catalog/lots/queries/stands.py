"""How each grade of a product stands: what can be had of it now, what is spoken for, what comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.harvests import coming_sums
from catalog.lots.queries.stock import BROUGHT, FREE, sellable
from catalog.lots.rules import citizens_until
from catalog.products.models import Grade, Pack, Shelf
from kernel.db import sum_whole


@dataclass(frozen=True, slots=True)
class Stand:
    """One grade of a product, in base units.

    `parcels` is what citizens can order now, `free` what canteens can for today, `reserved` what
    lies in the store for orders, `expected` what canteens can order of coming harvests, from
    `expected_from` on.
    """

    parcels: int = 0
    free: int = 0
    reserved: int = 0
    expected: int = 0
    expected_from: date | None = None

    def of(self, pack: Pack) -> int:
        """What can be had of this pack now; the shelf and the grid say the same."""
        return self.parcels if pack.shelf is Shelf.CITIZENS else self.free


NOTHING = Stand()


def stands_of(
    session: Session, product_ids: Collection[int], *, today: date
) -> dict[tuple[int, Grade], Stand]:
    """(product, grade) → how it stands; what is absent has nothing. Two queries."""
    rows = session.execute(
        sa.select(
            Lot.product_id,
            Lot.grade,
            sum_whole(sa.case((sellable(today, citizens_until(today)), FREE), else_=0)),
            sum_whole(sa.case((sellable(today), FREE), else_=0)),
            sum_whole(Contribution.reserved),
        )
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(Lot.product_id.in_(sorted(product_ids)), BROUGHT)
        .group_by(Lot.product_id, Lot.grade)
    )
    there = {
        (product_id, grade): (int(parcels), int(free), int(reserved))
        for product_id, grade, parcels, free, reserved in rows
    }
    coming = coming_sums(session, product_ids, today=today)
    return {
        key: Stand(*there.get(key, (0, 0, 0)), *coming.get(key, (0, None)))
        for key in {*there, *coming}
    }
