"""/coop/payouts: drafted, gone through, approved, sent to the bank, confirmed by its statement."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_of
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Refusal, Text
from kernel.web.access import actor, organisation_id, requires
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from orders.payments.forms import read_statement
from orders.payments.operations.banking import import_statement
from orders.payouts import operations
from orders.payouts.models import FailureReason, PayoutRun, PayoutState, RunState
from orders.payouts.operations import FileKind
from orders.payouts.queries import objections, runs
from orders.payouts.queries.owing import owed_households, owed_total, payable

bp = Blueprint("payouts", __name__, url_prefix="/coop/payouts")

BOOKKEEPERS = (Role.ACCOUNTANT, Role.MANAGER)


def _supplier(work: Session) -> Supplier:
    return supplier_of(work, organisation_id())


def _run(work: Session, number: str) -> PayoutRun:
    return runs.run_of(work, _supplier(work).id, number)


@bp.get("")
@requires(*BOOKKEEPERS)
def show_runs() -> str:
    return _list()


def _list(errors: dict[str, Text] | None = None) -> str:
    supplier = _supplier(session())
    owed = owed_households(session(), supplier, up_to=_asked_day())
    ready = payable(owed)
    return render_template(
        "payouts/runs.html",
        owed=owed,
        owed_total=owed_total(owed),
        ready=ready,
        ready_total=owed_total(ready),
        hindered=[each for each in owed if each.hindrance is not None and not each.in_a_run],
        waiting=[each for each in owed if each.in_a_run],
        waiting_total=owed_total([each for each in owed if each.in_a_run]),
        runs=runs.runs_of(session(), supplier.id),
        questions=objections.objections_to_answer(session(), supplier.code),
        today=today(),
        up_to=_asked_day(),
        may_draft=_may(Role.ACCOUNTANT),
        form=request.form,
        errors=errors or {},
    )


def _asked_day() -> date:
    try:
        asked = date.fromisoformat(request.values.get("up_to", ""))
    except ValueError:
        return today()
    return min(asked, today())


def _may(*roles: Role) -> bool:
    return actor().role in roles


@bp.post("")
@requires(Role.ACCOUNTANT)
@once
def draft() -> Response | tuple[str, int]:
    fields = Fields(request.form)
    up_to = fields.date("up_to", most=today())
    try:
        fields.done()
        with transaction() as work:
            run = operations.draft_run(
                work,
                supplier_id=_supplier(work).id,
                up_to=up_to,
                request_key=f"form:{request.form['once']}",
                by=actor(),
                now=now(),
            )
            number = run.number
    except Invalid as invalid:
        return _list(invalid.errors), 422
    flash(_("Payout run %(number)s is drafted. Somebody else goes through it now.", number=number))
    return _back(number)


def _back(number: str) -> Response:
    return redirect(url_for("payouts.show_run", number=number), code=303)


@bp.get("/<number>")
@requires(*BOOKKEEPERS)
def show_run(number: str) -> str:
    return _page(number)


def _page(number: str, errors: dict[str, Text] | None = None) -> str:
    page = max(1, request.args.get("page", 1, type=int) or 1)
    sheet = runs.run_sheet(session(), _supplier(session()).id, number, page=page)
    me = actor().user_id
    return render_template(
        "payouts/run.html",
        sheet=sheet,
        run=sheet.run,
        steps=_steps(sheet),
        page=page,
        Run=RunState,
        Line=PayoutState,
        reasons=FailureReason,
        mine=sheet.run.made_by_id == me,
        may_review=sheet.run.made_by_id != me,
        may_approve=_may(Role.MANAGER) and sheet.run.made_by_id != me,
        form=request.form,
        errors=errors or {},
    )


def _steps(sheet: runs.RunSheet) -> list[dict[str, Any]]:
    """The road of a run, for the strip."""
    run = sheet.run
    done = [
        (say(RunState.DRAFTED), run.made_at, sheet.drafted_by),
        (say(RunState.REVIEWED), run.reviewed_at, sheet.reviewed_by),
        (say(RunState.APPROVED), run.approved_at, sheet.approved_by),
        (say(RunState.EXPORTED), run.exported_at, ""),
        (_("Checked against the statement"), None, ""),
    ]
    order = [
        RunState.DRAFTED, RunState.REVIEWED, RunState.APPROVED, RunState.EXPORTED, RunState.SETTLED,
    ]  # fmt: skip
    if run.state is RunState.REJECTED:
        made = [each for each in done if each[1] is not None]
        steps = [{"name": name, "on": on, "note": who, "state": ""} for name, on, who in made]
        return [
            *steps,
            {"name": say(RunState.REJECTED), "on": None, "note": run.reason, "state": "bad"},
        ]
    at = order.index(run.state)
    return [
        {
            "name": name,
            "on": on,
            "note": who,
            "state": "now" if place == at and run.state is not RunState.SETTLED
            else "todo" if place > at else "",
        }
        for place, (name, on, who) in enumerate(done)
    ]  # fmt: skip


@bp.post("/<number>/review")
@requires(*BOOKKEEPERS)
@once
def review(number: str) -> Response:
    with transaction() as work:
        operations.review_run(work, _run(work, number).id, **_mine(work))
    flash(_("You have gone through payout run %(number)s.", number=number), "done")
    return _back(number)


@bp.post("/<number>/approve")
@requires(Role.MANAGER)
@once
def approve(number: str) -> Response:
    with transaction() as work:
        operations.approve_run(work, _run(work, number).id, **_mine(work))
    flash(_("Payout run %(number)s is approved and can go to the bank.", number=number), "done")
    return _back(number)


@bp.post("/<number>/reject")
@requires(*BOOKKEEPERS)
@once
def reject(number: str) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            reason = request.form.get("reason", "")
            operations.reject_run(work, _run(work, number).id, reason=reason, **_mine(work))
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    flash(_("Payout run %(number)s was rejected; nothing was paid.", number=number))
    return _back(number)


@bp.post("/<number>/export")
@requires(Role.ACCOUNTANT)
@once
def export(number: str) -> Response:
    with transaction() as work:
        operations.export_run(work, _run(work, number).id, **_mine(work))
    flash(_("The payments are under way. Hand the file below to the bank."), "done")
    return _back(number)


@bp.get("/<number>/file.<any(csv, xlsx):kind>")
@requires(*BOOKKEEPERS)
def download(number: str, kind: str) -> Response:
    """The list that went to the bank; who fetches it is written into the trail."""
    with transaction() as work:
        run = _run(work, number)
        if run.state not in (RunState.EXPORTED, RunState.SETTLED):
            raise Refusal("There is no file before the run has been sent to the bank.")
        file = operations.export_run(work, run.id, kind=FileKind(kind), **_mine(work))
    return Response(
        file.content,
        mimetype=file.media_type.partition(";")[0],
        headers={
            "Content-Disposition": f"attachment; filename={file.name}",
            "Cache-Control": "private, no-store",
        },
    )


@bp.post("/<number>/confirm")
@requires(Role.ACCOUNTANT)
@once
def confirm(number: str) -> Response | tuple[str, int]:
    """Look through the bank's movements, after taking in a statement if one was chosen."""
    upload = request.files.get("file")
    content = upload.read() if upload and upload.filename else b""
    try:
        rows = read_statement(str(upload.filename), content) if upload and content else []
        with transaction() as work:
            supplier = _supplier(work)
            if upload and rows:
                import_statement(
                    work, supplier_id=supplier.id, name=str(upload.filename),
                    sha256=hashlib.sha256(content).hexdigest(), rows=rows, by=actor(), now=now(),
                )  # fmt: skip
            found = operations.confirm_from_statement(
                work, supplier_id=supplier.id, by=actor(), now=now()
            )
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    flash(
        _(
            "%(paid)s payments confirmed, %(failed)s came back.",
            paid=found.paid,
            failed=found.failed,
        ),
        "done" if found.paid or found.failed else "calm",
    )
    for puzzle in found.puzzles[:10]:
        flash(say(puzzle), "alarm")
    return _back(number)


