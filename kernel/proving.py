"""Six digits by mail prove that an address is the visitor's: to sign in, to join, to change it.

Who asks for a code hears the same whether the address is known or not. The code works only in the
browser that asked for it, for fifteen minutes, and five wrong ones use it up.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.crypto import keyed_hash
from kernel.errors import Missing, Text
from kernel.people import MailCode
from kernel.signing_in import TooManyAttempts, token_hash
from kernel.text import plain_number

CODE_WORKS_FOR = timedelta(minutes=15)
# After the code was right: how long the visitor has to give a name.
PROOF_HOLDS_FOR = timedelta(hours=1)
MOST_WRONG = 5
KEPT_FOR = timedelta(days=2)

# Codes sent within a window: to one address, and at the wish of one machine.
LIMITS = (
    ("email_hash", timedelta(minutes=15), 3),
    ("email_hash", timedelta(days=1), 10),
    ("address", timedelta(hours=1), 30),
)

USED_UP = Text("This code is used up or too old. Please ask for a new one.")


@dataclass(frozen=True, slots=True)
class Sent:
    """`token` stays in the browser, `code` goes by mail; neither is kept as it is."""

    token: str
    code: str


def send_code(session: Session, email: str, *, address: str, now: datetime) -> Sent:
    """A fresh code for this mail address. Raises TooManyAttempts when too many were asked for."""
    email = email.strip().lower()
    asked = {"email_hash": keyed_hash(email), "address": address[:45]}
    for name, window, most in LIMITS:
        _refuse_flood(session, name, asked[name], window, most, now)
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
    session.add(
        MailCode(
            token_hash=token_hash(token),
            email=email,
            code_hash=_code_hash(token, code),
            sent_at=now,
            expires_at=now + CODE_WORKS_FOR,
            **asked,
        )
    )
    session.flush()
    return Sent(token, code)


def try_code(session: Session, token: str, typed: str, *, now: datetime) -> Text | None:
    """None when the digits are right: the address is proven from now on. Else what to do; a wrong
    try is counted, so the caller commits either way."""
    found = session.scalar(
        sa.select(MailCode).where(MailCode.token_hash == token_hash(token)).with_for_update()
    )
    if found is None or found.used_at or found.wrong >= MOST_WRONG or found.expires_at <= now:
        return USED_UP
    code = plain_number(typed)
    if not hmac.compare_digest(_code_hash(token, code), found.code_hash):
        found.wrong += 1
        if found.wrong >= MOST_WRONG:
            return USED_UP
        return Text("These are not the six digits that we sent. Please look again.")
    found.proven_at = found.proven_at or now
    return None


def proven(session: Session, token: str, *, now: datetime) -> MailCode:
    """The proof this browser holds; Missing when there is none, or it is used or too old."""
    found = session.scalar(
        sa.select(MailCode).where(MailCode.token_hash == token_hash(token)).with_for_update()
    )
    if (
        found is None
        or found.used_at is not None
        or found.proven_at is None
        or found.proven_at + PROOF_HOLDS_FOR <= now
    ):
        raise Missing(USED_UP)
    return found


def waiting_for(session: Session, token: str, *, now: datetime) -> str | None:
    """The address whose code this browser may still enter."""
    found = session.scalar(
        sa.select(MailCode).where(
            MailCode.token_hash == token_hash(token),
            MailCode.used_at.is_(None),
            MailCode.expires_at > now,
            MailCode.wrong < MOST_WRONG,
        )
    )
    return found.email if found else None


def forget(session: Session, *, now: datetime) -> None:
    """Codes nobody can use any more."""
    session.execute(sa.delete(MailCode).where(MailCode.sent_at < now - KEPT_FOR))


def _refuse_flood(
    session: Session, name: str, value: str, window: timedelta, most: int, now: datetime
) -> None:
    sent = session.scalars(
        sa.select(MailCode.sent_at)
        .where(getattr(MailCode, name) == value, MailCode.sent_at > now - window)
        .order_by(MailCode.sent_at.desc())
        .limit(most)
    ).all()
    if len(sent) >= most:
        raise TooManyCodes(max(1, int((sent[-1] + window - now).total_seconds())))


def _code_hash(token: str, code: str) -> str:
    return keyed_hash(f"{token_hash(token)}:{code}")


class TooManyCodes(TooManyAttempts):
    """Enough codes are on their way to this address, or were asked for from here."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.sentence = Text(
            "Several codes were sent already. Please look for them in your mailbox, or wait "
            "%(minutes)s minutes.",
            minutes=-(-seconds // 60),
        )
