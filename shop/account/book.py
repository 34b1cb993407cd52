"""The address book: several addresses, one of them the first, deleted with a way back."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict

from cryptography.exceptions import InvalidTag
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel.crypto import seal, unseal
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.web.access import actor, signed_in
from kernel.web.forms import Fields
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.sales.models import SavedAddress
from orders.sales.operations import Keep, change_address, drop_address, keep_address
from orders.sales.queries import places_named_in
from orders.sales.queries.own import saved_addresses
from orders.sales.rules.addresses import choose_place

bp = Blueprint("book", __name__)

NOT_YOURS = Text("There is nothing at this address, or it is not yours.")


@bp.get("/account/addresses")
@signed_in
def index() -> str:
    """All of them, and the form for one more."""
    return _page()


@bp.post("/account/addresses")
@signed_in
@once
def add() -> Response | tuple[str, int]:
    try:
        keep = _read(request.form)
        with transaction() as work:
            keep_address(work, current_user.id, keep, by=actor(), now=now())
    except Invalid as invalid:
        return _page(invalid.errors), invalid.status
    except Refusal as refusal:
        return _page({"recipient": refusal.sentence}), refusal.status
    flash(_("The address is kept."), "done")
    return _to_book()


@bp.get("/account/addresses/<int:address_id>")
@signed_in
def edit(address_id: int) -> str:
    return render_template("account/address.html", address=_own(address_id))


@bp.post("/account/addresses/<int:address_id>")
@signed_in
@once
def change(address_id: int) -> Response | tuple[str, int]:
    try:
        keep = _read(request.form)
    except Invalid as invalid:
        page = render_template(
            "account/address.html",
            address=_own(address_id),
            form=request.form,
            errors=invalid.errors,
        )
        return page, invalid.status
    with transaction() as work:
        change_address(work, current_user.id, address_id, keep, by=actor(), now=now())
    flash(_("The address is changed."), "done")
    return _to_book()


@bp.post("/account/addresses/<int:address_id>/delete")
@signed_in
@once
def delete(address_id: int) -> Response:
    """Gone for good at once; what it takes to put it back travels, sealed, in the address of the
    page that offers it, and is kept nowhere."""
    with transaction() as work:
        gone = drop_address(work, current_user.id, address_id, by=actor(), now=now())
    return redirect(url_for("book.index", undo=_sealed(gone)), code=303)  # type: ignore[return-value]


@bp.post("/account/addresses/put-back")
@signed_in
@once
def put_back() -> Response:
    keep = _unsealed(request.form.get("undo", ""))
    if keep is None:
        raise Missing(NOT_YOURS)
    with transaction() as work:
        keep_address(work, current_user.id, keep, by=actor(), now=now())
    flash(_("The address is back."), "done")
    return _to_book()


def _page(errors: Mapping[str, Text] | None = None) -> str:
    undo = request.args.get("undo", "")
    gone = _unsealed(undo) if undo else None
    return render_template(
        "account/addresses.html",
        addresses=saved_addresses(session(), current_user.id),
        gone=gone,
        undo=undo,
        form=request.form if errors else {},
        errors=errors or {},
    )


def _read(form: Mapping[str, str]) -> Keep:
    fields = Fields(form)
    recipient = fields.text("recipient", most=40)
    phone = fields.phone("phone")
    where = fields.text("place", most=60)
    detail = fields.text("detail", most=120)
    label = fields.text("label", most=20, required=False)
    if where and choose_place(where, places_named_in(session(), where)) is None:
        fields.refuse("place", Text("Write province, city and district, such as 重庆市渝北区."))
    fields.done()
    return Keep(
        label=label,
        recipient=recipient,
        phone=phone,
        place=where,
        detail=detail,
        is_default=fields.flag("is_default"),
    )


def _own(address_id: int) -> SavedAddress:
    for each in saved_addresses(session(), current_user.id):
        if each.id == address_id:
            return each
    raise Missing(NOT_YOURS)


def _sealed(keep: Keep) -> str:
    content = json.dumps({**asdict(keep), "user": current_user.id}, ensure_ascii=False)
    return base64.urlsafe_b64encode(seal(content)).decode().rstrip("=")


def _unsealed(token: str) -> Keep | None:
    """What was deleted, if this person deleted it."""
    try:
        content = json.loads(unseal(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))))
    except (InvalidTag, ValueError, binascii.Error):
        return None
    return Keep(**content) if content.pop("user", None) == current_user.id else None


def _to_book() -> Response:
    return redirect(url_for("book.index"), code=303)  # type: ignore[return-value]
