"""What has left: by day and tour, with its note, and what was written wrongly put right."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Text
from kernel.text import plain_number
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.sales.forms import read_transport
from orders.sales.operations import correct_transport
from orders.sales.queries.packing import (
    carriers_of,
    destination_of,
    shipment_sheet,
    shipments_of,
    tours_of,
)
from orders.sales.views.frame import SHIPS, my_supplier

bp = Blueprint("shipments", __name__, url_prefix="/coop/shipments")

ROWS = 100


@bp.get("")
@requires(*COOPERATIVE)
def show_shipments() -> str:
    day, page = _day(), max(1, request.args.get("page", 1, type=int))
    asked = plain_number(request.args.get("q", ""))
    found = shipments_of(
        session(),
        my_supplier().id,
        on=day,
        number=asked,
        limit=ROWS + 1,
        offset=(page - 1) * ROWS,
    )
    return render_template(
        "coop/shipments.html",
        shipments=found[:ROWS],
        tours=tours_of(found[:ROWS]) if day else [],
        more=len(found) > ROWS,
        page=page,
        day=day,
        asked=request.args.get("q", ""),
        today_=today(),
        before=(day or today()) - timedelta(days=1),
        after=(day or today()) + timedelta(days=1),
    )


@bp.get("/<int:shipment_id>")
@requires(*COOPERATIVE)
def show_shipment(shipment_id: int) -> str:
    return shipment_page(shipment_id, {})


@bp.post("/<int:shipment_id>/transport")
@requires(*SHIPS)
@once
def correct(shipment_id: int) -> Response | tuple[str, int]:
    supplier = my_supplier()
    try:
        fields = Fields(request.form)
        transport = read_transport(fields, request.form)
        fields.done()
        with transaction() as work:
            correct_transport(
                work, shipment_id, transport, supplier_id=supplier.id, by=actor(), now=now()
            )
    except Invalid as invalid:
        return shipment_page(shipment_id, invalid.errors), invalid.status
    flash(_("Carrier and number are put right; the buyer sees the new ones."), "done")
    return redirect(url_for("shipments.show_shipment", shipment_id=shipment_id), code=303)


def shipment_page(shipment_id: int, errors: dict[str, Text]) -> str:
    """The delivery note on the screen, with what may still be done."""
    supplier = my_supplier()
    shipment = shipment_sheet(session(), shipment_id, supplier_id=supplier.id)
    return render_template(
        "coop/shipments_one.html",
        shipment=shipment,
        to=destination_of(shipment),
        supplier=supplier,
        carriers=carriers_of(session(), supplier.id, in_use=True),
        may_ship=actor().role in SHIPS,
        errors=errors,
        form=request.form if errors else {},
    )


def _day() -> date | None:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None
