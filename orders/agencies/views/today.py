"""Today at the canteen's desk, and where the year stands."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from kernel.actors import CANTEEN
from kernel.errors import Missing, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies.models import Basis, Stage
from orders.agencies.operations.reminding import mark_reminders_read
from orders.agencies.queries.desk import debts, total_of, waiting
from orders.agencies.queries.figures import Figures, unit_figures
from orders.agencies.queries.grid import drafts_of
from orders.agencies.queries.harvests import doubtful_lines, proposals_to_answer
from orders.agencies.queries.movements import Wanted, course, movement_rows, years_with_figures
from orders.agencies.queries.reminders import unread_reminders
from orders.agencies.queries.scope import Scope
from orders.agencies.queries.units import filing_in_force, open_filing
from orders.agencies.rules.rates import forecast, pace
from orders.agencies.views.frame import desk_page, my_unit

bp = Blueprint("canteen_today", __name__, url_prefix="/canteen")

ROWS_A_PAGE = 100


@bp.get("/")
@requires(*CANTEEN)
def show() -> str:
    unit, day = my_unit(), today()
    found = waiting(session(), unit.organisation_id)
    return desk_page(
        "canteen/today.html",
        waiting=found,
        Stage=Stage,
        debts=debts(found[Stage.TO_PAY], day),
        at_stake=total_of(found[Stage.TO_REVIEW]),
        drafts=drafts_of(session(), unit.id),
        filing=filing_in_force(session(), unit.id, day.year),
        under_way=open_filing(session(), unit.id, day.year),
        figures=_figures(unit.id),
        calendar=pace(day, day.year),
        proposals=proposals_to_answer(session(), unit.organisation_id),
        doubtful=doubtful_lines(session(), unit.organisation_id),
        reminders=unread_reminders(session(), unit.id),
    )


@bp.post("/reminders")
@requires(*CANTEEN)
@once
def read_reminders() -> Response:
    """Somebody of the unit has read what the office asked."""
    unit = my_unit()
    with transaction() as work:
        mark_reminders_read(work, unit.id, by=actor(), now=now())
    return redirect(url_for(".show"), code=303)


@bp.get("/quota")
@requires(*CANTEEN)
def quota() -> str:
    unit, day = my_unit(), today()
    scope = Scope(unit_id=unit.id)
    year = request.args.get("year", default=day.year, type=int)
    if not 2000 <= year <= day.year + 1:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    basis = next((each for each in Basis if each.value == request.args.get("basis")), None)
    page = max(1, request.args.get("page", default=1, type=int))
    figures = _figures(unit.id, year)
    shown = movement_rows(
        session(),
        scope,
        Wanted(year=year, as_of=day, basis=basis),
        limit=ROWS_A_PAGE,
        offset=(page - 1) * ROWS_A_PAGE,
    )
    path = course(session(), scope, year=year, as_of=day)
    calendar = pace(day, year)
    likely = forecast(figures.counted, path.rhythms()) if year == day.year else None
    return desk_page(
        "canteen/quota.html",
        year=year,
        years=sorted({day.year, *years_with_figures(session(), scope)}, reverse=True),
        basis=basis,
        bases=list(Basis),
        figures=figures,
        calendar=calendar,
        gap=None if figures.rate is None else figures.rate - calendar,
        likely=likely,
        course=path,
        movements=shown,
        page=page,
        more=shown.count > page * ROWS_A_PAGE,
        filing=filing_in_force(session(), unit.id, year),
        waiting=waiting(session(), unit.organisation_id),
        Stage=Stage,
        Fraction=Fraction,
    )


def _figures(unit_id: int, year: int | None = None) -> Figures:
    """The three figures of one unit, as every page and bulletin says them."""
    day = today()
    [row] = unit_figures(
        session(), Scope(unit_id=unit_id), year=year or day.year, as_of=day, today=day
    )
    return row.figures
