"""The operator's desk: who has accounts, and what the worker is doing."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from kernel import outbox
from kernel.actors import Role
from kernel.outbox import JobState
from kernel.signing_in import find_people
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction

bp = Blueprint("admin", __name__, url_prefix="/admin")

PER_PAGE = 50


@bp.get("/")
@requires(Role.OPERATOR)
def overview() -> str:
    """What the worker is doing and whether it lives, at one look."""
    return render_template(
        "admin/overview.html",
        states=outbox.count_by_state(session()),
        workers=outbox.workers_seen(session()),
        dead=outbox.list_jobs(session(), state=JobState.DEAD, limit=10),
    )


@bp.get("/users")
@requires(Role.OPERATOR)
def users() -> str:
    """Everybody who has an account, with what they do where."""
    words = request.args.get("q", "").strip()[:80]
    page = _page()
    found = find_people(session(), words, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1)
    return render_template(
        "admin/users.html",
        people=found[:PER_PAGE],
        more=len(found) > PER_PAGE,
        page=page,
        words=words,
    )


@bp.get("/jobs")
@requires(Role.OPERATOR)
def jobs() -> str:
    """Every job of the worker, newest first, with its last error."""
    page = _page()
    wanted = request.args.get("state", "")
    state = next((each for each in JobState if each.value == wanted), None)
    found = outbox.list_jobs(
        session(), state=state, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1
    )
    return render_template(
        "admin/jobs.html",
        jobs=found[:PER_PAGE],
        more=len(found) > PER_PAGE,
        page=page,
        state=state,
        states=outbox.count_by_state(session()),
    )


@bp.post("/jobs/<int:job_id>/retry")
@requires(Role.OPERATOR)
@once
def retry(job_id: int) -> Response:
    """Let the worker try a job again that it gave up."""
    by = actor()
    with transaction() as work:
        outbox.retry_job(work, job_id, by=by, now=now())
    return redirect(url_for("admin.jobs", state="ready"), code=303)


def _page() -> int:
    typed = request.args.get("page", "")
    return min(max(int(typed), 1), 10_000) if typed.isascii() and typed.isdigit() else 1
