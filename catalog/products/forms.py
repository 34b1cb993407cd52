"""What people type about products and prices → plain values, all mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import FileStorage

from catalog.products.models import (
    Audience,
    Grade,
    OffReason,
    Pack,
    Product,
    ReferenceSource,
    RejectReason,
    Shelf,
)
from catalog.products.operations import MOST_PHOTOS, Agreed, Seen
from catalog.products.rules.offering import OWN_REASONS, read_seasons
from catalog.products.rules.versions import FIELDS
from kernel.errors import Invalid, Text
from kernel.money import Price, parse_money, parse_price
from kernel.pictures import MOST_BYTES
from kernel.quantities import BaseUnit, parse_quantity
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields

NEW_PACKS = 3
MOST_PASTED = 500
_STEP = re.compile(r"(.+?)(?:[:：=]|起)(.+)")


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


def read_new_product(form: Mapping[str, str]) -> dict[str, Any]:
    """The least a draft needs; everything else is written in its first version."""
    fields = Fields(form)
    name_en = fields.text("name_en", most=80)
    code = plain_number(fields.text("code", most=8)).upper()
    if code and not (code.isascii() and code.isalnum() and len(code) <= 8):
        fields.refuse("code", Text("A code has up to 8 letters and digits."))
    values = {
        "code": code,
        "slug": _slug(name_en, code),
        "name_zh": fields.text("name_zh", most=60),
        "name_en": name_en,
        "summary_zh": fields.text("summary_zh", most=200),
        "summary_en": fields.text("summary_en", most=300),
        "category_id": fields.key("category_id"),
        "base_unit": fields.choice("base_unit", BaseUnit),
        "shelf_life_days": fields.whole("shelf_life_days", least=1, most=3650),
        "fresh": fields.flag("fresh"),
        "needs_certificate": fields.flag("fresh"),
    }
    fields.done()
    return values


def _slug(name_en: str, code: str) -> str:
    """The address of a product: its English name, and its code so that no two are alike."""
    words = "-".join(re.findall(r"[a-z0-9]+", name_en.lower()))[:48].strip("-")
    return "-".join(each for each in (words, code.lower()) if each)


def read_version(
    form: Mapping[str, str], unit: BaseUnit, photos: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The fields of a version. Photos keep their order unless a place was typed."""
    fields = Fields(form)
    content: dict[str, Any] = {
        name: fields.text(name, most=most, required=False)
        for name, (_, most) in FIELDS.items()
        if most
    }
    content["category_id"] = fields.key("category_id")
    content["shelf_life_days"] = fields.whole("shelf_life_days", least=1, most=3650)
    for name in ("harvest", "stored"):
        spans = read_seasons(tidy(form.get(name, "")))
        if spans is None:
            fields.refuse(name, Text("Write each span as 10-15 – 12-25, at most four of them."))
        content[name] = spans or []
    for name in ("sold_from", "sold_to"):
        content[name] = fields.date(name).isoformat() if fields.has(name) else None
    content["photos"] = _photos(fields, form, photos)
    content["packs"] = [
        _pack(fields, form, f"p{number}", unit)
        for number in range(1, NEW_PACKS + 1)
        if any(fields.has(f"p{number}-{name}") for name in ("name_zh", "name_en", "price"))
    ]
    fields.done()
    return content


