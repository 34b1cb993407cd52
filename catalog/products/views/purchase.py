"""The cooperative's purchase prices: what households are paid, published with its resolution."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.products import operations, queries
from catalog.products.forms import read_price
from catalog.products.models import Grade
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("prices", __name__, url_prefix="/coop/prices")

PUBLISHES = (Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*COOPERATIVE)
def show_prices() -> str:
    return _page()


def _page(errors: dict[str, Text] | None = None) -> str:
    supplier = supplier_of(session(), organisation_id())
    return render_template(
        "coop/prices.html",
        current=queries.purchase_prices_on(session(), supplier.id, today()),
        history=queries.price_history(session(), supplier.id),
        products=queries.products_of(session(), supplier.id),
        grades=Grade,
        may_publish=actor().role in PUBLISHES,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("")
@requires(*PUBLISHES)
@once
def publish() -> Response | tuple[str, int]:
    try:
        new = read_price(request.form, today=today())
        with transaction() as work:
            supplier = supplier_of(work, organisation_id())
            product = queries.product_of(work, supplier.id, new.product_id)
            operations.publish_purchase_price(
                work,
                product.id,
                grade=new.grade,
                price=new.price,
                valid_from=new.valid_from,
                resolution=new.resolution,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(invalid.errors), 422
    flash(_("The price is published."), "done")
    return redirect(url_for("prices.show_prices"), code=303)
