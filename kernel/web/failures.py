"""Every no has a page: what was not possible, what to do, and the id that finds it in the log."""

from __future__ import annotations

import structlog
from flask import Flask, Response, current_app, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from kernel.db import was_busy
from kernel.errors import Refusal, Text
from kernel.web.i18n import say
from kernel.web.observing import count_bug, request_id

log = structlog.get_logger("web")

# Programs speak here: they get RFC 9457 problem details, never a page.
MACHINES = ("/api/", "/webhooks/")

TITLES = {
    400: Text("This request could not be understood"),
    403: Text("You may not enter here"),
    404: Text("There is nothing here"),
    405: Text("This cannot be done here"),
    409: Text("This is not possible"),
    413: Text("This is too large"),
    422: Text("Something is not right yet"),
    429: Text("Too many requests"),
    500: Text("Something went wrong on our side"),
    503: Text("Too much at once"),
}

SENTENCES = {
    400: Text("Please open the page again and send the form from there."),
    403: Text("Your account may not enter here."),
    404: Text("There is nothing at this address, or it is not yours."),
    405: Text("This address is only for pages that were opened in another way."),
    413: Text("A file or form may have at most %(n)s MB.", n=12),
    429: Text("Please wait a moment and try again."),
    500: Text("It was not your mistake. What you entered may not have been saved."),
    503: Text("Very many are ordering just now. Nothing was done; please send it once more."),
}

# Seconds after which it is worth to try again.
PATIENCE = {429: 60, 503: 5}


def init_app(app: Flask) -> None:
    app.register_error_handler(Refusal, show_refusal)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(Exception, show_bug)


def show_refusal(refusal: Refusal) -> Response:
    """A rule said no: its sentence, and all the reasons."""
    return _page(refusal.status, refusal.sentence, reasons=refusal.reasons)


def show_http_error(error: HTTPException) -> Response:
    if error.response is not None:  # abort(redirect(…)) is an answer, not an error
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    if isinstance(error, InternalServerError):
        return show_bug(error.original_exception or error)
    sentence = SENTENCES.get(status, SENTENCES[400])
    if isinstance(error, CSRFError):
        sentence = Text(
            "This form is out of date. Please open the page again and send it from there."
        )
    response = _page(status, sentence)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def show_bug(error: BaseException) -> Response:
    """A bug of ours: the log has everything, the page only its id. Having waited too long for
    others is none."""
    if was_busy(error):
        log.warning("busy", method=request.method, exc_info=error)
        return _page(503, SENTENCES[503])
    count_bug()
    route = request.url_rule.rule if request.url_rule else "none"
    log.error("bug", route=route, method=request.method, exc_info=error)
    if request.path.startswith(MACHINES):
        return _problem(500, SENTENCES[500], ())
    # Nothing that this page needs can be what has just failed: no account, no basket, no layout.
    bare = current_app.jinja_env.get_template("errors/bug.html")
    page = bare.render(request_id=request_id())
    return Response(page, status=500, mimetype="text/html")


def _page(status: int, sentence: Text, reasons: tuple[Text, ...] = ()) -> Response:
    if request.path.startswith(MACHINES):
        return _problem(status, sentence, reasons)
    page = render_template(
        "errors/refusal.html",
        title=TITLES.get(status, TITLES[400]),
        sentence=sentence,
        reasons=[each for each in reasons if each != sentence],
        status=status,
    )
    return _patiently(Response(page, status=status, mimetype="text/html"))


def _problem(status: int, sentence: Text, reasons: tuple[Text, ...]) -> Response:
    answer = jsonify(
        type="about:blank",
        title=say(TITLES.get(status, TITLES[400])),
        status=status,
        detail=say(sentence),
        reasons=[say(each) for each in reasons],
        request_id=request_id(),
    )
    answer.status_code = status
    answer.mimetype = "application/problem+json"
    return _patiently(answer)


def _patiently(answer: Response) -> Response:
    if answer.status_code in PATIENCE:
        answer.headers["Retry-After"] = str(PATIENCE[answer.status_code])
    return answer
