"""The office desk: read scope and day from the address, ask, show. Officials read; they remind."""

from __future__ import annotations

from datetime import date, datetime
from typing import TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import OFFICE, Role
from kernel.errors import Invalid, Missing, Text
from kernel.labels import Labelled
from kernel.text import tidy
from kernel.web.access import acting, actor, requires
from kernel.web.forms import Fields
from kernel.web.i18n import in_chinese
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies.models import Basis, Purpose
from orders.agencies.operations.reminding import ReminderChannel, remind_unit
from orders.agencies.queries.figures import UnitFigures, unit_figures
from orders.agencies.queries.movements import Wanted, movement_rows
from orders.agencies.queries.units import filings_of, unit_sheet
from orders.agencies.rules import rates
from orders.agencies.rules.rates import Light
from orders.sales.models import Channel
from shop.office import groups, overview
from shop.office.drawing import curve
from shop.office.order_sheet import order_sheet
from shop.office.road import road
from shop.office.sankey import LYING, STANDING, sankey
from shop.office.unit_sheet import due_line, reminders_of, unit_orders
from shop.office.villages import sum_villages, villages
from shop.office.whose import Desk, desk_of

bp = Blueprint("office", __name__, url_prefix="/office")

Choice = TypeVar("Choice", bound=Labelled)

READERS = (*OFFICE, Role.AUDITOR)
PAGE = 50


@bp.get("/")
@requires(*READERS)
def show_overview() -> str:
    desk, as_of = _desk(), _as_of()
    found = _standings(desk, as_of)
    so_far = overview.year_so_far(
        session(), desk.scope, year=as_of.year, as_of=as_of, channel=_channel()
    )
    way = road(
        session(), desk.scope, villages=desk.villages, year=as_of.year, as_of=as_of,
        lang="zh" if in_chinese() else "en", others=_("others"),
    )  # fmt: skip
    return render_template(
        "office/overview.html",
        whose=desk,
        found=found,
        units=overview.sort_units(found.units, request.args.get("sort", "gap")),
        so_far=so_far,
        drawn=curve(so_far, target=found.total.reserved),
        late=overview.to_remind(session(), found) if as_of == today() else [],
        behind=overview.far_behind(found),
        road=way,
        lying=sankey(way, LYING),
        standing=sankey(way, STANDING),
        **_frame(as_of),
    )


@bp.get("/units")
@requires(*READERS)
def list_units() -> str:
    desk, as_of = _desk(), _as_of()
    found = _standings(desk, as_of)
    by = request.args.get("by", "unit")
    grouped = None
    if by == "department":
        grouped = groups.by_department(found.units, year=as_of.year, as_of=as_of)
    elif by == "region":
        grouped = groups.by_region(session(), found.units, year=as_of.year, as_of=as_of)
    light = _one_of(Light, "light")
    chosen = [
        unit for unit in _in_group(found.units) if light is None or unit.standing.light is light
    ]
    return render_template(
        "office/units.html",
        whose=desk,
        found=found,
        units=overview.sort_units(chosen, request.args.get("sort", "gap")),
        groups=grouped,
        by=by,
        light=light,
        lights=list(Light),
        **_frame(as_of),
    )


@bp.get("/units/<int:unit_id>")
@requires(*READERS)
def show_unit(unit_id: int) -> str:
    return _unit_page(unit_id)


