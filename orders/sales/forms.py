"""What the store fills in → plain values; every mistake at its field."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kernel.cells import as_text_or_nothing
from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money
from kernel.quantities import BaseUnit
from kernel.sheets import read_grid
from kernel.text import plain_number, tidy
from kernel.web.forms import Fields
from orders.sales.models import CarrierKind, OrderLine
from orders.sales.operations import Transport
from orders.sales.rules.days import MOST_LEAD, Offer
from orders.sales.rules.freight import Zone
from orders.sales.rules.people import Person, people_of
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
    days: Offer


def read_freight(form: Mapping[str, str], find_region: FindRegion, *, today: date) -> FreightForm:
    """The rows of a template: a row without a region is left out, 其他地区 (or *) is the rest."""
    fields = Fields(form)
    rows = [n for n in range(MOST_ZONES) if tidy(form.get(f"region-{n}", ""))]
    zones = tuple(_zone(fields, form, n, find_region) for n in rows)
    if not rows:
        fields.refuse("region-0", Text("Enter at least one region."))
    valid_from = fields.date("valid_from", least=today)
    note = fields.text("note", most=100, required=False)
    weekdays = "".join(each for each in "1234567" if f"weekday-{each}" in form)
    lead = fields.whole("lead_days", most=MOST_LEAD) if fields.has("lead_days") else 2
    fields.done()
    return FreightForm(zones, valid_from, note, Offer(weekdays, fields.flag("halves"), lead))


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


def read_point(form: Mapping[str, str]) -> dict[str, Any]:
    """A place where goods are fetched."""
    fields = Fields(form)
    values: dict[str, Any] = {
        "name": fields.text("name", most=40),
        "address": fields.text("address", most=120),
        "hours": fields.text("hours", most=60),
        "phone": fields.phone("phone") if fields.has("phone") else "",
        "in_use": fields.flag("in_use"),
    }
    fields.done()
    return values


def read_limits(
    form: Mapping[str, str], pack_ids: Sequence[int]
) -> dict[int, tuple[int | None, int | None]]:
    """Pack → (so many, within so many days), as far as the form speaks of it; both empty is no
    limit."""
    fields = Fields(form)
    found: dict[int, tuple[int | None, int | None]] = {}
    for pack_id in pack_ids:
        most, days = f"most-{pack_id}", f"days-{pack_id}"
        if most in form:
            found[pack_id] = (
                fields.whole(most, least=1, most=999) if fields.has(most) else None,
                fields.whole(days, least=1, most=366) if fields.has(days) else None,
            )
    fields.done()
    return found


def read_people(content: bytes) -> list[Person]:
    """The rows of an uploaded sheet as they were typed. Raises Invalid (`file`) when the sheet as a
    whole is of no use; what is wrong with a row is judged later (`rules.people`)."""
    rows = [[as_text_or_nothing(cell) for cell in row] for row in read_grid(content).rows]
    people, problem = people_of(rows)
    if problem is not None:
        raise Invalid({"file": problem})
    return people


def people_as_text(people: Sequence[Person]) -> str:
    """How they are kept with the basket until they are ordered."""
    rows = [
        [each.row, each.name, each.phone, each.address, each.note,
         {str(pack_id): typed for pack_id, typed in each.counts.items()}]
        for each in people
    ]  # fmt: skip
    return json.dumps(rows, ensure_ascii=False)


def people_from_text(kept: str | None) -> list[Person]:
    return [
        Person(row, name, phone, address, note, {int(key): typed for key, typed in counts.items()})
        for row, name, phone, address, note, counts in json.loads(kept or "[]")
    ]
