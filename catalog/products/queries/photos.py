"""Photos of products, and who may see which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import Product, ProductPhoto
from catalog.suppliers.models import Supplier
from kernel.errors import Missing, Text
from kernel.pictures import sizes


def gallery(photos: Sequence[ProductPhoto]) -> list[dict[str, Any]]:
    """Photos with their pictures as `Product.gallery` keeps them."""
    return [
        {
            "id": photo.id,
            "sizes": [list(each) for each in sizes(photo.picture.renditions)],
            "alt_zh": photo.alt_zh,
            "alt_en": photo.alt_en,
        }
        for photo in photos
    ]


def photo_of(
    session: Session, photo_id: int, *, organisation_id: int | None, everything: bool
) -> ProductPhoto:
    """A photo with its picture: one the shop shows, one's own, or any for the operator."""
    seen = sa.or_(ProductPhoto.position.is_not(None), Supplier.organisation_id == organisation_id)
    found = session.scalar(
        sa.select(ProductPhoto)
        .join(Product, Product.id == ProductPhoto.product_id)
        .join(Supplier, Supplier.id == Product.supplier_id)
        .where(ProductPhoto.id == photo_id, sa.true() if everything else seen)
        .options(joinedload(ProductPhoto.picture))
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def photos_by_id(session: Session, photo_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Photo → how a page shows it, as in `gallery`."""
    return {
        photo.id: gallery([photo])[0]
        for photo in session.scalars(
            sa.select(ProductPhoto)
            .where(ProductPhoto.id.in_(sorted(set(photo_ids))))
            .options(joinedload(ProductPhoto.picture))
        )
    }
