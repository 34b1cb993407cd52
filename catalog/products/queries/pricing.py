"""Agreed prices, and the history of a pack's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.products.models import ListPrice, Pack, PackPrice, PriceList, Product, Shelf
from catalog.products.rules.pricing import Buyer, Listed, Quote, ladder, price_of
from kernel.errors import Missing, Text
from kernel.people import Organisation, OrganisationKind


def listed_for(
    session: Session, pack_ids: Collection[int], buyer: Buyer, day: date
) -> dict[int, list[Listed]]:
    """Pack → its agreed prices that may hold for this buyer that day; one query."""
    if buyer.organisation_id is None and not buyer.audiences:
        return {}
    theirs = sa.or_(
        PriceList.organisation_id == buyer.organisation_id,
        PriceList.audience.in_(buyer.audiences),
    )
    found: dict[int, list[Listed]] = {}
    for price, of in session.execute(
        sa.select(ListPrice, PriceList)
        .join(PriceList, PriceList.id == ListPrice.price_list_id)
        .where(
            ListPrice.pack_id.in_(sorted(set(pack_ids))),
            theirs,
            PriceList.valid_from <= day,
            PriceList.valid_to >= day,
        )
        .order_by(ListPrice.id)
    ):
        found.setdefault(price.pack_id, []).append(_listed(price, of))
    return found


def _listed(price: ListPrice, of: PriceList) -> Listed:
    return Listed(
        list_id=of.id,
        organisation_id=of.organisation_id,
        audience=of.audience.value if of.audience else None,
        valid_from=of.valid_from,
        valid_to=of.valid_to,
        unit_price=price.unit_price,
        steps=ladder(price.steps),
    )


@dataclass(frozen=True, slots=True)
class Pricing:
    """Every price one buyer may ask for on one day; read once, asked for any quantity."""

    buyer: Buyer
    day: date
    listed: Mapping[int, list[Listed]]

    @classmethod
    def of(cls, session: Session, pack_ids: Collection[int], buyer: Buyer, day: date) -> Pricing:
        return cls(buyer, day, listed_for(session, pack_ids, buyer, day))

    def quote(self, pack: Pack, quantity: int, *, part: int | None = None) -> Quote:
        """What so many base units cost this buyer; `pack` has its product. `part`: only so many of
        them are paid here, at the price of the whole."""
        found = price_of(pack, quantity, self.buyer, self.day, self.listed.get(pack.id, ()))
        return found if part is None or part == quantity else found.of_part(pack, part)


def price_lists_of(session: Session, supplier_id: int) -> list[PriceList]:
    """All lists of a supplier with their prices, newest first."""
    return list(
        session.scalars(
            sa.select(PriceList)
            .where(PriceList.supplier_id == supplier_id)
            .options(
                joinedload(PriceList.organisation),
                selectinload(PriceList.prices).joinedload(ListPrice.pack).joinedload(Pack.product),
            )
            .order_by(PriceList.valid_to.desc(), PriceList.id.desc())
        )
    )


def price_list_of(session: Session, supplier_id: int, list_id: int) -> PriceList:
    found = session.scalar(
        sa.select(PriceList).where(PriceList.id == list_id, PriceList.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def spans_for_same_buyers(
    session: Session, supplier_id: int, *, organisation_id: int | None, audience: object
) -> list[tuple[date, date]]:
    """Days of this supplier's lists for the same organisation or kind of unit."""
    same = (
        PriceList.organisation_id == organisation_id
        if organisation_id is not None
        else PriceList.audience == audience
    )
    return [
        (begin, end)
        for begin, end in session.execute(
            sa.select(PriceList.valid_from, PriceList.valid_to).where(
                PriceList.supplier_id == supplier_id, same
            )
        )
    ]


def pack_of(session: Session, supplier_id: int, pack_id: int) -> Pack:
    """This supplier's pack with its product, or Missing."""
    found = session.scalar(
        sa.select(Pack)
        .join(Product)
        .where(Pack.id == pack_id, Product.supplier_id == supplier_id)
        .options(joinedload(Pack.product))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def canteen_packs_of(session: Session, supplier_id: int) -> list[Pack]:
    """Packs that units can order, with their products, in the order of the shelf."""
    return list(
        session.scalars(
            sa.select(Pack)
            .join(Product)
            .where(Product.supplier_id == supplier_id, Pack.shelf == Shelf.CANTEENS, Pack.on_sale)
            .options(joinedload(Pack.product))
            .order_by(Product.position, Product.id, Pack.position, Pack.id)
        )
    )


def buying_organisations(session: Session) -> list[Organisation]:
    """Bodies a price can be agreed with, by name."""
    return list(
        session.scalars(
            sa.select(Organisation)
            .where(Organisation.kind == OrganisationKind.UNIT)
            .order_by(Organisation.name, Organisation.id)
            .limit(2000)
        )
    )


def pack_history(session: Session, product_id: int) -> list[PackPrice]:
    """Changes of the prices of a product's packs, newest first."""
    return list(
        session.scalars(
            sa.select(PackPrice)
            .join(Pack, Pack.id == PackPrice.pack_id)
            .where(Pack.product_id == product_id)
            .order_by(PackPrice.id.desc())
            .limit(100)
        )
    )


def lowest_lately(session: Session, pack: Pack, day: date, days: int) -> int:
    """The lowest price the pack had during so many days, in its own whole units: fen for a
    citizens' pack, hundredths of a fen for a canteens'."""
    now = pack.price.fen if pack.price else pack.unit_price.per_unit if pack.unit_price else 0
    before = [
        (price.fen if price else 0) or (each.per_unit if each else 0)
        for price, each in session.execute(
            sa.select(PackPrice.price_was, PackPrice.unit_price_was).where(
                PackPrice.pack_id == pack.id, PackPrice.since > day - timedelta(days=days)
            )
        )
    ]
    return min([now, *(each for each in before if each)])
