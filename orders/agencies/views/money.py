"""After acceptance at the canteen's desk: invoices, payments due, reviews."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _

from kernel.actors import CANTEEN, Role
from kernel.errors import Invalid, Text
from kernel.money import total
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.agencies import operations
from orders.agencies.forms import read_invoice, read_review
from orders.agencies.models import Stage
from orders.agencies.queries.bulk import bulk_sheet, rows
from orders.agencies.queries.desk import debts, invoices, total_of
from orders.agencies.queries.suppliers import accounts_of
from orders.agencies.rules.terms import Age, age
from orders.agencies.views.frame import desk_page

bp = Blueprint("canteen_money", __name__, url_prefix="/canteen")


@bp.get("/invoices")
@requires(*CANTEEN)
def invoice_list() -> str:
    return _invoices()


@bp.post("/invoices/<number>")
@requires(Role.BUYER, Role.FINANCE)
@once
def record_invoice(number: str) -> Response | tuple[str, int]:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    try:
        values = read_invoice(request.form, today=today())
        with transaction() as work:
            operations.record_invoice(work, order_id, **values, by=actor(), now=now())
    except Invalid as invalid:
        return _invoices(number, invalid.errors), invalid.status
    flash(_("The invoice is entered. Somebody else checks it."), "done")
    return redirect(url_for("canteen_money.invoice_list"), code=303)  # type: ignore[return-value]


@bp.post("/invoices/<number>/check")
@requires(Role.FINANCE)
@once
def check_invoice(number: str) -> Response:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    with transaction() as work:
        operations.check_invoice(work, order_id, by=actor(), now=now())
    flash(_("Checked. The order is to be paid now."), "done")
    return redirect(url_for("canteen_money.invoice_list"), code=303)  # type: ignore[return-value]


@bp.get("/payments")
@requires(*CANTEEN)
def payments() -> str:
    """What must be paid, by when, and what lateness costs."""
    found = rows(session(), organisation_id=organisation_id(), stages=(Stage.TO_PAY,), limit=300)
    owed = debts(found, today())
    return desk_page(
        "canteen/payments.html",
        debts=owed,
        total=total(debt.outstanding for debt in owed),
        late=[debt for debt in owed if debt.days_late],
        interest=total(debt.interest for debt in owed),
        ages=[
            (
                bucket,
                total(debt.outstanding for debt in owed if age(debt.due_on, today()) is bucket),
            )
            for bucket in Age
        ],
        accounts=accounts_of(session(), [debt.row.order_id for debt in owed]),
        paid=rows(
            session(),
            organisation_id=organisation_id(),
            stages=(Stage.TO_REVIEW, Stage.DONE),
            limit=20,
        ),
    )


@bp.get("/reviews")
@requires(*CANTEEN)
def reviews() -> str:
    return _reviews()


@bp.post("/reviews/<number>")
@requires(Role.BUYER, Role.RECEIVER, Role.UNION)
@once
def review(number: str) -> Response | tuple[str, int]:
    order_id = bulk_sheet(session(), number, organisation_id=organisation_id()).order_id
    try:
        values = read_review(request.form)
        with transaction() as work:
            operations.review_order(work, order_id, **values, by=actor(), now=now())
    except Invalid as invalid:
        return _reviews(number, invalid.errors), invalid.status
    flash(_("Thank you. The order is finished and counts."), "done")
    return redirect(url_for("canteen_money.reviews"), code=303)  # type: ignore[return-value]


def _invoices(wrong: str = "", errors: dict[str, Text] | None = None) -> str:
    return desk_page(
        "canteen/invoices.html",
        rows=invoices(session(), organisation_id()),
        by=actor(),
        Stage=Stage,
        wrong=wrong,
        form=request.form if errors else {},
        errors=errors or {},
    )


def _reviews(wrong: str = "", errors: dict[str, Text] | None = None) -> str:
    found = rows(session(), organisation_id=organisation_id(), stages=(Stage.TO_REVIEW,), limit=300)
    return desk_page(
        "canteen/reviews.html",
        rows=list(reversed(found)),
        at_stake=total_of(found),
        may_review=actor().role in (Role.BUYER, Role.RECEIVER, Role.UNION),
        done=rows(session(), organisation_id=organisation_id(), stages=(Stage.DONE,), limit=20),
        wrong=wrong,
        form=request.form if errors else {},
        errors=errors or {},
    )
