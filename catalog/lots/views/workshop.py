"""Processing: lots become another, its yield beside what is expected; steps are undone here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots import operations, queries
from catalog.lots.forms import read_processing
from catalog.lots.models import LotState, StepKind
from catalog.lots.operations.converting import SAME_GOODS
from catalog.lots.queries import yields
from catalog.lots.views.scope import STORES, own_supplier
from catalog.products.models import Grade
from catalog.products.queries import products_of
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import FIELD, once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("workshop", __name__, url_prefix="/coop/stock")

PAGE = 40
# A kilogram of konjac flour becomes 25 of tofu: a yield may be far above 100 %.
MOST_BP = 1_000_000
STEPS = tuple(kind for kind in StepKind if kind not in SAME_GOODS)


@bp.get("/processing")
@requires(*COOPERATIVE)
def show_steps() -> str:
    supplier = own_supplier(session())
    page = max(1, request.args.get("page", 1, type=int) or 1)
    found = yields.steps_of(session(), supplier.id, offset=PAGE * (page - 1), limit=PAGE + 1)
    return render_template(
        "coop/stock/processing.html",
        steps=found[:PAGE],
        more=len(found) > PAGE,
        page=page,
        may_store=actor().role in STORES,
    )


@bp.get("/processing/new")
@requires(*STORES)
def show_new() -> str:
    return _form()


def _form(errors: Mapping[str, Text] | None = None) -> str:
    supplier = own_supplier(session())
    products = products_of(session(), supplier.id)
    asked = request.values.get("source", type=int)
    source = next((each for each in products if each.id == asked), None)
    lots = (
        queries.lots_of(
            session(), supplier.id, states=(LotState.OPEN,), product_id=source.id,
            only_in_store=True,
        )
        if source
        else []
    )  # fmt: skip
    return render_template(
        "coop/stock/processing_new.html",
        products=products,
        source=source,
        lots=[lot for lot in lots if lot.free > 0],
        kinds=[(kind.value, say(kind)) for kind in STEPS],
        grades=Grade,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/processing")
@requires(*STORES)
@once
def process() -> Response | tuple[str, int]:
    try:
        supplier = own_supplier(session())
        products = {each.id: each for each in products_of(session(), supplier.id)}
        asked = read_processing(request.form, products, today=today())
        output = products[asked.output_product_id]
        until = asked.best_before or asked.on + timedelta(days=output.shelf_life_days)
        with transaction() as work:
            lot = operations.process_lot(
                work, supplier_id=supplier.id, inputs=asked.inputs,
                output_product_id=output.id, output_grade=asked.grade,
                output_quantity=asked.quantity, kind=asked.kind, on=asked.on, best_before=until,
                reason=asked.reason, request_key=f"process:{request.form[FIELD]}",
                uid=request.form.get("uid") or None,
                by=actor(), now=now(),
            )  # fmt: skip
            code = lot.code
    except Invalid as invalid:
        return _form(invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _form({"inputs": refusal.reasons[0] if refusal.reasons else refusal.sentence}), 409
    flash(_("Lot %(code)s was made.", code=code), "done")
    return redirect(url_for("lots.show_lot", code=code), code=303)


@bp.get("/processing/<number>")
@requires(*COOPERATIVE)
def show_step(number: str) -> str:
    return _step(number)


def _step(number: str, errors: Mapping[str, Text] | None = None, **more: Any) -> str:
    supplier = own_supplier(session())
    return render_template(
        "coop/stock/step.html",
        step=yields.step_of(session(), supplier.id, number),
        may_store=actor().role in STORES,
        form=request.form if errors else {},
        errors=errors or {},
        **more,
    )


@bp.post("/processing/<number>/undo")
@requires(*STORES)
@once
def undo(number: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text("reason", most=200)
    try:
        fields.done()
        with transaction() as work:
            operations.undo_step(
                work, number, supplier_id=own_supplier(work).id, reason=reason,
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _step(number, invalid.errors), 422
    flash(_("Undone: the goods are back where they came from."), "done")
    return redirect(url_for("workshop.show_step", number=number), code=303)


@bp.post("/repack")
@requires(*STORES)
@once
def repack() -> Response | tuple[str, int]:
    """Several lots of one product and grade become one; the form is that of processing."""
    fields = Fields(request.form)
    supplier = own_supplier(session())
    products = {each.id: each for each in products_of(session(), supplier.id)}
    try:
        asked = read_processing(request.form, products, today=today(), repack=True)
        reason = fields.text("reason", most=200)
        fields.done()
        with transaction() as work:
            lot = operations.repack_lots(
                work, asked.inputs, supplier_id=supplier.id, reason=reason,
                request_key=f"repack:{request.form[FIELD]}", by=actor(), now=now(),
            )  # fmt: skip
            code = lot.code
    except Invalid as invalid:
        return _form(invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _form({"inputs": refusal.reasons[0] if refusal.reasons else refusal.sentence}), 409
    flash(_("Lot %(code)s was made.", code=code), "done")
    return redirect(url_for("lots.show_lot", code=code), code=303)


@bp.get("/yields")
@requires(*COOPERATIVE)
def show_yields() -> str:
    return _yields()


def _yields(errors: Mapping[str, Text] | None = None) -> str:
    supplier = own_supplier(session())
    return render_template(
        "coop/stock/yields.html",
        bands=yields.bands_of(session(), supplier.id),
        products=products_of(session(), supplier.id),
        kinds=[(kind.value, say(kind)) for kind in STEPS],
        may_store=actor().role in STORES,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/yields")
@requires(*STORES)
@once
def publish_yield() -> Response | tuple[str, int]:
    fields = Fields(request.form)
    source, output = fields.key("source"), fields.key("output")
    kind = fields.choice("kind", StepKind)
    least = fields.percent("least", most_bp=MOST_BP)
    most = fields.percent("most", most_bp=MOST_BP)
    try:
        fields.done()
        with transaction() as work:
            operations.publish_band(
                work, own_supplier(work).id, input_product_id=source, output_product_id=output,
                kind=kind, least_bp=least, most_bp=most, by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _yields(invalid.errors), 422
    flash(_("Slips from now on are compared with it."), "done")
    return redirect(url_for("workshop.show_yields"), code=303)
