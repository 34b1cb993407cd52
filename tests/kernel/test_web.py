"""What every page keeps to: headers, forged forms, double sending, errors, figures, languages."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Blueprint, redirect, render_template

from kernel import once as tokens
from kernel.actors import Role
from kernel.errors import Missing, Refusal, Text
from kernel.once import OnceToken
from kernel.outbox import Heartbeat, Job, enqueue
from kernel.web.access import public
from kernel.web.once import once
from kernel.web.work import now, transaction
from shop.app import create_app
from tests import makers
from tests.web import given

SEND = "send_mail"


@pytest.fixture
def app(config, db, clock, tmp_path):
    """The house with a room for tests: a form that adds a job, and pages that go wrong."""
    app = create_app(config, database=db, clock=clock, data_dir=tmp_path / "data")
    room = Blueprint("room", __name__, url_prefix="/room")

    @room.post("/add")
    @public
    @once
    def add():
        with transaction() as work:
            enqueue(work, SEND, now=now(), to="somebody")
        return redirect("/sign-in?added=1", code=303)

    @room.post("/refuse")
    @public
    @once
    def refuse():
        with transaction() as work:
            enqueue(work, SEND, now=now(), to="somebody")
            raise Refusal(
                "Only %(n)s kg are left.", n=12, reasons=(Text("First."), Text("Second."))
            )

    @room.get("/bug")
    @public
    def bug():
        raise KeyError("a secret of the house")

    @room.get("/busy")
    @public
    def busy():
        raise sa.exc.OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))

    @room.get("/undefined")
    @public
    def undefined():
        return render_template("account/sign_in.html")

    @room.get("/missing/<int:key>")
    @public
    def missing(key):
        raise Missing(Text("There is no lot %(key)s.", key=key))

    app.register_blueprint(room)
    return app


@pytest.fixture
def form(client):
    """The hidden fields of a fresh form."""
    from bs4 import BeautifulSoup

    def fresh():
        page = BeautifulSoup(client.get("/sign-in").text, "html.parser")
        return {
            each["name"]: each["value"]
            for each in page.select("main input[type=hidden]")
            if each["name"] in ("csrf_token", "once")
        }

    client.set_cookie("lang", "en")
    return fresh


def jobs(db) -> int:
    with db.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Job))


# --- headers


def test_every_answer_carries_the_policy_and_no_inline_style_is_allowed(client):
    headers = client.get("/sign-in").headers

    policy = dict(
        each.strip().split(" ", 1) for each in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self' https://checkout.stripe.com"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_no_page_of_ours_needs_what_the_policy_forbids(client):
    page = client.get("/sign-in").text

    assert " style=" not in page
    assert " onclick=" not in page


def test_in_production_cookies_travel_encrypted_only(config, db, clock, tmp_path):
    strict = replace(config, production=True)
    app = create_app(strict, database=db, clock=clock, data_dir=tmp_path / "data")

    answer = app.test_client().get("/sign-in", base_url="https://localhost")

    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax"))
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_the_sandbox_payment_page_may_follow_a_form(config, db, clock, tmp_path):
    app = create_app(
        replace(config, stripe_api_base="http://127.0.0.1:4242/v1"),
        database=db, clock=clock, data_dir=tmp_path / "data",
    )  # fmt: skip

    policy = app.test_client().get("/healthz").headers["Content-Security-Policy"]

    assert "form-action 'self' https://checkout.stripe.com http://127.0.0.1:4242;" in policy


def test_static_files_may_be_kept_for_a_year_only_under_their_mark(client):
    page = client.get("/sign-in").text
    address = page.split('href="/static/css/tokens.css')[1].split('"')[0]

    marked = client.get(f"/static/css/tokens.css{address}")
    plain = client.get("/static/css/tokens.css")

    assert marked.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in plain.headers["Cache-Control"]


def test_what_a_signed_in_person_saw_is_not_kept(sign_in, db):
    with given(db) as session:
        user = makers.user(session)

    assert sign_in(user).get("/account").headers["Cache-Control"] == "no-store"


# --- forged and stale forms


def test_a_forged_form_changes_nothing(client, db, form):
    sent = form()
    del sent["csrf_token"]

    answer = client.post("/room/add", data=sent)

    assert answer.status_code == 400
    assert "This form is out of date" in answer.text
    assert jobs(db) == 0


def test_a_form_without_its_token_is_refused(client, db, form):
    sent = form()
    del sent["once"]

    assert client.post("/room/add", data=sent).status_code == 400
    assert jobs(db) == 0


# --- once


def test_the_same_form_again_does_nothing_and_leads_to_the_same_place(client, db, form):
    sent = form()

    first = client.post("/room/add", data=sent)
    second = client.post("/room/add", data=sent)

    assert (first.status_code, first.location) == (303, "/sign-in?added=1")
    assert (second.status_code, second.location) == (303, "/sign-in?added=1")
    assert "This was already done; nothing was done a second time." in client.get("/sign-in").text
    assert jobs(db) == 1


def test_two_forms_do_two_things(client, db, form):
    client.post("/room/add", data=form())
    client.post("/room/add", data=form())

    assert jobs(db) == 2


def test_a_refused_form_can_be_corrected_and_sent_again(client, db, form):
    sent = form()

    refused = client.post("/room/refuse", data=sent)
    accepted = client.post("/room/add", data=sent)

    assert refused.status_code == 409
    assert accepted.status_code == 303
    assert jobs(db) == 1


def test_where_somebody_else_was_led_is_not_told(app, client, db, form, sign_in):
    sent = form()
    client.post("/room/add", data=sent)
    with given(db) as session:
        user = makers.user(session)
    other = sign_in(user)
    other.get("/sign-out")
    with other.session_transaction() as cookie, client.session_transaction() as mine:
        cookie["csrf_token"] = mine["csrf_token"]

    answer = other.post("/room/add", data=sent)

    assert answer.location == "/"
    assert jobs(db) == 1


@pytest.mark.race
def test_many_clicks_at_once_do_one_thing(app, client, db, form):
    sent = form()
    with client.session_transaction() as cookie:
        guard = cookie["csrf_token"]
    answers = []
    gate = threading.Barrier(8)

    def click():
        browser = app.test_client()
        with browser.session_transaction() as cookie:
            cookie["csrf_token"] = guard
        gate.wait()
        answers.append(browser.post("/room/add", data=sent))

    threads = [threading.Thread(target=click) for _each in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [each.status_code for each in answers] == [303] * 8
    assert {each.location for each in answers} == {"/sign-in?added=1"}
    assert jobs(db) == 1


def test_old_tokens_are_forgotten(client, db, form, clock):
    client.post("/room/add", data=form())

    with db.transaction() as session:
        tokens.forget(session, now=clock() + tokens.KEPT_FOR - timedelta(seconds=1))
        assert session.scalar(sa.select(sa.func.count()).select_from(OnceToken)) == 1
        tokens.forget(session, now=clock() + tokens.KEPT_FOR + timedelta(seconds=1))
        assert session.scalar(sa.select(sa.func.count()).select_from(OnceToken)) == 0


# --- errors


def test_a_refusal_says_its_sentence_and_all_reasons_and_does_nothing(client, db, form):
    answer = client.post("/room/refuse", data=form())

    assert answer.status_code == 409
    assert all(each in answer.text for each in ("Only 12 kg are left.", "First.", "Second."))
    assert jobs(db) == 0


def test_a_bug_shows_no_traceback_and_the_log_knows_its_id(client, capsys):
    answer = client.get("/room/bug", headers={"X-Request-ID": "proxy-12345678"})

    assert answer.status_code == 500
    assert "proxy-12345678" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    lines = [json.loads(each) for each in capsys.readouterr().err.splitlines() if each[0] == "{"]
    [bug] = [each for each in lines if each["event"] == "bug"]
    assert bug["request"] == "proxy-12345678"
    assert "KeyError" in bug["exception"]


def test_a_database_that_is_away_has_a_page_too(sign_in, db, monkeypatch):
    with given(db) as session:
        user = makers.user(session)
    client = sign_in(user)

    def away(*_):
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(db, "reading", away)
    answers = [client.get("/account"), client.get("/no/such/page")]
    ready = client.get("/readyz")

    for each in answers:
        assert each.status_code == 500
        assert each.headers["X-Request-ID"] in each.text
        assert "refused" not in each.text
        assert "default-src" in each.headers["Content-Security-Policy"]
    assert (ready.status_code, ready.json["database"]) == (503, False)
    assert client.get("/healthz").status_code == 200


def test_a_request_id_is_never_an_injection(client):
    answer = client.get("/room/bug", headers={"X-Request-ID": "<script>alert(1)</script>"})

    assert "<script>alert" not in answer.text
    assert len(answer.headers["X-Request-ID"]) == 16


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/no/such/page", "get", 404),
        ("/room/missing/7", "get", 404),
        ("/room/missing/99999999999999999999", "get", 404),
        ("/healthz", "delete", 405),
        ("/sign-in?q=%00", "get", 400),
        ("/lang/xx", "get", 404),
    ],
)
def test_every_no_has_a_page_with_a_request_id(client, path, method, status):
    client.set_cookie("lang", "en")

    answer = getattr(client, method)(path)

    assert answer.status_code == status
    if method == "get":
        assert answer.headers["X-Request-ID"] in answer.text
        assert "<h1>" in answer.text


def test_too_much_is_refused_with_a_page(client, form):
    answer = client.post("/room/add", data=form() | {"x": "y" * 13_000_000})

    assert answer.status_code == 413


def test_programs_get_problem_details(client):
    answer = client.get("/api/v1/no-such-thing")

    assert answer.status_code == 404
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == 404
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_an_undefined_name_in_a_template_is_a_bug(client):
    assert client.get("/room/undefined").status_code == 500


def test_too_many_requests_wait(config, db, clock, tmp_path):
    few = replace(config, requests_per_minute=2)
    client = create_app(few, database=db, clock=clock, data_dir=tmp_path / "data").test_client()

    statuses = [client.get("/sign-in").status_code for _each in range(3)]
    answer = client.get("/sign-in")

    assert statuses == [200, 200, 429]
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200


# --- watching


def test_healthz_needs_no_database(client, statements):
    assert client.get("/healthz").json == {"ok": True}
    assert statements == []


def test_readyz_wants_database_schema_and_worker(client, db, clock):
    before = client.get("/readyz")
    with db.transaction() as session:
        session.add(Heartbeat(worker="test", at=clock()))
    ready = client.get("/readyz")
    clock.move(minutes=5)
    silent = client.get("/readyz")

    assert (before.status_code, before.json["worker"]) == (503, False)
    assert (ready.status_code, ready.json["ready"]) == (200, True)
    assert (silent.status_code, silent.json["worker_seen_seconds_ago"]) == (503, 300.0)


def test_readyz_finds_an_old_schema(client, db, clock):
    with db.transaction() as session:
        session.add(Heartbeat(worker="test", at=clock()))
        session.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json["migrations"]) == (503, False)


def test_figures_are_for_the_configured_addresses_only(client):
    client.get("/room/missing/7")

    ours = client.get("/metrics")
    strangers = client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.9"})
    through = client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"})

    assert ours.status_code == 200
    assert 'route="/room/missing/<int:key>"' in ours.text
    assert strangers.status_code == 404
    assert through.status_code == 404


def test_the_log_names_patterns_never_keys(client, capsys):
    client.get("/password/a-very-secret-token")

    err = capsys.readouterr().err
    assert "/password/<token>" in err
    assert "a-very-secret-token" not in err


# --- who may enter


def test_a_stranger_is_asked_to_sign_in_and_a_citizen_may_not_enter(client, sign_in, db):
    with given(db) as session:
        citizen = makers.user(session)

    asked = client.get("/admin/jobs?state=dead")
    refused = sign_in(citizen).get("/admin/jobs")

    assert asked.status_code == 303
    assert asked.location == "/sign-in?next=/admin/jobs?state%3Ddead"
    assert refused.status_code == 403
    assert "Your account may not enter here." in refused.text


def test_every_other_role_is_kept_out_of_the_operators_desk(sign_in, db):
    with given(db) as session:
        place = makers.organisation(session)
        people = {role: makers.member(session, place, role) for role in Role}

    entered = {
        role
        for role, user in people.items()
        if sign_in(user).get("/admin/users").status_code == 200
    }

    assert entered == {Role.OPERATOR}


# --- how people read


def test_pages_speak_chinese_until_told_otherwise(client):
    assert '<html lang="zh-Hans"' in client.get("/sign-in").text

    client.get("/lang/en")
    english = client.get("/sign-in").text
    client.get("/lang/zh")

    assert '<html lang="en"' in english
    assert "Forgotten your password?" in english
    assert "忘记密码" in client.get("/sign-in").text


def test_changing_the_language_leads_back(client):
    answer = client.get("/lang/en", headers={"Referer": "http://localhost/admin/jobs?page=2"})
    elsewhere = client.get("/lang/en", headers={"Referer": "http://evil.test/x"})

    assert answer.location == "/admin/jobs?page=2"
    assert elsewhere.location == "/"


def test_large_letters_are_kept_with_the_account(app, person, db):
    with given(db) as session:
        user = makers.user(session)
    visitor = person(user).open("/account")

    visitor.press("Change the size", **{"Size of the letters": "largest"})

    assert visitor.page.html["data-size"] == "largest"
    assert person(user).open("/account").page.html["data-size"] == "largest"


def test_the_account_remembers_the_language(person, db):
    with given(db) as session:
        user = makers.user(session)
    visitor = person(user).open("/account")

    visitor.press("Change the language", Language="zh")

    assert visitor.page.html["lang"] == "zh-Hans"


def test_whoever_waited_too_long_for_others_is_asked_to_try_again_and_it_is_no_bug_of_ours(client):
    answer = client.get("/room/busy")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "刚才什么也没有改动" in answer.text
