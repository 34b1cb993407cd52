"""What the scale must know: caps, what waits for a second person, the book a phone takes along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household, Plot
from catalog.households.queries import short_name
from catalog.lots import rules
from catalog.lots.models import (
    OfflineSlip,
    OfflineState,
    PurchaseCap,
    ScaleCard,
    SlipPhoto,
    SlipReview,
    WeighSlip,
)
from catalog.lots.queries.stock import STANDS
from catalog.products.models import Product, PurchasePrice
from kernel.crypto import keyed_hash
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from kernel.periods import year_span
from kernel.quantities import BaseUnit
from kernel.regions import Region, within


def purchase_cap(session: Session, supplier_id: int, year: int) -> PurchaseCap | None:
    """The newest resolution on how much this supplier buys from one household in a year."""
    return session.scalar(
        sa.select(PurchaseCap)
        .where(PurchaseCap.supplier_id == supplier_id, PurchaseCap.year == year)
        .order_by(PurchaseCap.id.desc())
        .limit(1)
    )


def bought_in_year(session: Session, supplier_id: int, household_id: int, year: int) -> Money:
    """Fen on this household's slips at this supplier in the year, those that stand."""
    return (
        session.scalar(
            sa.select(sum_money(WeighSlip.amount)).where(
                WeighSlip.supplier_id == supplier_id,
                WeighSlip.household_id == household_id,
                *_of_year(year),
            )
        )
        or ZERO
    )


def _of_year(year: int) -> tuple[sa.ColumnElement[bool], ...]:
    start, end = year_span(year)
    return (
        STANDS,
        WeighSlip.weighed_at >= start,
        WeighSlip.weighed_at < end,
    )


@dataclass(frozen=True, slots=True)
class CapStanding:
    """How much of its yearly cap a household has sold; `cap` is None where there is none."""

    bought: Money
    cap: Money | None
    resolution: str

    @property
    def near(self) -> bool:
        return rules.near_the_cap(self.bought, self.cap)


def cap_standing(session: Session, supplier_id: int, household_id: int, year: int) -> CapStanding:
    cap = purchase_cap(session, supplier_id, year)
    return CapStanding(
        bought_in_year(session, supplier_id, household_id, year),
        cap.amount if cap else None,
        cap.resolution if cap else "",
    )


