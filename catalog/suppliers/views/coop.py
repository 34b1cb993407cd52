"""A supplier's own file: how far its admission is, its application form, what it declared."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.suppliers import operations, queries
from catalog.suppliers.forms import read_declared
from catalog.suppliers.models import EnterpriseSize, LinkMechanism, SupplierKind, SupplierState
from catalog.suppliers.views.sheet import sheet
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("own_supplier", __name__, url_prefix="/coop/supplier")


@bp.get("")
@requires(*COOPERATIVE)
def show() -> str:
    supplier = queries.supplier_of(session(), organisation_id())
    return render_template(
        "suppliers/own.html",
        may_apply=actor().role is Role.MANAGER,
        **sheet(session(), supplier, today()),
    )


@bp.get("/application")
@requires(Role.MANAGER)
def edit() -> str:
    return _form()


def _form(errors: dict[str, Text] | None = None) -> str:
    supplier = queries.supplier_of(session(), organisation_id())
    if supplier.state is not SupplierState.DRAFT:
        raise Refusal(
            "What was submitted is being reviewed or in force; it is changed in draft only."
        )
    chosen = request.form.getlist("mechanisms") if errors else None
    profile = queries.profile_of(session(), supplier.id)
    return render_template(
        "suppliers/application.html",
        supplier=supplier,
        entry=queries.register_entry(supplier, profile),
        Money=Money,
        origins=queries.origins_of(session(), supplier),
        kinds=SupplierKind,
        sizes=EnterpriseSize,
        mechanisms=LinkMechanism,
        chosen=chosen if chosen is not None else (profile.mechanisms if profile else []),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/application")
@requires(Role.MANAGER)
@once
def save() -> Response | tuple[str, int]:
    try:
        declared = read_declared(request.form)
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            operations.save_profile(work, supplier.id, declared, by=actor(), now=now())
    except Invalid as invalid:
        return _form(invalid.errors), 422
    return redirect(url_for("own_supplier.check"), code=303)  # type: ignore[return-value]


@bp.get("/check")
@requires(Role.MANAGER)
def check() -> str:
    """The answers, read once more before they are sent."""
    supplier = queries.supplier_of(session(), organisation_id())
    if supplier.state is not SupplierState.DRAFT or not queries.profile_of(session(), supplier.id):
        raise Refusal("Fill in the application form first.")
    return render_template("suppliers/check.html", **sheet(session(), supplier, today()))


@bp.post("/submit")
@requires(Role.MANAGER)
@once
def submit() -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        operations.submit_application(work, supplier.id, by=actor(), now=now())
    flash(_("The application was sent to the county."), "done")
    return _home()


@bp.post("/withdraw")
@requires(Role.MANAGER)
@once
def withdraw() -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        operations.withdraw_application(work, supplier.id, by=actor(), now=now())
    flash(_("Taken back. You can change it and send it again."), "done")
    return _home()


def _home() -> Response:
    return redirect(url_for("own_supplier.show"), code=303)  # type: ignore[return-value]
