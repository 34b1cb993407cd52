"""What must always be true of products and their prices."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import (
    ListPrice,
    MandatedProduct,
    Pack,
    PackPrice,
    PriceList,
    Product,
    ProductPhoto,
    Shelf,
)
from catalog.products.queries import gallery
from catalog.products.rules.pricing import ladder, step_problem
from catalog.suppliers.models import Mandate
from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text


def _lists_are_apart(session: Session) -> Iterator[Difference]:
    by_buyers: dict[tuple[object, ...], list[PriceList]] = {}
    for each in session.scalars(sa.select(PriceList).order_by(PriceList.valid_from, PriceList.id)):
        key = (each.supplier_id, each.organisation_id, each.audience)
        by_buyers.setdefault(key, []).append(each)
    for lists in by_buyers.values():
        for one, next_ in pairwise(lists):
            if next_.valid_from <= one.valid_to:
                yield Difference(
                    f"price_list:{next_.id}",
                    Text("begins before list %(other)s for the same buyers ends", other=one.id),
                )


def _ladders_fall(session: Session) -> Iterator[Difference]:
    for pack in session.scalars(sa.select(Pack).order_by(Pack.id)):
        base = pack.price.fen if pack.price else pack.unit_price.per_unit if pack.unit_price else 0
        if problem := step_problem(base, ladder(pack.steps), pack.content):
            yield Difference(f"pack:{pack.id}", problem)
    for row in session.scalars(
        sa.select(ListPrice).options(joinedload(ListPrice.pack)).order_by(ListPrice.id)
    ):
        base = row.unit_price.per_unit
        if row.pack.shelf is not Shelf.CANTEENS:
            yield Difference(f"list_price:{row.id}", Text("agrees a price of a citizens' pack"))
        elif problem := step_problem(base, ladder(row.steps), row.pack.content):
            yield Difference(f"list_price:{row.id}", problem)


def _prices_are_their_history(session: Session) -> Iterator[Difference]:
    newest = sa.select(sa.func.max(PackPrice.id)).group_by(PackPrice.pack_id)
    for pack, told in session.execute(
        sa.select(Pack, PackPrice)
        .join(PackPrice, PackPrice.pack_id == Pack.id)
        .where(PackPrice.id.in_(newest))
        .order_by(Pack.id)
    ):
        if (pack.price, pack.unit_price, pack.steps) != (told.price, told.unit_price, told.steps):
            yield Difference(
                f"pack:{pack.id}", Text("costs something else than its last change says")
            )


def _galleries_are_the_photos(session: Session) -> Iterator[Difference]:
    shown: dict[int, list[ProductPhoto]] = {}
    for photo in session.scalars(
        sa.select(ProductPhoto)
        .where(ProductPhoto.position.is_not(None))
        .options(joinedload(ProductPhoto.picture))
        .order_by(ProductPhoto.product_id, ProductPhoto.position)
    ):
        shown.setdefault(photo.product_id, []).append(photo)
    for product_id, said in session.execute(
        sa.select(Product.id, Product.gallery).order_by(Product.id)
    ):
        if said != gallery(shown.get(product_id, [])):
            yield Difference(
                f"product:{product_id}", Text("the shop shows other photos than were admitted")
            )


def _mandates(session: Session) -> Iterator[Difference]:
    """Goods are named by a mandate only as long as their supplier is the one it was given to.

    That goods leave the shelf when their mandate ends is the schedule's work of the next night, so
    what is on sale today is not looked at here.
    """
    for row in session.scalars(
        sa.select(MandatedProduct)
        .join(MandatedProduct.product)
        .join(MandatedProduct.mandate)
        .where(Product.supplier_id != Mandate.agent_id)
        .order_by(MandatedProduct.id)
    ):
        yield Difference(
            f"mandated_product:{row.id}", Text("belongs to another supplier than its mandate")
        )


CHECKS: list[Check] = [
    Check(
        "products.lists",
        Text("Agreed prices for the same buyers never overlap"),
        _lists_are_apart,
        rows_of(PriceList),
    ),
    Check(
        "products.tiers",
        Text("Whoever takes more never pays more for each"),
        _ladders_fall,
        rows_of(Pack, ListPrice),
    ),
    Check(
        "products.prices",
        Text("A pack costs what its last change of price says"),
        _prices_are_their_history,
        rows_of(PackPrice),
    ),
    Check(
        "products.photos",
        Text("The shop shows the photos that were admitted"),
        _galleries_are_the_photos,
        rows_of(ProductPhoto),
    ),
    Check(
        "products.mandates",
        Text("A mandate names goods of the supplier it was given to"),
        _mandates,
        rows_of(MandatedProduct),
    ),
]
