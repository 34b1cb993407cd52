"""What the store fills in → plain values; every mistake at its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.errors import Text
from kernel.money import ZERO, Money
from kernel.quantities import BaseUnit
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields
from orders.sales.models import CarrierKind, OrderLine
from orders.sales.operations import Transport
from orders.sales.rules.freight import Zone
from orders.sales.rules.travelling import MOST_DAYS

FindRegion = Callable[[str], Sequence[str]]
MOST_ZONES = 40


def read_transport(fields: Fields, form: Mapping[str, str]) -> Transport:
    """Who takes it away: one of the list, or words."""
    return Transport(
        carrier_id=fields.key("carrier_id") if form.get("carrier_id") else None,
        carrier=fields.text("carrier", most=40, required=False),
        tracking=plain_number(fields.text("tracking", most=40, required=False)).upper(),
        plate=plain_number(fields.text("plate", most=12, required=False)).upper(),
        driver=fields.text("driver", most=40, required=False),
    )


def read_shipping(
    form: Mapping[str, str], lines: Sequence[tuple[OrderLine, int]]
) -> tuple[dict[int, int], Transport]:
    """How much of each line leaves now, never more than is left, and who takes it."""
    fields = Fields(form)
    wanted = {}
    for line, left in lines:
        name = f"line-{line.id}"
        if left and fields.has(name) and form[name].strip() != "0":
            wanted[line.id] = fields.quantity(name, line.product.base_unit, most=left)
    transport = read_transport(fields, form)
    if not wanted and not fields.errors:
        fields.refuse("lines", Text("Enter how much of at least one line leaves now."))
    fields.done()
    return wanted, transport


def read_carrier(form: Mapping[str, str]) -> dict[str, Any]:
    fields = Fields(form)
    values: dict[str, Any] = {
        "name": fields.text("name", most=40),
        "kind": fields.choice("kind", CarrierKind),
        "tracking_pattern": fields.text("tracking_pattern", most=200, required=False),
        "plate": fields.text("plate", most=12, required=False),
        "driver": fields.text("driver", most=40, required=False),
        "driver_phone": fields.phone("driver_phone") if fields.has("driver_phone") else "",
        "in_use": fields.flag("in_use"),
    }
    fields.done()
    return values


@dataclass(frozen=True, slots=True)
class FreightForm:
    zones: tuple[Zone, ...]
    valid_from: date
    note: str


def read_freight(form: Mapping[str, str], find_region: FindRegion, *, today: date) -> FreightForm:
    """The rows of a template: a row without a region is left out, 其他地区 (or *) is the rest."""
    fields = Fields(form)
    rows = [n for n in range(MOST_ZONES) if tidy(form.get(f"region-{n}", ""))]
    zones = tuple(_zone(fields, form, n, find_region) for n in rows)
    if not rows:
        fields.refuse("region-0", Text("Enter at least one region."))
    valid_from = fields.date("valid_from", least=today)
    note = fields.text("note", most=100, required=False)
    fields.done()
    return FreightForm(zones, valid_from, note)


REST = ("*", "其他地区", "其他", "全国", "everywhere else")


def _zone(fields: Fields, form: Mapping[str, str], n: int, find_region: FindRegion) -> Zone:
    typed = tidy(form[f"region-{n}"])
    codes = [""] if typed.lower() in REST else list(find_region(typed))
    if len(codes) != 1:
        fields.refuse(
            f"region-{n}",
            Text("Write one province, city or county, such as 重庆市 or 重庆市黔江区.")
            if not codes
            else Text("There are several places of this name; write the province in front."),
        )
    served = f"unserved-{n}" not in form
    if not served:
        return Zone(region=codes[0] if codes else "", served=False)
    return Zone(
        region=codes[0] if codes else "",
        first_g=fields.quantity(f"first_g-{n}", BaseUnit.GRAM, most=1_000_000),
        first_fee=fields.money(f"first_fee-{n}", least=ZERO, most=Money(1_000_000)),
        step_g=fields.quantity(f"step_g-{n}", BaseUnit.GRAM, most=1_000_000),
        step_fee=fields.money(f"step_fee-{n}", least=ZERO, most=Money(1_000_000)),
        free_from=fields.money(f"free_from-{n}") if fields.has(f"free_from-{n}") else None,
        days=fields.whole(f"days-{n}", least=1, most=MOST_DAYS)
        if fields.has(f"days-{n}")
        else None,
    )
