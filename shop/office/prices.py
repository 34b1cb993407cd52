"""价格监测: our prices beside those elsewhere, for the cooperative, the operator and the office.

One table, three doors: each sees the suppliers that are its own; the office and the operator write
down what they saw elsewhere and what was done about a price that stands out.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from catalog.products import operations
from catalog.products.forms import read_pasted, read_reference
from catalog.products.models import ReferenceSource
from catalog.products.queries import Watched, references_of, watched_prices
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, OFFICE, Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import acting, actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies.queries.units import policy_for
from shop.office.whose import desk_of

bp = Blueprint("market", __name__)

WRITES = (Role.OPERATOR, Role.OFFICIAL, Role.DISTRICT)
READS = (*OFFICE, Role.AUDITOR)
# Where no policy says otherwise.
BAND_BP = 1_500


@bp.get("/office/prices")
@requires(*READS)
def office() -> str:
    return _page()


@bp.get("/admin/prices")
@requires(Role.OPERATOR)
def admin() -> str:
    return _page()


@bp.get("/coop/market")
@requires(*COOPERATIVE)
def coop() -> str:
    return _page()


def _watched() -> list[Watched]:
    """Whose prices this person looks at."""
    by = actor()
    if by.role in COOPERATIVE:
        supplier = supplier_of(session(), organisation_id())
        return watched_prices(session(), today(), supplier_id=supplier.id)
    member = acting()
    assert member is not None
    whole = by.role in (Role.OPERATOR, Role.AUDITOR, Role.DEPARTMENT)
    prefixes: Sequence[str] = ("",) if whole else desk_of(session(), member).villages
    return watched_prices(session(), today(), prefixes=prefixes)


def _band() -> int:
    """The policy of the place and year; the widest known rule where there is none."""
    member = acting()
    assert member is not None
    try:
        return policy_for(session(), member.organisation.region_code, today().year).price_band_bp
    except Refusal:
        return BAND_BP


def _page(errors: dict[str, Text] | None = None) -> str:
    watched, band = _watched(), _band()
    products = {each.product.id: each.product for each in watched}
    by = actor()
    return render_template(
        "office/prices.html",
        watched=watched,
        flagged=sum(1 for each in watched if each.comparison.flagged(band)),
        band=band,
        products=list(products.values()),
        references=references_of(session(), list(products)),
        names=products,
        sources=ReferenceSource,
        may_write=by.role in WRITES,
        nav="coop.market" if by.role in COOPERATIVE
        else "admin.prices" if by.role is Role.OPERATOR else "office.prices",
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )  # fmt: skip


def _back() -> Response:
    door = "market.admin" if actor().role is Role.OPERATOR else "market.office"
    return redirect(url_for(door), code=303)


def _mine(product_id: int) -> None:
    if product_id not in {each.product.id for each in _watched()}:
        raise Missing(Text("There is nothing at this address, or it is not yours."))


@bp.post("/office/prices")
@requires(*WRITES)
@once
def record() -> Response | tuple[str, int]:
    """One price, or rows pasted from a sheet: all of them or none."""
    try:
        if request.form.get("do") == "paste":
            products = [each.product for each in _watched()]
            seen = read_pasted(request.form.get("pasted", ""), products, today=today())
        else:
            seen = [read_reference(request.form, today=today())]
            _mine(seen[0].product_id)
        with transaction() as work:
            made = operations.record_references(work, seen, by=actor(), now=now())
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    flash(
        ngettext("%(num)d price was written down.", "%(num)d prices were written down.", len(made))
        if made else _("These prices were known already; nothing was written twice."), "done",
    )  # fmt: skip
    return _back()


@bp.post("/office/prices/<int:product_id>/measure")
@requires(*WRITES)
@once
def measure(product_id: int) -> Response | tuple[str, int]:
    _mine(product_id)
    try:
        fields = Fields(request.form)
        text = fields.text("measure", most=200)
        fields.done()
        with transaction() as work:
            operations.note_measure(work, product_id, text=text, by=actor(), now=now())
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    flash(_("It stands beside the price now."), "done")
    return _back()
