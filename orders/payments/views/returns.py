"""The storekeeper's desk for goods that come back: arrival, inspection, where they are sent to."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments import operations
from orders.payments.forms.after import read_return_address
from orders.payments.models import Refund, RefundLine
from orders.payments.operations import Found
from orders.payments.queries.after import refund_sheet, return_addresses, returns_of_supplier
from orders.payments.rules.claims import refund_due
from orders.payments.views.standing import pack_size

bp = Blueprint("returns", __name__, url_prefix="/coop/returns")

KEEPS = (Role.STOREKEEPER, Role.MANAGER)


@bp.get("")
@requires(*COOPERATIVE)
def show() -> str:
    return _page({})


@bp.post("/<int:refund_id>/arrived")
@requires(*KEEPS)
@once
def arrived(refund_id: int) -> Response:
    refund = _mine(refund_id)
    with transaction() as work:
        operations.receive_return(work, refund.id, by=actor(), now=now())
    flash(_("Noted. Look at the goods, then the money goes back."), "done")
    return redirect(url_for("returns.show"), code=303)  # type: ignore[return-value]


@bp.post("/<int:refund_id>/inspected")
@requires(*KEEPS)
@once
def inspected(refund_id: int) -> Response | tuple[str, int]:
    refund = _mine(refund_id)
    try:
        found, remark = _read(refund)
        with transaction() as work:
            operations.inspect_return(work, refund.id, found, remark=remark, by=actor(), now=now())
    except Invalid as invalid:
        errors = {
            name if name != "remark" else f"remark-{refund.id}": each
            for name, each in invalid.errors.items()
        }
        return _page(errors), invalid.status
    flash(_("Written down. Stock and money follow what was found."), "done")
    return redirect(url_for("returns.show"), code=303)  # type: ignore[return-value]


@bp.post("/address")
@requires(*KEEPS)
@once
def address() -> Response | tuple[str, int]:
    supplier = supplier_of(session(), organisation_id())
    try:
        recipient, phone, where = read_return_address(request.form)
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    with transaction() as work:
        operations.save_return_address(
            work, supplier.id, recipient=recipient, phone=phone, address=where,
            by=actor(), now=now(),
        )  # fmt: skip
    flash(_("Buyers see this address from now on."), "done")
    return redirect(url_for("returns.show"), code=303)  # type: ignore[return-value]


def _mine(refund_id: int) -> Refund:
    supplier = supplier_of(session(), organisation_id())
    return refund_sheet(session(), refund_id, supplier_id=supplier.id)


def _read(refund: Refund) -> tuple[dict[int, Found], str]:
    """What was found, in packs or in kilograms as the page asks, of every line."""
    fields = Fields(request.form)
    found = {}
    for part in refund.lines:
        good, spoiled = (_typed(fields, f"{name}-{part.id}", part) for name in ("good", "spoiled"))
        found[part.id] = Found(good, spoiled)
    remark = fields.text("remark", most=200, required=False)
    fields.done()
    return found, remark


def _typed(fields: Fields, name: str, part: RefundLine) -> int:
    if not fields.has(name):
        return 0
    if size := _in_packs(part):
        return fields.whole(name, most=part.quantity // size) * size
    return fields.quantity(name, part.line.product.base_unit, least=0)


def _in_packs(part: RefundLine) -> int:
    """Base units of a pack, where whole packs are to come back; else 0."""
    size = pack_size(part.line)
    return 0 if part.quantity % size else size


def _page(errors: Mapping[str, Text]) -> str:
    supplier = supplier_of(session(), organisation_id())
    refunds = returns_of_supplier(session(), supplier.id)
    return render_template(
        "coop/returns.html",
        refunds=refunds,
        due={
            each.id: refund_due(each.parcel.arrived_at)
            for each in refunds
            if each.parcel is not None and each.parcel.arrived_at is not None
        },
        in_packs={part.id: _in_packs(part) for each in refunds for part in each.lines},
        address=return_addresses(session(), [supplier.id]).get(supplier.id),
        may_keep=actor().role in KEEPS,
        errors=errors,
        form=request.form if errors else {},
    )
