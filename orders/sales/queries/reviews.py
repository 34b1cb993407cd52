"""Letters of buyers: of one line, with a photo, and as lists of the desks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Product
from kernel.errors import Missing, Text
from kernel.pictures import Picture
from orders.sales.models import Review


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter with the product it is about."""

    review: Review
    product: Product


def letters(
    session: Session,
    *,
    supplier_id: int | None = None,
    unanswered: bool = False,
    offset: int = 0,
    limit: int = 30,
) -> list[Letter]:
    """Letters about products, the newest first: of this supplier, or of all for the operator."""
    chosen = sa.select(Review, Product).join(Product, Product.id == Review.product_id)
    if supplier_id is not None:
        chosen = chosen.where(Product.supplier_id == supplier_id)
    if unanswered:
        chosen = chosen.where(Review.reply == "", Review.covered == "", Review.text != "")
    rows = session.execute(
        chosen.order_by(Review.made_at.desc(), Review.id.desc()).offset(offset).limit(limit)
    )
    return [Letter(review, product) for review, product in rows]


def review_of_line(session: Session, line_id: int) -> Review | None:
    return session.scalar(sa.select(Review).where(Review.subject == f"line:{line_id}"))


def reviewed_lines(session: Session, line_ids: Sequence[int]) -> set[int]:
    """Those of these lines about which their buyer wrote."""
    found = session.scalars(
        sa.select(Review.line_id).where(Review.line_id.in_(sorted(set(line_ids))))
    )
    return {each for each in found if each is not None}


def photo_of_review(session: Session, review_id: int, picture_id: int) -> tuple[Review, Picture]:
    """A photo of this very letter, or Missing."""
    row = session.execute(
        sa.select(Review, Picture)
        .join(Picture, Picture.id == picture_id)
        .where(Review.id == review_id)
    ).first()
    if row is None or picture_id not in {each["id"] for each in row[0].photos}:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return row[0], row[1]
