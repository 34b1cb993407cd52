"""The accountant's desk for citizens who want an invoice: what is missing, and filing it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from orders.payments.forms.after import read_invoice
from orders.payments.operations import file_invoice
from orders.payments.queries.invoices import invoice_file, invoices_wanted, order_for_invoice
from orders.payments.rules.invoices import MOST_BYTES
from orders.payments.views.order_papers import as_file

bp = Blueprint("invoicing", __name__, url_prefix="/coop/citizen-invoices")

ISSUES = (Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*ISSUES)
def show() -> str:
    return _page({})


@bp.post("/<int:order_id>")
@requires(*ISSUES)
@once
def put(order_id: int) -> Response | tuple[str, int]:
    supplier = supplier_of(session(), organisation_id())
    order = order_for_invoice(session(), order_id, supplier_id=supplier.id)
    try:
        chosen = request.files.get("file")
        content = chosen.read(MOST_BYTES + 1) if chosen else b""
        name = (chosen.filename or "") if chosen else ""
        read = read_invoice(request.form, content, name, today())
        blob = services().storage.put(content, media_type=read.media_type, name=name)
        with transaction() as work:
            file_invoice(
                work, order.id, supplier_id=supplier.id, number=read.number, amount=read.amount,
                issued_on=read.issued_on, blob=blob, by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        errors = {f"{name}-{order.id}": each for name, each in invalid.errors.items()}
        return _page(errors), invalid.status
    flash(_("Filed. The buyer hears of it and can download it."), "done")
    return redirect(url_for("invoicing.show"), code=303)  # type: ignore[return-value]


@bp.get("/files/<int:invoice_id>")
@requires(*ISSUES)
def file(invoice_id: int) -> Answer:
    supplier = supplier_of(session(), organisation_id())
    return as_file(*invoice_file(session(), invoice_id, supplier_id=supplier.id))


def _page(errors: Mapping[str, Text]) -> str:
    supplier = supplier_of(session(), organisation_id())
    return render_template(
        "coop/citizen_invoices.html",
        wanted=invoices_wanted(session(), supplier.id),
        day=today(),
        errors=errors,
        form=request.form if errors else {},
    )
