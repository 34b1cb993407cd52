"""The cooperative's desk: goods become stock that is owed for; where the money of sales went."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import ngettext
from werkzeug.wrappers import Response

from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.shares import operations, queries
from orders.shares.models import PartKind

bp = Blueprint("shares", __name__, url_prefix="/coop")


@bp.post("/slips/take-in")
@requires(Role.STOREKEEPER, Role.MANAGER)
@once
def take_in() -> Response:
    slip_ids = [int(key) for key in request.form.getlist("slip") if key.isdecimal()]
    if not slip_ids:
        raise Invalid({"slip": Text("Please choose at least one slip.")})
    with transaction() as work:
        supplier = supplier_of(work, organisation_id())
        taken = operations.take_in_slips(
            work, slip_ids, supplier_id=supplier.id, by=actor(), now=now()
        )
    flash(
        ngettext(
            "%(num)d slip is in the store now.", "%(num)d slips are in the store now.", len(taken)
        ),
        "done",
    )
    return redirect(url_for("slips.show_slips"), code=303)


@bp.get("/settlement")
@requires(*COOPERATIVE)
def settlement() -> str:
    """Where the money of this year's settled lines went, by product and line by line."""
    supplier = supplier_of(session(), organisation_id())
    year = _year(today())
    start, end = date(year, 1, 1), date(year, 12, 31)
    page = max(1, request.args.get("page", 1, type=int) or 1)
    lines = queries.settled_lines(
        session(), supplier.id, start, end, offset=(page - 1) * queries.PER_PAGE
    )
    return render_template(
        "shares/settlement.html",
        year=year,
        this_year=today().year,
        went=queries.where_the_yuan_went(session(), start, end, supplier_id=supplier.id),
        products=queries.by_product(session(), supplier.id, start, end),
        lines=lines[: queries.PER_PAGE],
        page=page,
        more=len(lines) > queries.PER_PAGE,
        Part=PartKind,
    )


def _year(day: date) -> int:
    asked = request.args.get("year", day.year, type=int) or day.year
    return min(max(asked, 2000), day.year)
