"""After buying: what the buyer does not want sent, claims with photos, sends back, orders again."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.errors import Invalid, Text
from kernel.storage import StoredFile
from kernel.web.access import actor, public
from kernel.web.drawing import named
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.pictures import read_photos
from kernel.web.work import now, services, session, transaction
from orders.payments import operations
from orders.payments.forms.after import read_claim, read_packs, read_parcel, read_words
from orders.payments.models import Refund
from orders.payments.models.after import ReturnState
from orders.payments.queries import gone_of_lines
from orders.payments.queries.after import photo_file, refund_of, return_addresses
from orders.payments.rules.claims import (
    MOST_PHOTOS,
    NEED_PHOTO,
)
from orders.payments.views.opening import back_to, key_of, opened
from orders.payments.views.standing import (
    cancellable,
    claimable,
    open_kinds,
    pack_size,
    problem_of,
    shown,
)
from orders.sales.models import Order
from orders.sales.operations import put_again
from orders.sales.views.cart import own_basket_key

bp = Blueprint("asking", __name__)


@bp.get("/orders/<code>/claim")
@public
def show_claim(code: str) -> str | Response:
    order = opened(code)
    if not open_kinds(order):
        return back_to(order)
    return _claim_page(order, {}, {})


@bp.post("/orders/<code>/claim")
@public
@once
def claim(code: str) -> Response | tuple[str, int]:
    order = opened(code)
    try:
        asked = read_claim(request.form, claimable(order, gone_of_lines(session(), order.id)))
        _refuse_closed_claims(order, asked.kind.value, asked.packs)
        photos = read_photos(request.files.getlist("photos"), most=MOST_PHOTOS)
        _refuse_without_photo(asked.kind.value, len(photos))
    except Invalid as invalid:
        return _claim_page(order, request.form, invalid.errors), invalid.status
    blobs = [
        services().storage.put(content, media_type=media_type, name=name)
        for content, media_type, name in photos
    ]
    with transaction() as work:
        for supplier_id, quantities in _by_supplier(order, asked.packs):
            operations.refund_order_lines(
                work,
                order.id,
                quantities,
                kind=asked.kind,
                reason=asked.reason,
                request_key=f"form:{request.form['once']}:{supplier_id}",
                approved=False,
                photos=blobs,
                by=actor(),
                now=now(),
            )
    if asked.kind.value == "unopened":
        flash(_("Please send it back to the address below; the money follows."), "done")
    else:
        flash(_("We have your request. The cooperative answers within two working days."), "done")
    return back_to(order)


@bp.get("/orders/<code>/cancel-part")
@public
def show_cancel(code: str) -> str | Response:
    order = opened(code)
    if not any(cancellable(order).values()):
        return back_to(order)
    return _cancel_page(order, {}, {})


@bp.post("/orders/<code>/cancel-part")
@public
@once
def cancel_part(code: str) -> Response | tuple[str, int]:
    order = opened(code)
    try:
        packs = read_packs(request.form, cancellable(order))
    except Invalid as invalid:
        return _cancel_page(order, request.form, invalid.errors), invalid.status
    with transaction() as work:
        refund = operations.cancel_lines(
            work,
            order.id,
            {
                line.id: packs[line.id] * pack_size(line)
                for line in order.lines
                if packs.get(line.id)
            },
            request_key=f"form:{request.form['once']}",
            by=actor(),
            now=now(),
        )
    flash(say(Text("Taken off the order; %(amount)s goes back.", amount=refund.amount)), "done")
    return back_to(order)


@bp.post("/orders/<code>/refunds/<int:refund_id>/withdraw")
@public
@once
def withdraw(code: str, refund_id: int) -> Response:
    order = opened(code)
    refund = refund_of(session(), refund_id, order_id=order.id)
    with transaction() as work:
        operations.withdraw_refund(work, refund.id, by=actor(), now=now())
    flash(_("The request is withdrawn."), "done")
    return back_to(order)


@bp.post("/orders/<code>/refunds/<int:refund_id>/accept")
@public
@once
def accept(code: str, refund_id: int) -> Response:
    order = opened(code)
    refund = refund_of(session(), refund_id, order_id=order.id)
    with transaction() as work:
        operations.accept_offer(work, refund.id, by=actor(), now=now())
    flash(_("Agreed. The money goes back the way it came."), "done")
    return back_to(order)


@bp.get("/orders/<code>/refunds/<int:refund_id>/disagree")
@public
def show_disagree(code: str, refund_id: int) -> str:
    order = opened(code)
    return _disagree_page(order, refund_of(session(), refund_id, order_id=order.id), {})


@bp.post("/orders/<code>/refunds/<int:refund_id>/disagree")
@public
@once
def disagree(code: str, refund_id: int) -> Response | tuple[str, int]:
    order = opened(code)
    refund = refund_of(session(), refund_id, order_id=order.id)
    try:
        words = read_words(request.form, "words")
    except Invalid as invalid:
        return _disagree_page(order, refund, invalid.errors), invalid.status
    with transaction() as work:
        operations.escalate_refund(work, refund.id, words=words, by=actor(), now=now())
    flash(_("The platform looks at it and writes to you."), "done")
    return back_to(order)


@bp.get("/orders/<code>/refunds/<int:refund_id>/parcel")
@public
def show_parcel(code: str, refund_id: int) -> str | Response:
    order = opened(code)
    refund = refund_of(session(), refund_id, order_id=order.id)
    if refund.parcel is None or refund.parcel.state not in (
        ReturnState.TO_SEND, ReturnState.UNDER_WAY,
    ):  # fmt: skip
        return back_to(order)
    return _parcel_page(order, refund, {}, {})


@bp.post("/orders/<code>/refunds/<int:refund_id>/parcel")
@public
@once
def send_parcel(code: str, refund_id: int) -> Response | tuple[str, int]:
    order = opened(code)
    refund = refund_of(session(), refund_id, order_id=order.id)
    try:
        carrier, tracking = read_parcel(request.form)
    except Invalid as invalid:
        return _parcel_page(order, refund, request.form, invalid.errors), invalid.status
    with transaction() as work:
        operations.send_return(
            work, refund.id, carrier=carrier, tracking=tracking, by=actor(), now=now()
        )
    flash(_("Thank you. The money goes back within seven days of its arrival."), "done")
    return back_to(order)


@bp.get("/orders/<code>/photos/<int:photo_id>")
@public
def photo(code: str, photo_id: int) -> Answer:
    """The buyer's own evidence, behind the key of the order."""
    order = opened(code)
    return picture(photo_file(session(), photo_id, order_id=order.id))


