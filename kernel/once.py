"""A form is sent twice — double click, Back, reload — and does its work once.

The form carries a token. The row that remembers it is written first in the transaction that does
the work, so a second transaction with the same token waits for the first and then gives up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Model

KEPT_FOR = timedelta(days=30)


class OnceToken(Model):
    """A form that was sent: by whose sign-in, to which view, and where the visitor went then."""

    __tablename__ = "once_tokens"
    __audited__ = False

    token: Mapped[str] = mapped_column(sa.String(64), unique=True)
    sign_in_id: Mapped[int | None]
    endpoint: Mapped[str] = mapped_column(sa.String(120))
    location: Mapped[str | None] = mapped_column(sa.Text)
    used_at: Mapped[datetime] = mapped_column(index=True)


class AlreadyDone(Exception):
    """This form's work was done by another request. Only `@once` catches it."""


def claim(
    session: Session, token: str, *, sign_in_id: int | None, endpoint: str, now: datetime
) -> None:
    """The token is ours in this transaction. Raises AlreadyDone if it was used before."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    taken = session.scalar(
        insert(OnceToken)
        .values(token=token, sign_in_id=sign_in_id, endpoint=endpoint, used_at=now)
        .on_conflict_do_nothing(index_elements=["token"])
        .returning(OnceToken.id)
    )
    if taken is None:
        raise AlreadyDone


def remember_location(session: Session, token: str, location: str) -> None:
    """Where a repeat of this form is led."""
    session.execute(sa.update(OnceToken).where(OnceToken.token == token).values(location=location))


def find(session: Session, token: str) -> OnceToken | None:
    return session.scalar(sa.select(OnceToken).where(OnceToken.token == token))


def forget(session: Session, *, now: datetime) -> None:
    """Tokens nobody will send again."""
    session.execute(sa.delete(OnceToken).where(OnceToken.used_at < now - KEPT_FOR))
