"""Weigh slips: waiting for the household, waiting for the store, done; and one on paper."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.households.queries import household_in
from catalog.lots import operations, queries
from catalog.lots.forms import WAYS, read_way
from catalog.lots.models import Confirmation, SlipState
from catalog.lots.queries import reversals
from catalog.lots.views.scope import STORES, WEIGHS, clock, own_supplier, sum_slips
from catalog.suppliers.queries import catchment
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction

bp = Blueprint("slips", __name__, url_prefix="/coop/slips")

PAGE = 50
# Who may agree that a slip in the store is wrong: whoever answers for the goods or for the books.
REVERSE = (Role.MANAGER, Role.ACCOUNTANT)


@bp.get("")
@requires(*COOPERATIVE)
def show_slips() -> str:
    supplier = own_supplier(session())
    page = request.args.get("page", 1, type=int) or 1
    done = queries.recent_slips(
        session(), supplier.id, offset=PAGE * (max(1, page) - 1), limit=PAGE + 1
    )
    waiting = queries.slips_in_state(session(), supplier.id, SlipState.WEIGHED)
    confirmed = queries.slips_in_state(session(), supplier.id, SlipState.CONFIRMED)
    return render_template(
        "coop/slips.html",
        waiting=waiting,
        sum_waiting=sum_slips(waiting),
        confirmed=confirmed,
        sum_confirmed=sum_slips(confirmed),
        reversals=reversals.waiting_reversals(session(), supplier.id),
        done=done[:PAGE],
        page=max(1, page),
        more=len(done) > PAGE,
        me=actor().user_id,
        under_review=queries.under_review(session(), [each.id for each in (*waiting, *confirmed)]),
        may_take_in=actor().role in STORES,
    )


@bp.get("/<number>")
@requires(*COOPERATIVE)
def show_slip(number: str) -> str:
    return slip_page(number)


def slip_page(
    number: str, errors: Mapping[str, Text] | None = None, against: Refusal | None = None
) -> str:
    """Also for the room above, which reverses slips; `against` is why it would not."""
    supplier = own_supplier(session())
    slip = queries.slip_of(session(), supplier.id, number)
    return render_template(
        "coop/slip.html",
        supplier=supplier,
        slip=slip,
        place=_place(slip.household.code),
        review=queries.review_of(session(), slip.id),
        offline=queries.offline_of_slip(session(), slip.id),
        photo=queries.photo_of_slip(session(), slip.id),
        reversal=reversals.reversal_of(session(), slip.id),
        refused=reversals.refused_reversals(session(), slip.id),
        instead_of=reversals.instead_of(session(), slip.id),
        against=against,
        ways=WAYS,
        clock=clock,
        me=actor().user_id,
        may_weigh=actor().role in WEIGHS,
        may_reverse=actor().role in REVERSE,
        form=request.form if errors or against else {},
        errors=errors or {},
    )


def _place(code: str) -> tuple[str, int]:
    supplier = own_supplier(session())
    found = household_in(session(), code, prefixes=catchment(session(), supplier))
    return found.village, found.group_no


@bp.get("/<number>/print")
@requires(*COOPERATIVE)
def print_slip(number: str) -> str:
    """58 mm wide, for the printer at the scale."""
    supplier = own_supplier(session())
    slip = queries.slip_of(session(), supplier.id, number)
    place = _place(slip.household.code)
    return render_template(
        "coop/slip_print.html",
        supplier=supplier,
        slip=slip,
        place=place,
        clock=clock,
        reversal=reversals.reversal_of(session(), slip.id) if not slip.state.stands else None,
        instead_of=reversals.instead_of(session(), slip.id),
    )


@bp.get("/<number>/photo")
@requires(*COOPERATIVE)
def photo(number: str) -> Response:
    """What the scale showed."""
    slip = queries.slip_of(session(), own_supplier(session()).id, number)
    kept = queries.photo_of_slip(session(), slip.id)
    if kept is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    content = services().storage.get(kept.file.sha256)
    return Response(content, mimetype=kept.file.media_type)


@bp.post("/<number>/confirm")
@requires(*WEIGHS)
@once
def confirm(number: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    way = read_way(fields)
    by_proxy = way is Confirmation.PROXY
    name = fields.text("confirmed_by", most=60, required=by_proxy)
    try:
        fields.done()
        with transaction() as work:
            slip = queries.slip_of(work, own_supplier(work).id, number)
            operations.confirm_slip(
                work,
                slip.id,
                confirmation=way,
                confirmed_by=name or slip.household.name,
                signature=request.form.get("signature") or None,
                code=request.form.get("card_code", ""),
                by=actor(),
                now=now(),
            )
    except Invalid as invalid:
        return slip_page(number, invalid.errors), 422
    flash(_("The household has confirmed slip %(number)s.", number=number), "done")
    return redirect(url_for("slips.show_slip", number=number), code=303)


@bp.post("/<number>/void")
@requires(*WEIGHS)
@once
def void(number: str) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.text("reason", most=200)
    try:
        fields.done()
        with transaction() as work:
            slip = queries.slip_of(work, own_supplier(work).id, number)
            operations.void_slip(work, slip.id, reason=reason, by=actor(), now=now())
    except Invalid as invalid:
        return slip_page(number, invalid.errors), 422
    flash(_("Slip %(number)s is void.", number=number), "done")
    return redirect(url_for("slips.show_slip", number=number), code=303)
