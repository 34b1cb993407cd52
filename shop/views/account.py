"""Signing in and out, one's account, and as whom one acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from kernel import joining, signing_in
from kernel.actors import Actor, Door
from kernel.errors import Invalid, Text
from kernel.mail import send_later
from kernel.people import User
from kernel.signing_in import Attempt, TooManyAttempts
from kernel.web.access import acting, actor, public, sign_in_id, signed_in
from kernel.web.addresses import own_address
from kernel.web.forms import Fields
from kernel.web.i18n import say
from kernel.web.once import once
from kernel.web.sign_in import drop_token, keep_token
from kernel.web.work import now, services, session, today, transaction
from shop.navigation import desk_home

bp = Blueprint("account", __name__)

NOBODY = Actor(door=Door.WEB)


@bp.get("/sign-in")
@public
def sign_in() -> Any:
    wanted = own_address(request.args.get("next"), otherwise="")
    if current_user.is_authenticated:
        return redirect(wanted or desk_home(acting()) or "/", code=303)
    return render_template("account/sign_in.html", next=wanted)


@bp.post("/sign-in")
@public
def begin_sign_in() -> Any:
    """One sentence for every failure: it tells nobody which accounts exist."""
    wanted = own_address(request.form.get("next"), otherwise="")
    email = request.form.get("email", "").strip().lower()[:254]
    attempt = Attempt(email, request.remote_addr or "")
    try:
        signing_in.refuse_too_many(session(), attempt, now=now())
        user = signing_in.find_user(
            session(), email, request.form.get("password", ""), config=services().config
        )
    except TooManyAttempts as refusal:
        page = render_template(
            "account/sign_in.html",
            next=wanted,
            form=request.form,
            errors={"email": refusal.sentence},
        )
        return page, refusal.status, {"Retry-After": str(refusal.seconds)}
    by = Actor(door=Door.WEB, user_id=user.id if user else None)
    with transaction() as work:
        signing_in.record_attempt(work, attempt, succeeded=user is not None, by=by, now=now())
        if user is not None:
            browser = request.headers.get("User-Agent", "")
            _begun, token = signing_in.begin_sign_in(work, user, browser=browser, by=by, now=now())
    if user is None:
        sentence = Text("E-mail and password do not belong together. Please check both.")
        page = render_template(
            "account/sign_in.html", next=wanted, form=request.form, errors={"password": sentence}
        )
        return page, 422
    keep_token(token)
    with services().database.reading() as fresh:
        begun = signing_in.find_sign_in(fresh, token, now=now())
        home = desk_home(begun.membership if begun else None) or "/"
    return redirect(wanted or home, code=303)


@bp.get("/sign-out")
@public
def ask_to_sign_out() -> Any:
    if not current_user.is_authenticated:
        return redirect("/", code=303)
    return render_template("account/sign_out.html")


@bp.post("/sign-out")
@public
def sign_out() -> Response:
    if current_user.is_authenticated:
        by, only = actor(), sign_in_id()
        with transaction() as work:
            signing_in.end_sign_ins(work, current_user.id, only=only, by=by, now=now())
    drop_token()
    flash(_("You are signed out."), "calm")
    return redirect("/", code=303)


@bp.get("/password/<token>")
@public
def choose_password(token: str) -> str:
    link = signing_in.find_link(session(), token, now=now())
    return render_template("account/password.html", token=token, email=link.user.email)


@bp.post("/password/<token>")
@public
@once
def set_password(token: str) -> Any:
    password = request.form.get("password", "")
    try:
        if password != request.form.get("again", ""):
            raise Invalid({"again": Text("The two passwords differ.")})  # noqa: TRY301
        with transaction() as work:
            link = signing_in.find_link(work, token, now=now())
            by = Actor(door=Door.WEB, user_id=link.user_id)
            fast = services().config.fast_passwords
            signing_in.set_password(work, token, password, fast=fast, by=by, now=now())
    except Invalid as invalid:
        link = signing_in.find_link(session(), token, now=now())
        page = render_template(
            "account/password.html", token=token, email=link.user.email, errors=invalid.errors
        )
        return page, invalid.status
    flash(_("Your new password works from now on. Please sign in."), "calm")
    return redirect(url_for("account.sign_in"), code=303)


@bp.get("/password")
@public
def ask_for_password_link() -> str:
    return render_template("account/forgotten.html")


@bp.post("/password")
@public
@once
def send_password_link() -> Any:
    """The same answer whether the account exists or not."""
    fields = Fields(request.form)
    email = fields.email("email")
    try:
        fields.done()
    except Invalid as invalid:
        page = render_template("account/forgotten.html", form=request.form, errors=invalid.errors)
        return page, invalid.status
    attempt = Attempt(email, request.remote_addr or "")
    signing_in.refuse_too_many(session(), attempt, now=now())
    with transaction() as work:
        # A request for a link counts like a failed attempt: nobody's mailbox can be flooded.
        signing_in.record_attempt(work, attempt, succeeded=False, by=NOBODY, now=now())
        user = signing_in.user_by_email(work, email)
        if user is not None:
            _mail_link(work, user)
    flash(_("If there is an account with this address, a link is on its way to it."), "calm")
    return redirect(url_for("account.sign_in"), code=303)


def _mail_link(work: Any, user: User) -> None:
    by = Actor(door=Door.WEB, user_id=user.id)
    token = signing_in.offer_password_link(work, user.id, by=by, now=now())
    address = services().config.public_url + url_for("account.choose_password", token=token)
    body = Text(
        "%(name)s, with this link you set a new password. It works once, for three days:\n\n"
        "%(address)s\n\nIf you did not ask for it, you need do nothing.",
        name=user.name,
        address=address,
    )
    send_later(
        work, to=user.email, subject=say(Text("Set a new password")), body=say(body), now=now()
    )


@bp.get("/account")
@signed_in
def show() -> str:
    """One's name, as whom one acts, where one is signed in, and how one likes to read."""
    return _account_page({})