@bp.post("/orders/<code>/again")
@public
@once
def again(code: str) -> Response:
    """The same again, as far as it can be had."""
    order = opened(code)
    with transaction() as work:
        put = put_again(work, own_basket_key(), order, by=actor(), now=now())
    for each in put.missing:
        flash(say(each), "calm")
    if not put.taken:
        return back_to(order)
    flash(_("It is in the basket."), "done")
    return redirect(url_for("cart.show"), code=303)  # type: ignore[return-value]


def picture(file: StoredFile) -> Answer:
    """One photo, kept by the reader's browser alone."""
    answer = Answer(services().storage.get(file.sha256), mimetype=file.media_type)
    answer.headers["Cache-Control"] = "private, max-age=86400"
    return answer


def _refuse_closed_claims(order: Order, kind: str, packs: Mapping[int, int]) -> None:
    for line in order.lines:
        if line.id in packs and (problem := problem_of(order, line, kind)) is not None:
            raise Invalid({"kind": problem})


def _refuse_without_photo(kind: str, photos: int) -> None:
    if kind in NEED_PHOTO and not photos:
        raise Invalid({"photos": Text("Please add a photo, so that we can see it too.")})


def _by_supplier(order: Order, packs: Mapping[int, int]) -> list[tuple[int, dict[int, int]]]:
    """Each cooperative answers for its own goods."""
    found: dict[int, dict[int, int]] = {}
    for line in order.lines:
        if count := packs.get(line.id):
            found.setdefault(line.supplier_id, {})[line.id] = count * pack_size(line)
    return sorted(found.items())


def _claim_page(order: Order, form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    return render_template(
        "shop/claim.html",
        order=order,
        key=key_of(order),
        left=claimable(order, gone_of_lines(session(), order.id)),
        kinds=open_kinds(order),
        fresh=[named(line) for line in order.lines if line.product.fresh],
        most_photos=MOST_PHOTOS,
        form=form,
        errors=errors,
    )


def _cancel_page(order: Order, form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    return render_template(
        "shop/cancel_part.html",
        order=order,
        key=key_of(order),
        left=cancellable(order),
        form=form,
        errors=errors,
    )


def _disagree_page(order: Order, refund: Refund, errors: Mapping[str, Text]) -> str:
    return render_template(
        "shop/disagree.html",
        order=order,
        key=key_of(order),
        refund=refund,
        form=request.form,
        errors=errors,
    )


def _parcel_page(
    order: Order, refund: Refund, form: Mapping[str, str], errors: Mapping[str, Text]
) -> str:
    assert refund.parcel is not None
    addresses = return_addresses(session(), [refund.parcel.supplier_id])
    return render_template(
        "shop/parcel.html",
        order=order,
        key=key_of(order),
        each=shown(refund, addresses),
        form=form,
        errors=errors,
    )
