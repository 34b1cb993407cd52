"""Members: entered, put right, gone."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.households import forms, operations, queries
from catalog.households.models import Sex
from catalog.households.rules import Part, who_changes
from kernel.errors import Missing, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, today
from shop.households.changing.frame import HOME, Answer, Errors, bp, change, form_page
from shop.households.reach import Home


@bp.get(f"{HOME}/members/new")
@requires(*who_changes(Part.MEMBERS))
def new_member(desk: str, code: str) -> str:
    return _member_page(desk, code, None, {})


@bp.get(f"{HOME}/members/<int:member_id>")
@requires(*who_changes(Part.MEMBERS))
def member(desk: str, code: str, member_id: int) -> str:
    return _member_page(desk, code, member_id, {})


def _member_page(desk: str, code: str, member_id: int | None, errors: Errors) -> str:
    def chosen(sheet: queries.HouseholdSheet) -> queries.MemberShown | None:
        if member_id is None:
            return None
        for each in sheet.card.members:
            if each.id == member_id:
                return each
        raise Missing(Text("There is nothing at this address, or it is not yours."))

    return form_page("member", desk, code, Part.MEMBERS, errors, was=chosen, sexes=Sex)


@bp.post(f"{HOME}/members/new")
@requires(*who_changes(Part.MEMBERS))
@once
def add_member(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_member(request.form)
        operations.add_member(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.MEMBERS, act, lambda errors: _member_page(desk, code, None, errors),
        said=_("The member is entered."), anchor="members", field="is_head",
    )  # fmt: skip


@bp.post(f"{HOME}/members/<int:member_id>")
@requires(*who_changes(Part.MEMBERS))
@once
def correct_member(desk: str, code: str, member_id: int) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_member(request.form)
        operations.correct_member(work, home.id, member_id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.MEMBERS, act, lambda errors: _member_page(desk, code, member_id, errors),
        said=_("The change is kept."), anchor="members", field="is_head",
    )  # fmt: skip


@bp.post(f"{HOME}/members/<int:member_id>/leave")
@requires(*who_changes(Part.MEMBERS))
@once
def leave(desk: str, code: str, member_id: int) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_leaving(request.form, today=today())
        operations.leave_household(work, home.id, member_id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.MEMBERS, act, lambda errors: _member_page(desk, code, member_id, errors),
        said=_("Written down: this person has left."), anchor="members", field="left_on",
    )  # fmt: skip