@bp.post("/<number>/lines/<int:line_id>/fail")
@requires(Role.ACCOUNTANT)
@once
def fail(number: str, line_id: int) -> Response | tuple[str, int]:
    fields = Fields(request.form)
    reason = fields.choice("reason", FailureReason)
    try:
        fields.done()
        with transaction() as work:
            operations.fail_line(work, line_id, reason=reason, **_mine(work))
    except Invalid as invalid:
        return _page(number, invalid.errors), 422
    flash(_("The payment is back with what the household is owed."), "done")
    return _back(number)


@bp.post("/objections/<int:objection_id>")
@requires(*BOOKKEEPERS)
@once
def answer(objection_id: int) -> Response | tuple[str, int]:
    try:
        with transaction() as work:
            found = objections.objection_to(work, _supplier(work).code, objection_id)
            operations.answer_objection(
                work, found.id, answer=request.form.get("answer", ""), by=actor(), now=now()
            )
    except Invalid as invalid:
        return _list({f"answer-{objection_id}": each for each in invalid.errors.values()}), 422
    flash(_("The household can read your answer now."), "done")
    return redirect(url_for("payouts.show_runs"), code=303)


def _mine(work: Session) -> dict[str, Any]:
    return {"supplier_id": _supplier(work).id, "by": actor(), "now": now()}


# The weigher and the storekeeper have no business with what anybody is paid.
assert set(BOOKKEEPERS) < set(COOPERATIVE)
