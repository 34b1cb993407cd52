"""Harvests before they are there: what is expected, what is promised to whom, what falls short."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots import operations as lots
from catalog.lots.models.harvests import Harvest
from catalog.lots.queries.harvests import growers, harvest_of, harvests_of, lots_that_came
from catalog.lots.views.scope import STORES, own_supplier
from catalog.products.models import Grade, Product
from catalog.products.queries import products_of
from catalog.suppliers.queries import catchment
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.quantities import BaseUnit
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.sales.queries.promises import WARN_DAYS, promises_of

bp = Blueprint("harvests", __name__, url_prefix="/coop/stock/harvests")


@bp.get("")
@requires(*COOPERATIVE)
def show_harvests() -> str:
    supplier = own_supplier(session())
    promises = promises_of(session(), supplier.id)
    return render_template(
        "coop/stock/harvests.html",
        harvests=harvests_of(session(), supplier.id, ended=bool(request.args.get("all"))),
        everything=bool(request.args.get("all")),
        promises=promises,
        worries=[each for each in promises if each.worries(today())],
        may_store=actor().role in STORES,
        day=today(),
        warn_days=WARN_DAYS,
    )


@bp.get("/new")
@requires(*STORES)
def show_new() -> str:
    return _form()


def _form(errors: Mapping[str, Text] | None = None) -> str:
    supplier = own_supplier(session())
    products = _products(supplier.id)
    product = next((each for each in products if each.code == request.values.get("product")), None)
    found = (
        growers(session(), product, catchment(session(), supplier), year=today().year)
        if product
        else []
    )
    return render_template(
        "coop/stock/harvest_new.html",
        products=products,
        product=product,
        growers=found,
        grades=Grade,
        form=request.form if errors else {},
        errors=errors or {},
    )


def _products(supplier_id: int) -> list[Product]:
    """What grows is weighed; goods that are counted come out of a workshop."""
    found = products_of(session(), supplier_id)
    return [each for each in found if each.base_unit is BaseUnit.GRAM]


@bp.post("")
@requires(*STORES)
@once
def announce() -> Response | tuple[str, int]:
    supplier, fields = own_supplier(session()), Fields(request.form)
    product = next(
        (each for each in _products(supplier.id) if each.code == request.form.get("product")), None
    )
    if product is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    grade = fields.choice("grade", Grade)
    since, until = fields.date("available_from"), fields.date("good_until")
    confidence, note = fields.percent("confidence"), fields.text("note", required=False)
    parts = {
        int(name.removeprefix("part-")): fields.quantity(name, product.base_unit)
        for name, typed in request.form.items()
        if name.startswith("part-") and name[5:].isdecimal() and typed.strip()
    }
    try:
        fields.done()
        with transaction() as work:
            harvest = lots.announce_harvest(
                work, supplier.id, product_id=product.id, grade=grade, available_from=since,
                good_until=until, confidence_bp=confidence, parts=parts,
                prefixes=catchment(work, supplier), note=note, by=actor(), now=now(),
            )  # fmt: skip
            code = harvest.lot.code
    except Invalid as invalid:
        return _form(invalid.errors), 422
    flash(_("Announced. Canteens can order from it for a later day."), "done")
    return redirect(url_for("harvests.show_harvest", code=code), code=303)


@bp.get("/<code>")
@requires(*COOPERATIVE)
def show_harvest(code: str) -> str:
    return _page(code)


def _page(code: str, errors: Mapping[str, Text] | None = None, act: str = "") -> str:
    harvest = harvest_of(session(), own_supplier(session()).id, code)
    return render_template(
        "coop/stock/harvest.html",
        harvest=harvest,
        promises=promises_of(session(), harvest.supplier_id, lot_ids=[harvest.lot_id]),
        came=lots_that_came(session(), harvest),
        may_store=actor().role in STORES,
        day=today(),
        warn_days=WARN_DAYS,
        act=act,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/<code>/came")
@requires(*STORES)
@once
def came(code: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    lot_id = fields.key("lot")
    try:
        fields.done()
        with transaction() as work:
            told = operations.bring_in_harvest(
                work, own_supplier(work).id, code, lot_id=lot_id, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(code, invalid.errors, "came"), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _page(code, {"lot": refusal.sentence}, "came"), refusal.status
    flash(
        _("%(moved)s kg of the promises lie in the store now; %(left)s kg still wait.",
          moved=f"{told.moved / 1000:g}", left=f"{told.left / 1000:g}"), "done",
    )  # fmt: skip
    return _back(code)


@bp.post("/<code>/correct")
@requires(*STORES)
@once
def correct(code: str) -> Response | tuple[str, int]:
    harvest, fields = _harvest(code), Fields(request.form)
    unit = harvest.lot.product.base_unit
    expected = {
        part.id: fields.quantity(f"part-{part.id}", unit, least=0)
        for part in harvest.parts
        if f"part-{part.id}" in request.form
    }
    reason = fields.text("reason")
    try:
        fields.done()
        with transaction() as work:
            lots.correct_harvest(
                work, harvest.supplier_id, code, expected, reason=reason, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(code, invalid.errors, "correct"), 422
    except Refusal as refusal:
        return _page(code, {"reason": refusal.sentence}, "correct"), refusal.status
    flash(_("Written down. What was promised beyond it is on the list of what is short."), "done")
    return _back(code)


@bp.post("/<code>/end")
@requires(*STORES)
@once
def end(code: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text("reason")
    try:
        fields.done()
        with transaction() as work:
            lots.end_harvest(
                work, own_supplier(work).id, code, reason=reason, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(code, invalid.errors, "end"), 422
    flash(_("The harvest is over. What is still promised of it is short."), "done")
    return _back(code)


@bp.post("/<code>/orders/<int:order_id>/day")
@requires(*STORES)
@once
def agree_day(code: str, order_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    deliver_on, reason = fields.date("deliver_on"), fields.text("reason", most=120)
    act = f"day-{order_id}"
    try:
        fields.done()
        with transaction() as work:
            operations.agree_day(work, order_id, deliver_on, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return _page(code, invalid.errors, act), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _page(code, {"deliver_on": refusal.sentence}, act), refusal.status
    flash(_("The new day is written down, and the buyer gets a mail."), "done")
    return _back(code)


def _harvest(code: str) -> Harvest:
    return harvest_of(session(), own_supplier(session()).id, code)


def _back(code: str) -> Response:
    return redirect(url_for("harvests.show_harvest", code=code), code=303)
