"""The store: its lots, and one lot with its road, its households and every move."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from catalog.lots import operations, queries
from catalog.lots.models import Lot, LotState
from catalog.lots.queries.flows import flows_of
from catalog.lots.queries.store import IN_STORE
from catalog.lots.views.scope import STORES, own_supplier
from catalog.products.queries import products_of
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("lots", __name__, url_prefix="/coop/lots")

PAGE = 60


@bp.get("")
@requires(*COOPERATIVE)
def show_lots() -> str:
    supplier = own_supplier(session())
    page = max(1, request.args.get("page", 1, type=int) or 1)
    product_id = request.args.get("product", type=int)
    everything = request.args.get("all") == "yes"
    lots = queries.lots_of(
        session(),
        supplier.id,
        states=(*IN_STORE, LotState.CLOSED) if everything else IN_STORE,
        product_id=product_id,
        only_in_store=not everything,
        offset=PAGE * (page - 1),
        limit=PAGE + 1,
    )
    return render_template(
        "coop/lots.html",
        lots=lots[:PAGE],
        more=len(lots) > PAGE,
        page=page,
        products=products_of(session(), supplier.id),
        product_id=product_id,
        everything=everything,
        day=today(),
    )


@bp.get("/<code>")
@requires(*COOPERATIVE)
def show_lot(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None) -> str:
    supplier = own_supplier(session())
    sheet = queries.lot_sheet(session(), supplier.id, code)
    return render_template(
        "coop/lot.html",
        sheet=sheet,
        lot=sheet.lot,
        affected=queries.affected_by(session(), sheet.lot.id),
        flows=flows_of(session(), sheet.lot.id),
        may_hold=actor().role in STORES,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


Move = Callable[..., Lot]


@bp.post("/<code>/hold")
@requires(*STORES)
@once
def hold(code: str) -> Response | tuple[str, int]:
    return _move(code, operations.hold_lot, _("Nothing more of lot %(code)s is sold.", code=code))


@bp.post("/<code>/release")
@requires(*STORES)
@once
def release(code: str) -> Response | tuple[str, int]:
    return _move(code, operations.release_lot, _("Lot %(code)s may be sold again.", code=code))


def _move(code: str, move: Move, said: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text("reason", most=200)
    try:
        fields.done()
        with transaction() as work:
            move(work, _lot_id(work, code), reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(said, "done")
    return redirect(url_for("lots.show_lot", code=code), code=303)


def _lot_id(work: Session, code: str) -> int:
    return queries.lot_of(work, own_supplier(work).id, code).id
