"""Loss slips and count differences: what waits for a second person, and one of them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, render_template, request

from catalog.lots.queries import papers
from catalog.lots.views.scope import STORES, own_supplier
from kernel.actors import COOPERATIVE, Role
from kernel.errors import Missing, Text
from kernel.web.access import actor, requires
from kernel.web.work import services, session

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


def loss_page(number: str, errors: Mapping[str, Text] | None = None) -> str:
    """Also for the room above, which keeps the books of losses."""
    slip = papers.adjustment_of(session(), own_supplier(session()).id, number)
    return render_template(
        "coop/stock/loss.html",
        slip=slip,
        names=papers.names_of(session(), [slip.made_by_id, slip.decided_by_id]),
        may_decide=actor().role in DECIDE,
        mine=actor().user_id in papers.writers_of(session(), slip),
        form=request.form if errors else {},
        errors=errors or {},
    )


@bp.get("/<number>/photo")
@requires(*COOPERATIVE)
def photo(number: str) -> Response:
    slip = papers.adjustment_of(session(), own_supplier(session()).id, number)
    if slip.photo is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    answer = Response(services().storage.get(slip.photo.sha256), mimetype=slip.photo.media_type)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer
