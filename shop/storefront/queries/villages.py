"""Villages as the public may read them: counts, what they grow, what they let us say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.rules import shown_count
from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import BROUGHT
from catalog.products.models import (
    Product,
)
from kernel.regions import Level, Region


@dataclass(frozen=True, slots=True)
class VillageGoods:
    """What a village mostly grows, most first."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


def goods_of_villages(session: Session, today: date, *, most: int = 2) -> dict[str, VillageGoods]:
    """Village → the products most households brought in the last year."""
    rows = session.execute(
        sa.select(Household.region_code, Product.name_zh, Product.name_en)
        .join(Contribution, Contribution.household_id == Household.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .where(BROUGHT, Lot.harvested_on >= today - timedelta(days=365))
        .group_by(Household.region_code, Product.id)
        .order_by(
            Household.region_code, sa.func.count(Household.id.distinct()).desc(), Product.position
        )
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for code, zh, en in rows:
        found.setdefault(code, []).append((zh, en))
    return {
        code: VillageGoods(tuple(zh for zh, _ in names[:most]), tuple(en for _, en in names[:most]))
        for code, names in found.items()
    }


def village_by(session: Session, code: str) -> Region | None:
    return session.scalar(
        sa.select(Region).where(Region.code == code, Region.level == Level.VILLAGE)
    )


def households_with_goods(session: Session, village: str, today: date) -> str:
    """How many of a village's households brought goods in the last year, as the public reads it."""
    count = session.scalar(
        sa.select(sa.func.count(Household.id.distinct()))
        .join(Contribution, Contribution.household_id == Household.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(
            BROUGHT,
            Household.region_code == village,
            Lot.harvested_on >= today - timedelta(days=365),
        )
    )
    return shown_count(count or 0)
