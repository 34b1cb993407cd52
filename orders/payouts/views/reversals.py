"""冲销 at the cooperative's desk: one says that a slip in the store is wrong, another decides."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots.models.papers import AdjustmentState
from catalog.lots.views.slips import REVERSE, slip_page
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Missing, Refusal
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, transaction
from orders.payouts import operations

bp = Blueprint("reversals", __name__, url_prefix="/coop/slips")


@bp.post("/<number>/reverse")
@requires(*COOPERATIVE)
@once
def propose(number: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            operations.propose_slip_reversal(
                work, number, supplier_id=supplier_of(work, organisation_id()).id,
                reason=request.form.get("reversal_reason", ""), by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return slip_page(number, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return slip_page(number, against=refusal), 409
    flash(_("The reversal of slip %(number)s waits for a second person.", number=number), "done")
    return redirect(url_for("slips.show_slip", number=number), code=303)


@bp.post("/<number>/reverse/decide")
@requires(*REVERSE)
@once
def decide(number: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            made = operations.decide_slip_reversal(
                work, number, supplier_id=supplier_of(work, organisation_id()).id,
                agreed=request.form.get("agreed") == "yes", words=request.form.get("words", ""),
                by=actor(), now=now(),
            )  # fmt: skip
            done = made.state is AdjustmentState.APPROVED
    except Invalid as invalid:
        return slip_page(number, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return slip_page(number, against=refusal), 409
    if done:
        flash(_("Slip %(number)s is reversed.", number=number), "done")
    else:
        flash(_("Not agreed: slip %(number)s stays as it is.", number=number), "done")
    return redirect(url_for("slips.show_slip", number=number), code=303)
