"""The cooperative's desk: goods become stock that is owed for; where the money of sales went."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from catalog.lots.models.papers import AdjustmentKind, AdjustmentState
from catalog.lots.queries import lot_of
from catalog.lots.queries.papers import adjustment_of
from catalog.lots.views.carrying import work_page
from catalog.lots.views.losses import DECIDE, loss_page
from catalog.lots.views.scope import STORES
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Refusal, Text
from kernel.storage import Blob
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import FIELD, once
from kernel.web.pictures import read_photos
from kernel.web.work import now, services, session, today, transaction
from orders.shares import operations, queries
from orders.shares.models import PartKind

bp = Blueprint("shares", __name__, url_prefix="/coop")


@bp.post("/slips/take-in")
@requires(Role.STOREKEEPER, Role.MANAGER)
@once
def take_in() -> Response:
    slip_ids = [int(key) for key in request.form.getlist("slip") if key.isdecimal()]
    if not slip_ids:
        raise Invalid({"slip": Text("Please choose at least one slip.")})
    with transaction() as work:
        supplier = supplier_of(work, organisation_id())
        taken = operations.take_in_slips(
            work, slip_ids, supplier_id=supplier.id, by=actor(), now=now()
        )
    flash(
        ngettext(
            "%(num)d slip is in the store now.", "%(num)d slips are in the store now.", len(taken)
        ),
        "done",
    )
    return redirect(url_for("slips.show_slips"), code=303)


@bp.post("/lots/<code>/loss")
@requires(*STORES)
@once
def report_loss(code: str) -> Response | tuple[str, int]:
    """Some of a lot is lost: a small loss at once, a larger one when somebody else agrees."""
    fields = Fields(request.form)
    try:
        lot = lot_of(session(), supplier_of(session(), organisation_id()).id, code)
        kind = fields.choice("kind", AdjustmentKind)
        quantity = fields.quantity("quantity", lot.product.base_unit)
        reason = fields.text("reason", most=200)
        photos = read_photos(request.files.getlist("photo"), name="photo", most=1)
        fields.done()
        blob = _put(*photos[0]) if photos else None
        with transaction() as work:
            slip = operations.report_loss(
                work, lot.id, quantity, supplier_id=lot.supplier_id, kind=kind, reason=reason,
                photo=blob, request_key=f"loss:{request.form[FIELD]}", by=actor(), now=now(),
            )  # fmt: skip
            number, done = slip.number, slip.state is AdjustmentState.APPROVED
    except Invalid as invalid:
        return work_page(code, invalid.errors), 422
    except Refusal as refusal:
        return work_page(code, {"quantity": refusal.sentence}), 409
    if done:
        flash(_("Slip %(number)s: the loss is written off.", number=number), "done")
    else:
        flash(_("Slip %(number)s waits for a second person.", number=number), "done")
    return redirect(url_for("losses.show_loss", number=number), code=303)


def _put(content: bytes, media_type: str, name: str) -> Blob:
    return services().storage.put(content, media_type=media_type, name=name)


@bp.post("/stock/losses/<number>/decide")
@requires(*DECIDE)
@once
def decide_loss(number: str) -> Response | tuple[str, int]:
    agreed = request.form.get("agreed") == "yes"
    try:
        with transaction() as work:
            supplier = supplier_of(work, organisation_id())
            slip = adjustment_of(work, supplier.id, number)
            operations.decide_slip(
                work, slip.id, supplier_id=supplier.id, agreed=agreed,
                words=request.form.get("words", ""), by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return loss_page(number, invalid.errors), 422
    flash(
        _("Agreed: the book says what lies there.") if agreed else _("Not agreed: nothing moved."),
        "done",
    )
    return redirect(url_for("losses.show_loss", number=number), code=303)


@bp.get("/settlement")
@requires(*COOPERATIVE)
def settlement() -> str:
    """Where the money of this year's settled lines went, by product and line by line."""
    supplier = supplier_of(session(), organisation_id())
    year = _year(today())
    start, end = date(year, 1, 1), date(year, 12, 31)
    page = max(1, request.args.get("page", 1, type=int) or 1)
    lines = queries.settled_lines(
        session(), supplier.id, start, end, offset=(page - 1) * queries.PER_PAGE
    )
    return render_template(
        "shares/settlement.html",
        year=year,
        this_year=today().year,
        went=queries.where_the_yuan_went(session(), start, end, supplier_id=supplier.id),
        products=queries.by_product(session(), supplier.id, start, end),
        lines=lines[: queries.PER_PAGE],
        page=page,
        more=len(lines) > queries.PER_PAGE,
        Part=PartKind,
    )


def _year(day: date) -> int:
    asked = request.args.get("year", day.year, type=int) or day.year
    return min(max(asked, 2000), day.year)
