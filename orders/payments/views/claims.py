"""What buyers ask back, answered by the cooperative that sent the goods."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments.operations import approve_refund, decline_refund
from orders.payments.queries.after import claims_to_answer, refund_sheet

bp = Blueprint("claims", __name__, url_prefix="/coop/refunds")

ANSWERS = (Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*ANSWERS)
def show() -> str:
    return _page({})


@bp.post("/<int:refund_id>")
@requires(*ANSWERS)
@once
def answer(refund_id: int) -> Response | tuple[str, int]:
    supplier = supplier_of(session(), organisation_id())
    refund = refund_sheet(session(), refund_id, supplier_id=supplier.id)
    fields = Fields(request.form)
    grant = request.form.get("decision") == "grant"
    words = fields.text("answer", most=200, required=not grant)
    try:
        fields.done()
    except Invalid:
        problem = Text("Say why, so that the buyer can understand.")
        return _page({f"answer-{refund.id}": problem}), 422
    with transaction() as work:
        if grant:
            approve_refund(work, refund.id, answer=words, by=actor(), now=now())
        else:
            decline_refund(work, refund.id, answer=words, by=actor(), now=now())
    flash(_("Answered. The buyer hears of it."), "done")
    return redirect(url_for("claims.show"), code=303)  # type: ignore[return-value]


def _page(errors: dict[str, Text]) -> str:
    supplier = supplier_of(session(), organisation_id())
    return render_template(
        "coop/pack_claims.html",
        refunds=claims_to_answer(session(), supplier.id),
        errors=errors,
        form=request.form if errors else {},
    )
