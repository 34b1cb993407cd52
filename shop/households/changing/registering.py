"""A household comes into the register; its name, village and phone are put right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.households import forms, operations, queries
from catalog.households.models import Sex
from catalog.households.rules import Detail, Display, Part, display, who_changes
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from shop.households.changing.frame import HOME, Answer, Errors, bp, change, form_page
from shop.households.reach import Home, Reach, home_of, reach_of, villages_at

NEW = "/<any(coop, office):desk>/new-household"


@bp.get(NEW)
@requires(*who_changes(Part.REGISTER))
def new(desk: str) -> str:
    return _new_page(desk, {})


def _new_page(desk: str, errors: Errors) -> str:
    reach = _registering(session(), desk)
    return render_template(
        "households/new.html",
        reach=reach,
        villages=villages_at(session(), reach),
        sexes=Sex,
        form=request.form if errors else {},
        errors=errors,
    )


def _registering(work: Session, desk: str) -> Reach:
    reach = reach_of(work, desk)
    if not reach.may(Part.REGISTER):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return reach


@bp.post(NEW)
@requires(*who_changes(Part.REGISTER))
@once
def register(desk: str) -> Answer:
    try:
        with transaction() as work:
            reach = _registering(work, desk)
            values = _all_of(
                lambda: forms.read_facts(request.form, villages_at(work, reach)),
                lambda: forms.read_head(request.form),
            )
            made = operations.register_household(work, **values, by=actor(), now=now())
    except Refusal as no:
        if no.status != 422:
            raise
        return _new_page(desk, getattr(no, "errors", {})), 422
    flash(_("The household is registered."), "done")
    return redirect(reach.page(made.code), code=303)


def _all_of(*reads: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What several readers found; what any of them minds is said together."""
    values: dict[str, Any] = {}
    errors: Errors = {}
    for read in reads:
        try:
            values |= read()
        except Refusal as no:
            errors |= getattr(no, "errors", {})
    if errors:
        raise Invalid(errors)
    return values


@bp.get(f"{HOME}/facts")
@requires(*who_changes(Part.FACTS))
def facts(desk: str, code: str) -> str:
    return _facts_page(desk, code, {})


def _facts_page(desk: str, code: str, errors: Errors) -> str:
    reach = reach_of(session(), desk)
    home = home_of(session(), reach, code, Part.FACTS)
    row = queries.household_row(session(), home.id)
    shown = display(Detail.PHONE, home.viewer) is Display.FULL
    return form_page(
        "facts", desk, code, Part.FACTS, errors,
        row=row, villages=villages_at(session(), reach, row.village_code), phone_shown=shown,
    )  # fmt: skip


@bp.post(f"{HOME}/facts")
@requires(*who_changes(Part.FACTS))
@once
def correct_facts(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        row = queries.household_row(work, home.id)
        villages = villages_at(work, reach_of(work, desk), row.village_code)
        values = forms.read_facts(request.form, villages)
        operations.correct_household(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.FACTS, act, lambda errors: _facts_page(desk, code, errors),
        said=_("The change is kept."), anchor="main",
    )  # fmt: skip