@bp.post("/units/<int:unit_id>/reminders")
@requires(*OFFICE)
@once
def remind(unit_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    channel = fields.choice("channel", ReminderChannel)
    text = fields.text("text", most=500)
    _unit(_desk(), unit_id, today())
    try:
        fields.done()
        with transaction() as work:
            remind_unit(work, unit_id, channel=channel, text=text, by=actor(), now=now())
    except Invalid as invalid:
        return _unit_page(unit_id, form=request.form, errors=invalid.errors), 422
    flash(_("The reminder is logged."))
    return redirect(url_for(".show_unit", unit_id=unit_id, _anchor="reminders"), code=303)


@bp.get("/rows")
@requires(*READERS)
def list_rows() -> str:
    desk, as_of = _desk(), _as_of()
    unit_id = request.args.get("unit", type=int)
    unit = _unit(desk, unit_id, as_of) if unit_id is not None else None
    page = max(1, request.args.get("page", 1, type=int))
    wanted = Wanted(
        as_of.year,
        as_of,
        basis=_one_of(Basis, "basis"),
        purpose=_one_of(Purpose, "purpose"),
        channel=_channel(),
        month=request.args.get("month", type=int),
    )
    scope = desk.scope.only(unit_id) if unit_id is not None else desk.scope
    return render_template(
        "office/rows.html",
        whose=desk,
        unit=unit,
        wanted=wanted,
        listed=movement_rows(session(), scope, wanted, limit=PAGE, offset=PAGE * (page - 1)),
        page=page,
        per_page=PAGE,
        bases=list(Basis),
        **_frame(as_of),
    )


@bp.get("/orders/<number>")
@requires(*READERS)
def show_order(number: str) -> str:
    desk = _desk()
    sheet = order_sheet(session(), desk.scope, number, viewer=desk.viewer, today=today())
    return render_template("office/order.html", whose=desk, sheet=sheet, **_frame(today()))


@bp.get("/households")
@requires(*READERS)
def list_villages() -> str:
    desk, as_of = _desk(), _as_of()
    found = villages(session(), desk.villages, year=as_of.year, as_of=as_of)
    return render_template(
        "office/households.html",
        whose=desk,
        villages=found,
        total=sum_villages(found),
        **_frame(as_of),
    )


def _unit_page(unit_id: int, **form: object) -> str:
    desk, as_of = _desk(), _as_of()
    row = _unit(desk, unit_id, as_of)
    scope = desk.scope.only(unit_id)
    orders = unit_orders(session(), unit_id, year=as_of.year, as_of=as_of)
    so_far = overview.year_so_far(session(), scope, year=as_of.year, as_of=as_of)
    return render_template(
        "office/unit.html",
        whose=desk,
        unit=row,
        sheet=unit_sheet(session(), unit_id),
        orders=orders,
        due=due_line(orders, day=as_of),
        so_far=so_far,
        pace=rates.pace(as_of, as_of.year),
        recent=movement_rows(session(), scope, Wanted(as_of.year, as_of), limit=12),
        filings=filings_of(session(), unit_id),
        reminders=reminders_of(session(), unit_id),
        channels=ReminderChannel,
        may_remind=_may_remind(),
        **_frame(as_of),
        **form,
    )


def _desk() -> Desk:
    membership = acting()
    assert membership is not None
    return desk_of(session(), membership)


def _standings(desk: Desk, as_of: date) -> overview.Standings:
    return overview.standings(
        session(), desk.scope, year=as_of.year, as_of=as_of, today=today(), channel=_channel()
    )


def _unit(desk: Desk, unit_id: int, as_of: date) -> UnitFigures:
    """The unit's row if this desk may see it; another's does not exist."""
    rows = unit_figures(
        session(), desk.scope.only(unit_id), year=as_of.year, as_of=as_of, today=today()
    )
    if not rows:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return rows[0]


def _frame(as_of: date) -> dict[str, object]:
    """What every page of the desk says of its day and its channel."""
    return {
        "as_of": as_of,
        "is_today": as_of == today(),
        "days_left": (date(as_of.year, 12, 31) - as_of).days,
        "channel": _channel(),
        "kept": {key: request.args[key] for key in ("as_of", "channel") if request.args.get(key)},
    }


def _may_remind() -> bool:
    membership = acting()
    return membership is not None and membership.role in OFFICE


def _as_of() -> date:
    """The day asked for, or today; never a day that has not come."""
    text = tidy(request.args.get("as_of", "")).replace("/", "-")
    try:
        asked = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a day, not an instant
    except ValueError:
        return today()
    return min(asked, today())


def _channel() -> str | None:
    found = _one_of(Channel, "channel")
    return found.value if found else None


def _one_of(options: type[Choice], name: str) -> Choice | None:
    asked = request.args.get(name)
    return next((each for each in options if each.value == asked), None)


def _in_group(units: list[UnitFigures]) -> list[UnitFigures]:
    if department := request.args.get("department"):
        return [unit for unit in units if str(unit.supervisor_id) == department]
    if region := request.args.get("region"):
        return groups.in_region(session(), units, region)
    return units
