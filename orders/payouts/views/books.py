"""Passbooks: for the household, for whoever helps it, for the cooperative that owes it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.households.queries import HouseholdCard, household_card, households_of_helper
from catalog.households.rules import viewer_of
from catalog.suppliers.queries import supplier_of
from kernel.actors import Role
from kernel.errors import Invalid, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.payouts import operations
from orders.payouts.queries import helping
from orders.payouts.queries.objections import objections_of
from orders.payouts.queries.passbook import EntryKind, passbook, township_of

bp = Blueprint("passbooks", __name__)

BOOKKEEPERS = (Role.ACCOUNTANT, Role.MANAGER)


def _me() -> int:
    user_id = actor().user_id
    assert user_id is not None
    return user_id


@bp.get("/helper/")
@requires(Role.HELPER, Role.HOUSEHOLD)
def desk() -> str | Response:
    """A helper's households; a household's own passbook."""
    if actor().role is Role.HOUSEHOLD:
        return redirect(url_for("passbooks.own"))
    helped = helping.helped_households(session(), _me(), today=today())
    return render_template(
        "helper/households.html",
        helped=helped,
        owed=helping.owed_in_all(helped),
        this_year=today().year,
    )


@bp.get("/passbook")
@requires(Role.HOUSEHOLD)
def short() -> Response:
    return redirect(url_for("passbooks.own"))


@bp.get("/helper/passbook")
@requires(Role.HOUSEHOLD)
def own() -> str:
    return _own_page()


def _own_page(errors: dict[str, Text] | None = None) -> str:
    row = helping.own_household(session(), _me())
    return _book(row.id, "household.passbook", url_for("passbooks.object_myself"), errors)


@bp.get("/helper/households/<code>/passbook")
@requires(Role.HELPER)
def of_helped(code: str) -> str:
    return _helped_page(code)


def _helped_page(code: str, errors: dict[str, Text] | None = None) -> str:
    row = helping.helped_household(session(), _me(), code, today=today())
    return _book(
        row.id,
        "helper.households",
        url_for("passbooks.object_for", code=code),
        errors,
        helped=len(households_of_helper(session(), _me(), today=today())),
    )


@bp.get("/coop/payouts/households/<code>")
@requires(*BOOKKEEPERS)
def of_producer(code: str) -> str:
    supplier = supplier_of(session(), organisation_id())
    household = helping.owed_household(session(), supplier.code, code)
    return _book(household.id, "coop.payouts", None)


def _book(
    household_id: int,
    nav: str,
    object_at: str | None,
    errors: dict[str, Text] | None = None,
    **more: Any,
) -> str:
    asked = request.args.get("page", type=int)
    page = passbook(session(), household_id, page=asked)
    card: HouseholdCard = household_card(
        session(), household_id, viewer=viewer_of(actor().role), year=today().year
    )
    return render_template(
        "passbook/page.html",
        nav=nav,
        page=page,
        card=card,
        township=township_of(session(), household_id),
        questions=objections_of(session(), [household_id], limit=5),
        object_at=object_at,
        Kind=EntryKind,
        today=today(),
        helped=more.get("helped"),
        form=request.form,
        errors=errors or {},
    )


@bp.post("/helper/passbook")
@requires(Role.HOUSEHOLD)
@once
def object_myself() -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            row = helping.own_household(work, _me())
            _object(work, row.id)
    except Invalid as invalid:
        return _own_page(invalid.errors), 422
    return redirect(url_for("passbooks.own") + "#questions", code=303)


@bp.post("/helper/households/<code>/passbook")
@requires(Role.HELPER)
@once
def object_for(code: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            row = helping.helped_household(work, _me(), code, today=today())
            _object(work, row.id)
    except Invalid as invalid:
        return _helped_page(code, invalid.errors), 422
    return redirect(url_for("passbooks.of_helped", code=code) + "#questions", code=303)


def _object(work: Any, household_id: int) -> None:
    operations.raise_objection(
        work, household_id, text=request.form.get("text", ""), by=actor(), now=now()
    )
    flash(_("The question is written down. It is answered within five working days."), "done")


@bp.get("/helper/objections")
@requires(Role.HELPER)
def questions() -> str:
    rows = households_of_helper(session(), _me(), today=today())
    return render_template(
        "helper/objections.html",
        questions=objections_of(session(), [row.id for row in rows], limit=100),
        today=today(),
    )
