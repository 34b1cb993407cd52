"""What people fill in: the checkout, a claim, a statement file → plain values."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import python_calamine

from kernel.codes import uscc_problem
from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money
from kernel.text import plain_number
from kernel.web.forms import Fields
from orders.payments.rules.statements import MOST_PROBLEMS, StatementRow, read_table
from orders.sales.models import DayPart
from orders.sales.operations import Contact, Gift
from orders.sales.rules.addresses import Place, after_place, choose_place, read_pasted

# What stands for the address of an order that its buyer fetches.
FETCHED = "自提"

FindPlaces = Callable[[str], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a buyer may add to any order: a greeting, and in whose name the invoice is to be; the
    tax number of a person's is empty."""

    gift: Gift | None = None
    invoice: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """`freight_seen` is what the page said that carriage costs when the button was pressed;
    `no_return_agreed` that fresh goods do not go back within seven days without a reason."""

    contact: Contact
    note: str
    pick_up: bool = False
    freight_seen: Money = ZERO
    no_return_agreed: bool = False
    deliver_on: date | None = None
    day_part: DayPart | None = None
    wishes: Wishes = Wishes()


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
    day, part = _day(fields, form)
    wishes = read_wishes(fields, form)
    place = choose_place(where, find_places(where)) if where and not pick_up else None
    if where and not pick_up and place is None:
        fields.refuse("place", Text("Write province, city and district, such as 重庆市渝北区."))
    fields.done()
    if pick_up:
        fetched = Contact(recipient=recipient, phone=phone, address=FETCHED, email=email)
        return Checkout(fetched, note, True, seen, agreed, wishes=wishes)
    assert place is not None
    rest = after_place(where, place)
    address = " ".join(part for part in (place.name, rest, detail) if part)
    return Checkout(
        Contact(recipient=recipient, phone=phone, address=address, email=email, region=place.code),
        note,
        False,
        seen,
        agreed,
        day,
        part,
        wishes,
    )


def read_wishes(fields: Fields, form: Mapping[str, str]) -> Wishes:
    """The same for one parcel and for many."""
    return Wishes(_gift(fields), _invoice(fields, form))


def _gift(fields: Fields) -> Gift | None:
    sender = fields.text("gift_from", most=40, required=False)
    words = fields.text("gift_words", most=120, required=False)
    if words and not sender:
        fields.refuse("gift_from", Text("Say who sends it; the greeting alone does not tell."))
    return Gift(sender=sender, words=words) if sender else None


def _invoice(fields: Fields, form: Mapping[str, str]) -> tuple[str, str] | None:
    whose = form.get("invoice", "none")
    if whose == "none":
        return None
    if whose not in ("personal", "company"):
        fields.refuse("invoice", Text("Please choose one."))
    title = fields.text("invoice_title", most=80)
    number = ""
    if whose == "company":
        number = plain_number(fields.text("tax_number", most=30)).upper()
        if number and (problem := uscc_problem(number)):
            fields.refuse("tax_number", problem)
    return title, number


def _day(fields: Fields, form: Mapping[str, str]) -> tuple[date | None, DayPart | None]:
    """`2026-11-28` or `2026-11-28:morning`; nothing is as soon as possible."""
    typed, _colon, half = form.get("day", "").strip().partition(":")
    if not typed:
        return None, None
    try:
        return date.fromisoformat(typed), DayPart(half) if half else None
    except ValueError:
        fields.refuse("day", Text("Please choose one of these days."))
        return None, None


@dataclass(frozen=True, slots=True)
class Group:
    """Who pays for a group purchase; `total_seen` is what the page said when it was sent."""

    contact: Contact
    note: str
    total_seen: Money
    wishes: Wishes
    no_return_agreed: bool = False


def read_group(form: Mapping[str, str], people: int) -> Group:
    """The payer of so many parcels. Raises Invalid with everything that is wrong."""
    fields = Fields(form)
    contact = Contact(
        recipient=fields.text("recipient", most=40),
        phone=fields.phone("phone"),
        address=f"团购，分送 {people} 位收货人",
        email=fields.email("email") if fields.has("email") else None,
    )
    note = fields.text("note", most=200, required=False)
    wishes = read_wishes(fields, form)
    agreed = fields.flag("no_return")
    fields.done()
    return Group(contact, note, _fen(form.get("total", "")), wishes, agreed)


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
