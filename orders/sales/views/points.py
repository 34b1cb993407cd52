"""Where buyers fetch goods, and how many of a pack each of them may have."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.products.models import Shelf
from catalog.products.queries import packs_of_supplier
from kernel.actors import COOPERATIVE
from kernel.errors import Invalid, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.sales.forms import read_limits, read_point
from orders.sales.operations import limit_pack, save_point
from orders.sales.queries.points import point_of, points_of
from orders.sales.views.frame import SHIPS, my_supplier

bp = Blueprint("points", __name__, url_prefix="/coop")


@bp.get("/pick-up-points")
@requires(*COOPERATIVE)
def show_points() -> str:
    return _points_page(request.args.get("edit", type=int), {})


@bp.post("/pick-up-points")
@requires(*SHIPS)
@once
def keep_point() -> Response | tuple[str, int]:
    supplier, typed = my_supplier(), request.form.get("point_id", "")
    point_id = int(typed) if typed.isdecimal() else None
    try:
        values = read_point(request.form)
        with transaction() as work:
            save_point(work, supplier.id, point_id=point_id, **values, by=actor(), now=now())
    except Invalid as invalid:
        return _points_page(point_id, invalid.errors), invalid.status
    flash(_("Kept. Buyers choose it at the checkout."), "done")
    return redirect(url_for("points.show_points"), code=303)


def _points_page(point_id: int | None, errors: Mapping[str, Text]) -> str:
    supplier = my_supplier()
    editing = point_of(session(), point_id, supplier_id=supplier.id) if point_id else None
    return render_template(
        "coop/pack_points.html",
        points=points_of(session(), [supplier.id], in_use=False).get(supplier.id, []),
        editing=editing,
        may_ship=actor().role in SHIPS,
        errors=errors,
        form=request.form if errors else {},
    )


@bp.get("/buyer-limits")
@requires(*COOPERATIVE)
def show_limits() -> str:
    return _limits_page({})


@bp.post("/buyer-limits")
@requires(*SHIPS)
@once
def keep_limits() -> Response | tuple[str, int]:
    supplier = my_supplier()
    packs = [pack.id for pack in packs_of_supplier(session(), supplier.id)]
    try:
        limits = read_limits(request.form, packs)
        with transaction() as work:
            for pack_id, (most, days) in sorted(limits.items()):
                limit_pack(work, pack_id, most, days, supplier_id=supplier.id,
                           by=actor(), now=now())  # fmt: skip
    except Invalid as invalid:
        return _limits_page(invalid.errors), invalid.status
    flash(_("Kept. Orders placed from now on are held to it."), "done")
    return redirect(url_for("points.show_limits"), code=303)


def _limits_page(errors: Mapping[str, Text]) -> str:
    packs = packs_of_supplier(session(), my_supplier().id)
    return render_template(
        "coop/pack_limits.html",
        packs=[pack for pack in packs if pack.shelf is Shelf.CITIZENS],
        may_ship=actor().role in SHIPS,
        errors=errors,
        form=request.form if errors else {},
    )
