"""Fields: entered, put right, retired."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.households import forms, operations, queries
from catalog.households.rules import Part, who_changes
from kernel.errors import Missing, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, today
from shop.households.changing.frame import HOME, Answer, Errors, bp, change, form_page
from shop.households.reach import Home, crops


@bp.get(f"{HOME}/plots/new")
@requires(*who_changes(Part.PLOTS))
def new_plot(desk: str, code: str) -> str:
    return _plot_page(desk, code, None, {})


@bp.get(f"{HOME}/plots/<int:plot_id>")
@requires(*who_changes(Part.PLOTS))
def plot(desk: str, code: str, plot_id: int) -> str:
    return _plot_page(desk, code, plot_id, {})


def _plot_page(desk: str, code: str, plot_id: int | None, errors: Errors) -> str:
    def chosen(sheet: queries.HouseholdSheet) -> queries.PlotShown | None:
        if plot_id is None:
            return None
        for each in sheet.fields:
            if each.id == plot_id:
                return each
        raise Missing(Text("There is nothing at this address, or it is not yours."))

    return form_page(
        "plot", desk, code, Part.PLOTS, errors,
        was=chosen, crops=crops(session()), year=today().year,
    )  # fmt: skip


@bp.post(f"{HOME}/plots/new")
@requires(*who_changes(Part.PLOTS))
@once
def add_plot(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_plot(request.form, crops(work), today=today())
        operations.add_plot(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.PLOTS, act, lambda errors: _plot_page(desk, code, None, errors),
        said=_("The field is entered."), anchor="fields",
    )  # fmt: skip


@bp.post(f"{HOME}/plots/<int:plot_id>")
@requires(*who_changes(Part.PLOTS))
@once
def correct_plot(desk: str, code: str, plot_id: int) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_plot(request.form, crops(work), today=today())
        operations.correct_plot(work, home.id, plot_id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.PLOTS, act, lambda errors: _plot_page(desk, code, plot_id, errors),
        said=_("The change is kept."), anchor="fields",
    )  # fmt: skip


@bp.post(f"{HOME}/plots/<int:plot_id>/retire")
@requires(*who_changes(Part.PLOTS))
@once
def retire_plot(desk: str, code: str, plot_id: int) -> Answer:
    def act(work: Session, home: Home) -> None:
        why = forms.read_why(request.form)
        operations.retire_plot(work, home.id, plot_id, why=why, by=actor(), now=now())

    return change(
        desk, code, Part.PLOTS, act, lambda errors: _plot_page(desk, code, plot_id, errors),
        said=_("The field is retired; it counts for nothing any more."), anchor="fields",
    )  # fmt: skip
