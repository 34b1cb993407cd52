"""/audit: the self-check, the books and the trail, for those who only read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from catalog.households.queries import bulk_reveals, reveals
from catalog.households.rules import MANY_REVEALS
from kernel import audit
from kernel.actors import Role
from kernel.outbox import enqueue
from kernel.web.access import requires
from kernel.web.once import once
from kernel.web.work import now, services, session, today, transaction
from orders.ledger.queries import statement, trial_balance
from orders.ledger.queries.beancount import ledger_lines
from orders.ledger.rules import account_name
from shop.audit import queries
from shop.households.reach import DETAIL_WORDS

bp = Blueprint("audit", __name__, url_prefix="/audit")

PER_PAGE = 50
ALARM_DAYS = 30


@bp.get("/")
@requires(Role.AUDITOR)
def selfcheck() -> str:
    return render_template(
        "audit/selfcheck.html",
        run=queries.latest_run(session()),
        running=queries.is_running(session()),
    )


@bp.post("/self-check")
@requires(Role.AUDITOR)
@once
def run_selfcheck() -> AnyResponse:
    if not queries.is_running(session()):
        with transaction() as work:
            enqueue(work, "self_check", now=now())
    flash(_("The worker looks at every invariant now; this page shows what it finds."))
    return redirect(url_for("audit.selfcheck"), code=303)


@bp.get("/books")
@requires(Role.AUDITOR)
def books() -> str:
    return render_template(
        "audit/books.html", trial=trial_balance(session()), account_name=account_name
    )


@bp.get("/books/<path:code>")
@requires(Role.AUDITOR)
def account(code: str) -> str:
    return render_template(
        "audit/account.html", sheet=statement(session(), code), account_name=account_name
    )


@bp.get("/books.beancount")
@requires(Role.AUDITOR)
def export() -> Response:
    """The same file as `flask books export`, streamed."""

    def lines() -> Iterator[str]:
        with services().database.snapshot() as work:
            yield from ledger_lines(work)

    return Response(
        stream_with_context(lines()),
        mimetype="text/plain",
        headers={"Content-Disposition": "attachment; filename=sutian.beancount"},
    )


@bp.get("/bank")
@requires(Role.AUDITOR)
def bank() -> str:
    return render_template("audit/bank.html", books=queries.bank_books(session()))


@bp.get("/trail")
@requires(Role.AUDITOR)
def trail() -> str:
    typed = request.args.get("page", "")
    page = int(typed) if typed.isdecimal() and 0 < int(typed) < 100_000 else 1
    words = request.args.get("q", "").strip()[:60]
    rows = queries.trail(session(), text=words, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1)
    count, head = audit.head(session())
    return render_template(
        "audit/trail.html",
        rows=rows[:PER_PAGE],
        words=words,
        page=page,
        more=len(rows) > PER_PAGE,
        count=count,
        head=head,
    )


@bp.get("/reveals")
@requires(Role.AUDITOR)
def reveals_page() -> str:
    """What was read in clear of households: by whom, of whom, why; first of all who read many."""
    page = max(1, request.args.get("page", 1, type=int))
    user_id, day = request.args.get("user", type=int), _day(request.args.get("day", ""))
    rows = reveals(
        session(), user_id=user_id, day=day, offset=(page - 1) * PER_PAGE, limit=PER_PAGE + 1
    )
    return render_template(
        "audit/reveals.html",
        rows=rows[:PER_PAGE],
        more=len(rows) > PER_PAGE,
        page=page,
        chosen=user_id is not None or day is not None,
        bulk=bulk_reveals(session(), since=today() - timedelta(days=ALARM_DAYS)),
        many=MANY_REVEALS,
        days=ALARM_DAYS,
        detail_words=DETAIL_WORDS,
    )


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
