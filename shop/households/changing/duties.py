"""Who helps a household, what an office decided of it, where it is paid."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from catalog.households import forms, operations, queries
from catalog.households.models import MonitorType, RiskStatus
from catalog.households.rules import Part, who_changes
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, today
from shop.households.changing.frame import HOME, Answer, Errors, bp, change, form_page
from shop.households.reach import Home, Reach, reach_of


@bp.get(f"{HOME}/helper")
@requires(*who_changes(Part.HELPER))
def helper(desk: str, code: str) -> str:
    return _helper_page(desk, code, {})


def _candidates(work: Session, reach: Reach) -> dict[int, str]:
    prefixes = reach.whose.prefixes
    found = queries.helpers_in(work, prefixes, today=today()) if prefixes else []
    return {each.user_id: f"{each.name} {each.organisation}" for each in found}


def _helper_page(desk: str, code: str, errors: Errors) -> str:
    reach = reach_of(session(), desk)
    return form_page(
        "helper", desk, code, Part.HELPER, errors,
        helpers=_candidates(session(), reach), day=today(),
    )  # fmt: skip


@bp.post(f"{HOME}/helper")
@requires(*who_changes(Part.HELPER))
@once
def assign_helper(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        helpers = _candidates(work, reach_of(work, desk))
        values = forms.read_helper(request.form, helpers, today=today())
        operations.assign_helper(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.HELPER, act, lambda errors: _helper_page(desk, code, errors),
        said=_("The helper is assigned; who helped before stays in the history."),
        anchor="helpers", field="valid_from",
    )  # fmt: skip


@bp.get(f"{HOME}/status")
@requires(*who_changes(Part.STATUS))
def status(desk: str, code: str) -> str:
    return _status_page(desk, code, {})


def _status_page(desk: str, code: str, errors: Errors) -> str:
    return form_page(
        "status", desk, code, Part.STATUS, errors,
        monitor_types=MonitorType, risks=RiskStatus,
    )  # fmt: skip


@bp.post(f"{HOME}/status")
@requires(*who_changes(Part.STATUS))
@once
def record_status(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_status(request.form, today=today())
        operations.record_status(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.STATUS, act, lambda errors: _status_page(desk, code, errors),
        said=_("The status is entered with its source."), anchor="status", field="as_of",
    )  # fmt: skip


@bp.get(f"{HOME}/account")
@requires(*who_changes(Part.ACCOUNT))
def account(desk: str, code: str) -> str:
    return form_page("account", desk, code, Part.ACCOUNT, {})


@bp.post(f"{HOME}/account")
@requires(*who_changes(Part.ACCOUNT))
@once
def open_account(desk: str, code: str) -> Answer:
    def act(work: Session, home: Home) -> None:
        values = forms.read_account(request.form)
        operations.open_payout_account(work, home.id, **values, by=actor(), now=now())

    return change(
        desk, code, Part.ACCOUNT, act,
        lambda errors: form_page("account", desk, code, Part.ACCOUNT, errors),
        said=_("Payouts go to this account from now on."), anchor="account", field="number",
    )  # fmt: skip
