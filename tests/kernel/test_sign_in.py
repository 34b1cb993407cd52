"""Signing in and out, and what happens to those who guess."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from kernel import signing_in
from kernel.actors import COMMAND, Role
from kernel.passwords import hash_password, is_outdated, password_matches
from kernel.people import SignIn, SignInAttempt, User
from tests import makers
from tests.web import given, signed_in_client

PASSWORD = "a field of rice 41"


@pytest.fixture
def buyer(db) -> User:
    with given(db) as session:
        school = makers.organisation(session, "水市镇中心学校")
        user = makers.member(session, school, Role.OPERATOR, Role.AUDITOR, name="田采购")
        user.email = "buyer@example.cn"
        user.password_hash = hash_password(PASSWORD, fast=True)
    return user


def sign_in(person, password=PASSWORD, email="buyer@example.cn", **expect):
    person.open("/sign-in?next=/account")
    return person.press("Sign in", **{"E-mail": email, "Password": password}, **expect)


def test_a_person_signs_in_sees_the_account_and_signs_out(person, buyer):
    visitor = person()

    sign_in(visitor).sees("田采购", "水市镇中心学校", "Operator", "Auditor")
    visitor.open("/sign-out").sees("You are signed in as 田采购.")
    visitor.press("Sign out").sees("You are signed out.")

    assert visitor.open("/account").path == "/sign-in"


def test_after_signing_in_a_person_is_where_they_wanted_to_go(person, buyer):
    visitor = person()

    visitor.open("/account")
    visitor.press("Sign in", **{"E-mail": "buyer@example.cn", "Password": PASSWORD})

    assert visitor.path == "/account"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.test/account", "//evil.test/account", "/\\evil.test", "javascript:alert(1)"],
)
def test_nobody_is_led_to_another_site(client, buyer, elsewhere):
    page = client.get("/sign-in", query_string={"next": elsewhere}).text

    assert "evil" not in page
    assert "javascript:" not in page


def test_a_wrong_password_and_an_unknown_account_read_the_same(person, buyer):
    visitor = person()

    wrong = sign_in(visitor, "something else entirely", status=422).text
    unknown = sign_in(visitor, email="nobody@example.cn", status=422).text

    assert "do not belong together" in wrong
    assert wrong.replace("buyer@", "nobody@") == unknown


def test_what_was_typed_is_kept_but_never_the_password(person, buyer):
    visitor = sign_in(person(), "something else entirely", status=422)

    assert visitor.page.find(id="f-email")["value"] == "buyer@example.cn"
    assert visitor.page.find(id="f-password").get("value") == ""


def test_after_five_failures_even_the_right_password_waits(person, buyer, clock, db):
    visitor = person()
    for _each in range(signing_in.MOST_PER_ACCOUNT):
        sign_in(visitor, "wrong wrong wrong", status=422)
        clock.move(seconds=10)

    sign_in(visitor, status=429)
    visitor.sees("Too many failed attempts. Please wait 15 minutes")
    clock.move(minutes=15)
    sign_in(visitor)

    with db.reading() as session:
        found = session.execute(
            sa.select(SignInAttempt.succeeded, sa.func.count()).group_by(SignInAttempt.succeeded)
        )
        assert dict(found.all()) == {False: 5, True: 1}


def test_the_answer_to_too_many_says_when_to_come_back(client, person, buyer):
    for _each in range(signing_in.MOST_PER_ACCOUNT):
        sign_in(person(), "wrong wrong wrong", status=422)
    visitor = person()
    visitor.open("/sign-in")
    form = {each["name"]: each.get("value", "") for each in visitor.page.select("main input")}

    answer = visitor.client.post("/sign-in", data=form | {"email": "buyer@example.cn"})

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"


def test_one_address_cannot_try_many_accounts(person, db, clock):
    visitor = person()
    with given(db) as session:
        session.add_all(
            SignInAttempt(email_hash=f"{n:064}", address="127.0.0.1", at=clock(), succeeded=False)
            for n in range(signing_in.MOST_PER_ADDRESS)
        )

    sign_in(visitor, status=429)


def test_a_revoked_browser_is_signed_out_at_its_next_request(app, buyer, db, clock):
    client = signed_in_client(app, buyer)
    other = signed_in_client(app, buyer)
    assert client.get("/account").status_code == 200

    with db.transaction() as session:
        first = session.scalar(sa.select(sa.func.min(SignIn.id)))
        signing_in.end_sign_ins(session, buyer.id, only=first, by=COMMAND, now=clock())

    assert client.get("/account").status_code == 303
    assert other.get("/account").status_code == 200


def test_a_sign_in_ends_by_itself(app, buyer, clock):
    client = signed_in_client(app, buyer)
    clock.move(days=14, seconds=1)

    assert client.get("/account").status_code == 303


def test_an_inactive_person_is_nobody(app, buyer, db):
    client = signed_in_client(app, buyer)
    with given(db) as session:
        session.get(User, buyer.id).active = False

    assert client.get("/account").status_code == 303


def test_a_membership_that_ended_is_not_acted_under(app, db):
    with given(db) as session:
        admin = makers.member(session, makers.organisation(session), Role.OPERATOR)
    client = signed_in_client(app, admin)
    assert client.get("/admin/").status_code == 200

    with given(db) as session:
        [membership] = signing_in.memberships_of(session, admin.id, today=makers.TODAY)
        membership.valid_to = date(2026, 11, 22)

    assert client.get("/admin/").status_code == 403


def test_who_a_browser_is_takes_one_query(app, buyer, statements):
    client = signed_in_client(app, buyer)
    client.get("/healthz")
    statements.clear()

    client.get("/sign-out")

    assert len([each for each in statements if "FROM sign_ins" in each]) == 1
    assert not [each for each in statements if "FROM memberships" in each]


def test_guests_cost_no_query(client, statements):
    client.get("/sign-in")

    assert statements == []


def test_a_person_acts_as_another_membership(person, buyer):
    visitor = person(buyer)

    visitor.open("/account").press("Act as Auditor")
    visitor.open("/account").sees("Act as Operator").does_not_see("Act as Auditor")


def test_nobody_acts_as_another_persons_membership(person, buyer, db):
    with given(db) as session:
        other = makers.member(session, makers.organisation(session), Role.DISTRICT)
        [membership] = signing_in.memberships_of(session, other.id, today=makers.TODAY)
    visitor = person(buyer)

    visitor.open("/account").press("Act as Auditor", status=404, membership=str(membership.id))

    visitor.open("/account").does_not_see("District")


def test_signing_out_elsewhere_leaves_this_browser(app, person, buyer):
    elsewhere = signed_in_client(app, buyer)
    visitor = person(buyer)

    visitor.open("/account").press("Sign out everywhere else")

    assert elsewhere.get("/account").status_code == 303
    visitor.open("/account").sees("(this one)")


def test_a_link_sets_the_password_once(person, buyer, db, clock):
    with db.transaction() as session:
        token = signing_in.offer_password_link(session, buyer.id, by=COMMAND, now=clock())
    visitor = person()
    fresh = {"New password": "twelve oxen plough", "The same again": "twelve oxen plough"}

    visitor.open(f"/password/{token}")
    visitor.press("Keep this password", **fresh).sees("Your new password works from now on.")
    visitor.again().sees("This was already done")
    visitor.open(f"/password/{token}", status=404).sees("used already or is too old")

    sign_in(visitor, status=422)
    sign_in(visitor, "twelve oxen plough")


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", "short", "at least 10 characters"),
        ("buyer buyer buyer", "buyer buyer buyer", "too easy to guess"),
        ("1111111111111", "1111111111111", "too easy to guess"),
        ("twelve oxen plough", "twelve oxen", "The two passwords differ."),
    ],
)
def test_a_password_must_be_worth_keeping(person, buyer, db, clock, password, again, sentence):
    with db.transaction() as session:
        token = signing_in.offer_password_link(session, buyer.id, by=COMMAND, now=clock())
    visitor = person().open(f"/password/{token}")

    fields = {"New password": password, "The same again": again}
    visitor.press("Keep this password", status=422, **fields).sees(sentence)

    sign_in(visitor)


def test_a_link_grows_old(person, buyer, db, clock):
    with db.transaction() as session:
        token = signing_in.offer_password_link(session, buyer.id, by=COMMAND, now=clock())
    clock.move(days=3, seconds=1)

    person().open(f"/password/{token}", status=404)


def test_a_forgotten_password_is_mailed_about(app, person, buyer):
    visitor = person().open("/password")

    visitor.press("Send the link", **{"E-mail": "BUYER@example.cn "}).sees("a link is on its way")
    app.test_cli_runner().invoke(args=["worker", "--once"])

    [mail] = (app.extensions["services"].mailer.folder).glob("*.eml")
    assert b"buyer@example.cn" in mail.read_bytes()


def test_asking_for_an_unknown_account_reads_the_same_and_mails_nothing(app, person, db):
    visitor = person().open("/password")

    visitor.press("Send the link", **{"E-mail": "nobody@example.cn"}).sees("a link is on its way")
    app.test_cli_runner().invoke(args=["worker", "--once"])

    assert not app.extensions["services"].mailer.folder.exists()


def test_sample_accounts_do_not_exist_in_production(db, config, buyer):
    from dataclasses import replace

    with given(db) as session:
        session.get(User, buyer.id).email = "buyer@sutian.test"
    with db.reading() as session:
        found = signing_in.find_user(session, "buyer@sutian.test", PASSWORD, config=config)
        refused = signing_in.find_user(
            session, "buyer@sutian.test", PASSWORD, config=replace(config, production=True)
        )

    assert found is not None
    assert refused is None


def test_passwords_are_kept_as_owasp_recommends():
    kept = hash_password("a field of rice 41")

    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert password_matches("a field of rice 41", kept)
    assert not password_matches("a field of rice 42", kept)
    assert not password_matches("a field of rice 41", None)
    assert not is_outdated(kept)
    assert is_outdated(hash_password("x", fast=True))


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130 Safari/537.36 Edg/130",
         "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile MicroMessenger/8.0",
         "WeChat · iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17 Safari/605", "Safari · Mac"),
        ("curl/8.0", ""),
    ],
)  # fmt: skip
def test_browsers_are_called_as_people_call_them(signature, name):
    from shop.views.account import browser_name

    assert browser_name(signature) == name
