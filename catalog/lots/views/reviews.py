"""The manager at the scale: doubtful slips, slips no rule let in, the cap, households' cards."""

from __future__ import annotations

import json

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from catalog.households.queries import household_in
from catalog.lots import operations, queries
from catalog.lots.operations import Brought
from catalog.lots.views.scope import WEIGHS, clock, own_supplier
from catalog.products.queries import products_of
from catalog.suppliers.queries import catchment
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Text
from kernel.money import ZERO
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction

bp = Blueprint("slip_reviews", __name__, url_prefix="/coop/weigh-in")


@bp.get("/reviews")
@requires(*COOPERATIVE)
def show_reviews() -> str:
    return _page()


def _page(errors: dict[str, Text] | None = None, about: str = "") -> str:
    """`about` names the form that `errors` belong to: a slip's number, `handed-7`, `cap`."""
    supplier = own_supplier(session())
    handed = queries.handed_over(session(), supplier.id)
    return render_template(
        "coop/reviews.html",
        reviews=queries.open_reviews(session(), supplier.id),
        handed=[(each, Brought.from_plain(json.loads(each.payload))) for each in handed],
        products={product.id: product for product in products_of(session(), supplier.id)},
        cap=queries.purchase_cap(session(), supplier.id, today().year),
        year=today().year,
        may_decide=actor().role is Role.MANAGER,
        me=actor().user_id,
        clock=clock,
        about=about,
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/reviews/<number>/approve")
@requires(Role.MANAGER)
@once
def approve(number: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            slip = queries.slip_of(work, own_supplier(work).id, number)
            note = request.form.get("note", "")
            operations.approve_slip(work, slip.id, note=note, by=actor(), now=now())
    except Invalid as invalid:
        return _page(invalid.errors, number), 422
    flash(_("Slip %(number)s is approved.", number=number), "done")
    return redirect(url_for("slip_reviews.show_reviews"), code=303)


@bp.post("/reviews/<number>/void")
@requires(Role.MANAGER)
@once
def void(number: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            slip = queries.slip_of(work, own_supplier(work).id, number)
            reason = request.form.get("note", "")
            operations.void_slip(work, slip.id, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return _page({"note": invalid.errors["reason"]}, number), 422
    flash(_("Slip %(number)s is void.", number=number), "done")
    return redirect(url_for("slip_reviews.show_reviews"), code=303)


@bp.post("/handed/<int:offline_id>/write")
@requires(Role.MANAGER)
@once
def write_handed(offline_id: int) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            supplier = own_supplier(work)
            operations.write_handed_slip(
                work,
                offline_id,
                supplier_id=supplier.id,
                prefixes=catchment(work, supplier),
                household=request.form.get("household", ""),
                as_shown=request.form.get("price") == "shown",
                note=request.form.get("note", ""),
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(invalid.errors, f"handed-{offline_id}"), 422
    flash(_("It is a weigh slip now."), "done")
    return redirect(url_for("slip_reviews.show_reviews"), code=303)


@bp.post("/handed/<int:offline_id>/dismiss")
@requires(Role.MANAGER)
@once
def dismiss_handed(offline_id: int) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            operations.dismiss_handed_slip(
                work,
                offline_id,
                supplier_id=own_supplier(work).id,
                note=request.form.get("note", ""),
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return _page(invalid.errors, f"handed-{offline_id}"), 422
    flash(_("It is put aside; the phone will be told why."), "done")
    return redirect(url_for("slip_reviews.show_reviews"), code=303)


@bp.post("/cap")
@requires(Role.MANAGER)
@once
def set_cap() -> Response | tuple[str, int]:
    fields = Fields(request.form)
    amount = fields.money("amount", least=ZERO) if fields.has("amount") else None
    resolution = fields.text("resolution", most=60)
    try:
        fields.done()
        with transaction() as work:
            operations.set_purchase_cap(
                work, own_supplier(work).id, year=today().year, amount=amount,
                resolution=resolution, by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(invalid.errors, "cap"), 422
    flash(_("The yearly cap is in force for every slip from now on."), "done")
    return redirect(url_for("slip_reviews.show_reviews"), code=303)


@bp.get("/cards/<code>")
@requires(*COOPERATIVE)
def show_card(code: str) -> str:
    """A household's card, to be printed: its QR leads to the scale, its code confirms."""
    supplier = own_supplier(session())
    home = household_in(session(), code, prefixes=catchment(session(), supplier))
    card = queries.newest_card(session(), home.id)
    address = services().config.public_url + url_for("weighin.show_scale", household=home.code)
    drawing = segno.make(address, error="m", micro=False).svg_inline(border=2, omitsize=True)
    return render_template(
        "coop/card.html",
        supplier=supplier,
        home=home,
        card=card,
        digits=queries.code_of_card(card, home.code) if card else "",
        qr=Markup(drawing),  # noqa: S704  drawn by us from our own address
        may_issue=actor().role in WEIGHS,
    )


@bp.post("/cards/<code>")
@requires(*WEIGHS)
@once
def issue_card(code: str) -> Response:
    with transaction() as work:
        home = household_in(work, code, prefixes=catchment(work, own_supplier(work)))
        operations.issue_card(work, home.id, by=actor(), now=now())
    flash(_("A new card was made; the one before confirms nothing any more."), "done")
    return redirect(url_for("slip_reviews.show_card", code=code), code=303)
