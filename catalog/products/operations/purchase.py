"""What households are paid is published with its resolution."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Grade, Product, PurchasePrice
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Text
from kernel.money import Price
from kernel.text import tidy


def publish_purchase_price(
    session: Session,
    product_id: int,
    *,
    grade: Grade,
    price: Price,
    valid_from: date,
    resolution: str,
    by: Actor,
    now: datetime,
) -> PurchasePrice:
    """What households are paid from that day, by resolution (domain.md §4.5).

    The price before it ends the day before. The same publication again changes nothing.
    """
    product = get_or_missing(session, Product, product_id, lock=True)
    _check_price(price, tidy(resolution))
    last = session.scalar(
        sa.select(PurchasePrice)
        .where(PurchasePrice.product_id == product.id, PurchasePrice.grade == grade)
        .order_by(PurchasePrice.valid_from.desc())
        .limit(1)
    )
    if last is not None:
        if (last.valid_from, last.price, last.resolution) == (valid_from, price, tidy(resolution)):
            return last
        if valid_from <= last.valid_from:
            raise Invalid(
                {
                    "valid_from": Text(
                        "A price from %(day)s is published already; choose a later day.",
                        day=last.valid_from,
                    )
                }
            )
        last.valid_to = valid_from - timedelta(days=1)
    published = PurchasePrice(
        product_id=product.id,
        grade=grade,
        price=price,
        valid_from=valid_from,
        resolution=tidy(resolution),
        **stamp(by, now),
    )
    session.add(published)
    session.flush()  # so that slips can point to the price's id
    audit.note(
        session,
        "publish_purchase_price",
        f"product:{product.id}",
        by=by,
        now=now,
        price=published.id,
    )
    return published


def _check_price(price: Price, resolution: str) -> None:
    errors = {}
    if price.per_unit <= 0:
        errors["price"] = Text("Enter a price above zero.")
    if not resolution:
        errors["resolution"] = Text("Enter the number of the resolution.")
    if errors:
        raise Invalid(errors)
