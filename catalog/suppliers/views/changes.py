"""Changes of the register: asked for by the supplier, looked at by the county and the platform."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.suppliers import operations, queries, rules
from catalog.suppliers.forms import read_change, read_scan
from catalog.suppliers.models import ChangeState, EnterpriseSize, LinkMechanism, Supplier
from kernel.actors import Role
from kernel.db import Work
from kernel.errors import Invalid, Refusal, Text
from kernel.money import Money
from kernel.regions import prefixes
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction

bp = Blueprint("register_changes", __name__)

_S = ChangeState


@bp.get("/coop/supplier/change")
@requires(Role.MANAGER)
def edit() -> str:
    return _form()


def _form(errors: dict[str, Text] | None = None) -> str:
    supplier = queries.supplier_of(session(), organisation_id())
    profile = queries.profile_of(session(), supplier.id)
    entry = queries.register_entry(supplier, profile)
    return render_template(
        "suppliers/change.html",
        supplier=supplier,
        entry=entry,
        seen=request.form.get("seen", "") if errors else rules.edition(entry),
        waiting=queries.open_change(session(), supplier.id),
        origins=queries.origins_of(session(), supplier),
        sizes=EnterpriseSize,
        Money=Money,
        mechanisms=LinkMechanism,
        chosen=request.form.getlist("mechanisms") if errors else entry["mechanisms"],
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/coop/supplier/change")
@requires(Role.MANAGER)
@once
def ask() -> Response | tuple[str, int]:
    try:
        asked = read_change(request.form)
        read = read_scan(request.files.get("proof"), "proof")
        proof = services().storage.put(read[0], media_type=read[1], name=read[2]) if read else None
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            change = operations.request_change(
                work, supplier.id, asked.wanted, seen=asked.seen, reason=asked.reason, proof=proof,
                by=actor(), now=now(),
            )  # fmt: skip
            at_once = change.state is _S.IN_FORCE
    except Invalid as invalid:
        return _form(invalid.errors), 422
    except Refusal as refusal:
        return _form({"change": refusal.sentence}), refusal.status
    flash(
        _("The register says so from now on.")
        if at_once
        else _("Sent. The county looks at it next."),
        "done",
    )
    return _home()


@bp.post("/coop/supplier/changes/<number>/take-back")
@requires(Role.MANAGER)
@once
def take_back(number: str) -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        operations.take_back_change(work, supplier.id, number, by=actor(), now=now())
    flash(_("Taken back. The register stays as it is."), "done")
    return _home()


def _home() -> Response:
    return redirect(url_for("own_supplier.show"), code=303)  # type: ignore[return-value]


@bp.post("/office/suppliers/<code>/changes/<number>")
@requires(Role.DISTRICT)
@once
def county(code: str, number: str) -> Response:
    return _decide(code, number, "office_suppliers.show")


@bp.post("/admin/suppliers/<code>/changes/<number>")
@requires(Role.OPERATOR)
@once
def platform(code: str, number: str) -> Response:
    return _decide(code, number, "admin_suppliers.show")


def _decide(code: str, number: str, back: str) -> Response:
    """Yes, or no with a reason; a no without one comes back with the sentence."""
    no = request.form.get("verdict") == "no"
    try:
        with transaction() as work:
            supplier = _theirs(work, code)
            if no:
                sentence = request.form.get("sentence", "")
                change = operations.refuse_change(
                    work, supplier.id, number, sentence=sentence, by=actor(), now=now()
                )
            else:
                change = operations.pass_change(work, supplier.id, number, by=actor(), now=now())
            state = change.state
    except Invalid as invalid:
        raise Refusal(next(iter(invalid.errors.values()))) from None
    flash(_SAID[state](), "done")
    return redirect(url_for(back, code=code), code=303)  # type: ignore[return-value]


_SAID = {
    _S.REFUSED: lambda: _("Refused. The supplier reads why; the register stays as it is."),
    _S.AT_PLATFORM: lambda: _("Passed. The platform looks at it next."),
    _S.IN_FORCE: lambda: _("In force. The register says so from now on."),
}


def _theirs(work: Work, code: str) -> Supplier:
    inside = None
    if actor().role is Role.DISTRICT:
        inside = prefixes(work, actor().region_code or "")
    return queries.supplier_by_code(work, code, region_prefixes=inside)
