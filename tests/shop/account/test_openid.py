"""Signing in through an OpenID provider: the sandbox's, over HTTP, with its strictness."""

from __future__ import annotations

import dataclasses
import threading

import pytest
import sqlalchemy as sa
from werkzeug.serving import make_server

from kernel.people import Identity, User
from sandbox.openid import CLIENT_ID, CLIENT_SECRET
from sandbox.server import create_sandbox
from tests import makers
from tests.web import given, person


class Provider:
    """The provider, and what a visitor does on its page."""

    def __init__(self) -> None:
        self.app = create_sandbox("http://sandbox.test")
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.openid = self.app.extensions["openid_provider"]
        self.openid.issuer = f"http://127.0.0.1:{self.server.server_port}/openid"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.client = self.app.test_client()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def agree(self, address: str, email="lin@example.cn", name="林溪", **more) -> str:
        """Agree on the page at this address; where the provider sends the visitor back to."""
        asked = dict(pair for pair in _query(address))
        form = asked | {"email": email, "name": name} | more
        answer = self.client.post("/openid/authorize", data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return answer.location.removeprefix("http://localhost")


def _query(address: str):
    from urllib.parse import parse_qsl, urlsplit

    return parse_qsl(urlsplit(address).query)


@pytest.fixture
def provider():
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def config(config, provider):
    return dataclasses.replace(
        config,
        public_url="http://localhost",
        oidc_issuer=provider.openid.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_name="黔江通",
    )


def leave_for_provider(visitor, path="/sign-in/openid?next=/account") -> str:
    answer = visitor.client.get(path)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.location)


def users(db) -> list[tuple[str, str]]:
    with db.reading() as session:
        return [(each.email, each.name) for each in session.scalars(sa.select(User))]


def test_a_new_person_joins_and_the_same_person_comes_back(app, provider, db):
    visitor = person(app).open("/sign-in").sees("Sign in with 黔江通")
    there = leave_for_provider(visitor)
    assert "code_challenge_method=S256" in there
    visitor.open(provider.agree(there))
    assert visitor.path == "/account"
    visitor.sees("lin@example.cn", "黔江通", "connected on")

    again = person(app)
    again.open(provider.agree(leave_for_provider(again)))

    assert again.path == "/account"
    assert users(db) == [("lin@example.cn", "林溪")]


def test_the_button_is_there_only_where_a_provider_is_configured(db, config, tmp_path, clock):
    from shop.app import create_app

    bare = create_app(
        dataclasses.replace(config, oidc_issuer=None), database=db, clock=clock, data_dir=tmp_path
    )

    person(bare).open("/sign-in").does_not_see("黔江通")
    person(bare).open("/sign-in/openid", status=409).sees("no such way to sign in")


def test_a_forged_or_missing_state_signs_nobody_in(app, provider, db):
    visitor = person(app)
    back = provider.agree(leave_for_provider(visitor))

    other = person(app)  # the address was stolen, the cookie was not
    other.open(back).sees("broken off or went wrong")
    other.open("/sign-in/openid/back?code=x&state=y").sees("broken off or went wrong")
    other.open("/sign-in/openid/back?error=access_denied").sees("broken off or went wrong")

    assert users(db) == []


def test_a_code_is_good_once(app, provider, db):
    visitor = person(app)
    back = provider.agree(leave_for_provider(visitor))
    visitor.open(back)

    person(app).open(back).sees("broken off or went wrong")
    assert len(users(db)) == 1


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("nonce", "another"), ("aud", "another-client"), ("iss", "https://evil.test"),
        ("exp", 1), ("sub", ""),
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_this_visit_is_refused(
    app, provider, db, monkeypatch, claim, value
):
    from joserfc import jwt

    honest = jwt.encode
    monkeypatch.setattr(
        "sandbox.openid.jwt.encode",
        lambda header, claims, key: honest(header, claims | {claim: value}, key),
    )
    visitor = person(app)

    visitor.open(provider.agree(leave_for_provider(visitor)))

    assert visitor.path == "/sign-in"
    assert users(db) == []


def test_a_token_signed_by_somebody_else_is_refused(app, provider, db, monkeypatch):
    from joserfc import jwt
    from joserfc.jwk import RSAKey

    honest, forged = jwt.encode, RSAKey.generate_key(2048, {"use": "sig"})
    monkeypatch.setattr(
        "sandbox.openid.jwt.encode", lambda header, claims, key: honest(header, claims, forged)
    )
    visitor = person(app)

    visitor.open(provider.agree(leave_for_provider(visitor)))

    visitor.sees("broken off or went wrong")
    assert users(db) == []


def test_an_address_nobody_verified_opens_no_account(app, provider, db):
    visitor = person(app)

    visitor.open(provider.agree(leave_for_provider(visitor), unverified="yes"))

    visitor.sees("does not vouch for an e-mail address")
    assert users(db) == []


def test_an_account_with_the_address_is_connected_by_its_owner_only(app, provider, db):
    with given(db) as session:
        lin = makers.user(session, "林溪", email="lin@example.cn")
    visitor = person(app)
    visitor.open(provider.agree(leave_for_provider(visitor)))
    visitor.sees("There is an account with your address already.")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Identity.id))) == 0

    owner = person(app, lin)
    owner.open(provider.agree(leave_for_provider(owner, "/account/openid")))
    owner.sees("Connected.", "connected on")

    visitor.open(provider.agree(leave_for_provider(visitor)))
    assert visitor.path == "/account"

    owner.open("/account").press("Disconnect").sees("Disconnected.")
    person(app).open(provider.agree(leave_for_provider(visitor)))
    assert users(db) == [("lin@example.cn", "林溪")]


def test_nobody_takes_over_an_identity_that_is_connected(app, provider, db):
    with given(db) as session:
        lin, other = makers.user(session, "林溪"), makers.user(session, "别人")
    first, second = person(app, lin), person(app, other)
    first.open(provider.agree(leave_for_provider(first, "/account/openid")))

    second.open(provider.agree(leave_for_provider(second, "/account/openid")))

    second.sees("Somebody else's account is connected with this already.")
    with db.reading() as session:
        assert session.scalars(sa.select(Identity.user_id)).all() == [lin.id]


def test_a_provider_that_cannot_be_reached_says_so(app, provider):
    provider.server.shutdown()
    provider.server.server_close()
    visitor = person(app)

    visitor.open("/sign-in/openid", status=422).sees("cannot be reached now")


def test_the_sandbox_refuses_what_a_strict_provider_refuses(provider):
    fine = {
        "client_id": CLIENT_ID, "redirect_uri": "http://localhost/sign-in/openid/back",
        "state": "s", "nonce": "n", "code_challenge": "c", "code_challenge_method": "S256",
    }  # fmt: skip
    wrong = {
        "client_id": "x", "redirect_uri": "https://evil.test/", "state": "", "nonce": "",
        "code_challenge_method": "plain",
    }  # fmt: skip

    assert provider.client.get("/openid/authorize", query_string=fine).status_code == 200
    for name, value in wrong.items():
        page = provider.client.get("/openid/authorize", query_string=fine | {name: value})
        assert page.status_code == 400, name
    assert provider.client.post("/openid/token", data={}).status_code == 401
    bad = provider.client.post("/openid/token", data={"code": "x"}, auth=(CLIENT_ID, CLIENT_SECRET))
    assert bad.status_code == 400
