"""The cooperative's bench: what is to be packed, from which lots, and what has left."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.sales.models import Order, OrderLine
from orders.sales.operations import ship_order
from orders.sales.queries import TO_PACK, order_sheet
from orders.sales.queries.packing import shipment_sheet, shipments_of, to_ship

bp = Blueprint("packing", __name__, url_prefix="/coop")

SHIPS = (Role.STOREKEEPER, Role.MANAGER)


@bp.get("/orders")
@requires(*COOPERATIVE)
def show_orders() -> str:
    supplier = _supplier()
    return render_template(
        "coop/pack_list.html", orders=to_ship(session(), supplier.id), day=today()
    )


@bp.get("/orders/<int:order_id>")
@requires(*COOPERATIVE)
def show_order(order_id: int) -> str:
    supplier = _supplier()
    return _order_page(order_id, supplier)


@bp.post("/orders/<int:order_id>/ship")
@requires(*SHIPS)
@once
def ship(order_id: int) -> Response | tuple[str, int]:
    supplier = _supplier()
    try:
        lines, carrier, tracking = _read(order_id, supplier)
        with transaction() as work:
            shipment = ship_order(
                work,
                order_id,
                supplier_id=supplier.id,
                lines=lines,
                carrier=carrier,
                tracking=tracking,
                request_key=f"form:{request.form['once']}",
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _order_page(order_id, supplier, invalid.errors), invalid.status
    except Refusal as refusal:
        errors = {"lines": refusal.reasons[0] if refusal.reasons else refusal.sentence}
        return _order_page(order_id, supplier, errors), refusal.status
    flash(_("Shipment %(number)s has left.", number=shipment.number), "done")
    return redirect(url_for("packing.show_shipment", shipment_id=shipment.id), code=303)


@bp.get("/shipments")
@requires(*COOPERATIVE)
def show_shipments() -> str:
    supplier = _supplier()
    return render_template(
        "coop/shipments.html", shipments=shipments_of(session(), supplier.id, limit=100)
    )


@bp.get("/shipments/<int:shipment_id>")
@requires(*COOPERATIVE)
def show_shipment(shipment_id: int) -> str:
    supplier = _supplier()
    return render_template(
        "coop/shipments_one.html",
        shipment=shipment_sheet(session(), shipment_id, supplier_id=supplier.id),
        supplier=supplier,
    )


def _supplier() -> Supplier:
    return supplier_of(session(), organisation_id())


def _own_lines(order: Order, supplier: Supplier) -> list[OrderLine]:
    """Lines of this supplier; an order without any is another's."""
    lines = [line for line in order.lines if line.supplier_id == supplier.id]
    if not lines:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return lines


def _order_page(order_id: int, supplier: Supplier, errors: dict[str, Text] | None = None) -> str:
    order = order_sheet(session(), order_id)
    lines = _own_lines(order, supplier)
    return render_template(
        "coop/pack_order.html",
        order=order,
        lines=lines,
        left={line.id: sum(each.open for each in line.allocations) for line in lines},
        shipments=[each for each in order.shipments if each.supplier_id == supplier.id],
        may_ship=actor().role in SHIPS and order.state in TO_PACK,
        errors=errors or {},
        form=request.form if errors else {},
    )


def _read(order_id: int, supplier: Supplier) -> tuple[dict[int, int], str, str]:
    lines = _own_lines(order_sheet(session(), order_id), supplier)
    fields = Fields(request.form)
    wanted = {}
    for line in lines:
        left = sum(each.open for each in line.allocations)
        name = f"line-{line.id}"
        if left and fields.has(name) and request.form[name].strip() != "0":
            wanted[line.id] = fields.quantity(name, line.product.base_unit, most=left)
    carrier = fields.text("carrier", most=40, required=False)
    tracking = fields.text("tracking", most=40, required=False)
    if not wanted and not fields.errors:
        fields.refuse("lines", Text("Enter how much of at least one line leaves now."))
    fields.done()
    return wanted, carrier, tracking
