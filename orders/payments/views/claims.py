"""What buyers ask back, with their photos, answered by the cooperative that sent the goods."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as Answer
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments import operations
from orders.payments.forms.after import Decision, read_decision
from orders.payments.queries.after import (
    claims_answered,
    claims_to_answer,
    photo_file,
    refund_sheet,
)
from orders.payments.rules.claims import answer_due
from orders.payments.views.asking import picture

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
    try:
        said = read_decision(request.form, ("grant", "part", "goods", "decline"))
        with transaction() as work:
            _carry_out(work, refund.id, said)
    except Invalid as invalid:
        errors = {f"{name}-{refund.id}": each for name, each in invalid.errors.items()}
        return _page(errors), invalid.status
    flash(_("Answered. The buyer hears of it."), "done")
    return redirect(url_for("claims.show"), code=303)  # type: ignore[return-value]


@bp.get("/photos/<int:photo_id>")
@requires(*COOPERATIVE)
def photo(photo_id: int) -> Answer:
    """A buyer's photo, for the cooperative whose goods it shows."""
    supplier = supplier_of(session(), organisation_id())
    return picture(photo_file(session(), photo_id, supplier_id=supplier.id))


def _carry_out(work: Session, refund_id: int, said: Decision) -> None:
    if said.act == "part":
        operations.offer_refund(
            work, refund_id, said.amount, answer=said.words, by=actor(), now=now()
        )
        return
    act = {
        "grant": operations.approve_refund,
        "goods": operations.ask_goods_back,
        "decline": operations.decline_refund,
    }[said.act]
    act(work, refund_id, answer=said.words, by=actor(), now=now())


def _page(errors: Mapping[str, Text]) -> str:
    supplier = supplier_of(session(), organisation_id())
    refunds = claims_to_answer(session(), supplier.id)
    return render_template(
        "coop/pack_claims.html",
        refunds=refunds,
        due={each.id: answer_due(each.made_at) for each in refunds},
        now=now(),
        answered=claims_answered(session(), supplier.id),
        errors=errors,
        form=request.form if errors else {},
    )
