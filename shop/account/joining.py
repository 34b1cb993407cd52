"""Six digits by mail: sign in without a password, open an account, or prove another address."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as cookie
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel import joining, proving, signing_in
from kernel.actors import Actor, Door
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.mail import send_later
from kernel.people import User
from kernel.signing_in import SAMPLE_ACCOUNTS, TooManyAttempts
from kernel.web.access import actor, public, signed_in
from kernel.web.addresses import own_address
from kernel.web.forms import Fields
from kernel.web.i18n import chosen_language, say
from kernel.web.once import once
from kernel.web.sign_in import keep_token
from kernel.web.work import now, services, session, transaction
from orders.sales.queries.own import count_guest_orders
from shop.navigation import desk_home

bp = Blueprint("joining", __name__)

# Fields of the cookie: the code on its way to a visitor, to a new address, and where they wanted to
# go afterwards.
CODE, NEW_ADDRESS, WANTED = "mail_code", "new_address", "wanted"


@bp.get("/sign-in/code")
@public
def ask() -> Any:
    """Where the code is to go; one page for those who have an account and those who have none."""
    if current_user.is_authenticated:
        return redirect(url_for("account.show"), code=303)
    if wanted := own_address(request.args.get("next"), otherwise=""):
        cookie[WANTED] = wanted
    return render_template("account/code_ask.html")


@bp.post("/sign-in/code")
@public
@once
def send() -> Any:
    try:
        _send_code(CODE)
    except Invalid as invalid:
        return _answered(invalid, "account/code_ask.html")
    except TooManyAttempts as refusal:
        return _too_many(refusal, "account/code_ask.html")
    return redirect(url_for("joining.enter_code"), code=303)


@bp.get("/sign-in/code/enter")
@public
def enter_code() -> Any:
    email = proving.waiting_for(session(), cookie.get(CODE, ""), now=now())
    if email is None:
        return redirect(url_for("joining.ask"), code=303)
    return render_template("account/code_enter.html", email=email)


@bp.post("/sign-in/code/enter")
@public
def check_code() -> Any:
    """Right digits sign a known person in; whoever is new is asked for a name."""
    token = cookie.get(CODE, "")
    email = proving.waiting_for(session(), token, now=now())
    with transaction() as work:
        problem = proving.try_code(work, token, request.form.get("code", ""), now=now())
    if problem is not None:
        if email is None or problem == proving.USED_UP:
            flash(say(problem), "alarm")
            return redirect(url_for("joining.ask"), code=303)
        page = render_template(
            "account/code_enter.html", email=email, form=request.form, errors={"code": problem}
        )
        return page, 422
    with transaction() as work:
        proof = proving.proven(work, token, now=now())
        user = signing_in.user_by_email(work, proof.email)
        if user is None:
            return redirect(url_for("joining.name"), code=303)
        if services().config.production and user.email.endswith(SAMPLE_ACCOUNTS):
            raise Missing(proving.USED_UP)
        by = Actor(door=Door.WEB, user_id=user.id)
        joining.enter(work, proof, user, by=by, now=now())
        begun = begin(work, user, by)
    return lead_in(begun)


@bp.get("/sign-up")
@public
def name() -> Any:
    """The address is proven; a name and perhaps a password are all that is missing."""
    try:
        proof = proving.proven(session(), cookie.get(CODE, ""), now=now())
    except Missing:
        return redirect(url_for("joining.ask"), code=303)
    return _name_page(proof.email)


@bp.post("/sign-up")
@public
@once
def join() -> Any:
    fields = Fields(request.form)
    called = fields.text("name", most=40)
    password = request.form.get("password", "")
    token = cookie.get(CODE, "")
    try:
        fields.done()
        with transaction() as work:
            proof = proving.proven(work, token, now=now())
            user = joining.join(
                work,
                proof,
                name=called,
                password=password,
                locale=chosen_language(),
                fast=services().config.fast_passwords,
                by=Actor(door=Door.WEB),
                now=now(),
            )
            begun = begin(work, user, Actor(door=Door.WEB, user_id=user.id))
    except Invalid as invalid:
        proof = proving.proven(session(), token, now=now())
        return _name_page(proof.email, invalid.errors), invalid.status
    flash(_("Welcome, %(name)s. Your account is open.", name=called), "done")
    return lead_in(begun)


# --- another address -----------------------------------------------------------------------------


@bp.post("/account/email")
@signed_in
@once
def send_to_new_address() -> Any:
    """A code to the address that is to be this person's, or that they have not proven yet."""
    try:
        _send_code(NEW_ADDRESS)
    except Invalid as invalid:
        return _answered(invalid, "account/email.html")
    except TooManyAttempts as refusal:
        return _too_many(refusal, "account/email.html")
    return redirect(url_for("joining.enter_address_code"), code=303)