@bp.post("/account/name")
@signed_in
@once
def rename() -> Any:
    fields, by = Fields(request.form), actor()
    name = fields.text("name", most=40)
    try:
        fields.done()
    except Invalid as invalid:
        return _account_page(invalid.errors), invalid.status
    with transaction() as work:
        joining.rename(work, current_user.id, name, by=by, now=now())
    flash(_("We call you %(name)s from now on.", name=name), "done")
    return redirect(url_for("account.show"), code=303)


@bp.post("/account/password-link")
@signed_in
@once
def mail_password_link() -> Response:
    """A link to one's own address: who sits at a browser that was left open cannot use it."""
    attempt = Attempt(current_user.email, request.remote_addr or "")
    signing_in.refuse_too_many(session(), attempt, now=now())
    with transaction() as work:
        signing_in.record_attempt(work, attempt, succeeded=False, by=actor(), now=now())
        user = signing_in.user_by_email(work, current_user.email)
        if user is not None:
            _mail_link(work, user)
    flash(_("A link is on its way to %(email)s.", email=current_user.email), "calm")
    return redirect(url_for("account.show"), code=303)  # type: ignore[return-value]


@bp.post("/account/sign-ins/<int:sign_in_id>/end")
@signed_in
@once
def sign_out_one(sign_in_id: int) -> Response:
    """Another browser of one's own; somebody else's is not found and nothing happens."""
    by = actor()
    with transaction() as work:
        signing_in.end_sign_ins(work, current_user.id, only=sign_in_id, by=by, now=now())
    flash(_("That browser is signed out."), "calm")
    return redirect(url_for("account.show"), code=303)  # type: ignore[return-value]


def _account_page(errors: Mapping[str, Text]) -> str:
    return render_template(
        "account/show.html",
        form=request.form if errors else {},
        errors=errors,
        identities=joining.identities_of(session(), current_user.id),
        memberships=signing_in.memberships_of(session(), current_user.id, today=today()),
        sign_ins=signing_in.living_sign_ins(session(), current_user.id, now=now()),
        this_sign_in=sign_in_id(),
        browser_name=browser_name,
        home=desk_home(acting()) or "/",
    )


# The first that occurs in a browser's long signature is what people call it.
_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_DEVICES = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Harmony", "HarmonyOS"),
    ("Windows", "Windows"), ("Mac OS", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


def browser_name(signature: str) -> str:
    """`Chrome · Windows` of a long browser signature; empty for a program nobody knows."""
    found = (
        next((name for mark, name in table if mark in signature), "")
        for table in (_BROWSERS, _DEVICES)
    )
    return " · ".join(each for each in found if each)


@bp.post("/account/acting")
@signed_in
@once
def act_as() -> Response:
    """Act as another of one's memberships, on this browser."""
    fields = Fields(request.form)
    membership_id = fields.key("membership")
    fields.done()
    by, browser = actor(), sign_in_id()
    assert browser is not None
    with transaction() as work:
        chosen = signing_in.act_as(work, browser, membership_id, by=by, now=now())
        home = desk_home(chosen) or "/"
    return redirect(home, code=303)


@bp.post("/account/sign-out-elsewhere")
@signed_in
@once
def sign_out_elsewhere() -> Response:
    by, here = actor(), sign_in_id()
    with transaction() as work:
        signing_in.end_sign_ins(work, current_user.id, but=here, by=by, now=now())
    flash(_("Every other browser is signed out."), "calm")
    return redirect(url_for("account.show"), code=303)
