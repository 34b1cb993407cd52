"""What we know of a person: taken away as a file, or forgotten."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user

from kernel import audit, joining
from kernel.errors import Refusal
from kernel.signing_in import memberships_of
from kernel.web.access import actor, signed_in
from kernel.web.i18n import day
from kernel.web.once import once
from kernel.web.work import now, session, today, transaction
from shop.account.closing import ask_to_leave, still_open
from shop.account.packing import pack_person

bp = Blueprint("own_data", __name__)


@bp.get("/account/data")
@signed_in
def show() -> str:
    return _page()


@bp.post("/account/data/file")
@signed_in
def file() -> Response:
    """A ZIP of everything; that it was taken is in the audit trail."""
    by = actor()
    packed = pack_person(session(), current_user.id, now=now())
    with transaction() as work:
        audit.note(work, "take_own_data", f"user:{by.user_id}", by=by, now=now())
    answer = Response(packed, mimetype="application/zip")
    name = f"sutian-{today().isoformat()}.zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/account/data/leave")
@signed_in
@once
def leave() -> Response | tuple[str, int]:
    by = actor()
    assert by.user_id is not None
    try:
        with transaction() as work:
            closing_on = ask_to_leave(work, by.user_id, by=by, now=now())
    except Refusal as refusal:
        return _page(refusal), refusal.status
    said = _("Your account is closed on %(day)s. Until then you can stay.", day=day(closing_on))
    flash(said, "done")
    return redirect(url_for("own_data.show"), code=303)  # type: ignore[return-value]


@bp.post("/account/data/stay")
@signed_in
@once
def stay() -> Response:
    by = actor()
    assert by.user_id is not None
    with transaction() as work:
        joining.stay(work, by.user_id, by=by, now=now())
    flash(_("Good that you stay. Nothing was deleted."), "done")
    return redirect(url_for("own_data.show"), code=303)  # type: ignore[return-value]


def _page(refusal: Refusal | None = None) -> str:
    return render_template(
        "account/data.html",
        refusal=refusal,
        waiting=still_open(session(), current_user.id, now=now()),
        memberships=memberships_of(session(), current_user.id, today=today()),
    )
