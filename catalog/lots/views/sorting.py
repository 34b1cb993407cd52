"""分级 on a phone: which lot, how much of it, what of each grade came out, what was thrown away."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.lots import operations, queries
from catalog.lots.forms import read_sorting
from catalog.lots.models import LotState
from catalog.lots.views.scope import STORES, own_supplier
from catalog.products.models import Grade
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.once import FIELD, once
from kernel.web.work import now, session, today, transaction

bp = Blueprint("sorting", __name__, url_prefix="/coop/stock/sorting")


@bp.get("")
@requires(*STORES)
def show_lots() -> str:
    """Which lot is sorted."""
    lots = queries.lots_of(
        session(), own_supplier(session()).id, states=(LotState.OPEN,), only_in_store=True
    )
    return render_template(
        "coop/stock/sorting_lots.html", lots=[lot for lot in lots if lot.free > 0], day=today()
    )


@bp.get("/<code>")
@requires(*STORES)
def show_sorting(code: str) -> str:
    return _form(code)


def _form(
    code: str, errors: Mapping[str, Text] | None = None, against: Refusal | None = None
) -> str:
    sheet = queries.lot_sheet(session(), own_supplier(session()).id, code, moves=1)
    return render_template(
        "coop/stock/sorting.html",
        lot=sheet.lot,
        free=sum(part.on_hand - part.reserved for part in sheet.parts),
        grades=Grade,
        day=today(),
        against=against,
        form=request.form if errors or against else {},
        errors=errors or {},
    )


@bp.post("/<code>")
@requires(*STORES)
@once
def sort(code: str) -> Response | tuple[str, int]:
    try:
        lot = queries.lot_of(session(), own_supplier(session()).id, code)
        asked = read_sorting(request.form, lot.product.base_unit, today=today())
        with transaction() as work:
            made = operations.sort_lot(
                work, lot.id, asked.put_in, asked.outputs, supplier_id=lot.supplier_id,
                waste=asked.waste, reason=asked.reason, on=asked.on,
                request_key=f"sort:{request.form[FIELD]}", by=actor(), now=now(),
            )  # fmt: skip
            number = made.number
    except Invalid as invalid:
        return _form(code, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _form(code, against=refusal), 409
    flash(_("Sorting slip %(number)s is written.", number=number), "done")
    return redirect(url_for("workshop.show_step", number=number), code=303)
