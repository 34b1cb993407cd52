"""The scale without network: a page that a phone keeps, the book it takes along, its queue.

The page itself holds nobody's data, so that it may be kept; who is signed in, households and
prices come with the book. `static/js/scale/` is the other half.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from catalog.lots import operations, queries
from catalog.lots.forms import WAYS, read_brought
from catalog.lots.models import OfflineSlip, OfflineState
from catalog.lots.views.scope import WEIGHS, own_supplier
from catalog.lots.views.weighin import put_photo
from catalog.suppliers.queries import catchment
from kernel.errors import Forbidden, Invalid, Refusal
from kernel.web.access import actor, public, requires
from kernel.web.drawing import named
from kernel.web.i18n import say
from kernel.web.work import now, session, today, transaction

bp = Blueprint("yard", __name__, url_prefix="/coop/weigh-in")

SCOPE = "/coop/weigh-in"


@bp.get("/yard")
@requires(*WEIGHS)
def show_yard() -> str:
    return render_template("coop/yard.html", ways=WAYS)


@bp.get("/worker.js")
@public
def worker() -> Response:
    """The service worker, from an address whose scope it may have."""
    answer = current_app.send_static_file("js/scale/worker.js")
    answer.headers["Service-Worker-Allowed"] = SCOPE
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What a phone needs to put the scale among its programs."""
    icon = {"src": url_for("static", filename="img/illustrations/mark.svg"), "sizes": "any"}
    answer = jsonify(
        id=f"{SCOPE}/yard",
        name=_("Sutian: the scale in the yard"),
        short_name=_("Weigh-in"),
        start_url=f"{SCOPE}/yard",
        scope=SCOPE,
        display="standalone",
        background_color="#FAF7F0",
        theme_color="#2F6B4F",
        icons=[{**icon, "type": "image/svg+xml", "purpose": "any"}],
    )
    answer.mimetype = "application/manifest+json"
    return answer


@bp.get("/book")
@requires(*WEIGHS)
def book() -> Response:
    """Who is signed in, and all that weighing needs: only what a weigher may see."""
    supplier = own_supplier(session())
    found = queries.weighing_book(
        session(), supplier.id, catchment(session(), supplier), today=today()
    )
    goods = [
        {
            "product_id": product.id,
            "grade": price.grade.value,
            "name": f"{named(product)} {say(price.grade)}",
            "price": price.price.per_unit,
            "from": price.valid_from.isoformat(),
            "to": price.valid_to.isoformat() if price.valid_to else None,
            "resolution": price.resolution,
        }
        for product, price in found.prices
    ]
    homes = [
        {
            "code": each.code,
            "name": each.name,
            "pinyin": each.pinyin,
            "initials": each.initials,
            "place": f"{each.village} " + _("group %(n)s", n=each.group_no),
            "bought": each.bought.fen,
            "brought": each.brought,
            "most": each.most,
        }
        for each in found.entries
    ]
    cap = found.cap
    return jsonify(
        as_of=int(now().timestamp() * 1000),
        csrf=generate_csrf(),
        weigher={"id": current_user.id, "name": current_user.name},
        supplier=supplier.organisation.name,
        goods=goods,
        households=homes,
        cap=cap.amount.fen if cap and cap.amount is not None else None,
    )


@bp.post("/queue")
@requires(*WEIGHS)
def send() -> tuple[Response, int]:
    """One slip of a phone's queue. It is its own token: the same again changes nothing."""
    try:
        brought = read_brought(request.form.get("slip", ""))
        photo = put_photo()
        handed = "said" in request.form
        with transaction() as work:
            supplier = own_supplier(work)
            if handed:
                kept = operations.hand_over_slip(
                    work, brought, supplier_id=supplier.id, said=request.form["said"],
                    photo=photo, by=actor(), now=now(),
                )  # fmt: skip
            else:
                kept = operations.accept_offline_slip(
                    work, brought, supplier_id=supplier.id, prefixes=catchment(work, supplier),
                    photo=photo, by=actor(), now=now(),
                )  # fmt: skip
            answer = _outcome(kept, queries.under_review(work, [kept.slip_id or 0]))
    except Forbidden as refusal:
        return _no("somebody_else", refusal), refusal.status
    except operations.Conflict as refusal:
        return _no("conflict", refusal), refusal.status
    except Refusal as refusal:
        return _no("refused", refusal), refusal.status
    return jsonify(answer), 200


def _outcome(kept: OfflineSlip, waiting: set[int]) -> dict[str, object]:
    """What became of it, however often it is asked."""
    if kept.state is OfflineState.DISMISSED:
        return {"outcome": "dismissed", "sentence": kept.decision_note}
    if kept.slip is None:
        return {"outcome": "handed_over"}
    return {
        "outcome": "written",
        "number": kept.slip.number,
        "amount": kept.slip.amount.fen,
        "under_review": kept.slip_id in waiting,
    }


def _no(outcome: str, refusal: Refusal) -> Response:
    sentences = [say(refusal.sentence)]
    if isinstance(refusal, Invalid):
        sentences = [say(each) for each in refusal.errors.values()]
    return jsonify(outcome=outcome, sentence=" ".join(sentences))
