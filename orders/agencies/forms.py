"""What people typed at the canteen's desk, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from catalog.products.models import Pack, Product
from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.quantities import BaseUnit, parse_quantity
from kernel.text import plain_number
from kernel.web.forms import Fields
from orders.agencies.models import CanteenType, Disposition, Purpose
from orders.agencies.rules.accepting import Fault

# What a canteen can order: product, pack, base units that are free.
OnShelf = Sequence[tuple[Product, Pack, int]]

MOST_PHOTOS = 6


def read_filing(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    """Every value of a filing; what does not concern the canteen type is neutral."""
    fields = Fields(form)
    canteen_type = fields.choice("canteen_type", CanteenType)
    shared = canteen_type is CanteenType.SHARED
    eats = canteen_type not in (CanteenType.NONE, CanteenType.SHARED)
    values = {
        "canteen_type": canteen_type,
        "representative_id": fields.key("representative_id") if shared else None,
        "base": fields.money("base") if eats else ZERO,
        "ratio_bp": fields.percent("ratio") if eats else 0,
        "union_budget": fields.money("union_budget", least=ZERO)
        if fields.has("union_budget")
        else ZERO,
        "exemption": fields.text("exemption", most=60, required=False),
        "explanation": fields.text("explanation", most=500, required=False),
        "contact": fields.text("contact", most=40),
        "contact_phone": fields.phone("contact_phone"),
    }
    fields.done()
    return values


@dataclass(frozen=True, slots=True)
class Grid:
    """What the order grid holds."""

    title: str
    deliver_on: date | None
    purpose: Purpose
    payment_days: int
    quantities: dict[int, int]


def read_grid(form: Mapping[str, str], shelf: OnShelf, *, today: date) -> Grid:
    """The grid as it was typed; empty cells are left out, mistakes stand at their cells."""
    fields = Fields(form)
    quantities: dict[int, int] = {}
    for product, pack, _ in shelf:
        name = f"q-{pack.id}"
        if not fields.has(name):
            continue
        quantity = fields.quantity(name, product.base_unit, least=0)
        if quantity % pack.content and name not in fields.errors:
            fields.refuse(
                name,
                Text(
                    "Only in steps of %(step)s.",
                    step=_step(pack.content, product.base_unit),
                ),
            )
        if quantity:
            quantities[pack.id] = quantity
    deliver_on = fields.date("deliver_on", least=today) if fields.has("deliver_on") else None
    grid = Grid(
        title=fields.text("title", most=60, required=False),
        deliver_on=deliver_on,
        purpose=fields.choice("purpose", Purpose),
        payment_days=fields.whole("payment_days", least=1, most=60),
        quantities=quantities,
    )
    fields.done()
    return grid


def rough_grid(form: Mapping[str, str], shelf: OnShelf) -> dict[int, int]:
    """What can be read of a grid that is still being typed; the rest is left out."""
    found: dict[int, int] = {}
    for product, pack, _ in shelf:
        typed = plain_number(form.get(f"q-{pack.id}", ""))
        if typed:
            try:
                found[pack.id] = parse_quantity(typed, product.base_unit)
            except ValueError:
                continue
    return {pack_id: quantity for pack_id, quantity in found.items() if quantity}


def _step(content: int, unit: BaseUnit) -> str:
    if unit is BaseUnit.PIECE:
        return str(content)
    whole, rest = divmod(content, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") + " kg"


def read_acceptance_line(form: Mapping[str, str], unit: BaseUnit, shipped: int) -> dict[str, Any]:
    """What was weighed, rejected and decided of one line; `do=all` rejects the whole of it."""
    fields = Fields(form)
    weighed = fields.quantity("weighed", unit, least=0)
    rejected = fields.quantity("rejected", unit, least=0) if fields.has("rejected") else 0
    if form.get("do") == "all":
        rejected = min(weighed, shipped)
    reason = fields.choice("reason", Fault).value if fields.has("reason") else ""
    disposition = fields.choice("disposition", Disposition) if fields.has("disposition") else None
    reduced = disposition is Disposition.REDUCED_PRICE
    deduction_bp = fields.percent("deduction") if reduced else 0
    if reduced:
        rejected = 0
    clean = not rejected and not reduced
    fields.done()
    return {
        "weighed": weighed,
        "rejected": rejected,
        "reason": "" if clean else reason,
        "disposition": None if clean else disposition,
        "deduction_bp": deduction_bp,
    }


def read_invoice(form: Mapping[str, str], *, today: date) -> dict[str, Any]:
    """Number, amount and day of an electronic invoice."""
    fields = Fields(form)
    values = {
        "number": plain_number(fields.text("number", most=40)),
        "amount": fields.money("amount"),
        "issued_on": fields.date("issued_on", most=today),
    }
    fields.done()
    return values


def read_review(form: Mapping[str, str]) -> dict[str, Any]:
    fields = Fields(form)
    values = {
        "stars": fields.whole("stars", least=1, most=5),
        "text": fields.text("text", most=1000, required=False),
    }
    fields.done()
    return values


def read_reason(form: Mapping[str, str]) -> str:
    """Why something is refused, cancelled or sent back."""
    fields = Fields(form)
    reason = fields.text("reason", most=200)
    fields.done()
    return reason


def read_credit(
    form: Mapping[str, str], lines: Mapping[int, BaseUnit]
) -> list[tuple[int, int, Money]]:
    """(line, base units, amount) of every line that is refunded."""
    fields = Fields(form)
    found = []
    for line_id, unit in lines.items():
        if not fields.has(f"amount-{line_id}"):
            continue
        amount = fields.money(f"amount-{line_id}")
        quantity = (
            fields.quantity(f"quantity-{line_id}", unit, least=0)
            if fields.has(f"quantity-{line_id}")
            else 0
        )
        found.append((line_id, quantity, amount))
    fields.done()
    return found
