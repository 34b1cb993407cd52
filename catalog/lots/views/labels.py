"""Labels for the bags of a lot: printed, printed again, and what became of their codes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from catalog.lots import operations, queries
from catalog.lots.models import Lot
from catalog.lots.models.labels import LabelLayout, LabelPrint
from catalog.lots.views.scope import STORES, own_supplier
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Text
from kernel.pdf import make_pdf, qr_svg
from kernel.quantities import BaseUnit, kilograms
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction

bp = Blueprint("labels", __name__, url_prefix="/coop")


@bp.get("/lots/<code>/labels")
@requires(*COOPERATIVE)
def show_labels(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None, at: str = "") -> str:
    """`at` is the number of the run whose form was wrong."""
    lot = queries.lot_of(session(), own_supplier(session()).id, code)
    runs = queries.runs_of(session(), [lot.id])
    return render_template(
        "coop/labels.html",
        lot=lot,
        runs=runs,
        printers=queries.names_of(
            session(), [each.made_by_id for run in runs for each in run.prints]
        ),
        packs=queries.packs_for_labels(session(), lot),
        scans=queries.scans_of(session(), lot.id, now=now()),
        layouts=LabelLayout,
        may_print=actor().role in STORES,
        at=at,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/lots/<code>/labels")
@requires(*STORES)
@once
def print_new(code: str) -> Answer | tuple[str, int]:
    fields = Fields(request.form)
    pack_id = fields.key("pack")
    count = fields.whole("count", least=1, most=operations.MOST_LABELS_AT_ONCE)
    layout = fields.choice("layout", LabelLayout)
    try:
        fields.done()
        with transaction() as work:
            lot = queries.lot_of(work, own_supplier(work).id, code)
            operations.print_labels(
                work, lot.id, pack_id=pack_id, count=count, layout=layout, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(_("The labels are ready. Open the PDF below and print it."), "done")
    return redirect(url_for("labels.show_labels", code=code) + "#prints", code=303)


@bp.post("/lots/<code>/labels/<number>")
@requires(*STORES)
@once
def print_again(code: str, number: str) -> Answer | tuple[str, int]:
    fields = Fields(request.form)
    first = fields.whole("first", least=1)
    last = fields.whole("last", least=1)
    layout = fields.choice("layout", LabelLayout)
    reason = fields.text("reason", most=200)
    try:
        fields.done()
        with transaction() as work:
            lot = queries.lot_of(work, own_supplier(work).id, code)
            run = queries.run_of(work, lot.id, number)
            operations.reprint_labels(
                work, run.id, first=first, last=last, layout=layout, reason=reason,
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(code, invalid.errors, number), 422
    flash(_("The labels are ready, marked as printed again."), "done")
    return redirect(url_for("labels.show_labels", code=code) + "#prints", code=303)


@bp.get("/labels/<int:print_id>.pdf")
@requires(*STORES)
def pdf(print_id: int) -> Response:
    found = queries.print_of(session(), own_supplier(session()).id, print_id)
    villages = queries.village_counts(session(), Lot.id == found.run.lot_id).villages
    return Response(
        make_pdf("labels", _said(found, [each.name for each in villages]), made=found.made_at),
        mimetype="application/pdf",
        headers={
            "Content-Disposition": f"inline; filename={found.run.number}-{found.copy}.pdf",
            "Cache-Control": "private, no-store",
        },
    )


def _said(found: LabelPrint, villages: list[str]) -> dict[str, Any]:
    """What the labels say. Both languages stand on them, whoever prints."""
    run = found.run
    lot, pack = run.lot, run.pack
    place = villages[0] if villages else ""
    if len(villages) > 1:
        place = f"{place}等 {len(villages)} 村"
    site = services().config.public_url
    serials = range(found.first_serial, found.last_serial + 1)
    return {
        "title": f"{lot.product.name_zh} {lot.code}",
        "layout": found.layout.value,
        "zh": lot.product.name_zh,
        "en": lot.product.name_en,
        "pack": _content(pack.content, lot.product.base_unit),
        "again": f"补打 Reprint {found.copy - 1}" if found.copy > 1 else "",
        "rows": [
            ["批次", "Lot", lot.code],
            ["采收", "Harvested", lot.harvested_on.isoformat()],
            ["保质期至", "Best before", lot.best_before.isoformat()],
            ["产地", "Origin", place],
            ["收购", "Collected by", lot.supplier.organisation.name],
        ],
        "labels": [
            {"code": code, "number": str(serial), "qr": qr_svg(f"{site}/trace/{code}")}
            for serial in serials
            for code in [run.code_of(serial)]
        ],
    }


def _content(content: int, unit: BaseUnit) -> str:
    if unit is BaseUnit.PIECE:
        return f"{content} 件 pcs"
    return f"净含量 Net {kilograms(content, 0)} kg"
