"""What people type about a product: a draft, a version, photos, why it leaves the shop."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import FileStorage

from catalog.products.forms.tiers import read_steps
from catalog.products.models import Grade, OffReason, RejectReason, Shelf
from catalog.products.operations import MOST_PHOTOS
from catalog.products.rules.offering import OWN_REASONS, read_seasons
from catalog.products.rules.versions import FIELDS
from kernel.errors import Invalid, Text
from kernel.pictures import MOST_BYTES
from kernel.quantities import BaseUnit
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields

NEW_PACKS = 3


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
        "steps": read_steps(fields, form, f"{name}-steps", shelf, unit, content),
    }


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
