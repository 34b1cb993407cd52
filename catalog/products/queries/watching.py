"""Our prices beside those elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.products.models import (
    Grade,
    Pack,
    PriceMeasure,
    Product,
    ProductState,
    ReferencePrice,
    Shelf,
)
from catalog.products.rules.pricing import CITIZEN, price_of
from catalog.products.rules.watching import FRESH, Comparison, Seen, compare
from catalog.suppliers.models import Supplier
from kernel.money import Price
from kernel.people import Organisation


@dataclass(frozen=True, slots=True)
class Watched:
    """One line of report 11: a pack's price and what the same costs elsewhere."""

    product: Product
    pack: Pack
    unit_price: Price
    comparison: Comparison
    measure: PriceMeasure | None


def watched_prices(
    session: Session,
    today: date,
    *,
    supplier_id: int | None = None,
    prefixes: Sequence[str] = ("",),
) -> list[Watched]:
    """Every pack on sale of these suppliers with its comparison; four queries whatever the number.

    `prefixes` are those of the region codes of the suppliers that may be seen.
    """
    chosen = (
        sa.select(Product)
        .join(Supplier, Supplier.id == Product.supplier_id)
        .join(Organisation, Organisation.id == Supplier.organisation_id)
        .where(
            Product.state == ProductState.ON_SALE,
            sa.or_(*(Organisation.region_code.startswith(each) for each in prefixes)),
        )
        .options(
            selectinload(Product.packs),
            joinedload(Product.supplier).joinedload(Supplier.organisation),
        )
        .order_by(Product.supplier_id, Product.position, Product.id)
    )
    if supplier_id is not None:
        chosen = chosen.where(Product.supplier_id == supplier_id)
    products = list(session.scalars(chosen))
    ids = [product.id for product in products]
    seen = newest_references(session, ids, today)
    measures = _measures(session, ids)
    found = []
    for product in products:
        for pack in product.packs:
            if pack.on_sale:
                ours = price_of(pack, pack.content, CITIZEN, today).unit_price
                # What is written down elsewhere is the usual, first grade.
                beside = () if pack.grade is Grade.SECOND else seen.get(product.id, ())
                comparison = compare(ours, beside, today)
                found.append(Watched(product, pack, ours, comparison, measures.get(product.id)))
    # What can be compared first, and of it what canteens pay: the regulation speaks of that price.
    return sorted(
        found,
        key=lambda each: (
            each.comparison.deviation is None,
            each.pack.shelf is not Shelf.CANTEENS,
        ),
    )


def newest_references(
    session: Session, product_ids: Sequence[int], today: date
) -> dict[int, list[Seen]]:
    """Product → the newest fresh price of every source and place."""
    newest: dict[tuple[int, str, str], Seen] = {}
    for row in session.scalars(
        sa.select(ReferencePrice)
        .where(
            ReferencePrice.product_id.in_(product_ids),
            ReferencePrice.seen_on >= today - FRESH,
            ReferencePrice.seen_on <= today,
        )
        .order_by(ReferencePrice.seen_on, ReferencePrice.id)
    ):
        key = (row.product_id, row.source.value, row.place)
        newest[key] = Seen(row.source.value, row.place, row.unit_price, row.seen_on)
    found: dict[int, list[Seen]] = {}
    for (product_id, _, _), each in newest.items():
        found.setdefault(product_id, []).append(each)
    return found


def _measures(session: Session, product_ids: Sequence[int]) -> dict[int, PriceMeasure]:
    rows = session.scalars(
        sa.select(PriceMeasure)
        .where(PriceMeasure.product_id.in_(product_ids))
        .order_by(PriceMeasure.id)
    )
    return {row.product_id: row for row in rows}


def references_of(
    session: Session, product_ids: Sequence[int], *, limit: int = 100
) -> list[ReferencePrice]:
    """All prices that were entered for these products, newest first."""
    return list(
        session.scalars(
            sa.select(ReferencePrice)
            .where(ReferencePrice.product_id.in_(product_ids))
            .order_by(ReferencePrice.seen_on.desc(), ReferencePrice.id.desc())
            .limit(limit)
        )
    )
