"""The county's two reviews: the register of its suppliers, and one supplier's file."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from catalog.suppliers import queries
from catalog.suppliers.models import ChangeState, Supplier, SupplierState
from catalog.suppliers.views.sheet import choices, make_move, sheet
from kernel.actors import Role
from kernel.db import Work
from kernel.errors import Invalid, Text
from kernel.regions import prefixes
from kernel.web.access import actor, requires
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("office_suppliers", __name__, url_prefix="/office/suppliers")

PAGE = 50
TURN = (
    SupplierState.APPLIED,
    SupplierState.AGRICULTURE_REVIEW,
    SupplierState.REVITALISATION_REVIEW,
)


@bp.get("")
@requires(Role.DISTRICT, Role.OFFICIAL)
def index() -> str:
    inside = prefixes(session(), actor().region_code or "")
    page = max(1, request.args.get("page", 1, type=int) or 1)
    words = request.args.get("q", "").strip()[:80]
    found = queries.supplier_rows(
        session(), region_prefixes=inside, words=words, offset=PAGE * (page - 1), limit=PAGE + 1
    )
    last_year = today().year - 1
    return render_template(
        "suppliers/register.html",
        nav="office.suppliers",
        here="office_suppliers.index",
        sheet_at="office_suppliers.show",
        rows=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        words=words,
        todo=queries.supplier_rows(session(), states=TURN, region_prefixes=inside)
        if actor().role is Role.DISTRICT
        else [],
        changes=queries.waiting_changes(session(), ChangeState.AT_COUNTY, region_prefixes=inside)
        if actor().role is Role.DISTRICT
        else [],
        turn=TURN,
        unreviewed=queries.unreviewed(session(), last_year, region_prefixes=inside),
        last_year=last_year,
    )


@bp.get("/<code>")
@requires(Role.DISTRICT, Role.OFFICIAL)
def show(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None) -> str:
    supplier = _inside(session(), code)
    return render_template(
        "suppliers/sheet.html",
        nav="office.suppliers",
        back=url_for("office_suppliers.index"),
        move_to=url_for("office_suppliers.move", code=supplier.code),
        linkage=f"/office/linkage/{supplier.code}",
        decide_at="register_changes.county",
        decides=ChangeState.AT_COUNTY if actor().role is Role.DISTRICT else None,
        choices=choices(supplier.state, actor().role),
        form=request.form if errors else {},
        errors=errors or {},
        **sheet(session(), supplier, today()),
    )


@bp.post("/<code>/move")
@requires(Role.DISTRICT)
@once
def move(code: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            supplier = _inside(work, code)
            to = request.form.get("to", "")
            done = make_move(work, supplier, to, request.form, by=actor(), now=now())
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(say(done), "done")
    return redirect(url_for("office_suppliers.show", code=code), code=303)  # type: ignore[return-value]


def _inside(work: Work, code: str) -> Supplier:
    return queries.supplier_by_code(
        work, code, region_prefixes=prefixes(work, actor().region_code or "")
    )
