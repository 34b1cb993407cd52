"""The form of a purchase price → plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from catalog.products.models import Grade
from kernel.money import Price
from kernel.web.forms import Fields


@dataclass(frozen=True, slots=True)
class NewPrice:
    product_id: int
    grade: Grade
    price: Price
    valid_from: date
    resolution: str


def read_price(form: Mapping[str, str], *, today: date) -> NewPrice:
    """Never from a day that is gone: what was weighed then was weighed at the price of then."""
    fields = Fields(form)
    found = NewPrice(
        product_id=fields.key("product"),
        grade=fields.choice("grade", Grade),
        price=fields.price("price"),
        valid_from=fields.date("valid_from", least=today),
        resolution=fields.text("resolution", most=60),
    )
    fields.done()
    return found
