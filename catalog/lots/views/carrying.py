"""One lot is split, carried to another store or written down as lost; stores and transfers."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots import operations, queries
from catalog.lots.operations.adjusting import BY_HAND
from catalog.lots.queries import overview, papers
from catalog.lots.views.scope import STORES, own_supplier
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import FIELD, once
from kernel.web.work import now, session, transaction

bp = Blueprint("carrying", __name__, url_prefix="/coop")

MAIN = "main"


@bp.get("/lots/<code>/work")
@requires(*STORES)
def show_work(code: str) -> str:
    """What can be done with a lot: split it, send or write off some of it, set it apart."""
    return work_page(code)


def work_page(code: str, errors: dict[str, Text] | None = None) -> str:
    """Also for the room above, which keeps the books of losses."""
    supplier = own_supplier(session())
    sheet = queries.lot_sheet(session(), supplier.id, code, moves=1)
    return render_template(
        "coop/stock/work.html",
        lot=sheet.lot,
        balance=sheet.balance,
        free=sum(part.on_hand - part.reserved for part in sheet.contributions),
        stores=papers.stores_of(session(), supplier.id),
        kinds=[(kind.value, say(kind)) for kind in BY_HAND],
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/lots/<code>/split")
@requires(*STORES)
@once
def split(code: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    try:
        lot = queries.lot_of(session(), own_supplier(session()).id, code)
        quantity = fields.quantity("split_quantity", lot.product.base_unit)
        reason = fields.text("split_reason", most=200)
        fields.done()
        with transaction() as work:
            made = operations.split_lot(
                work, lot.id, quantity, supplier_id=own_supplier(work).id, reason=reason,
                request_key=f"split:{request.form[FIELD]}", uid=request.form.get("uid") or None,
                by=actor(), now=now(),
            )  # fmt: skip
            new = made.code
    except Invalid as invalid:
        return work_page(code, invalid.errors), 422
    except Refusal as refusal:
        return work_page(code, {"split_quantity": _said(refusal)}), 409
    flash(_("Lot %(code)s was split off.", code=new), "done")
    return redirect(url_for("lots.show_lot", code=new), code=303)


@bp.post("/lots/<code>/send")
@requires(*STORES)
@once
def send(code: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    try:
        lot = queries.lot_of(session(), own_supplier(session()).id, code)
        quantity = fields.quantity("send_quantity", lot.product.base_unit)
        store = None if request.form.get("store") == MAIN else fields.key("store")
        fields.done()
        with transaction() as work:
            operations.send_to_store(
                work, lot.id, quantity, supplier_id=own_supplier(work).id, to_store_id=store,
                request_key=f"send:{request.form[FIELD]}", by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return work_page(code, invalid.errors), 422
    except Refusal as refusal:
        return work_page(code, {"send_quantity": _said(refusal)}), 409
    flash(_("The goods are under way; whoever receives them writes down what arrived."), "done")
    return redirect(url_for("carrying.show_transfers"), code=303)


@bp.post("/lots/<code>/set-apart")
@requires(*STORES)
@once
def set_apart(code: str) -> Response | tuple[str, int]:
    return _mark(code, "apart_reason", close=False)


@bp.post("/lots/<code>/close")
@requires(*STORES)
@once
def close(code: str) -> Response | tuple[str, int]:
    return _mark(code, "reason", close=True)


def _mark(code: str, field: str, *, close: bool) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text(field, most=200, required=not close)
    try:
        fields.done()
        with transaction() as work:
            lot = queries.lot_of(work, own_supplier(work).id, code)
            verb = operations.close_lot if close else operations.set_apart
            verb(work, lot.id, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return work_page(code, invalid.errors), 422
    except Refusal as refusal:
        return work_page(code, {field: _said(refusal)}), 409
    if close:
        flash(_("Lot %(code)s is closed.", code=code), "done")
    else:
        flash(_("Nothing more of lot %(code)s is sold before its test.", code=code), "done")
    return redirect(url_for("lots.show_lot", code=code), code=303)


def _said(refusal: Refusal) -> Text:
    """The reason that matters at a field: the first of all, else the sentence itself."""
    return refusal.reasons[0] if refusal.reasons else refusal.sentence


@bp.get("/stock/transfers")
@requires(*COOPERATIVE)
def show_transfers() -> str:
    return _transfers()


def _transfers(errors: dict[str, Text] | None = None, of: str = "") -> str:
    supplier = own_supplier(session())
    return render_template(
        "coop/stock/transfers.html",
        transfers=papers.transfers_of(session(), supplier.id),
        stores=papers.stores_of(session(), supplier.id),
        waits=overview.store_waits(session(), supplier.id),
        may_store=actor().role in STORES,
        of=of,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/stock/transfers/<int:key>/receive")
@requires(*STORES)
@once
def receive(key: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    transfer = papers.transfer_of(session(), own_supplier(session()).id, key)
    unit = transfer.processing.output_lot.product.base_unit
    number = transfer.processing.number
    arrived = fields.quantity("arrived", unit, least=0)
    reason = fields.text("reason", most=200, required=False)
    try:
        fields.done()
        with transaction() as work:
            short = operations.receive_transfer(
                work, key, arrived, supplier_id=own_supplier(work).id, reason=reason,
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _transfers(invalid.errors, number), 422
    if short is None:
        flash(_("All of transfer %(number)s is in its store.", number=number), "done")
    else:
        flash(
            _("Less arrived than was sent. Somebody else must agree before the lot is sold."),
            "done",
        )
    return redirect(url_for("carrying.show_transfers"), code=303)


@bp.post("/stock/stores")
@requires(*STORES)
@once
def open_store() -> Response | tuple[str, int]:
    fields = Fields(request.form)
    name = fields.text("name", most=40)
    place = fields.text("place", most=120, required=False)
    try:
        fields.done()
        with transaction() as work:
            operations.open_store(
                work, own_supplier(work).id, name=name, place=place, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _transfers(invalid.errors), 422
    flash(_("The store is in the list."), "done")
    return redirect(url_for("carrying.show_transfers"), code=303)
