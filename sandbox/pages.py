"""The hosted page where somebody pays, and the bank's or the wallet's page behind it."""

from __future__ import annotations

import io
import re
import time
from typing import Any

import segno
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox.provider import Provider
from sandbox.store import Refused, Thing
from sandbox.words import words_for

bp = Blueprint("pages", __name__)


def provider() -> Provider:
    found: Provider = current_app.extensions["provider"]
    return found


@bp.get("/c/pay/<key>")
def pay(key: str) -> tuple[str, int] | AnyResponse:
    with provider().store.lock:
        session = provider().store.get(key, "checkout.session")
        if session["status"] == "complete":
            return redirect(_success(session), code=303)
        return _page(session)


@bp.post("/c/pay/<key>")
def submit(key: str) -> tuple[str, int] | AnyResponse:
    method = request.form.get("method", "")
    with provider().store.lock:
        session = provider().store.get(key, "checkout.session")
        words = words_for(session["locale"])
        number = re.sub(r"\D", "", request.form.get("number", ""))
        if method == "card" and (problem := _card_problem(number, words)):
            return _page(session, problem=problem, method=method, status=422)
        try:
            intent = provider().pay_session(key, method, number)
        except Refused as refused:
            code = refused.body["error"].get("code", "")
            problem = words.get(code, words["failed"])
            return _page(session, problem=problem, method=method, status=402)
        finally:
            provider().store.save()
        if intent["status"] == "requires_action":
            return redirect(url_for("pages.step", key=intent["id"]), code=303)
        return redirect(_success(session), code=303)


@bp.get("/c/step/<key>")
def step(key: str) -> tuple[str, int] | AnyResponse:
    """3-D Secure, Alipay's page, or the QR code that WeChat scans."""
    with provider().store.lock:
        intent = provider().store.get(key, "payment_intent")
        session = _session_of(intent)
        if intent["status"] == "succeeded":
            return redirect(_success(session), code=303)
        if intent["status"] != "requires_action":
            return redirect(url_for("pages.pay", key=session["id"]), code=303)
        method = provider().store.get(intent["payment_method"], "payment_method")
        page = render_template(
            "step.html",
            intent=intent,
            session=session,
            method=method["type"],
            w=words_for(session["locale"]),
            amount=_yuan(intent["amount"]),
            code=_qr(url_for("pages.step", key=key, _external=True)),
        )
        return page, 200


@bp.post("/c/step/<key>")
def finish_step(key: str) -> AnyResponse:
    with provider().store.lock:
        intent = provider().store.get(key, "payment_intent")
        session = _session_of(intent)
        try:
            if intent["status"] == "requires_action" and session["status"] == "open":
                if request.form.get("answer") != "yes":
                    raise provider().decline(intent, "authentication_required")
                provider().charge(intent)
        except Refused:
            return redirect(url_for("pages.pay", key=session["id"], failed=1), code=303)
        finally:
            provider().store.save()
        return redirect(_success(session), code=303)


@bp.app_errorhandler(Refused)
def refused(problem: Refused) -> tuple[str, int]:
    return render_template("gone.html", message=str(problem)), problem.status


@bp.get("/")
def home() -> Response:
    lines = ["Sandbox payment provider. No real money moves here.", ""]
    lines += [f"{kind}: {how}" for kind, how in provider().sender.log[-20:]]
    return Response("\n".join(lines), mimetype="text/plain")


def _page(
    session: Thing, *, problem: str = "", method: str = "", status: int = 200
) -> tuple[str, int]:
    words = words_for(session["locale"])
    open_ = session["status"] == "open" and session["expires_at"] > time.time()
    if request.args.get("failed") and not problem:
        problem = words["failed"]
    page = render_template(
        "pay.html",
        session=session,
        w=words,
        amount=_yuan(session["amount_total"]),
        lines=[{**line, "amount": _yuan(line["amount_total"])} for line in session["_lines"]],
        problem=problem,
        method=method or session["payment_method_types"][0],
        typed=request.form,
        open=open_,
    )
    return page, status if open_ else 410


def _session_of(intent: Thing) -> Thing:
    return provider().store.get(intent.get("_session", ""), "checkout.session")


def _success(session: Thing) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _card_problem(number: str, words: dict[str, Any]) -> str:
    if not 13 <= len(number) <= 19 or not _luhn(number):
        return str(words["bad_number"])
    return ""


def _luhn(number: str) -> bool:
    digits = [int(c) for c in reversed(number)]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _yuan(fen: int) -> str:
    return f"¥{fen // 100:,}.{fen % 100:02}"


def _qr(text: str) -> str:
    picture = io.BytesIO()
    segno.make(text, error="m").save(
        picture, kind="svg", scale=6, border=2, xmldecl=False, dark="#1f2a24"
    )
    return picture.getvalue().decode()