def _photos(
    fields: Fields, form: Mapping[str, str], photos: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    kept = []
    for number, photo in enumerate(photos, 1):
        key = photo["id"]
        if fields.flag(f"drop-{key}"):
            continue
        place = number
        if fields.has(f"place-{key}"):
            place = fields.whole(f"place-{key}", least=1, most=MOST_PHOTOS)
        said = {
            "id": key,
            "alt_zh": fields.text(f"alt_zh-{key}", most=80, required=False),
            "alt_en": fields.text(f"alt_en-{key}", most=120, required=False),
        }
        kept.append((place, number, said))
    return [said for _, _, said in sorted(kept, key=lambda each: each[:2])]


def _pack(fields: Fields, form: Mapping[str, str], name: str, unit: BaseUnit) -> dict[str, Any]:
    shelf = fields.choice(f"{name}-shelf", Shelf)
    citizens = shelf is Shelf.CITIZENS
    value = (
        fields.money(f"{name}-price").fen if citizens else fields.price(f"{name}-price").per_unit
    )
    content = fields.quantity(f"{name}-content", unit)
    return {
        "shelf": shelf.value,
        "grade": fields.choice(f"{name}-grade", Grade).value,
        "name_zh": fields.text(f"{name}-name_zh", most=40),
        "name_en": fields.text(f"{name}-name_en", most=60),
        "content": content,
        "value": value,
        "steps": _steps(fields, form, f"{name}-steps", shelf, unit, content),
    }


def _steps(
    fields: Fields,
    form: Mapping[str, str],
    name: str,
    shelf: Shelf,
    unit: BaseUnit,
    content: int,
) -> list[list[int]]:
    """`3: 30.00; 5: 28.00` → [[3 packs in base units, 3000], …]; canteens write quantities."""
    found = []
    for part in re.split(r"[;；\n]+", tidy(form.get(name, ""))):
        if not part.strip():
            continue
        match = _STEP.fullmatch(part.strip())
        try:
            if match is None:
                raise ValueError(part)  # noqa: TRY301
            least, price = plain_number(match[1]), plain_number(match[2])
            if shelf is Shelf.CITIZENS:
                found.append([int(least) * content, parse_money(price).fen])
            else:
                found.append([parse_quantity(least, unit), parse_price(price).per_unit])
        except ValueError:
            fields.refuse(name, Text("Write each tier as quantity: price, such as 100: 5.50."))
            return []
    return found


def read_pack_price(form: Mapping[str, str], pack: Pack) -> tuple[int, list[tuple[int, int]]]:
    """(value, steps) of a pack as `change_price` wants them; `pack` has its product."""
    fields = Fields(form)
    citizens = pack.shelf is Shelf.CITIZENS
    value = fields.money("price").fen if citizens else fields.price("price").per_unit
    steps = _steps(fields, form, "steps", pack.shelf, pack.product.base_unit, pack.content)
    fields.done()
    return value, [(least, lower) for least, lower in steps]


def written_steps(steps: Sequence[Any], pack: Pack | Mapping[str, Any], unit: BaseUnit) -> str:
    """Steps as the form field shows them."""
    shelf = pack["shelf"] if isinstance(pack, Mapping) else pack.shelf.value
    content = pack["content"] if isinstance(pack, Mapping) else pack.content
    if shelf == Shelf.CITIZENS.value:
        return "; ".join(
            f"{least // content}: {value // 100}.{value % 100:02}" for least, value in steps
        )
    return "; ".join(f"{_plain(least, unit)}: {Price(value).yuan}" for least, value in steps)


def _plain(quantity: int, unit: BaseUnit) -> str:
    if unit is BaseUnit.PIECE:
        return str(quantity)
    whole, rest = divmod(quantity, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".")


def read_pictures(files: Sequence[FileStorage]) -> list[tuple[bytes, str]]:
    """(bytes, name) of the chosen files; whether they are photographs the pipeline says."""
    chosen = [each for each in files if each.filename]
    if not chosen:
        raise Invalid({"photos": Text("Choose at least one photo.")})
    if len(chosen) > MOST_PHOTOS:
        raise Invalid({"photos": Text("A product has at most %(most)s photos.", most=MOST_PHOTOS)})
    return [(each.read(MOST_BYTES + 1), tidy(each.filename or "")[:200]) for each in chosen]


def read_off(form: Mapping[str, str], *, own: bool) -> tuple[OffReason, str]:
    """Why a product leaves the shop; a cooperative gives reasons of its own only."""
    fields = Fields(form)
    why = fields.choice("why", OffReason)
    if own and why.value not in OWN_REASONS:
        fields.refuse("why", Text("Please choose one."))
    reason = fields.text("reason", most=200)
    fields.done()
    return why, reason


def read_return(values: Mapping[str, str], chosen: Sequence[str]) -> tuple[list[RejectReason], str]:
    """The reasons that were ticked, and the remark."""
    fields = Fields(values)
    known = {each.value: each for each in RejectReason}
    remark = fields.text("remark", most=300)
    reasons = [known[each] for each in chosen if each in known]
    if not reasons:
        fields.refuse("reasons", Text("Choose at least one reason."))
    fields.done()
    return reasons, remark


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
            steps = _steps(
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
