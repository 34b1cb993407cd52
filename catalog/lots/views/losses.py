"""Loss slips and count differences: what waits for a second person, and one of them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from catalog.lots import operations
from catalog.lots.queries import papers
from catalog.lots.views.scope import STORES, own_supplier
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, requires
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction

bp = Blueprint("losses", __name__, url_prefix="/coop/stock/losses")

PAGE = 50
DECIDE = (*STORES, Role.ACCOUNTANT)


@bp.get("")
@requires(*COOPERATIVE)
def show_losses() -> str:
    supplier = own_supplier(session())
    page = max(1, request.args.get("page", 1, type=int) or 1)
    found = papers.adjustments_of(session(), supplier.id, offset=PAGE * (page - 1), limit=PAGE + 1)
    return render_template(
        "coop/stock/losses.html", slips=found[:PAGE], more=len(found) > PAGE, page=page
    )


@bp.get("/<number>")
@requires(*COOPERATIVE)
def show_loss(number: str) -> str:
    return loss_page(number)


def loss_page(
    number: str, errors: Mapping[str, Text] | None = None, against: Refusal | None = None
) -> str:
    """Also for the room above, which keeps the books of losses."""
    slip = papers.adjustment_of(session(), own_supplier(session()).id, number)
    return render_template(
        "coop/stock/loss.html",
        slip=slip,
        names=papers.names_of(session(), [slip.made_by_id, slip.decided_by_id]),
        may_decide=actor().role in DECIDE,
        counter=papers.counter_of(session(), slip.id),
        wrong=papers.taken_back_by(session(), slip),
        against=against,
        mine=actor().user_id in papers.writers_of(session(), slip),
        form=request.form if errors or against else {},
        errors=errors or {},
    )


@bp.post("/<number>/take-back")
@requires(*DECIDE)
@once
def take_back(number: str) -> Answer | tuple[str, int]:
    """A counter-slip that waits for a second person like any other."""
    try:
        with transaction() as work:
            counter = operations.take_back_adjustment(
                work, number, supplier_id=own_supplier(work).id,
                reason=request.form.get("back_reason", ""), by=actor(), now=now(),
            ).number  # fmt: skip
    except Invalid as invalid:
        return loss_page(number, invalid.errors), 422
    except Missing:
        raise
    except Refusal as refusal:
        return loss_page(number, against=refusal), 409
    flash(_("Slip %(number)s waits for a second person.", number=counter), "done")
    return redirect(url_for("losses.show_loss", number=counter), code=303)


@bp.get("/<number>/photo")
@requires(*COOPERATIVE)
def photo(number: str) -> Response:
    slip = papers.adjustment_of(session(), own_supplier(session()).id, number)
    if slip.photo is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    answer = Response(services().storage.get(slip.photo.sha256), mimetype=slip.photo.media_type)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer
