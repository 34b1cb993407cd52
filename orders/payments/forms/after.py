"""What people fill in after buying: claims, parcels, answers, invoices → plain values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from kernel.codes import uscc_problem
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.text import plain_number
from kernel.web.forms import Fields
from orders.payments.models import RefundKind
from orders.payments.rules.claims import BUYERS_KINDS
from orders.payments.rules.invoices import file_type, number_problem


@dataclass(frozen=True, slots=True)
class Claim:
    kind: RefundKind
    packs: dict[int, int]
    reason: str


def read_claim(form: Mapping[str, str], packs_left: Mapping[int, int]) -> Claim:
    """What a buyer asks money back for: packs of each line, never more than are left."""
    fields = Fields(form)
    kind = fields.choice("kind", RefundKind)
    if kind.value not in BUYERS_KINDS:
        fields.refuse("kind", Text("Please choose one."))
    packs = _packs(fields, packs_left)
    reason = fields.text("reason", most=200, required=False)
    fields.done()
    return Claim(kind, packs, reason)


def read_packs(form: Mapping[str, str], packs_left: Mapping[int, int]) -> dict[int, int]:
    """Line → packs, never more than are left, and at least one."""
    fields = Fields(form)
    packs = _packs(fields, packs_left)
    fields.done()
    return packs


def _packs(fields: Fields, packs_left: Mapping[int, int]) -> dict[int, int]:
    packs = {}
    for line_id, left in packs_left.items():
        name = f"line-{line_id}"
        if fields.has(name):
            packs[line_id] = fields.whole(name, most=left)
    if not any(packs.values()) and not any(name.startswith("line-") for name in fields.errors):
        first = next((f"line-{line_id}" for line_id, left in packs_left.items() if left), "kind")
        fields.refuse(first, Text("Say how many packs it is about."))
    return {line_id: count for line_id, count in packs.items() if count}


def read_parcel(form: Mapping[str, str]) -> tuple[str, str]:
    """Carrier and number of a parcel that goes back."""
    fields = Fields(form)
    carrier, tracking = fields.text("carrier", most=40), fields.text("tracking", most=40)
    plain = plain_number(tracking).replace("-", "").upper()
    if tracking and not re.fullmatch(r"[0-9A-Z]{6,32}", plain):
        fields.refuse("tracking", Text("A parcel number has 6 to 32 letters and digits."))
    fields.done()
    return carrier, plain


def read_words(form: Mapping[str, str], name: str, *, most: int = 200) -> str:
    """One text that must be there."""
    fields = Fields(form)
    words = fields.text(name, most=most)
    fields.done()
    return words


@dataclass(frozen=True, slots=True)
class Decision:
    """What a desk decided: grant all, offer (or give) a part, ask for the goods, say no."""

    act: str
    amount: Money
    words: str


def read_decision(form: Mapping[str, str], acts: Collection[str]) -> Decision:
    """Words are needed for everything but a yes; an amount only for a part."""
    fields = Fields(form)
    act = form.get("decision", "")
    if act not in acts:
        fields.refuse("answer", Text("Please choose one."))
    words = fields.text("answer", most=200, required=False)
    if not words and act != "grant":
        fields.refuse("answer", Text("Say why, so that the buyer can understand."))
    amount = fields.money("amount") if act == "part" else ZERO
    fields.done()
    return Decision(act, amount, words)


def read_wish(form: Mapping[str, str]) -> tuple[str, str]:
    """(title, tax number) of an invoice; a person has no tax number."""
    fields = Fields(form)
    title = fields.text("title", most=80)
    tax_number = ""
    if form.get("whose") == "company":
        tax_number = plain_number(form.get("tax_number", "")).upper()
        problem = uscc_problem(tax_number)
        if problem is not None:
            fields.refuse("tax_number", problem)
    elif form.get("whose") != "person":
        fields.refuse("whose", Text("Please choose one."))
    fields.done()
    return title, tax_number


@dataclass(frozen=True, slots=True)
class InvoicePaper:
    number: str
    amount: Money
    issued_on: date
    media_type: str


def read_invoice(form: Mapping[str, str], content: bytes, name: str, today: date) -> InvoicePaper:
    """Number, amount (negative for a red one) and day of an electronic invoice, and its file."""
    fields = Fields(form)
    number = plain_number(fields.text("number", most=40))
    problem = number_problem(number)
    if problem is not None:
        fields.refuse("number", problem)
    amount = fields.money("amount", least=Money(-(10**13)))
    issued_on = fields.date("issued_on", most=today)
    media_type = file_type(content, name)
    if media_type is None:
        fields.refuse("file", Text("Choose the invoice as PDF or OFD, at most 5 MB."))
    fields.done()
    assert media_type is not None
    return InvoicePaper(number, amount, issued_on, media_type)


def read_return_address(form: Mapping[str, str]) -> tuple[str, str, str]:
    """(recipient, phone, address) where goods are sent back to."""
    fields = Fields(form)
    found = (
        fields.text("recipient", most=40), fields.phone("phone"), fields.text("address", most=120),
    )  # fmt: skip
    fields.done()
    return found
