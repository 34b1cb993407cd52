"""The cooperative's links to households: contracts, payments with proof, and what they come to."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from catalog.households.queries import household_in
from catalog.suppliers import operations, queries
from catalog.suppliers.forms import read_link, read_payment, read_scan
from catalog.suppliers.models import LinkMechanism, Supplier
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Text
from kernel.money import Money
from kernel.storage import Blob
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from shop.suppliers.queries import effect_of, paid_to_households

bp = Blueprint("linkage", __name__, url_prefix="/coop/linkage")

PAGE = 50
WRITERS = (Role.ACCOUNTANT, Role.MANAGER)
FIRST_YEAR = 2020


@bp.get("")
@requires(*COOPERATIVE)
def index() -> str:
    return _page()


def _page(errors: dict[str, Text] | None = None) -> str:
    supplier = _own()
    year = chosen_year()
    page = max(1, request.args.get("page", 1, type=int) or 1)
    links = queries.links_of(session(), supplier.id, offset=PAGE * (page - 1), limit=PAGE + 1)
    return render_template(
        "suppliers/linkage.html",
        supplier=supplier,
        year=year,
        links=links[:PAGE],
        more=len(links) > PAGE,
        page=page,
        reviews=queries.reviews_of(session(), supplier.id),
        may_write=actor().role in WRITERS,
        kinds=LinkMechanism,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
        **figures(supplier, year),
    )


def chosen_year() -> int:
    """The year asked for; this one if none or a strange one was."""
    asked = request.args.get("year", type=int)
    return asked if asked is not None and FIRST_YEAR <= asked <= today().year else today().year


def figures(supplier: Supplier, year: int) -> dict[str, Any]:
    """What a supplier did for households in a year, for its pages."""
    span = {"begin": date(year, 1, 1), "end": date(year, 12, 31)}
    payments = paid_to_households(session(), supplier.id, **span)
    found, _statuses = effect_of(session(), payments, **span)
    return {
        "effect": found,
        "payments": payments,
        "mechanisms": {each.value: each for each in LinkMechanism},
        "Money": Money,
    }


@bp.post("")
@requires(*WRITERS)
@once
def add() -> Response | tuple[str, int]:
    try:
        values = read_link(request.form, today=today())
        evidence = _evidence()
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            code = values.pop("household")
            try:
                home = household_in(work, code, prefixes=queries.catchment(work, supplier))
            except Missing:
                sentence = Text("No household around here has this code.")
                raise Invalid({"household": sentence}) from None
            link = operations.open_link(
                work, supplier.id, household_id=home.id, **values, evidence=evidence,
                by=actor(), now=now(),
            )  # fmt: skip
            key = link.id
    except Invalid as invalid:
        return _page(invalid.errors), 422
    flash(_("The link is recorded. It counts as soon as the household is paid."), "done")
    return redirect(url_for("linkage.show", link_id=key), code=303)  # type: ignore[return-value]


@bp.get("/<int:link_id>")
@requires(*COOPERATIVE)
def show(link_id: int) -> str:
    return _link(link_id)


def _link(link_id: int, errors: dict[str, Text] | None = None) -> str:
    supplier = _own()
    link = queries.link_of(session(), supplier.id, link_id)
    return render_template(
        "suppliers/link.html",
        supplier=supplier,
        link=link,
        corrected={each.corrects_id for each in link.payments},
        paid=Money(sum(each.amount.fen for each in link.payments)),
        may_write=actor().role in WRITERS,
        day=today(),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.post("/<int:link_id>/payments")
@requires(*WRITERS)
@once
def pay(link_id: int) -> Response | tuple[str, int]:
    try:
        values = read_payment(request.form, today=today())
        evidence = _evidence()
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            operations.record_link_payment(
                work, supplier.id, link_id, **values, evidence=evidence, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _link(link_id, invalid.errors), 422
    flash(_("The payment is recorded."), "done")
    return redirect(url_for("linkage.show", link_id=link_id), code=303)  # type: ignore[return-value]


@bp.post("/<int:link_id>/payments/<int:payment_id>/correct")
@requires(*WRITERS)
@once
def correct(link_id: int, payment_id: int) -> Response:
    with transaction() as work:
        supplier = queries.supplier_of(work, organisation_id())
        operations.correct_link_payment(
            work, supplier.id, link_id, payment_id, by=actor(), now=now()
        )
    flash(_("The payment is taken back by a row of its own."), "done")
    return redirect(url_for("linkage.show", link_id=link_id), code=303)  # type: ignore[return-value]


@bp.post("/<int:link_id>/end")
@requires(*WRITERS)
@once
def end(link_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    on = fields.date("until")
    try:
        fields.done()
        with transaction() as work:
            supplier = queries.supplier_of(work, organisation_id())
            operations.end_link(work, supplier.id, link_id, on=on, by=actor(), now=now())
    except Invalid as invalid:
        return _link(link_id, invalid.errors), 422
    flash(_("The last day of the link is recorded."), "done")
    return redirect(url_for("linkage.show", link_id=link_id), code=303)  # type: ignore[return-value]


def _own() -> Supplier:
    return queries.supplier_of(session(), organisation_id())


def _evidence() -> Blob:
    read = read_scan(request.files.get("evidence"), "evidence", required=True)
    assert read is not None
    content, media_type, name = read
    return services().storage.put(content, media_type=media_type, name=name)