def review_of(session: Session, slip_id: int, *, lock: bool = False) -> SlipReview | None:
    query = sa.select(SlipReview).where(SlipReview.slip_id == slip_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalar(query)


def open_reviews(session: Session, supplier_id: int, *, limit: int = 100) -> list[SlipReview]:
    """Slips that wait for a second person, oldest first, with household, product and price."""
    return list(
        session.scalars(
            sa.select(SlipReview)
            .join(WeighSlip, WeighSlip.id == SlipReview.slip_id)
            .options(
                joinedload(SlipReview.slip).joinedload(WeighSlip.household),
                joinedload(SlipReview.slip).joinedload(WeighSlip.product),
                joinedload(SlipReview.slip).joinedload(WeighSlip.purchase_price),
            )
            .where(
                WeighSlip.supplier_id == supplier_id,
                STANDS,
                SlipReview.approved_at.is_(None),
            )
            .order_by(WeighSlip.weighed_at, WeighSlip.id)
            .limit(limit)
        )
    )


def under_review(session: Session, slip_ids: Sequence[int]) -> set[int]:
    """Those of these slips that nobody has approved yet."""
    return set(
        session.scalars(
            sa.select(SlipReview.slip_id).where(
                SlipReview.slip_id.in_(slip_ids), SlipReview.approved_at.is_(None)
            )
        )
    )


def photo_of_slip(session: Session, slip_id: int) -> SlipPhoto | None:
    """With its file."""
    return session.scalar(
        sa.select(SlipPhoto).options(joinedload(SlipPhoto.file)).where(SlipPhoto.slip_id == slip_id)
    )


def offline_of_slip(session: Session, slip_id: int) -> OfflineSlip | None:
    return session.scalar(sa.select(OfflineSlip).where(OfflineSlip.slip_id == slip_id))


def handed_over(session: Session, supplier_id: int, *, limit: int = 100) -> list[OfflineSlip]:
    """What phones brought and no rule let in, for the manager; oldest first, with who weighed."""
    return list(
        session.scalars(
            sa.select(OfflineSlip)
            .options(joinedload(OfflineSlip.made_by))
            .where(
                OfflineSlip.supplier_id == supplier_id,
                OfflineSlip.state == OfflineState.HANDED_OVER,
            )
            .order_by(OfflineSlip.weighed_at, OfflineSlip.id)
            .limit(limit)
        )
    )


def offline_slip(
    session: Session, supplier_id: int, offline_id: int, *, lock: bool = False
) -> OfflineSlip:
    """This supplier's, or Missing."""
    query = sa.select(OfflineSlip).where(
        OfflineSlip.id == offline_id, OfflineSlip.supplier_id == supplier_id
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def newest_card(session: Session, household_id: int) -> ScaleCard | None:
    return session.scalar(
        sa.select(ScaleCard)
        .where(ScaleCard.household_id == household_id)
        .order_by(ScaleCard.serial.desc())
        .limit(1)
    )


def code_of_card(card: ScaleCard, household_code: str) -> str:
    """The six digits on it. Nothing in the database says them: they come from the field key."""
    return rules.card_code(keyed_hash(f"scale-card:{household_code}:{card.serial}"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One household in a phone's book: what a weigher may see of it, and what its year allows.

    `brought` and `most` are product id → grams; a product without a limit is not in `most`.
    """

    code: str
    name: str
    pinyin: str
    initials: str
    village: str
    group_no: int
    bought: Money
    brought: dict[int, int]
    most: dict[int, int]


@dataclass(frozen=True, slots=True)
class Book:
    """Everything a phone needs to weigh without network."""

    entries: tuple[Entry, ...]
    prices: tuple[tuple[Product, PurchasePrice], ...]
    cap: PurchaseCap | None


def weighing_book(
    session: Session, supplier_id: int, prefixes: Sequence[str], *, today: date
) -> Book:
    """Households of these regions and prices from today on. Six queries, however many there are."""
    year = today.year
    prices = _prices_from(session, supplier_id, today)
    limits = {
        product.code: (product.id, product.most_yield_kg_per_mu)
        for product, _ in prices
        if product.most_yield_kg_per_mu is not None
    }
    inside = within(Household.region_code, list(prefixes))
    brought: dict[int, dict[int, int]] = {}
    for household_id, product_id, net in session.execute(
        sa.select(WeighSlip.household_id, WeighSlip.product_id, sum_whole(WeighSlip.net_g))
        .where(WeighSlip.product_id.in_({product.id for product, _ in prices}), *_of_year(year))
        .group_by(WeighSlip.household_id, WeighSlip.product_id)
    ):
        brought.setdefault(household_id, {})[product_id] = int(net)
    bought = {  # noqa: C416  rows are not pairs to mypy
        household_id: amount
        for household_id, amount in session.execute(
            sa.select(WeighSlip.household_id, sum_money(WeighSlip.amount))
            .where(WeighSlip.supplier_id == supplier_id, *_of_year(year))
            .group_by(WeighSlip.household_id)
        )
    }
    areas: dict[int, dict[str, int]] = {}
    for household_id, crop, area in session.execute(
        sa.select(Plot.household_id, Plot.crop, sum_whole(Plot.area_mu_100))
        .where(Plot.year == year, Plot.crop.in_(limits))
        .group_by(Plot.household_id, Plot.crop)
    ):
        areas.setdefault(household_id, {})[crop] = int(area)
    rows = session.execute(
        sa.select(
            Household.id, Household.code, Household.name, Household.pinyin, Household.initials,
            Region.name, Household.group_no,
        )
        .join(Region, Region.code == Household.region_code)
        .where(inside)
        .order_by(Household.pinyin, Household.id)
    )  # fmt: skip
    entries = tuple(
        Entry(
            code, name, pinyin, initials, short_name(village), group_no,
            bought.get(key, ZERO),
            brought.get(key, {}),
            {
                product_id: rules.plausible_g(areas.get(key, {}).get(crop, 0), most)
                for crop, (product_id, most) in limits.items()
                if most is not None
            },
        )
        for key, code, name, pinyin, initials, village, group_no in rows
    )  # fmt: skip
    return Book(entries, prices, purchase_cap(session, supplier_id, year))


def _prices_from(
    session: Session, supplier_id: int, day: date
) -> tuple[tuple[Product, PurchasePrice], ...]:
    """Also those that begin later: a phone may be without network over midnight."""
    return tuple(
        (product, price)
        for product, price in session.execute(
            sa.select(Product, PurchasePrice)
            .join(PurchasePrice, PurchasePrice.product_id == Product.id)
            .where(
                Product.supplier_id == supplier_id,
                Product.base_unit == BaseUnit.GRAM,
                sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= day),
            )
            .order_by(Product.position, Product.id, PurchasePrice.grade, PurchasePrice.valid_from)
        )
    )
