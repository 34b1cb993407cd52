"""Staff's own purchases at their unit's desk: the code, who asks, who belongs, what it brings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _

from kernel.actors import CANTEEN, Role
from kernel.errors import Invalid, Text
from kernel.money import total
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies.queries.staff import sums_of_staff
from orders.agencies.views.frame import desk_page, my_unit
from orders.sales.models import EmploymentState
from orders.sales.operations import (
    agree_employment,
    decline_employment,
    end_employment,
    renew_employer_code,
)
from orders.sales.queries.own import employer_code_of, staff_of

bp = Blueprint("canteen_staff", __name__, url_prefix="/canteen/staff")

# Who answers for whom a unit calls its own.
DECIDES = (Role.APPROVER, Role.UNION)


@bp.get("")
@requires(*CANTEEN)
def index() -> str:
    return _page({})


@bp.post("/code")
@requires(*DECIDES)
@once
def renew_code() -> Response:
    with transaction() as work:
        renew_employer_code(work, organisation_id(), by=actor(), now=now())
    flash(_("This is the code from now on; the one before works no longer."), "done")
    return _to_page()


@bp.post("/<int:employment_id>/agree")
@requires(*DECIDES)
@once
def agree(employment_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    valid_from = fields.date(f"from-{employment_id}", most=today())
    try:
        fields.done()
        with transaction() as work:
            agree_employment(
                work,
                employment_id,
                organisation_id=organisation_id(),
                valid_from=valid_from,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    flash(_("Agreed. Their orders from that day on may be credited to you."), "done")
    return _to_page()


@bp.post("/<int:employment_id>/decline")
@requires(*DECIDES)
@once
def decline(employment_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text("reason", most=200, required=False)
    try:
        fields.done()
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    with transaction() as work:
        decline_employment(
            work,
            employment_id,
            organisation_id=organisation_id(),
            reason=reason,
            by=actor(),
            now=now(),
        )
    flash(_("Declined. Nothing of theirs is credited to you."), "done")
    return _to_page()


@bp.post("/<int:employment_id>/end")
@requires(*DECIDES)
@once
def end(employment_id: int) -> Response:
    with transaction() as work:
        end_employment(
            work,
            employment_id,
            organisation_id=organisation_id(),
            reason="left the unit",
            by=actor(),
            now=now(),
        )
    flash(_("Ended. What was credited before stays; from tomorrow on nothing is."), "done")
    return _to_page()


def _page(errors: Mapping[str, Text]) -> str:
    year = today().year
    staff = staff_of(session(), organisation_id())
    sums = sums_of_staff(session(), my_unit().id, year)
    return desk_page(
        "canteen/staff.html",
        code=employer_code_of(session(), organisation_id()),
        asking=[each for each in staff if each.state is EmploymentState.ASKED],
        staff=[each for each in staff if each.state is not EmploymentState.ASKED],
        sums=sums,
        totals=[
            total(getattr(each, name) for each in sums.values())
            for name in ("ordered", "settled", "counted")
        ],
        may_decide=actor().role in DECIDES,
        by=actor(),
        year=year,
        first_day=date(year, 1, 1),
        form=request.form if errors else {},
        errors=errors,
    )


def _to_page() -> Response:
    return redirect(url_for("canteen_staff.index"), code=303)  # type: ignore[return-value]
