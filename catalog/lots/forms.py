"""The weigh-in form and the forms of the store → plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from catalog.lots.models import Confirmation, StepKind
from catalog.products.models import Grade, Product
from kernel.errors import Text
from kernel.quantities import BaseUnit
from kernel.web.forms import Fields

MOST_G = 100_000_000


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
        confirmation = fields.choice("confirmation", Confirmation)
    by_proxy = confirmation is Confirmation.PROXY
    confirmed_by = fields.text("confirmed_by", most=60, required=by_proxy)
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
    )


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
