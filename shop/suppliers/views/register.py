"""The operator's register of suppliers: the platform's review, and what stops a supplier."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from catalog.products.operations import take_off_all
from catalog.suppliers import queries
from catalog.suppliers.models import ChangeState, SupplierState
from catalog.suppliers.views.sheet import choices, make_move, sheet
from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.speech import say_in
from kernel.web.access import actor, requires
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("admin_suppliers", __name__, url_prefix="/admin/suppliers")

PAGE = 50
TURN = (SupplierState.RECOMMENDED, SupplierState.PLATFORM_REVIEW)
STOPPED = (SupplierState.SUSPENDED, SupplierState.REMOVED)


@bp.get("")
@requires(Role.OPERATOR)
def index() -> str:
    page = max(1, request.args.get("page", 1, type=int) or 1)
    words = request.args.get("q", "").strip()[:80]
    found = queries.supplier_rows(session(), words=words, offset=PAGE * (page - 1), limit=PAGE + 1)
    return render_template(
        "suppliers/register.html",
        nav="admin.suppliers",
        here="admin_suppliers.index",
        sheet_at="admin_suppliers.show",
        rows=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        words=words,
        todo=queries.supplier_rows(session(), states=TURN),
        changes=queries.waiting_changes(session(), ChangeState.AT_PLATFORM),
        turn=TURN,
        ending=queries.ending_mandates(session(), today()),
        expiring=queries.expiring_certificates(session(), today()),
        names={each.id: each for each in queries.all_suppliers(session())},
    )


@bp.get("/<code>")
@requires(Role.OPERATOR)
def show(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None) -> str:
    supplier = queries.supplier_by_code(session(), code)
    return render_template(
        "suppliers/sheet.html",
        nav="admin.suppliers",
        back=url_for("admin_suppliers.index"),
        move_to=url_for("admin_suppliers.move", code=supplier.code),
        certificates_at=url_for("certificates.of_supplier", code=supplier.code),
        revoke_at="mandates.revoke",
        decide_at="register_changes.platform",
        decides=ChangeState.AT_PLATFORM,
        choices=choices(supplier.state, actor().role),
        form=request.form if errors else {},
        errors=errors or {},
        **sheet(session(), supplier, today()),
    )


@bp.post("/<code>/move")
@requires(Role.OPERATOR)
@once
def move(code: str) -> Response | tuple[str, int]:
    """A supplier that may not sell has nothing on sale: both in one transaction."""
    try:
        with transaction() as work:
            supplier = queries.supplier_by_code(work, code)
            to = request.form.get("to", "")
            done = make_move(work, supplier, to, request.form, by=actor(), now=now())
            if supplier.state in STOPPED:
                reason = say_in(supplier.state, "zh")
                take_off_all(work, supplier.id, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(say(done), "done")
    return redirect(url_for("admin_suppliers.show", code=code), code=303)  # type: ignore[return-value]
