"""The weigh-in form → plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.lots.models import Confirmation
from catalog.products.models import Grade
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
