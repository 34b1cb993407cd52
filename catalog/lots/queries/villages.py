"""Where goods come from: villages and, for the public, hidden small counts of households."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.households.rules import shown_count, shown_counts
from catalog.lots.models import Contribution, Lot
from catalog.products.models import Product, ProductState
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
    rows = session.execute(
        sa.select(Region.code, Region.name, sa.func.count(Household.id.distinct()))
        .select_from(Lot)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(chosen)
        .group_by(Region.code, Region.name)
        .order_by(sa.func.count(Household.id.distinct()).desc(), Region.code)
    ).all()
    counts = [int(count) for _, _, count in rows]
    villages = tuple(
        VillageCount(code, short_name(name), shown)
        for (code, name, _), shown in zip(rows, shown_counts(counts), strict=True)
    )
    total = sum(counts)
    return Origins(villages, shown_count(total))


def grown_in(village: str, today: date) -> sa.ColumnElement[bool]:
    """SQL: some of the product came from this village during the last year."""
    return sa.exists(
        sa.select(Lot.id)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .where(
            Lot.product_id == Product.id,
            Lot.harvested_on >= today - SEASON,
            Household.region_code == village,
        )
        .correlate(Product)
    )


def villages_of(session: Session, product_ids: Sequence[int], today: date) -> dict[int, list[str]]:
    """Product → names of the villages its goods came from in the last year, most goods first."""
    places: dict[int, list[str]] = {}
    rows = session.execute(
        sa.select(Lot.product_id, Region.name)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(Lot.product_id.in_(product_ids), Lot.harvested_on >= today - SEASON)
        .group_by(Lot.product_id, Region.code, Region.name)
        .order_by(Lot.product_id, sa.func.sum(Contribution.quantity).desc(), Region.code)
    )
    for product_id, village in rows:
        places.setdefault(product_id, []).append(short_name(village))
    return places


def village_products(session: Session, village: str, *, today: date) -> list[int]:
    """Ids of the products whose goods came from this village in the last year."""
    return list(
        session.scalars(
            sa.select(Product.id)
            .where(Product.state == ProductState.ON_SALE, grown_in(village, today))
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
        .where(Lot.harvested_on >= today - SEASON, within(Region.code, list(prefixes)))
        .group_by(Region.code, Region.name)
        .order_by(sa.func.count(Household.id.distinct()).desc(), Region.code)
    ).all()
    shown = shown_counts([int(count) for _, _, count, _ in rows])
    return [
        VillageSheet(code, short_name(name), count, int(products))
        for (code, name, _, products), count in zip(rows, shown, strict=True)
    ]
