"""A buyer writes about what has arrived; two desks read it, one answers, one may cover it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from kernel.actors import COOPERATIVE, Role
from kernel.errors import Invalid, Missing, Text
from kernel.pictures import put_picture
from kernel.web.access import acting, actor, public, requires
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.pictures import read_photos
from kernel.web.work import now, services, session, transaction
from orders.sales.models import BuyerKind, Order, OrderLine
from orders.sales.operations import (
    cover_review,
    reply_to_review,
    review_line,
    uncover_review,
)
from orders.sales.operations.reviewing import HAS_IT, MOST, MOST_PHOTOS, MOST_REASON, MOST_REPLY
from orders.sales.queries import order_by_code
from orders.sales.queries.freight import region_names
from orders.sales.queries.reviews import letters, photo_of_review, review_of_line
from orders.sales.rules.keys import key_fits
from orders.sales.views.frame import my_supplier

bp = Blueprint("reviews", __name__)

PAGE = 30
ANSWERS = (Role.MANAGER, Role.ACCOUNTANT)


@bp.get("/orders/<code>/lines/<int:line_id>/review")
@public
def write(code: str, line_id: int) -> str:
    """`key` opens it, as it opens the order; or being its owner."""
    return _page(*_line(code, line_id), {})


@bp.post("/orders/<code>/lines/<int:line_id>/review")
@public
@once
def keep(code: str, line_id: int) -> Answer | tuple[str, int]:
    order, line = _line(code, line_id)
    try:
        fields = Fields(request.form)
        stars = fields.whole("stars", least=1, most=5)
        text = fields.text("text", most=MOST, required=False)
        place = fields.text("place", most=40, required=False)
        fields.done()
        storage = services().storage
        rendered = [
            put_picture(storage, content, name=name)
            for content, _kind, name in read_photos(
                request.files.getlist("photos"), most=MOST_PHOTOS
            )
        ]
        with transaction() as work:
            review_line(
                work, line.id, stars=stars, text=text, place=place, photos=rendered,
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _page(order, line, invalid.errors), invalid.status
    flash(_("Thank you. Your letter stands on the product's page."), "done")
    return redirect(f"/products/{line.product.slug}#rh", code=303)


def _line(code: str, line_id: int) -> tuple[Order, OrderLine]:
    """A line of an order that this visitor may open; for everybody else there is none."""
    order = order_by_code(session(), code)
    by_key = key_fits(services().config.secret_key, order.code, request.values.get("key", ""))
    by_owner = order.user_id is not None and order.user_id == actor().user_id
    line = next((each for each in order.lines if each.id == line_id), None)
    if order.buyer_kind is not BuyerKind.CITIZEN or line is None or not (by_key or by_owner):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return order, line


def _page(order: Order, line: OrderLine, errors: Mapping[str, Text]) -> str:
    county = f"{order.delivery_region[:6]}000000" if order.delivery_region else ""
    return render_template(
        "shop/review.html",
        arrived=order.state in HAS_IT,
        errors=errors,
        form=request.form if errors else {},
        key=request.values.get("key", ""),
        known=review_of_line(session(), line.id),
        line=line,
        most=MOST,
        most_photos=MOST_PHOTOS,
        order=order,
        place=region_names(session(), [county]).get(county, "") if county else "",
    )


@bp.get("/reviews/<int:review_id>/photos/<int:picture_id>/<int:width>.<extension>")
@public
def photo(review_id: int, picture_id: int, width: int, extension: str) -> Response:
    """What a letter shows; covered letters show nothing but to the operator."""
    review, picture = photo_of_review(session(), review_id, picture_id)
    member = acting()
    operator = member is not None and member.role is Role.OPERATOR
    found = picture.rendition(width, extension)
    if found is None or (review.covered and not operator):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    answer = Response(services().storage.get(found["sha256"]), mimetype=found["media_type"])
    # Kept shortly: a letter may be covered.
    answer.headers["Cache-Control"] = "private, no-cache" if operator else "public, max-age=3600"
    return answer


@bp.get("/coop/letters")
@requires(*COOPERATIVE)
def of_our_products() -> str:
    return _coop_page({})


@bp.post("/coop/letters/<int:review_id>")
@requires(*ANSWERS)
@once
def reply(review_id: int) -> Answer | tuple[str, int]:
    supplier = my_supplier()
    try:
        with transaction() as work:
            reply_to_review(
                work, review_id, supplier_id=supplier.id,
                text=request.form.get(f"reply-{review_id}", ""), by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _coop_page({f"reply-{review_id}": invalid.errors["reply"]}), invalid.status
    flash(_("Your answer stands below the letter."), "done")
    return redirect(url_for("reviews.of_our_products", page=request.form.get("page")), code=303)


def _coop_page(errors: Mapping[str, Text]) -> str:
    page = _page_number()
    open_only = request.values.get("open") == "1"
    rows = letters(
        session(), supplier_id=my_supplier().id, unanswered=open_only,
        offset=(page - 1) * PAGE, limit=PAGE + 1,
    )  # fmt: skip
    return render_template(
        "coop/letters.html",
        errors=errors,
        form=request.form if errors else {},
        may_answer=actor().role in ANSWERS,
        more=len(rows) > PAGE,
        most=MOST_REPLY,
        open_only=open_only,
        page=page,
        rows=rows[:PAGE],
    )


@bp.get("/admin/letters")
@requires(Role.OPERATOR)
def of_everybody() -> str:
    return _admin_page({})


@bp.post("/admin/letters/<int:review_id>/cover")
@requires(Role.OPERATOR)
@once
def cover(review_id: int) -> Answer | tuple[str, int]:
    try:
        with transaction() as work:
            cover_review(
                work, review_id, reason=request.form.get(f"reason-{review_id}", ""),
                by=actor(), now=now(),
            )  # fmt: skip
    except Invalid as invalid:
        return _admin_page({f"reason-{review_id}": invalid.errors["reason"]}), invalid.status
    flash(_("The letter is covered; its points go on counting."), "done")
    return redirect(url_for("reviews.of_everybody", page=request.form.get("page")), code=303)


@bp.post("/admin/letters/<int:review_id>/uncover")
@requires(Role.OPERATOR)
@once
def uncover(review_id: int) -> Answer:
    with transaction() as work:
        uncover_review(work, review_id, by=actor(), now=now())
    flash(_("The letter is shown again."), "done")
    return redirect(url_for("reviews.of_everybody", page=request.form.get("page")), code=303)


def _admin_page(errors: Mapping[str, Text]) -> str:
    page = _page_number()
    rows = letters(session(), offset=(page - 1) * PAGE, limit=PAGE + 1)
    return render_template(
        "admin/letters.html",
        errors=errors,
        form=request.form if errors else {},
        more=len(rows) > PAGE,
        most=MOST_REASON,
        page=page,
        rows=rows[:PAGE],
    )


def _page_number() -> int:
    typed = request.values.get("page", "")
    return max(1, int(typed)) if typed.isascii() and typed.isdecimal() and len(typed) < 5 else 1
