"""The platform decides where a buyer and a cooperative do not agree, or nobody answered."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.money import ZERO
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments.forms.after import read_decision
from orders.payments.operations import decide_refund
from orders.payments.queries.after import any_refund, claims_for_platform, photo_file
from orders.payments.rules.claims import answer_due
from orders.payments.views.asking import picture

bp = Blueprint("deciding", __name__, url_prefix="/admin/claims")


@bp.get("")
@requires(Role.OPERATOR)
def show() -> str:
    return _page({})


@bp.post("/<int:refund_id>")
@requires(Role.OPERATOR)
@once
def decide(refund_id: int) -> Response | tuple[str, int]:
    refund = any_refund(session(), refund_id)
    try:
        said = read_decision(request.form, ("grant", "part", "decline"))
        amounts = {"grant": refund.amount, "part": said.amount, "decline": ZERO}
        with transaction() as work:
            decide_refund(
                work, refund.id, amounts[said.act], answer=said.words, by=actor(), now=now()
            )
    except Invalid as invalid:
        errors = {f"{name}-{refund.id}": each for name, each in invalid.errors.items()}
        return _page(errors), invalid.status
    flash(_("Decided. The buyer hears of it."), "done")
    return redirect(url_for("deciding.show"), code=303)  # type: ignore[return-value]


@bp.get("/photos/<int:photo_id>")
@requires(Role.OPERATOR)
def photo(photo_id: int) -> Answer:
    return picture(photo_file(session(), photo_id))


def _page(errors: Mapping[str, Text]) -> str:
    refunds = claims_for_platform(session(), now=now())
    return render_template(
        "admin/claims.html",
        refunds=refunds,
        due={each.id: answer_due(each.made_at) for each in refunds},
        now=now(),
        errors=errors,
        form=request.form if errors else {},
    )
