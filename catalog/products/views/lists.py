"""Agreed prices (协议价): the lists of a cooperative, a new one, the end of one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.products import operations, queries
from catalog.products.forms import read_price_list
from catalog.products.models import Audience
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.money import Price
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("price_lists", __name__, url_prefix="/coop/prices/lists")

AGREES = (Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*COOPERATIVE)
def show() -> str:
    return _page()


def _page(errors: dict[str, Text] | None = None) -> str:
    supplier = supplier_of(session(), organisation_id())
    return render_template(
        "coop/price_lists.html",
        lists=queries.price_lists_of(session(), supplier.id),
        packs=queries.canteen_packs_of(session(), supplier.id),
        organisations=queries.buying_organisations(session()),
        audiences=Audience,
        Price=Price,
        may_agree=actor().role in AGREES,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("")
@requires(*AGREES)
@once
def agree() -> Response | tuple[str, int]:
    supplier = supplier_of(session(), organisation_id())
    packs = queries.canteen_packs_of(session(), supplier.id)
    try:
        new = read_price_list(request.form, packs, today=today())
        with transaction() as work:
            operations.agree_prices(
                work,
                supplier.id,
                name=new.name,
                agreement=new.agreement,
                prices=new.prices,
                organisation_id=new.organisation_id,
                audience=new.audience,
                valid_from=new.valid_from,
                valid_to=new.valid_to,
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    flash(_("The prices are agreed; these buyers see them from the first day on."), "done")
    return redirect(url_for("price_lists.show"), code=303)


@bp.post("/<int:list_id>/end")
@requires(*AGREES)
@once
def end(list_id: int) -> Response:
    supplier = supplier_of(session(), organisation_id())
    with transaction() as work:
        operations.end_price_list(work, supplier.id, list_id, by=actor(), now=now())
    flash(_("The list has ended. Orders that were placed keep their prices."), "done")
    return redirect(url_for("price_lists.show"), code=303)
