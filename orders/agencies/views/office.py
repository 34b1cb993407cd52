"""Filings on the desks of departments and districts: confirmed, put in force, sent back."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from kernel.actors import OFFICE, Role
from kernel.errors import Missing, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import read_reason
from orders.agencies.models import Filing, FilingState
from orders.agencies.queries.units import filings_before, filings_to_decide
from orders.agencies.rules.filing import Doubt

bp = Blueprint("office_filings", __name__, url_prefix="/office/filings")


@bp.get("")
@requires(*OFFICE)
def index() -> str:
    year = request.args.get("year", default=today().year, type=int)
    found = _filings(year)
    return render_template(
        "canteen/office_filings.html",
        year=year,
        filings=found,
        before=filings_before(session(), [each.unit_id for each in found], year),
        turn=_turn(),
        role=actor().role,
        States=FilingState,
        doubts={each.value: each for each in Doubt},
    )


@bp.post("/<int:filing_id>/confirm")
@requires(Role.DEPARTMENT)
@once
def confirm(filing_id: int) -> Response:
    with transaction() as work:
        filing = operations.confirm_filing(work, filing_id, by=actor(), now=now())
        year = filing.year
    flash(_("Confirmed. The district decides next."), "done")
    return _list(year)


@bp.post("/<int:filing_id>/effective")
@requires(Role.DISTRICT)
@once
def put_in_force(filing_id: int) -> Response:
    with transaction() as work:
        filing = operations.make_effective(work, filing_id, by=actor(), now=now())
        year = filing.year
    flash(_("The filing is in force."), "done")
    return _list(year)


@bp.post("/<int:filing_id>/return")
@requires(Role.DEPARTMENT, Role.DISTRICT)
@once
def send_back(filing_id: int) -> Response:
    reason = read_reason(request.form)
    with transaction() as work:
        filing = operations.return_filing(work, filing_id, reason=reason, by=actor(), now=now())
        year = filing.year
    flash(_("Sent back. The unit sees the reason."), "done")
    return _list(year)


def _filings(year: int) -> Sequence[Filing]:
    by = actor()
    if by.role is Role.DEPARTMENT:
        return filings_to_decide(session(), year=year, department_id=organisation_id())
    if by.region_code is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return filings_to_decide(session(), year=year, region_code=by.region_code)


def _turn() -> FilingState | None:
    """The state in which a filing waits for this reader."""
    return {
        Role.DEPARTMENT: FilingState.SUBMITTED,
        Role.DISTRICT: FilingState.CONFIRMED,
    }.get(actor().role or Role.OFFICIAL)


def _list(year: int) -> Response:
    return redirect(url_for("office_filings.index", year=year), code=303)  # type: ignore[return-value]
