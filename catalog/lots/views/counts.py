"""Counting the store: each of two people writes what lies there and sees only the own figures."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from catalog.lots import operations
from catalog.lots.models.papers import AdjustmentState, CountState
from catalog.lots.queries import counting, papers
from catalog.lots.views.scope import own_supplier
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction

bp = Blueprint("counts", __name__, url_prefix="/coop/stock/counts")

# R8 wants two people, one of them of finance.
COUNTERS = (Role.STOREKEEPER, Role.ACCOUNTANT, Role.MANAGER)


@bp.get("")
@requires(*COOPERATIVE)
def show_counts() -> str:
    supplier = own_supplier(session())
    return render_template(
        "coop/stock/counts.html",
        found=counting.counts_of(session(), supplier.id),
        stores=papers.stores_of(session(), supplier.id),
        counted_on=counting.last_counted_on(session(), supplier.id),
        may_count=actor().role in COUNTERS,
    )


@bp.post("")
@requires(*COUNTERS)
@once
def begin() -> Response:
    fields = Fields(request.form)
    store = None if request.form.get("store", "main") == "main" else fields.key("store")
    fields.done()
    with transaction() as work:
        count = operations.begin_count(
            work, own_supplier(work).id, store_id=store, by=actor(), now=now()
        )
        number = count.number
    return redirect(url_for("counts.show_count", number=number), code=303)


@bp.get("/<number>")
@requires(*COOPERATIVE)
def show_count(number: str) -> str:
    return _page(number)


def _page(
    number: str, errors: Mapping[str, Text] | None = None, against: Refusal | None = None
) -> str:
    supplier = own_supplier(session())
    sheet = counting.count_sheet(session(), counting.count_of(session(), supplier.id, number))
    me = actor().user_id
    slips = papers.slips_of_count(session(), sheet.count.id)
    backs = {slip.reverses_id for slip in slips if slip.state is not AdjustmentState.REFUSED}
    return render_template(
        "coop/stock/count.html",
        sheet=sheet,
        own=sheet.own(me),
        # Whoever has counted learns which lots to count again, and never the other's figure.
        again={line.lot.id for line in sheet.disagreeing} if me in sheet.counters else set(),
        counting=sheet.count.state is CountState.COUNTING,
        may_count=actor().role in COUNTERS and (len(sheet.counters) < 2 or me in sheet.counters),
        may_end=actor().role in COUNTERS,
        slips=slips,
        # Something was agreed to and nobody has taken it back yet.
        may_take_back=actor().role in COUNTERS
        and any(
            slip.state is AdjustmentState.APPROVED and not slip.reverses_id and slip.id not in backs
            for slip in slips
        ),
        against=against,
        form=request.form if errors or against else {},
        errors=errors or {},
    )


@bp.post("/<number>")
@requires(*COUNTERS)
@once
def enter(number: str) -> Response | tuple[str, int]:
    """Every field that is filled in; the others wait."""
    supplier = own_supplier(session())
    count = counting.count_of(session(), supplier.id, number)
    fields = Fields(request.form)
    found = {
        lot.id: fields.quantity(f"lot-{lot.id}", lot.product.base_unit, least=0)
        for lot in counting.lots_to_count(session(), count)
        if fields.has(f"lot-{lot.id}")
    }
    try:
        fields.done()
        with transaction() as work:
            for lot_id, counted in sorted(found.items()):
                operations.enter_count(
                    work, number, lot_id, counted, supplier_id=supplier.id, by=actor(), now=now()
                )
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    flash(
        ngettext("%(num)d lot is written down.", "%(num)d lots are written down.", len(found)),
        "done",
    )
    return redirect(url_for("counts.show_count", number=number), code=303)


@bp.post("/<number>/finish")
@requires(*COUNTERS)
@once
def finish(number: str) -> Response:
    with transaction() as work:
        slips = operations.finish_count(
            work, number, supplier_id=own_supplier(work).id, by=actor(), now=now()
        )
        found = len(slips)
    if found:
        flash(
            ngettext(
                "%(num)d difference waits for a third person.",
                "%(num)d differences wait for a third person.",
                found,
            ),
            "done",
        )
    else:
        flash(_("The book and the store agree."), "done")
    return redirect(url_for("counts.show_count", number=number), code=303)


@bp.post("/<number>/take-back")
@requires(*COUNTERS)
@once
def take_back(number: str) -> Response | tuple[str, int]:
    """The count was wrong: a counter-slip for every difference that was agreed to."""
    try:
        with transaction() as work:
            found = operations.take_back_count(
                work, number, supplier_id=own_supplier(work).id,
                reason=request.form.get("back_reason", ""), by=actor(), now=now(),
            )  # fmt: skip
            many = len(found)
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _page(number, against=refusal), 409
    flash(
        ngettext(
            "%(num)d counter-slip waits for a second person.",
            "%(num)d counter-slips wait for a second person.",
            many,
        ),
        "done",
    )
    return redirect(url_for("counts.show_count", number=number), code=303)


@bp.post("/<number>/give-up")
@requires(*COUNTERS)
@once
def give_up(number: str) -> Response:
    with transaction() as work:
        operations.give_up_count(
            work, number, supplier_id=own_supplier(work).id, by=actor(), now=now()
        )
    flash(_("The count was given up; nothing comes of it."), "done")
    return redirect(url_for("counts.show_counts"), code=303)
