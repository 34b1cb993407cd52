"""The cooperative's side: contracts to sign, what is owed, payments to recognise, credit notes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import read_credit, read_invoice, read_reason
from orders.agencies.models import Stage
from orders.agencies.operations import CreditLine
from orders.agencies.queries.bulk import bulk_sheet, line_sums, rows
from orders.agencies.queries.suppliers import supplier_stage_counts
from orders.agencies.views.orders import order_values

bp = Blueprint("coop_bulk", __name__, url_prefix="/coop/bulk")

MOST_ROWS = 100


@bp.get("")
@requires(*COOPERATIVE)
def index() -> str:
    stage = next((each for each in Stage if each.value == request.args.get("stage")), None)
    page = max(1, request.args.get("page", default=1, type=int))
    found = rows(
        session(),
        supplier_organisation_id=organisation_id(),
        stages=None if stage is None else (stage,),
        limit=MOST_ROWS + 1,
        offset=(page - 1) * MOST_ROWS,
    )
    return render_template(
        "coop/bulk.html",
        rows=found[:MOST_ROWS],
        more=len(found) > MOST_ROWS,
        page=page,
        stage=stage,
        by_stage=supplier_stage_counts(session(), organisation_id()),
        Stage=Stage,
    )


@bp.get("/<number>")
@requires(*COOPERATIVE)
def show(number: str) -> str:
    return order_page(number)


@bp.post("/<number>/sign")
@requires(Role.MANAGER)
@once
def sign(number: str) -> Response:
    order_id = _order_id(number)
    with transaction() as work:
        operations.sign_order(work, order_id, by=actor(), now=now())
    flash(_("Signed. The contract is frozen, and the order is to be packed."), "done")
    return _back(number)


@bp.post("/<number>/cancel")
@requires(Role.MANAGER)
@once
def cancel(number: str) -> Response:
    order_id, reason = _order_id(number), read_reason(request.form)
    with transaction() as work:
        operations.cancel_order(work, order_id, reason=reason, by=actor(), now=now())
    flash(_("The order is cancelled; its goods are free again."), "done")
    return _back(number)


@bp.post("/<number>/release")
@requires(Role.MANAGER)
@once
def release(number: str) -> Response:
    """What is still open will not be shipped."""
    order_id, reason = _order_id(number), read_reason(request.form)
    with transaction() as work:
        operations.release_rest(work, order_id, reason=reason, by=actor(), now=now())
    flash(_("What was still open is free again."), "done")
    return _back(number)


@bp.post("/<number>/invoice")
@requires(Role.ACCOUNTANT, Role.MANAGER)
@once
def invoice(number: str) -> Response | tuple[str, int]:
    order_id = _order_id(number)
    try:
        values = read_invoice(request.form, today=today())
        with transaction() as work:
            operations.record_invoice(work, order_id, **values, by=actor(), now=now())
    except Invalid as invalid:
        return order_page(number, invalid.errors), invalid.status
    flash(_("The invoice is entered. The unit's finance checks it."), "done")
    return _back(number)


@bp.post("/<number>/credit")
@requires(Role.ACCOUNTANT, Role.MANAGER)
@once
def credit(number: str) -> Response | tuple[str, int]:
    """A credit note for a paid order."""
    bulk = bulk_sheet(session(), number, supplier_organisation_id=organisation_id())
    order_id = bulk.order_id
    units = {line.id: line.product.base_unit for line in bulk.order.lines}
    try:
        reason = read_reason(request.form)
        lines = [
            CreditLine(line_id=line_id, quantity=quantity, amount=amount)
            for line_id, quantity, amount in read_credit(request.form, units)
        ]
        with transaction() as work:
            operations.refund_after(
                work,
                order_id,
                lines=lines,
                reason=reason,
                request_key=f"credit:{request.form.get('once', '')}",
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return order_page(number, invalid.errors), invalid.status
    flash(_("The credit note is written; the unit's figures fall by it."), "done")
    return _back(number)


def order_page(number: str, errors: dict[str, Text] | None = None) -> str:
    """The supplier's page of one order."""
    bulk = bulk_sheet(session(), number, supplier_organisation_id=organisation_id())
    return render_template(
        "coop/bulk_order.html",
        **order_values(bulk),
        sums=line_sums(session(), bulk.order_id),
        may_take_off=actor().role is Role.MANAGER,
        may_propose=actor().role in (Role.MANAGER, Role.STOREKEEPER),
        lines_at="coop_lines",
        by=actor(),
        form=request.form if errors else {},
        errors=errors or {},
    )


def _order_id(number: str) -> int:
    return bulk_sheet(session(), number, supplier_organisation_id=organisation_id()).order_id


def _back(number: str) -> Response:
    return redirect(url_for("coop_bulk.show", number=number), code=303)  # type: ignore[return-value]
