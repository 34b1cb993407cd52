"""A cooperative's own producers: what they brought this year, and the card it may see."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from catalog.households.queries import household_card, household_in
from catalog.households.rules import Viewer
from catalog.lots import queries
from catalog.lots.views.scope import own_supplier
from catalog.suppliers.queries import catchment
from kernel.actors import COOPERATIVE
from kernel.text import tidy
from kernel.web.access import requires
from kernel.web.work import session, today

bp = Blueprint("producers", __name__, url_prefix="/coop/households")

MOST = 300


@bp.get("")
@requires(*COOPERATIVE)
def show_producers() -> str:
    supplier = own_supplier(session())
    asked = tidy(request.args.get("q", ""))
    found = queries.producers(session(), supplier.id, year=today().year, text=asked, limit=MOST + 1)
    return render_template(
        "coop/households.html",
        producers=found[:MOST],
        more=len(found) > MOST,
        asked=asked,
        year=today().year,
    )


@bp.get("/<code>")
@requires(*COOPERATIVE)
def show_producer(code: str) -> str:
    """As a cooperative may see it: no status, last digits only (domain.md §5.5)."""
    supplier = own_supplier(session())
    found = household_in(session(), code, prefixes=catchment(session(), supplier))
    return render_template(
        "coop/household.html",
        card=household_card(session(), found.id, viewer=Viewer.SUPPLIER, year=today().year),
        slips=queries.slips_of_household(session(), supplier.id, found.id, year=today().year),
        year=today().year,
    )
