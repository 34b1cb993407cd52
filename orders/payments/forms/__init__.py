"""What people fill in: the checkout, a claim, a statement file → plain values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import python_calamine

from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money
from kernel.web.forms import Fields
from orders.payments.rules.statements import MOST_PROBLEMS, StatementRow, read_table
from orders.sales.operations import Contact
from orders.sales.rules.addresses import Place, after_place, choose_place, read_pasted

# What stands for the address of an order that its buyer fetches.
FETCHED = "自提"

FindPlaces = Callable[[str], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Checkout:
    """`freight_seen` is what the page said that carriage costs when the button was pressed;
    `no_return_agreed` that fresh goods do not go back within seven days without a reason."""

    contact: Contact
    note: str
    pick_up: bool = False
    freight_seen: Money = ZERO
    no_return_agreed: bool = False


def read_checkout(form: Mapping[str, str], find_places: FindPlaces) -> Checkout:
    """Raises Invalid with everything that is wrong."""
    fields = Fields(form)
    recipient = fields.text("recipient", most=40)
    phone = fields.phone("phone")
    pick_up = form.get("delivery") == "pick_up"
    where = fields.text("place", most=60, required=not pick_up)
    detail = fields.text("detail", most=120, required=not pick_up)
    seen = _fen(form.get("freight", ""))
    agreed = fields.flag("no_return")
    email = fields.email("email") if fields.has("email") else None
    note = fields.text("note", most=200, required=False)
    place = choose_place(where, find_places(where)) if where and not pick_up else None
    if where and not pick_up and place is None:
        fields.refuse("place", Text("Write province, city and district, such as 重庆市渝北区."))
    fields.done()
    if pick_up:
        fetched = Contact(recipient=recipient, phone=phone, address=FETCHED, email=email)
        return Checkout(fetched, note, True, seen, agreed)
    assert place is not None
    rest = after_place(where, place)
    address = " ".join(part for part in (place.name, rest, detail) if part)
    return Checkout(
        Contact(recipient=recipient, phone=phone, address=address, email=email, region=place.code),
        note,
        False,
        seen,
        agreed,
    )


def region_typed(form: Mapping[str, str], find_places: FindPlaces) -> str | None:
    """The code of the place as far as it is typed already; None while it is not clear."""
    where = form.get("place", "")
    place = choose_place(where, find_places(where)) if where.strip() else None
    return place.code if place else None


def _fen(typed: str) -> Money:
    return Money(int(typed)) if re.fullmatch(r"\d{1,9}", typed, re.ASCII) else ZERO


def fill_from(form: Mapping[str, str], find_places: FindPlaces) -> dict[str, str]:
    """The form again, with what could be read of the pasted line put into its fields."""
    found = read_pasted(form.get("paste", ""))
    read = {"recipient": found.recipient, "phone": found.phone}
    filled = {**form, **{name: value for name, value in read.items() if value}}
    if place := choose_place(found.address, find_places(found.address)):
        filled["place"], filled["detail"] = place.name, after_place(found.address, place)
    elif found.address:
        filled["detail"] = found.address
    return filled


def read_statement(name: str, content: bytes) -> list[StatementRow]:
    """Rows of an .xlsx or .csv file. Raises Invalid with the first problems, each with its row."""
    if not content:
        raise Invalid({"file": Text("Choose the file that the bank gave you.")})
    try:
        table = _sheet(content) if content[:2] == b"PK" else _csv(content)
    except (python_calamine.CalamineError, UnicodeDecodeError, csv.Error, ValueError):
        raise Invalid(
            {"file": Text("This file cannot be read. Export it from the bank as xlsx or csv.")}
        ) from None
    reading = read_table(table)
    if reading.problems:
        raise Invalid(
            {"file" if n == 0 else f"file-{n}": problem
             for n, problem in enumerate(reading.problems[:MOST_PROBLEMS])}
        )  # fmt: skip
    return reading.rows


def _sheet(content: bytes) -> list[list[object]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [list(row) for row in book.get_sheet_by_index(0).to_python(skip_empty_area=False)]


def _csv(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    return list(csv.reader(io.StringIO(text)))
