"""What was mailed, read as the person would."""

from __future__ import annotations

import email
import email.policy
import re

from kernel.outbox import enqueue, run_one


def work_off(app, *names: str) -> None:
    """Do every job that is due, and the named scheduled ones."""
    services = app.extensions["services"]
    if names:
        with services.database.transaction() as session:
            for name in names:
                enqueue(session, name, now=services.clock())
    while run_one(services, "test", services.clock()):
        pass


def letters(app) -> list[tuple[str, str]]:
    """(to, text) of every letter the worker has sent, oldest first."""
    work_off(app)
    folder = app.extensions["services"].mailer.folder
    files = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    found = []
    for file in files:
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        found.append((str(message["To"]), message.get_body().get_content()))
    return found


def code_for(app, address: str) -> str:
    """The last six digits that went to this address."""
    texts = [text for to, text in letters(app) if to == address]
    return re.search(r"(\d{3} \d{3})", texts[-1])[1]


def join(person, app, address="lin@example.cn", *, name="林溪", **fields):
    """A visitor who opens an account with a code by mail."""
    person.open("/sign-in?next=/account/data").follow("Send me a code by mail")
    person.press("Send the code", **{"E-mail": address})
    person.press("Go on", **{"Six digits": code_for(app, address)})
    return person.press("Open the account", Name=name, **fields)
