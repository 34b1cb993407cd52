"""What people type about prices: purchase prices, a pack's own, agreed lists, prices elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalog.products.forms.tiers import read_steps
from catalog.products.models import Audience, Grade, Pack, Product, ReferenceSource, Shelf
from catalog.products.operations import Agreed, Seen
from kernel.errors import Invalid, Text
from kernel.money import Price
from kernel.text import tidy
from kernel.web.forms import Fields

MOST_PASTED = 500


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


def read_pack_price(form: Mapping[str, str], pack: Pack) -> tuple[int, list[tuple[int, int]]]:
    """(value, steps) of a pack as `change_price` wants them; `pack` has its product."""
    fields = Fields(form)
    citizens = pack.shelf is Shelf.CITIZENS
    value = fields.money("price").fen if citizens else fields.price("price").per_unit
    steps = read_steps(fields, form, "steps", pack.shelf, pack.product.base_unit, pack.content)
    fields.done()
    return value, [(least, lower) for least, lower in steps]


@dataclass(frozen=True, slots=True)
class NewList:
    name: str
    agreement: str
    organisation_id: int | None
    audience: Audience | None
    valid_from: date
    valid_to: date
    prices: dict[int, Agreed]


def read_price_list(form: Mapping[str, str], packs: Sequence[Pack], *, today: date) -> NewList:
    """A list: for whom, for which days, and a price for each pack that has one."""
    fields = Fields(form)
    buyers = form.get("buyers", "")
    audience = next((each for each in Audience if each.value == buyers), None)
    organisation_id = int(buyers[4:]) if re.fullmatch(r"org:\d{1,18}", buyers, re.ASCII) else None
    if audience is None and organisation_id is None:
        fields.refuse("buyers", Text("Choose one organisation or one kind of unit."))
    prices = {}
    for pack in packs:
        if fields.has(f"price-{pack.id}"):
            steps = read_steps(
                fields, form, f"steps-{pack.id}", pack.shelf, pack.product.base_unit, pack.content
            )
            prices[pack.id] = Agreed(
                fields.price(f"price-{pack.id}"), [(least, value) for least, value in steps]
            )
    found = NewList(
        name=fields.text("name", most=60),
        agreement=fields.text("agreement", most=60, required=False),
        organisation_id=organisation_id,
        audience=audience,
        valid_from=fields.date("valid_from", least=today),
        valid_to=fields.date("valid_to"),
        prices=prices,
    )
    fields.done()
    return found


def read_reference(form: Mapping[str, str], *, today: date) -> Seen:
    """One price that was seen elsewhere."""
    fields = Fields(form)
    found = Seen(
        product_id=fields.key("product"),
        source=fields.choice("source", ReferenceSource),
        place=fields.text("place", most=60),
        unit_price=fields.price("price"),
        seen_on=fields.date("seen_on", most=today),
    )
    fields.done()
    return found


_SOURCES = {
    "wholesale": ReferenceSource.WHOLESALE,
    "批发": ReferenceSource.WHOLESALE,
    "supermarket": ReferenceSource.SUPERMARKET,
    "商超": ReferenceSource.SUPERMARKET,
    "超市": ReferenceSource.SUPERMARKET,
    "neighbours": ReferenceSource.NEIGHBOURS,
    "县内": ReferenceSource.NEIGHBOURS,
    "周边": ReferenceSource.NEIGHBOURS,
}


def read_pasted(text: str, products: Sequence[Product], *, today: date) -> list[Seen]:
    """Rows pasted from a sheet: product (code or name), source, place, yuan per kg, day. All or
    nothing; every row that cannot be read is named with its number."""
    by_name = {
        key.lower(): product.id
        for product in products
        for key in (product.code, product.name_zh, product.name_en)
    }
    rows = [row for row in text.replace("\r", "").split("\n") if row.strip()]
    errors: dict[str, Text] = {}
    if not rows or len(rows) > MOST_PASTED:
        raise Invalid({"pasted": Text("Paste between 1 and %(most)s rows.", most=MOST_PASTED)})
    found = []
    for number, row in enumerate(rows, 1):
        cells = [tidy(cell) for cell in re.split(r"\t|[,，]", row)]
        try:
            name, source, place, price, day = cells
            fields = Fields({"day": day, "price": price, "place": place})
            seen = Seen(
                by_name[name.lower()],
                next(kind for word, kind in _SOURCES.items() if source.lower().startswith(word)),
                fields.text("place", most=60),
                fields.price("price"),
                fields.date("day", most=today),
            )
            fields.done()
            found.append(seen)
        except (ValueError, KeyError, StopIteration, Invalid):
            sentence = Text("Row %(n)s cannot be read: %(row)s", n=number, row=row[:60])
            errors["pasted" if not errors else f"pasted-{number}"] = sentence
    if errors:
        raise Invalid(errors)
    return found
