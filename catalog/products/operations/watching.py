"""Prices seen elsewhere are written down, and what was done about a price that stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import PriceMeasure, Product, ReferencePrice, ReferenceSource
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Text
from kernel.money import Price
from kernel.periods import business_day
from kernel.text import tidy


@dataclass(frozen=True, slots=True)
class Seen:
    """One price somewhere else, per kg or piece."""

    product_id: int
    source: ReferenceSource
    place: str
    unit_price: Price
    seen_on: date


def record_references(
    session: Session, seen: Sequence[Seen], *, by: Actor, now: datetime
) -> list[ReferencePrice]:
    """All of them or none. What is known already, to the price and the day, is not written twice;
    only new rows are returned."""
    today = business_day(now)
    for each in seen:
        if each.unit_price.per_unit <= 0:
            raise Invalid({"price": Text("Enter a price above zero.")})
        if each.seen_on > today:
            raise Invalid({"seen_on": Text("Choose %(day)s or earlier.", day=today)})
        if not tidy(each.place):
            raise Invalid({"place": Text("Please fill this in.")})
        get_or_missing(session, Product, each.product_id)
    known = {
        (row.product_id, row.source, row.place, row.unit_price, row.seen_on)
        for row in session.scalars(
            sa.select(ReferencePrice).where(
                ReferencePrice.product_id.in_({each.product_id for each in seen}),
                ReferencePrice.seen_on.in_({each.seen_on for each in seen}),
            )
        )
    }
    made = []
    for each in seen:
        key = (each.product_id, each.source, tidy(each.place)[:60], each.unit_price, each.seen_on)
        if key in known:
            continue
        known.add(key)
        made.append(
            ReferencePrice(
                product_id=each.product_id,
                source=each.source,
                place=key[2],
                unit_price=each.unit_price,
                seen_on=each.seen_on,
                **stamp(by, now),
            )
        )
    session.add_all(made)
    session.flush()
    audit.note(session, "record_references", "reference_prices", by=by, now=now, n=len(made))
    return made


def note_measure(
    session: Session, product_id: int, *, text: str, by: Actor, now: datetime
) -> PriceMeasure:
    """处理: what was done about a product's price; the newest is shown."""
    product = get_or_missing(session, Product, product_id)
    if not tidy(text):
        raise Invalid({"measure": Text("Please fill this in.")})
    made = PriceMeasure(product_id=product.id, text=tidy(text)[:200], **stamp(by, now))
    session.add(made)
    session.flush()
    audit.note(session, "note_measure", f"product:{product.id}", by=by, now=now)
    return made
