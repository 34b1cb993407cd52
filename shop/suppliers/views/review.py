"""The district looks once a year at what a supplier did: by money, never by names alone."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.households.rules import Detail, shown, viewer_of
from catalog.suppliers import operations, queries
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.db import Work
from kernel.errors import Invalid, Text
from kernel.regions import prefixes
from kernel.web.access import actor, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from shop.suppliers.queries import beneficiaries, effect_of, paid_to_households
from shop.suppliers.views.linkage import chosen_year, figures

bp = Blueprint("linkage_review", __name__, url_prefix="/office/linkage")

PAGE = 100


@bp.get("/<code>")
@requires(Role.DISTRICT, Role.OFFICIAL)
def show(code: str) -> str:
    return _page(code, chosen_year())


def _page(code: str, year: int, errors: dict[str, Text] | None = None) -> str:
    supplier = _inside(session(), code)
    found = figures(supplier, year)
    page = max(1, request.args.get("page", 1, type=int) or 1)
    people = beneficiaries(session(), found["payments"])
    viewer = viewer_of(actor().role)
    reviews = queries.reviews_of(session(), supplier.id)
    return render_template(
        "suppliers/review.html",
        supplier=supplier,
        year=year,
        people=people[PAGE * (page - 1) : PAGE * page],
        count=len(people),
        more=len(people) > PAGE * page,
        page=page,
        name_of=lambda name: shown(Detail.NAME, name, viewer),
        reviews=reviews,
        review=next((each for each in reviews if each.year == year), None),
        may_review=actor().role is Role.DISTRICT and year < today().year,
        this_year=today().year,
        form=request.form if errors else {},
        errors=errors or {},
        **found,
    )


@bp.post("/<code>/<int:year>")
@requires(Role.DISTRICT)
@once
def review(code: str, year: int) -> Response | tuple[str, int]:
    """The figures are computed again in the transaction that freezes them."""
    fields = Fields(request.form)
    certified = request.form.get("verdict") == "certified"
    sentence = fields.text("sentence", most=300, required=not certified)
    span = {"begin": date(year, 1, 1), "end": date(year, 12, 31)} if 1 <= year <= 9999 else {}
    try:
        fields.done()
        with transaction() as work:
            supplier = _inside(work, code)
            payments = paid_to_households(work, supplier.id, **span)
            found, _statuses = effect_of(work, payments, **span)
            operations.review_linkage(
                work, supplier.id, year, found, payments,
                certified=certified, sentence=sentence, by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(code, year, invalid.errors), 422
    flash(_("The review of %(year)s is kept with its figures.", year=year), "done")
    return redirect(url_for("linkage_review.show", code=code, year=year), code=303)  # type: ignore[return-value]


def _inside(work: Work, code: str) -> Supplier:
    return queries.supplier_by_code(
        work, code, region_prefixes=prefixes(work, actor().region_code or "")
    )
