"""One line of a bulk order given back alone: taken off, proposed, agreed to or declined.

Both sides have the same forms at addresses of their own; whose order it is decides the query.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.agencies import operations
from orders.agencies.models import BulkOrder
from orders.agencies.queries.bulk import bulk_sheet
from orders.agencies.views import coop as supplier_desk
from orders.agencies.views import orders as canteen_desk

canteen = Blueprint("canteen_lines", __name__, url_prefix="/canteen/orders/<number>/lines")
coop = Blueprint("coop_lines", __name__, url_prefix="/coop/bulk/<number>/lines")

UNIT = (Role.BUYER, Role.APPROVER, Role.UNION)
Answer = Response | tuple[str, int]


@canteen.post("/take-off")
@requires(*UNIT)
@once
def unit_takes_off(number: str) -> Answer:
    return _ask(_of_unit(number), operations.take_off_line, canteen_desk.order_page)


@coop.post("/take-off")
@requires(Role.MANAGER)
@once
def supplier_takes_off(number: str) -> Answer:
    return _ask(_of_supplier(number), operations.take_off_line, supplier_desk.order_page)


@canteen.post("/propose")
@requires(*UNIT)
@once
def unit_proposes(number: str) -> Answer:
    return _ask(_of_unit(number), operations.propose_line, canteen_desk.order_page)


@coop.post("/propose")
@requires(Role.MANAGER, Role.STOREKEEPER)
@once
def supplier_proposes(number: str) -> Answer:
    return _ask(_of_supplier(number), operations.propose_line, supplier_desk.order_page)


@canteen.post("/proposals/<int:proposal_id>/agree")
@requires(*UNIT)
@once
def unit_agrees(number: str, proposal_id: int) -> Answer:
    _of_unit(number)
    return _agree(number, proposal_id, canteen_desk.order_page)


@coop.post("/proposals/<int:proposal_id>/agree")
@requires(Role.MANAGER)
@once
def supplier_agrees(number: str, proposal_id: int) -> Answer:
    _of_supplier(number)
    return _agree(number, proposal_id, supplier_desk.order_page)


@canteen.post("/proposals/<int:proposal_id>/decline")
@requires(*UNIT)
@once
def unit_declines(number: str, proposal_id: int) -> Answer:
    _of_unit(number)
    return _decline(number, proposal_id, canteen_desk.order_page)


@coop.post("/proposals/<int:proposal_id>/decline")
@requires(Role.MANAGER, Role.STOREKEEPER)
@once
def supplier_declines(number: str, proposal_id: int) -> Answer:
    _of_supplier(number)
    return _decline(number, proposal_id, supplier_desk.order_page)


Page = Callable[[str, dict[str, Text]], str]


def _of_unit(number: str) -> BulkOrder:
    return bulk_sheet(session(), number, organisation_id=organisation_id())


def _of_supplier(number: str) -> BulkOrder:
    return bulk_sheet(session(), number, supplier_organisation_id=organisation_id())


def _ask(bulk: BulkOrder, operation: Callable[..., object], page: Page) -> Answer:
    """The form of both: a line, so much of it (nothing typed is all that is open), and why."""
    number, fields = bulk.order.number, Fields(request.form)
    key = fields.key("off_line")
    line = next((each for each in bulk.order.lines if each.id == key), None)
    if line is None:
        fields.refuse("off_line", Text("Choose one of these."))
    elif fields.has("off_quantity"):
        quantity = fields.quantity("off_quantity", line.product.base_unit)
    else:
        quantity = sum(each.open for each in line.allocations)
    reason = fields.text("off_reason", most=120)
    try:
        fields.done()
        with transaction() as work:
            operation(work, bulk.order_id, key, quantity, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        named = {
            name if name.startswith("off_") else f"off_{name}": said
            for name, said in invalid.errors.items()
        }
        return page(number, named), 422
    except Missing:
        raise
    except Refusal as refusal:
        return page(number, {"off_line": refusal.sentence}), refusal.status
    flash(
        _("It is taken off the order; the other side gets a mail.")
        if operation is operations.take_off_line
        else _("Proposed. Nothing changes before the other side agrees."),
        "done",
    )
    return _back(number)


def _agree(number: str, proposal_id: int, page: Page) -> Answer:
    try:
        with transaction() as work:
            operations.agree_line(work, proposal_id, by=actor(), now=now())
    except Missing:
        raise
    except Refusal as refusal:
        said = refusal.reasons[0] if refusal.reasons else refusal.sentence
        return page(number, {"proposals": said}), refusal.status
    flash(_("Agreed. It is taken off, and the contract was frozen anew."), "done")
    return _back(number)


def _decline(number: str, proposal_id: int, page: Page) -> Answer:
    try:
        with transaction() as work:
            operations.decline_line(
                work, proposal_id, reason=request.form.get("answer", ""), by=actor(), now=now()
            )
    except Invalid as invalid:
        return page(number, {"answer": invalid.errors["reason"]}), invalid.status
    except Missing:
        raise
    except Refusal as refusal:
        return page(number, {"proposals": refusal.sentence}), refusal.status
    flash(_("Answered. Everything stays as it was ordered."), "done")
    return _back(number)


def _back(number: str) -> Response:
    desk = "canteen_orders" if request.blueprint == canteen.name else "coop_bulk"
    return redirect(url_for(f"{desk}.show", number=number), code=303)