@bp.get("/account/email")
@signed_in
def change_address() -> str:
    return render_template("account/email.html")


@bp.get("/account/email/enter")
@signed_in
def enter_address_code() -> Any:
    email = proving.waiting_for(session(), cookie.get(NEW_ADDRESS, ""), now=now())
    if email is None:
        return redirect(url_for("joining.change_address"), code=303)
    return render_template("account/email_enter.html", email=email)


@bp.post("/account/email/enter")
@signed_in
def check_address_code() -> Any:
    token, by = cookie.get(NEW_ADDRESS, ""), actor()
    email = proving.waiting_for(session(), token, now=now())
    with transaction() as work:
        problem = proving.try_code(work, token, request.form.get("code", ""), now=now())
    if problem is not None:
        if email is None or problem == proving.USED_UP:
            flash(say(problem), "alarm")
            return redirect(url_for("joining.change_address"), code=303)
        page = render_template(
            "account/email_enter.html", email=email, form=request.form, errors={"code": problem}
        )
        return page, 422
    assert by.user_id is not None
    with transaction() as work:
        proof = proving.proven(work, token, now=now())
        before = joining.move_to_address(work, by.user_id, proof, by=by, now=now())
        if before is not None:
            _tell_old_address(work, before)
    cookie.pop(NEW_ADDRESS, None)
    flash(_("Shown: %(email)s is yours.", email=email or ""), "done")
    return redirect(url_for("account.show"), code=303)


# --- what these pages share ----------------------------------------------------------------------


def lead_in(begun: tuple[User, str]) -> Response:
    """This browser is signed in: on to where the visitor wanted to go, to orders that wait to be
    theirs, or to their desk."""
    user, token = begun
    wanted = own_address(cookie.pop(WANTED, None), otherwise="")
    cookie.pop(CODE, None)
    keep_token(token)
    with services().database.reading() as fresh:
        found = signing_in.find_sign_in(fresh, token, now=now())
        home = desk_home(found.membership if found else None)
        waiting = home is None and count_guest_orders(fresh, user.email)
    otherwise = url_for("own_orders.index") if waiting else home or "/"
    return redirect(wanted or otherwise, code=303)  # type: ignore[return-value]


def begin(work: Session, user: User, by: Actor) -> tuple[User, str]:
    """A signed-in browser for this person, and the token that it keeps."""
    browser = request.headers.get("User-Agent", "")
    _row, token = signing_in.begin_sign_in(work, user, browser=browser, by=by, now=now())
    return user, token


def _send_code(field: str) -> None:
    """The same for every address: what is known of it shows nowhere."""
    fields = Fields(request.form)
    email = fields.email("email")
    fields.done()
    with transaction() as work:
        sent = proving.send_code(work, email, address=request.remote_addr or "", now=now())
        body = Text(
            "Your code is %(code)s.\n\nEnter it on the page that asked for it, within 15 minutes. "
            "It works only there. If you did not ask for it, you need do nothing; we never ask "
            "for it by telephone.",
            code=f"{sent.code[:3]} {sent.code[3:]}",
        )
        subject = say(Text("%(code)s is your code", code=sent.code))
        send_later(work, to=email, subject=subject, body=say(body), now=now())
    cookie[field] = sent.token


def _tell_old_address(work: Session, email: str) -> None:
    body = Text(
        "The account that had this address has another one now. If that was not you, write to us "
        "at once: your orders and addresses may be seen by somebody else."
    )
    subject = say(Text("Your account has another address"))
    send_later(work, to=email, subject=subject, body=say(body), now=now())


def _answered(invalid: Invalid, template: str) -> tuple[str, int]:
    return render_template(template, form=request.form, errors=invalid.errors), invalid.status


def _too_many(refusal: Refusal, template: str) -> tuple[str, int, dict[str, str]]:
    assert isinstance(refusal, TooManyAttempts)
    page = render_template(template, form=request.form, errors={"email": refusal.sentence})
    return page, refusal.status, {"Retry-After": str(refusal.seconds)}


def _name_page(email: str, errors: dict[str, Text] | None = None) -> str:
    return render_template(
        "account/sign_up.html",
        email=email,
        form=request.form if errors else {},
        errors=errors or {},
    )
