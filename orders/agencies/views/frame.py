"""What every page of the canteen's desk has in common: the unit it is for, and what waits."""

from __future__ import annotations

from typing import Any

from flask import g, render_template

from kernel.web.access import organisation_id
from kernel.web.work import session
from orders.agencies.models import Unit
from orders.agencies.queries.desk import nav_counts
from orders.agencies.queries.units import unit_of


def my_unit() -> Unit:
    """The unit this request acts for; looked up once."""
    if "unit" not in g:
        g.unit = unit_of(session(), organisation_id())
    found: Unit = g.unit
    return found


def desk_page(template: str, **values: Any) -> str:
    """A page of the canteen's desk, with the counts in its masthead."""
    g.pop("unit", None)  # a transaction may have ended the session it was read in
    return render_template(
        template,
        unit=my_unit(),
        nav_counts=nav_counts(session(), organisation_id()),
        **values,
    )
