"""The cooperative's bench: what is to be packed, from which lots, and many orders at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.models import Supplier
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.sales.forms import read_shipping, read_transport
from orders.sales.models import BuyerKind, Order, OrderLine, OrderRecipient
from orders.sales.operations import ship_order
from orders.sales.queries import TO_PACK, order_sheet
from orders.sales.queries.packing import carriers_of, to_ship
from orders.sales.queries.picking import open_pieces, parcels
from orders.sales.rules.packing import Due, due_when, found_by
from orders.sales.views.frame import SHIPS, my_supplier, something, ticked

bp = Blueprint("packing", __name__, url_prefix="/coop")

ROWS = 100


@bp.get("/orders")
@requires(*COOPERATIVE)
def show_orders() -> str:
    everything = to_ship(session(), my_supplier().id)
    asked, page = request.args.get("q", ""), max(1, request.args.get("page", 1, type=int))
    kind = next((each for each in BuyerKind if each.value == request.args.get("kind")), None)
    due = next((each for each in Due if each.value == request.args.get("due")), None)
    by_due = dict.fromkeys(Due, 0)
    for row in everything:
        by_due[due_when(row.due_on, today())] += 1
    found = [
        row
        for row in everything
        if kind in (None, row.buyer_kind)
        and due in (None, due_when(row.due_on, today()))
        and found_by(asked, (row.number, row.buyer, *row.goods))
    ]
    return render_template(
        "coop/pack_list.html",
        orders=found[(page - 1) * ROWS : page * ROWS],
        found=len(found),
        count=len(everything),
        by_due=by_due,
        page=page,
        more=len(found) > page * ROWS,
        asked=asked,
        kind=kind,
        due=due,
        day=today(),
        tomorrow=today() + timedelta(days=1),
        may_ship=actor().role in SHIPS,
        BuyerKind=BuyerKind,
        Due=Due,
    )


@bp.get("/orders/<int:order_id>")
@requires(*COOPERATIVE)
def show_order(order_id: int) -> str:
    return _order_page(order_id, my_supplier())


@bp.post("/orders/<int:order_id>/ship")
@requires(*SHIPS)
@once
def ship(order_id: int) -> Response | tuple[str, int]:
    supplier = my_supplier()
    try:
        lines, transport = read_shipping(request.form, _open_lines(order_id, supplier))
        with transaction() as work:
            shipment = ship_order(
                work,
                order_id,
                supplier_id=supplier.id,
                lines=lines,
                transport=transport,
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
    return redirect(url_for("shipments.show_shipment", shipment_id=shipment.id), code=303)


@bp.get("/shipping")
@requires(*SHIPS)
def check_many() -> str:
    """What leaves if these orders are shipped whole: to be looked at before it is done."""
    return _many_page(ticked("order"), {})


@bp.post("/shipping")
@requires(*SHIPS)
@once
def ship_many() -> Response | tuple[str, int]:
    """Each parcel in a transaction of its own: one that cannot leave does not hold the others."""
    supplier, order_ids = my_supplier(), ticked("order")
    found = parcels(something(open_pieces(session(), supplier.id, order_ids)))
    try:
        fields = Fields(request.form)
        transport = read_transport(fields, request.form)
        fields.done()
    except Invalid as invalid:
        return _many_page(order_ids, invalid.errors), invalid.status
    gone, stayed = [], []
    for parcel in found:
        order_id, to = parcel.order.id, parcel.lines[0].line.recipient_id
        try:
            with transaction() as work:
                shipment = ship_order(
                    work,
                    order_id,
                    supplier_id=supplier.id,
                    # A group's parcel is what one of its people gets; of others all that is open.
                    lines={each.line.id: each.quantity for each in parcel.lines} if to else None,
                    transport=transport,
                    request_key=f"form:{request.form['once']}:{order_id}:{to or ''}".rstrip(":"),
                    by=actor(),
                    now=now(),
                )
                gone.append(shipment.number)
        except Refusal as refusal:
            stayed.append((order_id, refusal))
    for order_id, why_not in stayed:
        reasons = " ".join(say(each) for each in (why_not.reasons or (why_not.sentence,)))
        number = order_sheet(session(), order_id).number
        flash(_("%(number)s stays: %(why)s", number=number, why=reasons), "alarm")
    if gone:
        flash(_("%(count)s shipments have left.", count=len(gone)), "done")
    return redirect(
        url_for("shipments.show_shipments", day=today().isoformat())
        if gone
        else url_for("packing.show_orders"),
        code=303,
    )


def _many_page(order_ids: list[int], errors: dict[str, Text]) -> str:
    supplier = my_supplier()
    found = parcels(something(open_pieces(session(), supplier.id, order_ids)))
    return render_template(
        "coop/pack_many.html",
        parcels=found,
        carriers=carriers_of(session(), supplier.id, in_use=True),
        errors=errors,
        form=request.form if errors else {},
    )


def _own_lines(order: Order, supplier: Supplier) -> list[OrderLine]:
    """Lines of this supplier; an order without any is another's."""
    lines = [line for line in order.lines if line.supplier_id == supplier.id]
    if not lines:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return lines


def _open_lines(order_id: int, supplier: Supplier) -> list[tuple[OrderLine, int]]:
    lines = _own_lines(order_sheet(session(), order_id), supplier)
    return [(line, sum(each.open for each in line.allocations)) for line in lines]


def _order_page(order_id: int, supplier: Supplier, errors: dict[str, Text] | None = None) -> str:
    order = order_sheet(session(), order_id)
    lines = _own_lines(order, supplier)
    left = {line.id: sum(each.open for each in line.allocations) for line in lines}
    people = _people(lines, left)
    to = _chosen(people)
    return render_template(
        "coop/pack_order.html",
        order=order,
        lines=[line for line in lines if to is None or line.recipient_id == to.id],
        left=left,
        people=people,
        to=to or order,
        shipments=[each for each in order.shipments if each.supplier_id == supplier.id],
        carriers=carriers_of(session(), supplier.id, in_use=True),
        may_ship=actor().role in SHIPS and order.state in TO_PACK,
        errors=errors or {},
        form=request.form if errors else {},
    )


def _people(lines: list[OrderLine], left: Mapping[int, int]) -> list[tuple[OrderRecipient, bool]]:
    """The people of a group purchase in their order, and whether something of theirs is open."""
    found: dict[int, tuple[OrderRecipient, bool]] = {}
    for line in lines:
        if line.to is not None:
            waits = found.get(line.to.id, (line.to, False))[1] or left[line.id] > 0
            found[line.to.id] = (line.to, waits)
    return sorted(found.values(), key=lambda pair: pair[0].position)


def _chosen(people: list[tuple[OrderRecipient, bool]]) -> OrderRecipient | None:
    """Whose parcel is packed: the one asked for, or the first that waits."""
    asked = request.values.get("to", type=int)
    named = [person for person, _waits in people if person.id == asked]
    waiting = [person for person, waits in people if waits]
    return next(iter([*named, *waiting, *(person for person, _waits in people)]), None)
