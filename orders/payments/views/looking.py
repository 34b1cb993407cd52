"""The operator's look at payments and refunds that did not go as they should."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments.models import RefundKind
from orders.payments.operations import refund_payment, settle_refund_by_hand
from orders.payments.queries import payments_to_look_at, refunds_that_failed

bp = Blueprint("looking", __name__, url_prefix="/admin/payments")


@bp.get("")
@requires(Role.OPERATOR)
def show() -> str:
    return _page({})


@bp.post("/<int:payment_id>/give-back")
@requires(Role.OPERATOR)
@once
def give_back(payment_id: int) -> Response:
    """A payment of another amount than was asked goes back whole."""
    with transaction() as work:
        refund_payment(work, payment_id, kind=RefundKind.WRONG_AMOUNT, by=actor(), now=now())
    flash(_("The money goes back."), "done")
    return redirect(url_for("looking.show"), code=303)  # type: ignore[return-value]


@bp.post("/refunds/<int:refund_id>/by-hand")
@requires(Role.OPERATOR)
@once
def by_hand(refund_id: int) -> Response | tuple[str, int]:
    """A refund that the provider could not send was paid from the bank account."""
    fields = Fields(request.form)
    voucher = fields.text("voucher", most=100)
    try:
        fields.done()
    except Invalid as invalid:
        return _page({f"voucher-{refund_id}": invalid.errors["voucher"]}), invalid.status
    with transaction() as work:
        settle_refund_by_hand(work, refund_id, voucher=voucher, by=actor(), now=now())
    flash(_("The refund is settled."), "done")
    return redirect(url_for("looking.show"), code=303)  # type: ignore[return-value]


def _page(errors: dict[str, Text]) -> str:
    return render_template(
        "admin/payments.html",
        payments=payments_to_look_at(session()),
        refunds=refunds_that_failed(session()),
        errors=errors,
    )
