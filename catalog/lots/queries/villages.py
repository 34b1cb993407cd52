"""Where goods come from: villages and, for the public, hidden small counts of households."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.households.rules import shown_counts, shown_total
from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import BROUGHT, IN_LOT
from catalog.products.models import Product
from catalog.products.queries import offered
from kernel.regions import Region, within

# A product's villages are those whose goods came in during the last year.
SEASON = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class VillageCount:
    """A village with how many of its households took part, as the public may read it."""

    code: str
    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Origins:
    """Where goods came from: villages with public counts, and the public count of households."""

    villages: tuple[VillageCount, ...]
    shown: str


def village_counts(session: Session, chosen: sa.ColumnElement[bool]) -> Origins:
    """Households with a contribution to these lots, by village; small counts stay hidden."""
    return origins(session, counted_by_village(chosen), {})


def counted_by_village(chosen: sa.ColumnElement[bool]) -> sa.Select[str, str, int]:
    return (
        sa.select(Region.code, Region.name, sa.func.count(Household.id.distinct()))
        .select_from(Lot)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(chosen, BROUGHT, IN_LOT)
        .group_by(Region.code, Region.name)
        .order_by(sa.func.count(Household.id.distinct()).desc(), Region.code)
    )


def origins(
    session: Session, statement: sa.Select[str, str, int], values: dict[str, object]
) -> Origins:
    """What `counted_by_village` answers, as the public may read it."""
    rows = session.execute(statement, values).all()
    counts = [int(count) for _, _, count in rows]
    villages = tuple(
        VillageCount(code, short_name(name), shown)
        for (code, name, _), shown in zip(rows, shown_counts(counts), strict=True)
    )
    return Origins(villages, shown_total(counts))


def grown_in(
    village: str | sa.BindParameter[str], since: date | sa.BindParameter[date]
) -> sa.ColumnElement[bool]:
    """SQL: some of the product came from this village since that day."""
    return sa.exists(
        sa.select(Lot.id)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .where(
            Lot.product_id == Product.id,
            BROUGHT,
            IN_LOT,
            Lot.harvested_on >= since,
            Household.region_code == village,
        )
        .correlate(Product)
    )


def villages_of(session: Session, product_ids: Sequence[int], today: date) -> dict[int, list[str]]:
    """Product → the villages its goods came from in the last year, most goods first."""
    places: dict[int, list[str]] = {}
    values = {"product_ids": list(product_ids), "since": today - SEASON}
    for product_id, village in session.execute(_villages_by_product(), values):
        places.setdefault(product_id, []).append(short_name(village))
    return places


@cache
def _villages_by_product() -> sa.Select[int, str]:
    """Built once: building a statement costs more than asking it."""
    return (
        sa.select(Lot.product_id, Region.name)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(
            Lot.product_id.in_(sa.bindparam("product_ids", expanding=True)),
            BROUGHT,
            IN_LOT,
            Lot.harvested_on >= sa.bindparam("since", type_=sa.Date()),
        )
        .group_by(Lot.product_id, Region.code, Region.name)
        .order_by(Lot.product_id, sa.func.sum(Contribution.quantity).desc(), Region.code)
    )


def village_products(session: Session, village: str, *, today: date) -> list[int]:
    """Ids of the products whose goods came from this village in the last year."""
    return list(
        session.scalars(
            sa.select(Product.id)
            .where(offered(today), grown_in(village, today - SEASON))
            .order_by(Product.position, Product.id)
        )
    )


@dataclass(frozen=True, slots=True)
class VillageSheet:
    """A village as the public may read it."""

    code: str
    name: str
    households: str
    products: int


def village_sheets(session: Session, prefixes: Sequence[str], *, today: date) -> list[VillageSheet]:
    """Villages whose goods came in during the last year, most households first."""
    rows = session.execute(
        sa.select(
            Region.code,
            Region.name,
            sa.func.count(Household.id.distinct()),
            sa.func.count(Lot.product_id.distinct()),
        )
        .select_from(Lot)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(
            BROUGHT,
            IN_LOT,
            Lot.harvested_on >= today - SEASON,
            within(Region.code, list(prefixes)),
        )
        .group_by(Region.code, Region.name)
        .order_by(sa.func.count(Household.id.distinct()).desc(), Region.code)
    ).all()
    shown = shown_counts([int(count) for _, _, count, _ in rows])
    return [
        VillageSheet(code, short_name(name), count, int(products))
        for (code, name, _, products), count in zip(rows, shown, strict=True)
    ]
