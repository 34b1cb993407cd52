"""The scale in the yard: find the household, weigh, show the amount, confirm, print."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from catalog.households.queries import find_households, household_in
from catalog.lots import operations, queries
from catalog.lots.forms import WAYS, read_weighed
from catalog.lots.queries import reversals
from catalog.lots.views.scope import WEIGHS, clock, own_supplier, sum_slips
from catalog.products.queries import purchase_prices_on
from catalog.suppliers.queries import catchment
from kernel.db import Work
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.quantities import kilograms
from kernel.storage import Blob
from kernel.web.access import actor, requires
from kernel.web.once import FIELD, once
from kernel.web.pictures import read_photos
from kernel.web.work import now, services, session, today, transaction

bp = Blueprint("weighin", __name__, url_prefix="/coop/weigh-in")


@bp.get("")
@requires(*WEIGHS)
def show_scale() -> str:
    """Without a household: find one. With one: what it brought, and today's slips."""
    return _page(session(), request.args.get("household", ""))


@bp.post("")
@requires(*WEIGHS)
@once
def weigh() -> Response | tuple[str, int]:
    code = request.form.get("household", "")
    try:
        weighed = read_weighed(request.form)
        photo = put_photo()
        with transaction() as work:
            supplier = own_supplier(work)
            household = household_in(work, code, prefixes=catchment(work, supplier))
            what: dict[str, Any] = {
                "supplier_id": supplier.id, "household_id": household.id,
                "product_id": weighed.product_id, "grade": weighed.grade,
                "gross_g": weighed.gross_g, "tare_g": weighed.tare_g,
                "deduction_bp": weighed.deduction_bp, "device": f"web:{actor().user_id}",
                "device_seq": request.form[FIELD][:40], "asked_price": weighed.asked_price,
                "reason": weighed.reason, "by": actor(), "now": now(),
            }  # fmt: skip
            if wrong := request.form.get("corrects"):
                slip = operations.record_correction(work, wrong, **what)
            else:
                slip = operations.record_slip(work, weighed_at=now(), **what)
            if weighed.confirmation is not None:
                operations.confirm_slip(
                    work,
                    slip.id,
                    confirmation=weighed.confirmation,
                    confirmed_by=weighed.confirmed_by or household.name,
                    signature=weighed.signature,
                    code=weighed.card_code,
                    by=actor(),
                    now=now(),
                )
            if photo is not None:
                operations.keep_slip_photo(work, slip.id, photo, by=actor(), now=now())
            number = slip.number
    except Invalid as invalid:
        return _page(session(), code, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return _page(session(), code, {"gross": refusal.sentence}), 409
    return redirect(url_for("slips.show_slip", number=number), code=303)


def put_photo() -> Blob | None:
    """The picture of the scale that was sent along: in the store, before any row names it."""
    for content, media_type, name in read_photos(request.files.getlist("photo"), name="photo"):
        return services().storage.put(content, media_type=media_type, name=name)
    return None


def _page(work: Work, code: str, errors: dict[str, Text] | None = None) -> str:
    supplier = own_supplier(work)
    inside = catchment(work, supplier)
    asked = request.args.get("q", "")
    household = household_in(work, code, prefixes=inside) if code else None
    wrong = request.values.get("corrects", "")
    corrects = reversals.reversed_slip(work, supplier.id, wrong) if wrong else None
    # A correction is weighed again as of the day of the slip that was wrong.
    bought = purchase_prices_on(
        work, supplier.id, business_day(corrects.slip.weighed_at) if corrects else today()
    )
    products = list({product.id: product for product, _ in bought}.values())
    year = business_day(now()).year
    seasons = queries.seasons(work, household.id, products, year=year) if household else {}
    # What this household grows or has brought before stands first.
    bought.sort(key=lambda each: not (household and seasons[each[0].id].expected))
    slips = queries.slips_of_day(work, supplier.id, today())
    return render_template(
        "coop/weighin.html",
        supplier=supplier,
        household=household,
        corrects=corrects,
        asked=asked,
        found=find_households(work, asked, prefixes=inside) if asked else [],
        bought=bought,
        seasons=seasons,
        standing=queries.cap_standing(work, supplier.id, household.id, year) if household else None,
        ways=WAYS,
        slips=slips,
        under_review=queries.under_review(work, [slip.id for slip in slips]),
        sum=sum_slips(slips),
        clock=clock,
        exact_kg=kilograms,
        form=request.form if errors else {},
        errors=errors or {},
    )
