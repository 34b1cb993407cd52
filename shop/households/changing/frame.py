"""What every change of a household has in common: scope, form, transaction, way back."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from catalog.households import queries
from catalog.households.rules import Part
from kernel.errors import Refusal, Text
from kernel.web.work import session, today, transaction
from shop.households.reach import Home, home_of, reach_of

bp = Blueprint("household_changes", __name__)

DESK = "/<any(coop, office, helper):desk>/households"
HOME = f"{DESK}/<code>"

Errors = dict[str, Text]
Answer = Response | tuple[str, int]


def change(
    desk: str,
    code: str,
    part: Part,
    act: Callable[[Session, Home], object],
    page: Callable[[Errors], str],
    *,
    said: str,
    anchor: str,
    field: str = "",
) -> Answer:
    """Do it and lead back to the household; or show the form again with everything typed.

    `field` is where a rule's no is shown when it is not about one field.
    """
    try:
        with transaction() as work:
            reach = reach_of(work, desk)
            home = home_of(work, reach, code, part)
            act(work, home)
    except Refusal as no:
        if no.status not in (409, 422):
            raise
        return page(getattr(no, "errors", {field: no.sentence})), 422
    flash(said, "done")
    return redirect(f"{reach.page(code)}#{anchor}", code=303)


def form_page(
    template: str,
    desk: str,
    code: str,
    part: Part,
    errors: Errors,
    *,
    was: Callable[[queries.HouseholdSheet], object] | None = None,
    **more: object,
) -> str:
    """A form about one household; `was` finds what is being changed. What its reader may not see
    is not filled in."""
    reach = reach_of(session(), desk)
    home = home_of(session(), reach, code, part)
    sheet = queries.household_sheet(session(), home.id, viewer=home.viewer, today=today())
    return render_template(
        f"households/{template}.html",
        reach=reach,
        home=home,
        sheet=sheet,
        card=sheet.card,
        was=was(sheet) if was else None,
        form=request.form if errors else {},
        errors=errors,
        **more,
    )
