"""The forms of suppliers → plain values; a scan is known by its first bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from catalog.suppliers.models import (
    AdmissionReason,
    CertificateKind,
    EnterpriseSize,
    LinkMechanism,
    SupplierKind,
)
from catalog.suppliers.operations import Declared
from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money, parse_money
from kernel.quantities import BaseUnit
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields

MOST_BYTES = 10_000_000
MOST_CAPACITY_G = 10**12
_TYPES = (
    (b"%PDF-", "application/pdf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)


def read_declared(form: MultiDict[str, str]) -> Declared:
    """The application. Area in mu with two decimals, capacity in kilograms a year."""
    fields = Fields(form)
    found = Declared(
        kind=fields.choice("kind", SupplierKind),
        uscc=plain_number(fields.text("uscc", most=40)).upper(),
        **_declared(fields, form),
    )
    fields.done()
    return found


def _declared(fields: Fields, form: MultiDict[str, str]) -> dict[str, Any]:
    """What an application and a later change of the register both ask for."""
    mechanisms = {each.value: each for each in LinkMechanism}
    chosen = [mechanisms[each] for each in form.getlist("mechanisms") if each in mechanisms]
    return {
        "legal_person": fields.text("legal_person", most=40),
        "origin_code": fields.text("origin", most=12),
        "base_mu_100": _hundredths(fields, form, "base"),
        "capacity_g": fields.quantity("capacity", BaseUnit.GRAM, least=0, most=MOST_CAPACITY_G),
        "main_products": fields.text("main_products", most=200),
        "contact": fields.text("contact", most=40),
        "phone": fields.phone("phone"),
        "bank": fields.text("bank", most=60),
        "bank_account": _account(fields, form),
        "annual_sales": fields.money("annual_sales", least=ZERO),
        "enterprise_size": fields.choice("enterprise_size", EnterpriseSize),
        "mechanisms": tuple(chosen),
        "linkage_statement": fields.text("linkage_statement", most=500),
    }


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What shall stand in the register (values of `queries.register_entry`), the mark of what
    stood there when the page was opened, and why."""

    wanted: dict[str, Any]
    seen: str
    reason: str


def read_change(form: MultiDict[str, str]) -> AskedChange:
    fields = Fields(form)
    said = _declared(fields, form)
    name = fields.text("name", most=120)
    reason = fields.text("reason", most=300, required=False)
    seen = form.get("seen", "")
    fields.done()
    wanted = said | {
        "name": name,
        "annual_sales": said["annual_sales"].fen,
        "enterprise_size": said["enterprise_size"].value,
        "mechanisms": [each.value for each in LinkMechanism if each in said["mechanisms"]],
    }
    return AskedChange(wanted, seen, reason)


def read_mandate(form: MultiDict[str, str]) -> dict[str, Any]:
    """A mandate of another supplier and the goods it names, by id."""
    fields = Fields(form)
    found: dict[str, Any] = {
        "principal_id": fields.key("principal"),
        "number": fields.text("number", most=40),
        "covers": fields.text("covers", most=200),
        "valid_from": fields.date("valid_from"),
        "valid_to": fields.date("valid_to"),
    }
    fields.done()
    return found


def read_goods(form: MultiDict[str, str]) -> list[int]:
    """The products that were ticked."""
    return [int(each) for each in form.getlist("goods") if each.isascii() and each.isdigit()][:500]


def _hundredths(fields: Fields, form: Mapping[str, str], name: str) -> int:
    try:
        value = parse_money(plain_number(form.get(name, "")).removesuffix("亩")).fen
    except ValueError:
        value = -1
    if not 0 <= value <= 10**9:
        fields.refuse(name, Text("Enter an area in mu, such as 120.5."))
        return 0
    return value


def _account(fields: Fields, form: Mapping[str, str]) -> str:
    typed = plain_number(form.get("bank_account", "")).replace("-", "")
    if not (typed.isascii() and typed.isdigit() and 8 <= len(typed) <= 30):
        fields.refuse("bank_account", Text("An account number has 8 to 30 digits."))
    return typed


@dataclass(frozen=True, slots=True)
class Reasoned:
    """A reason of the list and the sentence that explains it."""

    reason: AdmissionReason
    sentence: str


def read_reasoned(form: Mapping[str, str]) -> Reasoned:
    fields = Fields(form)
    found = Reasoned(fields.choice("reason", AdmissionReason), fields.text("sentence", most=300))
    fields.done()
    return found


def read_certificate(form: Mapping[str, str], *, with_kind: bool = True) -> dict[str, Any]:
    """Kind, number and term; a certificate without an end is valid until it is withdrawn."""
    fields = Fields(form)
    found: dict[str, Any] = {
        "number": plain_number(fields.text("number", most=40)),
        "valid_from": fields.date("valid_from"),
        "valid_to": fields.date("valid_to") if fields.has("valid_to") else None,
    }
    if with_kind:
        found["kind"] = fields.choice("kind", CertificateKind)
        found["covers"] = fields.text("covers", most=120, required=False)
    fields.done()
    return found


def read_link(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    fields = Fields(form)
    found: dict[str, Any] = {
        "household": fields.text("household", most=20).upper(),
        "mechanism": fields.choice("mechanism", LinkMechanism),
        "since": fields.date("since", most=today),
        "until": fields.date("until") if fields.has("until") else None,
        "terms": fields.text("terms", most=200),
    }
    fields.done()
    return found


def read_payment(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    fields = Fields(form)
    found: dict[str, Any] = {
        "paid_on": fields.date("paid_on", most=today),
        "amount": fields.money("amount"),
        "cost": fields.money("cost", least=ZERO) if fields.has("cost") else Money(0),
        "reference": fields.text("reference", most=60),
    }
    fields.done()
    return found


def read_scan(
    file: FileStorage | None, name: str, *, required: bool = False
) -> tuple[bytes, str, str] | None:
    """(bytes, media type, name) of the file that was chosen: a PDF, JPEG or PNG up to 10 MB."""
    if file is None or not file.filename:
        if required:
            raise Invalid({name: Text("Please choose a file.")})
        return None
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Invalid({name: Text("A file has at most 10 MB.")})
    media_type = next((kind for start, kind in _TYPES if content.startswith(start)), None)
    if media_type is None:
        raise Invalid({name: Text("Choose a PDF, a JPEG or a PNG.")})
    return content, media_type, tidy(file.filename)[:200]
