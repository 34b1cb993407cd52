"""The store's two steps that other rooms must agree to: another lot, and a shipment called back."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.lots.queries import candidates
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.sales.models import OrderLine
from orders.sales.queries import order_sheet
from orders.sales.views.frame import SHIPS, my_supplier
from orders.sales.views.shipments import shipment_page

bp = Blueprint("fulfilment", __name__, url_prefix="/coop")

WHY = (Text("spoiled or damaged"), Text("lot on hold"), Text("not found in the store"),
       Text("kept for another buyer"))  # fmt: skip


@bp.get("/orders/<int:order_id>/lines/<int:line_id>/lot")
@requires(*SHIPS)
def choose_lot(order_id: int, line_id: int) -> str:
    return _lot_page(order_id, line_id, {})


@bp.post("/orders/<int:order_id>/lines/<int:line_id>/lot")
@requires(*SHIPS)
@once
def replace_lot(order_id: int, line_id: int) -> Response | tuple[str, int]:
    line, supplier = _line(order_id, line_id), my_supplier()
    try:
        fields = Fields(request.form)
        from_lot, to_lot = fields.key("from_lot"), fields.key("to_lot")
        reason = fields.text("reason", most=200)
        unit = line.product.base_unit
        quantity = fields.quantity("quantity", unit) if fields.has("quantity") else None
        fields.done()
        with transaction() as work:
            operations.replace_lot(
                work,
                order_id,
                line_id,
                supplier_id=supplier.id,
                from_lot_id=from_lot,
                to_lot_id=to_lot,
                quantity=quantity,
                reason=reason,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _lot_page(order_id, line_id, invalid.errors), invalid.status
    except Missing:
        raise
    except Refusal as refusal:
        reason_ = refusal.reasons[0] if refusal.reasons else refusal.sentence
        return _lot_page(order_id, line_id, {"to_lot": reason_}), refusal.status
    flash(_("The line takes its goods from the other lot now."), "done")
    return redirect(url_for("packing.show_order", order_id=order_id), code=303)  # type: ignore[return-value]


@bp.post("/shipments/<int:shipment_id>/cancel")
@requires(*SHIPS)
@once
def call_back(shipment_id: int) -> Response | tuple[str, int]:
    supplier = my_supplier()
    try:
        reason = request.form.get("reason", "")
        with transaction() as work:
            shipment = operations.call_back_shipment(
                work, shipment_id, supplier_id=supplier.id, reason=reason, by=actor(), now=now()
            )
            order_id, number = shipment.order_id, shipment.number
    except Invalid as invalid:
        return shipment_page(shipment_id, invalid.errors), invalid.status
    except Missing:
        raise
    except Refusal as refusal:
        return shipment_page(shipment_id, {"reason": refusal.sentence}), refusal.status
    flash(_("%(number)s is called back; its goods are reserved again.", number=number), "done")
    return redirect(url_for("packing.show_order", order_id=order_id), code=303)  # type: ignore[return-value]


def _line(order_id: int, line_id: int) -> OrderLine:
    supplier = my_supplier()
    for line in order_sheet(session(), order_id).lines:
        if line.id == line_id and line.supplier_id == supplier.id:
            return line
    raise Missing(Text("There is nothing at this address, or it is not yours."))


def _lot_page(order_id: int, line_id: int, errors: dict[str, Text]) -> str:
    order, line = order_sheet(session(), order_id), _line(order_id, line_id)
    held: dict[int, int] = {}
    for each in line.allocations:
        if each.open:
            held[each.lot_id] = held.get(each.lot_id, 0) + each.open
    day = max(today(), line.deliver_on or order.deliver_on or today())
    others: dict[int, list[object]] = {}
    for found in candidates(session(), [line.product_id], on_day=day):
        # The lot itself is no choice, unless the line draws on several.
        if found.grade is line.grade and (len(held) > 1 or found.lot_id not in held):
            row = others.setdefault(found.lot_id, [found.lot_code, found.best_before, 0])
            row[2] = int(str(row[2])) + found.free
    lots = {each.lot_id: each.lot for each in line.allocations}
    return render_template(
        "coop/pack_lot.html",
        order=order,
        line=line,
        held=[(lots[key], quantity) for key, quantity in sorted(held.items())],
        others=sorted(others.items(), key=lambda pair: (str(pair[1][1]), pair[0])),
        why=WHY,
        errors=errors,
        form=request.form if errors else {},
    )
