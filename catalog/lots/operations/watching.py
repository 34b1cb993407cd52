"""How much of a product there should always be."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.lots.models.papers import StockLevel
from catalog.products.queries import product_of
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Text


def set_stock_level(
    session: Session, supplier_id: int, product_id: int, least: int, *, by: Actor, now: datetime
) -> StockLevel:
    """Below `least` base units that nobody has spoken for, the product runs low; 0: not watched."""
    product = product_of(session, supplier_id, product_id)
    if least < 0:
        raise Invalid({"least": Text("Enter a weight in kilograms, such as 12.5.")})
    level = StockLevel(product_id=product.id, least=least, **stamp(by, now))
    session.add(level)
    session.flush()
    audit.note(session, "set_stock_level", f"product:{product.id}", by=by, now=now, least=least)
    return level
