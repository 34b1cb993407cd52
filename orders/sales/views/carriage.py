"""Who carries the goods, what carriage costs the buyer, and what a pack weighs with its box."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.products.queries import packs_of_supplier
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.money import ZERO, Money
from kernel.quantities import BaseUnit, kilograms
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.sales.forms import read_carrier, read_freight
from orders.sales.models import CarrierKind
from orders.sales.operations import publish_freight, save_carrier, weigh_pack
from orders.sales.queries.freight import (
    region_by_name,
    region_names,
    template_in_force,
    templates_of,
    zone_values,
)
from orders.sales.queries.packing import carrier_of, carriers_of
from orders.sales.rules.freight import Zone
from orders.sales.views.frame import SHIPS, my_supplier

bp = Blueprint("carriage", __name__, url_prefix="/coop")

PREVIEW_KG = (1, 2, 5, 10, 20, 50)
SPARE_ROWS = 3
CELLS = ("region", "first_g", "first_fee", "step_g", "step_fee", "free_from", "days")


@bp.get("/carriers")
@requires(*COOPERATIVE)
def show_carriers() -> str:
    return _carriers_page(request.args.get("edit", type=int), {})


@bp.post("/carriers")
@requires(*SHIPS)
@once
def keep_carrier() -> Response | tuple[str, int]:
    supplier, typed = my_supplier(), request.form.get("carrier_id", "")
    carrier_id = int(typed) if typed.isdecimal() else None
    try:
        values = read_carrier(request.form)
        with transaction() as work:
            save_carrier(work, supplier.id, carrier_id=carrier_id, **values, by=actor(), now=now())
    except Invalid as invalid:
        return _carriers_page(carrier_id, invalid.errors), invalid.status
    flash(_("Kept."), "done")
    return redirect(url_for("carriage.show_carriers"), code=303)


def _carriers_page(carrier_id: int | None, errors: Mapping[str, Text]) -> str:
    supplier = my_supplier()
    editing = carrier_of(session(), carrier_id, supplier_id=supplier.id) if carrier_id else None
    return render_template(
        "coop/pack_carriers.html",
        carriers=carriers_of(session(), supplier.id),
        editing=editing,
        may_ship=actor().role in SHIPS,
        CarrierKind=CarrierKind,
        errors=errors,
        form=request.form if errors else {},
    )


@bp.get("/freight")
@requires(*COOPERATIVE)
def show_freight() -> str:
    return _freight_page(None, {}, {})


@bp.post("/freight/preview")
@requires(Role.MANAGER)
def preview() -> str | tuple[str, int]:
    """What the typed rows would cost; nothing is kept."""
    try:
        asked = read_freight(request.form, _find_region, today=today())
    except Invalid as invalid:
        return _freight_page(None, request.form, invalid.errors), invalid.status
    return _freight_page(asked.zones, request.form, {})


@bp.post("/freight")
@requires(Role.MANAGER)
@once
def keep_freight() -> Response | tuple[str, int]:
    supplier = my_supplier()
    try:
        asked = read_freight(request.form, _find_region, today=today())
        with transaction() as work:
            publish_freight(
                work,
                supplier.id,
                asked.zones,
                valid_from=asked.valid_from,
                note=asked.note,
                days=asked.days,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _freight_page(None, request.form, _at_rows(invalid.errors)), invalid.status
    flash(_("The new freight holds from that day on; earlier orders keep theirs."), "done")
    return redirect(url_for("carriage.show_freight"), code=303)


def _at_rows(errors: Mapping[str, Text]) -> dict[str, Text]:
    """What the rule says of the n-th zone stands at the n-th row that was filled in."""
    filled = [n for n in range(40) if request.form.get(f"region-{n}", "").strip()]
    found = {}
    for name, sentence in errors.items():
        row = name.removeprefix("zone-")
        at_row = row != name and row.isdecimal() and int(row) < len(filled)
        found[f"region-{filled[int(row)]}" if at_row else name] = sentence
    return {("region-0" if name == "zones" else name): each for name, each in found.items()}


def _find_region(text: str) -> list[str]:
    return region_by_name(session(), text)


def _freight_page(
    shown: tuple[Zone, ...] | None, form: Mapping[str, str], errors: Mapping[str, Text]
) -> str:
    supplier = my_supplier()
    versions = templates_of(session(), supplier.id)
    running = template_in_force(session(), [supplier.id], today()).get(supplier.id)
    kept = [zone_values(each) for each in running.zones] if running else []
    zones = list(shown) if shown is not None else kept
    names = region_names(session(), [each.region for each in (*zones, *kept)])
    return render_template(
        "coop/pack_freight.html",
        versions=versions,
        running=running,
        previewing=shown is not None,
        table=[(names.get(zone.region, ""), zone, _prices(zone)) for zone in zones],
        weights=PREVIEW_KG,
        rows=_form_rows(kept, names, form),
        may_edit=actor().role is Role.MANAGER,
        form=form,
        errors=errors,
    )


def _prices(zone: Zone) -> list[Money | None]:
    return [zone.fee(kg * 1000, ZERO) if zone.served else None for kg in PREVIEW_KG]


def _form_rows(
    kept: list[Zone], names: Mapping[str, str], form: Mapping[str, str]
) -> list[dict[str, object]]:
    """The rows to edit: those in force and some empty ones; what was typed stays."""
    last = max((_row_of(name) for name, value in form.items() if value.strip()), default=-1)
    rows = []
    for n in range(max(len(kept), 1 + last) + SPARE_ROWS):
        zone = kept[n] if n < len(kept) else None
        values = _cells(zone, names) if zone else dict.fromkeys(CELLS, "")
        if form:
            values = {name: form.get(f"{name}-{n}", "") for name in CELLS}
        unserved = f"unserved-{n}" in form if form else zone is not None and not zone.served
        rows.append({"n": n, "unserved": unserved, **values})
    return rows


def _cells(zone: Zone, names: Mapping[str, str]) -> dict[str, str]:
    values = dict.fromkeys(CELLS, "")
    values["region"] = names.get(zone.region, "") or "其他地区"
    if zone.served:
        values |= {
            "first_g": kilograms(zone.first_g, 0),
            "first_fee": zone.first_fee.yuan,
            "step_g": kilograms(zone.step_g, 0),
            "step_fee": zone.step_fee.yuan,
            "free_from": zone.free_from.yuan if zone.free_from else "",
            "days": str(zone.days or ""),
        }
    return values


def _row_of(name: str) -> int:
    row = name.removeprefix("region-")
    return int(row) if row != name and row.isdecimal() and len(row) < 3 else -1


@bp.get("/pack-weights")
@requires(*COOPERATIVE)
def show_weights() -> str:
    return _weights_page({})


@bp.post("/pack-weights")
@requires(*SHIPS)
@once
def keep_weights() -> Response | tuple[str, int]:
    supplier = my_supplier()
    try:
        weights = _read_weights(supplier.id)
        with transaction() as work:
            for pack_id, gross in weights.items():
                weigh_pack(work, pack_id, gross, supplier_id=supplier.id, by=actor(), now=now())
    except Invalid as invalid:
        return _weights_page(invalid.errors), invalid.status
    flash(_("Kept. Orders placed from now on are reckoned with these weights."), "done")
    return redirect(url_for("carriage.show_weights"), code=303)


def _read_weights(supplier_id: int) -> dict[int, int | None]:
    fields = Fields(request.form)
    found: dict[int, int | None] = {}
    for pack in packs_of_supplier(session(), supplier_id):
        name = f"pack-{pack.id}"
        if name in request.form:
            least = pack.content if pack.product.base_unit is BaseUnit.GRAM else 1
            found[pack.id] = (
                fields.quantity(name, BaseUnit.GRAM, least=1, most=1_000_000)
                if fields.has(name)
                else None
            )
            if name not in fields.errors and (found[pack.id] or least) < least:
                fields.refuse(
                    name, Text("A pack weighs at least what it holds, and at most 1,000 kg.")
                )
    fields.done()
    return found


def _weights_page(errors: Mapping[str, Text]) -> str:
    return render_template(
        "coop/pack_weights.html",
        packs=packs_of_supplier(session(), my_supplier().id),
        may_ship=actor().role in SHIPS,
        errors=errors,
        form=request.form if errors else {},
    )
