"""The cooperative's recalls: what one reaches, begun, reported on, closed."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots.queries import lot_of, names_of, runs_of
from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.db import Work
from kernel.errors import Invalid, Refusal, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction
from orders.tracing import operations
from orders.tracing.models import Recall, RecallKind, RecallLine, RecallOutcome
from orders.tracing.queries import recalls as queries
from orders.tracing.queries.ways import buyer_name
from orders.tracing.views import contacts

bp = Blueprint("recalls", __name__, url_prefix="/coop/recalls")

CALLS_BACK = (Role.STOREKEEPER, Role.MANAGER)
PAGE = 50


def _supplier(work: Work) -> Supplier:
    return supplier_of(work, organisation_id())


@bp.get("")
@requires(*COOPERATIVE)
def show_recalls() -> str:
    page = max(1, request.args.get("page", 1, type=int) or 1)
    found = queries.recalls_of(
        session(), _supplier(session()).id, offset=PAGE * (page - 1), limit=PAGE + 1
    )
    return render_template(
        "tracing/recalls.html",
        recalls=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        needed=queries.time_needed,
    )


@bp.get("/new/<code>")
@requires(*CALLS_BACK)
def ask(code: str) -> str:
    """What the recall would reach, before anything is done."""
    return _ask_page(code)


def _ask_page(code: str, errors: dict[str, Text] | None = None) -> str:
    lot = lot_of(session(), _supplier(session()).id, code)
    return render_template(
        "tracing/recall_new.html",
        lot=lot,
        reach=queries.recall_reach(session(), lot.id),
        kinds=RecallKind,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/new/<code>")
@requires(*CALLS_BACK)
@once
def begin(code: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    kind = fields.choice("kind", RecallKind)
    reason = fields.text("reason", most=200)
    advice = fields.text("advice", most=300)
    try:
        fields.done()
        with transaction() as work:
            supplier = _supplier(work)
            recall = operations.begin_recall(
                work, lot_of(work, supplier.id, code).id, supplier_id=supplier.id, kind=kind,
                reason=reason, advice=advice, site=services().config.public_url,
                by=actor(), now=now(),
            )  # fmt: skip
            number = recall.number
    except Invalid as invalid:
        return _ask_page(code, invalid.errors), 422
    flash(_("Recall %(number)s has begun.", number=number), "done")
    return redirect(url_for("recalls.show", number=number), code=303)


@bp.get("/<number>")
@requires(*COOPERATIVE)
def show(number: str) -> str:
    return _page(number)


def _page(number: str, errors: dict[str, Text] | None = None, at: int | None = None) -> str:
    recall = queries.recall_by(session(), _supplier(session()).id, number)
    return render_template(
        "tracing/recall.html",
        recall=recall,
        products=_by_product(recall),
        sums={line.id: queries.accounted([line]) for line in recall.lines},
        runs=runs_of(session(), [each.lot_id for each in recall.lots]),
        names=names_of(session(), [recall.made_by_id, recall.closed_by_id]),
        buyer_name=buyer_name,
        needed=queries.time_needed(recall),
        outcomes=RecallOutcome,
        may_act=actor().role in CALLS_BACK,
        at=at,
        form=request.form if errors else {},
        errors=errors or {},
    )


def _by_product(recall: Recall) -> list[tuple[RecallLine, queries.Accounted]]:
    """The balance of each product, with one of its lines to name it."""
    lines: dict[int, list[RecallLine]] = {}
    for line in recall.lines:
        lines.setdefault(line.lot.product_id, []).append(line)
    return [(each[0], queries.accounted(each)) for each in lines.values()]


@bp.post("/<number>/lines/<int:line_id>")
@requires(*CALLS_BACK)
@once
def report(number: str, line_id: int) -> Response | tuple[str, int]:
    recall = queries.recall_by(session(), _supplier(session()).id, number)
    unit = next(
        (line.lot.product.base_unit for line in recall.lines if line.id == line_id),
        recall.lot.product.base_unit,
    )
    fields = Fields(request.form)
    outcome = fields.choice("outcome", RecallOutcome)
    quantity = fields.quantity("quantity", unit)
    note = fields.text("note", most=200, required=False)
    try:
        fields.done()
        with transaction() as work:
            operations.report_back(
                work, recall.id, line_id, outcome=outcome,
                quantity=-quantity if fields.flag("takes_back") else quantity, note=note,
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(number, invalid.errors, line_id), 422
    flash(_("Written down."), "done")
    return redirect(url_for("recalls.show", number=number) + f"#line-{line_id}", code=303)


@bp.post("/<number>/close")
@requires(Role.MANAGER)
@once
def close(number: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    conclusion = fields.text("conclusion", most=300)
    try:
        fields.done()
        with transaction() as work:
            recall = queries.recall_by(work, _supplier(work).id, number)
            operations.close_recall(
                work, recall.id, conclusion=conclusion, rest_is_missing=fields.flag("rest"),
                safe_again=fields.flag("safe"), by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    flash(_("Recall %(number)s is closed.", number=number), "done")
    return redirect(url_for("recalls.show", number=number), code=303)


@bp.get("/<number>/contacts.<any(pdf, xlsx):kind>")
@requires(*CALLS_BACK)
def list_contacts(number: str, kind: str) -> Response:
    """Whom to call, in clear; who fetches the list is written into the trail."""
    with transaction() as work:
        supplier = _supplier(work)
        recall = queries.recall_by(work, supplier.id, number)
        if not recall.lines:
            raise Refusal("Nothing of it has left the store: there is nobody to call.")
        operations.list_contacts(work, recall.id, by=actor(), now=now())
        recall = queries.recall_by(work, supplier.id, number)
        name = names_of(work, [actor().user_id])[actor().user_id]
        made = contacts.sheet(recall, kind, by=name, made=now())
    return Response(
        made,
        mimetype="application/pdf" if kind == "pdf" else contacts.XLSX,
        headers={
            "Content-Disposition": f"attachment; filename={recall.number}.{kind}",
            "Cache-Control": "private, no-store",
        },
    )
