"""Signing in, joining or connecting through the OpenID provider, where one is configured."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel import joining, signing_in
from kernel.actors import Actor, Door
from kernel.errors import Refusal
from kernel.people import User
from kernel.signing_in import SAMPLE_ACCOUNTS
from kernel.web.access import actor, public, signed_in
from kernel.web.addresses import own_address
from kernel.web.i18n import chosen_language, say
from kernel.web.once import once
from kernel.web.openid import Claims, lead_there, who_came_back
from kernel.web.work import close_reading, now, services, transaction
from shop.account.joining import WANTED, begin, lead_in

bp = Blueprint("openid", __name__)

# In the cookie: this visit is to connect the account of whoever is signed in.
CONNECT = "openid_connect"


@bp.get("/sign-in/openid")
@public
def leave() -> Response:
    """On to the provider; nothing of ours changes by going there."""
    if wanted := own_address(request.args.get("next"), otherwise=""):
        cookie[WANTED] = wanted
    cookie.pop(CONNECT, None)
    close_reading()
    return lead_there(_back_address())


@bp.get("/account/openid")
@signed_in
def connect() -> Response:
    """The same for somebody who is signed in and wants to be known there from now on."""
    cookie[CONNECT] = current_user.id
    close_reading()
    return lead_there(_back_address())


@bp.get("/sign-in/openid/back")
@public
def back() -> Any:
    """A known person is signed in; a new one joins with an address that is vouched for."""
    connecting = cookie.pop(CONNECT, None)
    user_id = current_user.id if current_user.is_authenticated else None
    by = actor()
    close_reading()  # no database is held while the provider is asked
    try:
        claims = who_came_back(services().config)
        if connecting is not None:
            return _connect(claims, connecting, user_id, by)
        begun = _enter(claims)
    except Refusal as refusal:
        flash(say(refusal.sentence), "alarm")
        return redirect(url_for("account.show" if user_id else "account.sign_in"), code=303)
    return lead_in(begun)


@bp.post("/account/openid/<int:identity_id>/forget")
@signed_in
@once
def forget(identity_id: int) -> Response:
    by = actor()
    assert by.user_id is not None
    with transaction() as work:
        joining.forget_identity(work, by.user_id, identity_id, by=by, now=now())
    flash(_("Disconnected. It signs you in here no longer."), "done")
    return redirect(url_for("account.show"), code=303)  # type: ignore[return-value]


def _connect(claims: Claims, connecting: int, user_id: int | None, by: Actor) -> Any:
    if user_id is None or connecting != user_id:
        raise Refusal("Sign in first, then connect your account.")
    with transaction() as work:
        joining.know_as(work, user_id, claims.issuer, claims.subject, by=by, now=now())
    flash(_("Connected. It signs you in here from now on."), "done")
    return redirect(url_for("account.show"), code=303)


def _enter(claims: Claims) -> tuple[User, str]:
    """An account that has the address already is never handed over on a provider's word: its
    owner signs in and connects it."""
    with transaction() as work:
        user = joining.user_known_as(work, claims.issuer, claims.subject)
        if user is None:
            if claims.email is None:
                raise Refusal(
                    "The provider does not vouch for an e-mail address of yours. Please use a "
                    "code by mail."
                )
            if signing_in.user_by_email(work, claims.email) is not None:
                raise Refusal(
                    "There is an account with your address already. Sign in as you used to, then "
                    "connect it under My account."
                )
            user = joining.join_known(
                work,
                issuer=claims.issuer,
                subject=claims.subject,
                email=claims.email,
                name=claims.name or claims.email.partition("@")[0][:40],
                locale=chosen_language(),
                by=Actor(door=Door.WEB),
                now=now(),
            )
        if services().config.production and user.email.endswith(SAMPLE_ACCOUNTS):
            raise Refusal("Sample accounts do not exist here.")
        return begin(work, user, Actor(door=Door.WEB, user_id=user.id))


def _back_address() -> str:
    return services().config.public_url + url_for("openid.back")
