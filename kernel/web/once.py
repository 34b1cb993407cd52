"""`@once`: the same form sent again changes nothing and leads to the same place.

The token is claimed in the first transaction of the request; where the visitor was led is written
down when the view has answered. A view that only refuses claims nothing, so the form can be
corrected and sent again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

from flask import Response, current_app, flash, g, redirect, request
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from kernel.errors import Refusal
from kernel.once import AlreadyDone, OnceToken, claim, find, remember_location
from kernel.web.access import sign_in_id
from kernel.web.addresses import own_address
from kernel.web.work import now, services, session, transaction

FIELD = "once"
View = TypeVar("View", bound=Callable[..., Any])

# How long a second click waits for the first one's answer before it is led back to the form.
_PATIENCE = 20
_PAUSE = 0.05


class Stale(Refusal):
    """The form did not come from a page of ours."""

    status = 400


def form_guard() -> Markup:
    """Hidden fields for every form that changes something: against forgery and double sending."""
    return Markup(
        '<input type="hidden" name="csrf_token" value="{}">'
        '<input type="hidden" name="{}" value="{}">'
    ).format(generate_csrf(), FIELD, secrets.token_urlsafe(18))


def once(view: View) -> View:
    """Below the guard: `@bp.post(…) @requires(…) @once def …`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        token = request.form.get(FIELD, "")
        if not 20 <= len(token) <= 64:
            raise Stale(
                "This form is out of date. Please open the page again and send it from there."
            )
        endpoint = request.endpoint or ""
        g.claim = partial(claim, token=token, sign_in_id=sign_in_id(), endpoint=endpoint, now=now())
        try:
            answer = current_app.make_response(view(*args, **kwargs))
        except AlreadyDone:
            return _lead_back(token)
        except (Refusal, HTTPException):
            # What is refused may be refused because it was done: only then is this looked up.
            if find(session(), token) is None:
                raise
            return _lead_back(token)
        if "claim" not in g:
            with transaction() as work:
                remember_location(work, token, answer.headers.get("Location", ""))
        elif find(session(), token) is not None:
            return _lead_back(token)
        return answer

    return guarded  # type: ignore[return-value]


def _lead_back(token: str) -> Response:
    """To where the first one went: it may still be on its way to write that down."""
    used = _when_answered(token)
    flash(_("This was already done; nothing was done a second time."), "calm")
    ours = used is not None and used.sign_in_id == sign_in_id()
    location = used.location if used is not None and ours else None
    return redirect(location or own_address(request.referrer), code=303)  # type: ignore[return-value]


def _when_answered(token: str) -> OnceToken | None:
    used: OnceToken | None = None
    for _attempt in range(_PATIENCE):
        with services().database.reading() as fresh:
            used = find(fresh, token)
        if used is None or used.location is not None:
            return used
        time.sleep(_PAUSE)
    return used
