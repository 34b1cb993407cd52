"""What a unit reads of recalls: what to set apart, and that it has done so."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.actors import CANTEEN
from kernel.web.access import actor, organisation_id, requires
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.tracing import operations
from orders.tracing.queries import recalls as queries

bp = Blueprint("unit_recalls", __name__, url_prefix="/canteen/recalls")


@bp.app_template_global("recalls_unread")
def recalls_unread() -> int:
    """How many recalled deliveries this unit has not read about; for its first page."""
    return queries.unread_for(session(), organisation_id())


@bp.get("")
@requires(*CANTEEN)
def show_recalls() -> str:
    lines = queries.lines_for_buyer(session(), organisation_id())
    return render_template(
        "tracing/unit_recalls.html",
        lines=lines,
        sums={line.id: queries.accounted([line]) for line in lines},
        nav_counts={"canteen.recalls": sum(line.read_at is None for line in lines)},
    )


@bp.post("/<int:line_id>/read")
@requires(*CANTEEN)
@once
def read(line_id: int) -> Response:
    with transaction() as work:
        operations.mark_read(
            work, line_id, organisation_id=organisation_id(), by=actor(), now=now()
        )
    flash(_("Thank you. The cooperative sees that you have set the goods apart."), "done")
    return redirect(url_for("unit_recalls.show_recalls"), code=303)
