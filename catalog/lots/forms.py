"""The weigh-in form, and what a phone's queue sends → plain values."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError
from werkzeug.datastructures import FileStorage

from catalog.lots.models import Confirmation
from catalog.lots.operations import Brought
from catalog.products.models import Grade
from kernel.errors import Invalid, Text
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.text import tidy
from kernel.web.forms import Fields

MOST_G = 100_000_000
MOST_PHOTO_BYTES = 10 * 1024 * 1024
PHOTO_SIDE = 1600

# How a household can say yes at the scale. A code by text message needs a gateway, and there is
# none: the choice is not offered and not taken.
WAYS = (
    Confirmation.SIGNATURE,
    Confirmation.CARD_CODE,
    Confirmation.FINGERPRINT,
    Confirmation.PROXY,
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the weigher entered. `confirmation` is None when the household confirms later."""

    product_id: int
    grade: Grade
    gross_g: int
    tare_g: int
    deduction_bp: int
    confirmation: Confirmation | None
    confirmed_by: str
    signature: str | None
    card_code: str
    asked_price: Price | None
    reason: str


def read_weighed(form: Mapping[str, str]) -> Weighed:
    fields = Fields(form)
    product_id, grade = _goods(fields, form.get("goods", ""))
    gross_g = fields.quantity("gross", BaseUnit.GRAM, most=MOST_G)
    tare_g = (
        fields.quantity("tare", BaseUnit.GRAM, least=0, most=MOST_G) if fields.has("tare") else 0
    )
    deduction_bp = fields.percent("deduction", most_bp=9_999) if fields.has("deduction") else 0
    if not fields.errors and tare_g >= gross_g:
        fields.refuse("tare", Text("The tare must be less than the gross weight."))
    confirmation = None
    if form.get("confirmation") != "later":
        confirmation = read_way(fields)
    by_proxy = confirmation is Confirmation.PROXY
    confirmed_by = fields.text("confirmed_by", most=60, required=by_proxy)
    asked_price = fields.price("asked_price") if fields.has("asked_price") else None
    reason = fields.text("reason", most=200, required=asked_price is not None)
    fields.done()
    return Weighed(
        product_id=product_id,
        grade=grade,
        gross_g=gross_g,
        tare_g=tare_g,
        deduction_bp=deduction_bp,
        confirmation=confirmation,
        confirmed_by=confirmed_by,
        signature=form.get("signature") or None,
        card_code=form.get("card_code", ""),
        asked_price=asked_price,
        reason=reason,
    )


def read_way(fields: Fields) -> Confirmation:
    """One of the ways that are offered."""
    way = fields.choice("confirmation", Confirmation)
    if way not in WAYS:
        fields.refuse("confirmation", Text("Please choose one."))
    return way


def read_photo(file: FileStorage | None) -> bytes | None:
    """A picture of the scale as a JPEG of at most 1600 pixels, without what the camera wrote
    into it (place, time, device); None when none was chosen."""
    if file is None or not file.filename:
        return None
    content = file.read(MOST_PHOTO_BYTES + 1)
    if len(content) > MOST_PHOTO_BYTES:
        raise Invalid({"photo": Text("A photo has at most 10 MB.")})
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid({"photo": Text("A photo is a JPEG, PNG or WebP picture.")}) from error
    upright.thumbnail((PHOTO_SIDE, PHOTO_SIDE))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEVICE = re.compile(r"[A-Za-z0-9-]{4,40}")
_NUMBER = re.compile(r"[0-9]{1,12}")


def read_brought(text: str) -> Brought:
    """One slip of a phone's queue. Programs of ours wrote it, so what is no slip at all is refused
    as a whole; Invalid never names a field that nobody sees."""
    try:
        found = json.loads(text)
        return _brought(found)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise Invalid({"slip": Text("This is not a weigh slip as our page writes it.")}) from error


def _brought(found: dict[str, Any]) -> Brought:
    way = found["confirmation"]
    confirmation = Confirmation(way) if way else None
    if confirmation is not None and confirmation not in WAYS:
        raise ValueError(way)
    device, number = _text(found, "device", 40), str(found["device_seq"])
    if not _DEVICE.fullmatch(device) or not _NUMBER.fullmatch(number):
        raise ValueError(device)
    signature = found["signature"]
    return Brought(
        device=device,
        device_seq=number,
        weigher_id=_whole(found, "weigher_id"),
        weighed_at=EPOCH + timedelta(milliseconds=_whole(found, "weighed_at")),
        household=_text(found, "household", 20).upper(),
        product_id=_whole(found, "product_id"),
        grade=Grade(found["grade"]),
        gross_g=_whole(found, "gross_g", MOST_G),
        tare_g=_whole(found, "tare_g", MOST_G),
        deduction_bp=_whole(found, "deduction_bp", 9_999),
        price=Price(_whole(found, "price")),
        amount=Money(_whole(found, "amount")),
        reason=_text(found, "reason", 200),
        confirmation=confirmation,
        confirmed_by=_text(found, "confirmed_by", 60),
        signature=str(signature)[:8000] if signature else None,
        card_code=_text(found, "card_code", 12),
    )


def _whole(found: dict[str, Any], name: str, most: int = 10**15) -> int:
    value = found[name]
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(name)
    return value


def _text(found: dict[str, Any], name: str, most: int) -> str:
    value = found[name]
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        raise ValueError(name)
    return tidy(value)


def _goods(fields: Fields, chosen: str) -> tuple[int, Grade]:
    """`12:first` → the product and its grade."""
    key, _, grade = chosen.partition(":")
    known = {each.value for each in Grade}
    if not (key.isascii() and key.isdigit() and len(key) < 19 and grade in known):
        fields.refuse("goods", Text("Please choose what was brought."))
        return 0, Grade.MIXED
    return int(key), Grade(grade)
