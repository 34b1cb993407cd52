"""The unit a citizen works for: named by its code, agreed to by the unit, ended by either."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel.errors import Invalid, Refusal, Text
from kernel.web.access import actor, signed_in
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.sales.operations import ask_employer, end_employment
from orders.sales.queries.own import OPEN, employments_of

bp = Blueprint("employer", __name__)


@bp.get("/account/employer")
@signed_in
def show() -> str:
    return _page({})


@bp.post("/account/employer")
@signed_in
@once
def ask() -> Response | tuple[str, int]:
    fields = Fields(request.form)
    code = fields.text("code", most=40)
    name = fields.text("name", most=40)
    remark = fields.text("remark", most=60, required=False)
    try:
        fields.done()
        with transaction() as work:
            ask_employer(
                work, current_user.id, code=code, name=name, remark=remark, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    except Refusal as refusal:
        return _page({"code": refusal.sentence}), refusal.status
    flash(_("Asked. Your unit agrees at its own desk; you see it here."), "done")
    return redirect(url_for("employer.show"), code=303)  # type: ignore[return-value]


@bp.post("/account/employer/<int:employment_id>/end")
@signed_in
@once
def end(employment_id: int) -> Response:
    with transaction() as work:
        end_employment(work, employment_id, by=actor(), now=now())
    flash(_("Ended. What you order from tomorrow on is credited to nobody."), "done")
    return redirect(url_for("employer.show"), code=303)  # type: ignore[return-value]


def _page(errors: Mapping[str, Text]) -> str:
    known = employments_of(session(), current_user.id)
    return render_template(
        "account/employer.html",
        current=next((each for each in known if each.state in OPEN), None),
        earlier=[each for each in known if each.state not in OPEN],
        form=request.form if errors else {},
        errors=errors,
    )
