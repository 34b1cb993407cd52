"""The store by product: what is there, what runs low or expires, and the ledger of each product."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots import operations, queries
from catalog.lots.queries import counting, overview
from catalog.lots.views.scope import STORES, own_supplier
from catalog.products.models import Product
from catalog.products.queries import product_by_code
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("stock", __name__, url_prefix="/coop/stock")

PAGE = 60
SOON = 7


@bp.get("")
@requires(*COOPERATIVE)
def show_stock() -> str:
    supplier = own_supplier(session())
    rows = overview.stock_of(session(), supplier.id, today=today())
    return render_template(
        "coop/stock/overview.html",
        rows=rows,
        low=[row for row in rows if row.low],
        expiring=queries.expiring(session(), supplier.id, today=today(), within_days=SOON),
        waiting=overview.lots_waiting(session(), supplier.id),
        waits=overview.store_waits(session(), supplier.id),
        counted_on=counting.last_counted_on(session(), supplier.id),
        may_store=actor().role in STORES,
        day=today(),
        soon=SOON,
    )


@bp.get("/products/<code>")
@requires(*COOPERATIVE)
def show_product(code: str) -> str:
    return _page(code)


def _page(code: str, errors: dict[str, Text] | None = None) -> str:
    product = _product(code)
    page = max(1, request.args.get("page", 1, type=int) or 1)
    moves = overview.moves_of_product(
        session(), product.id, offset=PAGE * (page - 1), limit=PAGE + 1
    )
    return render_template(
        "coop/stock/product.html",
        product=product,
        moves=moves[:PAGE],
        more=len(moves) > PAGE,
        page=page,
        least=overview.stock_levels(session(), [product.id]).get(product.id, 0),
        may_store=actor().role in STORES,
        form=request.form if errors else {},
        errors=errors or {},
    )


def _product(code: str) -> Product:
    return product_by_code(session(), own_supplier(session()).id, code)


@bp.post("/products/<code>/level")
@requires(*STORES)
@once
def set_level(code: str) -> Response | tuple[str, int]:
    product = _product(code)
    fields = Fields(request.form)
    least = fields.quantity("least", product.base_unit, least=0)
    try:
        fields.done()
        with transaction() as work:
            operations.set_stock_level(
                work, own_supplier(work).id, product.id, least, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(code, invalid.errors), 422
    flash(_("The list of what runs low knows it now."), "done")
    return redirect(url_for("stock.show_product", code=code), code=303)
