"""The weigh-in form, what a phone's queue sends, and the forms of the store → plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from catalog.lots.models import Confirmation, StepKind
from catalog.lots.operations import Brought, Sorted
from catalog.products.models import Grade, Product
from kernel.errors import Invalid, Text
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.text import tidy
from kernel.web.forms import Fields

MOST_G = 100_000_000

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


@dataclass(frozen=True, slots=True)
class Processed:
    """What the storekeeper entered. Without `best_before` the output keeps as long as usual."""

    inputs: dict[int, int]
    output_product_id: int
    grade: Grade
    quantity: int
    kind: StepKind
    on: date
    best_before: date | None
    reason: str


def read_processing(
    form: Mapping[str, str], products: Mapping[int, Product], *, today: date, repack: bool = False
) -> Processed:
    """`in-12`: so much of lot 12. A repacking has inputs only; its output follows from them."""
    fields = Fields(form)
    source = products.get(fields.key("source"))
    unit = source.base_unit if source else BaseUnit.GRAM
    inputs = {
        int(name[3:]): fields.quantity(name, unit)
        for name in form
        if name.startswith("in-") and name[3:].isdecimal() and fields.has(name)
    }
    if not inputs:
        fields.refuse("inputs", Text("Say how much of which lot is used."))
    if repack:
        fields.done()
        return Processed(inputs, 0, Grade.MIXED, 0, StepKind.REPACK, today, None, "")
    output = products.get(fields.key("output"))
    if output is None:
        fields.refuse("output", Text("Please choose one."))
    quantity = fields.quantity("quantity", output.base_unit if output else BaseUnit.GRAM)
    on = fields.date("on", most=today)
    found = Processed(
        inputs=inputs,
        output_product_id=output.id if output else 0,
        grade=fields.choice("grade", Grade),
        quantity=quantity,
        kind=fields.choice("kind", StepKind),
        on=on,
        best_before=fields.date("best_before", least=on) if fields.has("best_before") else None,
        reason=fields.text("reason", most=200, required=False),
    )
    fields.done()
    return found


@dataclass(frozen=True, slots=True)
class Graded:
    """What came out of a sorting, in base units."""

    put_in: int
    outputs: tuple[Sorted, ...]
    waste: int
    on: date
    reason: str


def read_sorting(form: Mapping[str, str], unit: BaseUnit, *, today: date) -> Graded:
    """`out-first`: so much of the first grade. An empty field is a grade that did not come out."""
    fields = Fields(form)
    put_in = fields.quantity("put_in", unit)
    outputs = tuple(
        Sorted(grade, fields.quantity(f"out-{grade.value}", unit))
        for grade in Grade
        if fields.has(f"out-{grade.value}")
    )
    if not outputs:
        fields.refuse(f"out-{Grade.FIRST.value}", Text("Say how much came out."))
    found = Graded(
        put_in=put_in,
        outputs=outputs,
        waste=fields.quantity("waste", unit, least=0) if fields.has("waste") else 0,
        on=fields.date("on", most=today),
        reason=fields.text("reason", most=200, required=False),
    )
    fields.done()
    return found
