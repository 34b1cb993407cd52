"""The page of one product: its packs, the lots on sale, the road of the next one, its villages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Contribution, Lot, LotEvent
from catalog.lots.queries.stock import FREE, sellable
from catalog.lots.queries.villages import SEASON, VillageCount, counted_by_village, origins
from catalog.lots.rules import citizens_until
from catalog.products import rules
from catalog.products.models import Grade, Pack, Product, ProductState, Shelf
from catalog.products.rules.pricing import CITIZEN, price_of
from catalog.suppliers.models import Supplier
from kernel.errors import Missing, Text
from kernel.money import Money, Price

# What was ever sold keeps its page: the codes on its bags lead there.
SEEN = (ProductState.ON_SALE, ProductState.OFF_SALE, ProductState.ENDED)


@dataclass(frozen=True, slots=True)
class Tier:
    """What a pack costs from so many of them on (阶梯价)."""

    count: int
    price: Money
    unit_price: Price


@dataclass(frozen=True, slots=True)
class PackOffer:
    """A pack and how many of it could be bought now."""

    pack: Pack
    free: int
    unit_price: Price
    tiers: tuple[Tier, ...] = ()

    @property
    def count(self) -> int:
        return self.free // self.pack.content


@dataclass(frozen=True, slots=True)
class LotOffer:
    """A lot that is on sale."""

    id: int
    code: str
    trace_key: str
    grade: Grade
    harvested_on: date
    best_before: date
    certificate_no: str
    free: int


@dataclass(frozen=True, slots=True)
class ProductSheet:
    """One product with everything its page shows. `product` has category and supplier loaded."""

    product: Product
    packs: tuple[PackOffer, ...]
    lots: tuple[LotOffer, ...]
    events: tuple[LotEvent, ...]
    villages: tuple[VillageCount, ...]
    households: str
    in_harvest: bool
    in_season: bool
    on_sale: bool

    @property
    def current_lot(self) -> LotOffer | None:
        """The lot that the next order takes from."""
        return self.lots[0] if self.lots else None


def product_sheet(session: Session, slug: str, today: date) -> ProductSheet:
    """A product that is or was on sale, or Missing. Three queries."""
    product = session.scalars(_product(), {"slug": slug}).unique().one_or_none()
    if product is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    lots, events = _offers(session, product.id, today)
    free: dict[Grade, int] = {}
    for lot in lots:
        free[lot.grade] = free.get(lot.grade, 0) + lot.free
    season = {"product_id": product.id, "since": today - SEASON}
    places = origins(session, _villages(), season)
    return ProductSheet(
        product=product,
        packs=tuple(
            offer_of(pack, free.get(pack.grade, 0), today)
            for pack in product.packs
            if pack.on_sale and pack.shelf is Shelf.CITIZENS
        ),
        lots=tuple(lots),
        events=events,
        villages=places.villages,
        households=places.shown,
        in_harvest=rules.in_season(product.harvest, today),
        in_season=rules.in_season([*product.harvest, *product.stored], today),
        on_sale=product.offered_on(today),
    )


def offer_of(pack: Pack, free: int, today: date) -> PackOffer:
    """A citizens' pack with its price and tiers, as the one price rule gives them."""
    one = price_of(pack, pack.content, CITIZEN, today)
    tiers = []
    for least, _ in one.steps:
        quote = price_of(pack, least, CITIZEN, today)
        assert quote.price is not None
        tiers.append(Tier(least // pack.content, quote.price, quote.unit_price))
    return PackOffer(pack, free, one.unit_price, tuple(tiers))


def preview_sheet(
    session: Session, product: Any, packs: Sequence[Any], today: date
) -> ProductSheet:
    """The page of a product as a version proposes it, with the lots and villages it has now."""
    lots, events = _offers(session, product.id, today)
    free: dict[Grade, int] = {}
    for lot in lots:
        free[lot.grade] = free.get(lot.grade, 0) + lot.free
    season = {"product_id": product.id, "since": today - SEASON}
    places = origins(session, _villages(), season)
    return ProductSheet(
        product=product,
        packs=tuple(
            offer_of(pack, free.get(pack.grade, 0), today)
            for pack in packs
            if pack.shelf is Shelf.CITIZENS
        ),
        lots=tuple(lots),
        events=events,
        villages=places.villages,
        households=places.shown,
        in_harvest=rules.in_season(product.harvest, today),
        in_season=rules.in_season([*product.harvest, *product.stored], today),
        on_sale=True,
    )


# Each statement is built once: building one costs more than asking it.


@cache
def _product() -> sa.Select[Product]:
    return (
        sa.select(Product)
        .options(
            joinedload(Product.packs),
            joinedload(Product.category),
            joinedload(Product.supplier).joinedload(Supplier.organisation),
        )
        .where(
            Product.slug == sa.bindparam("slug"),
            Product.state.in_(SEEN),
        )
    )


@cache
def _villages() -> sa.Select[str, str, int]:
    return counted_by_village(
        sa.and_(
            Lot.product_id == sa.bindparam("product_id"),
            Lot.harvested_on >= sa.bindparam("since", type_=sa.Date()),
        )
    )


def _offers(
    session: Session, product_id: int, today: date
) -> tuple[list[LotOffer], tuple[LotEvent, ...]]:
    """The lots on sale, the next to be taken first, and what happened to that first one."""
    rows = session.execute(
        _lots(), {"product_id": product_id, "today": today, "until": citizens_until(today)}
    ).all()
    offers = {row.id: LotOffer(*row[:8]) for row in rows}
    return list(offers.values()), tuple(row.LotEvent for row in rows if row.LotEvent is not None)


@cache
def _lots() -> sa.Select[*tuple[Any, ...]]:
    today = sa.bindparam("today", type_=sa.Date())
    until = sa.bindparam("until", type_=sa.Date())
    lots = (
        sa.select(
            Lot.id,
            Lot.code,
            Lot.trace_key,
            Lot.grade,
            Lot.harvested_on,
            Lot.best_before,
            Lot.certificate_no,
            sa.cast(sa.func.sum(FREE), sa.BigInteger).label("free"),
            sa.func.row_number().over(order_by=(Lot.best_before, Lot.id)).label("place"),
        )
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(Lot.product_id == sa.bindparam("product_id"), sellable(today, until))
        .group_by(Lot.id)
        .having(sa.func.sum(FREE) > 0)
        .subquery()
    )
    return (
        sa.select(*lots.c, LotEvent)
        .outerjoin(LotEvent, sa.and_(LotEvent.lot_id == lots.c.id, lots.c.place == 1))
        .order_by(lots.c.place, LotEvent.on, LotEvent.id)
    )
