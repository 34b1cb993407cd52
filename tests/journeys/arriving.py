"""How somebody comes to a desk: a link made by a command, a password of one's own, a sign-in."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.person import Person
from tests.web import person

PASSWORD = "a scale in the yard 7"


def invite(app, email, name, role, *, of=None) -> str:
    """The one-time link that `flask user create` prints."""
    whose = [] if of is None else ["--organisation", of]
    made = app.test_cli_runner().invoke(args=["user", "create", email, name, role, *whose])
    assert made.exit_code == 0, made.output
    return made.output.strip().splitlines()[-1]


def arrive(app, link, email, *, at) -> Person:
    """The link sets a password once; then one signs in like everybody and is at one's desk."""
    desk = person(app).open(urlsplit(link).path)
    desk.press("Keep this password", **{"New password": PASSWORD, "The same again": PASSWORD})
    person(app).open(urlsplit(link).path, status=404)
    desk.open(f"/sign-in?next={at}")
    return desk.press("Sign in", **{"E-mail": email, "Password": PASSWORD})
