"""Mail leaves through the outbox: written with what caused it, sent after the commit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from kernel.outbox import enqueue, errand
from kernel.services import Services


def send_later(
    session: Session, *, to: str, subject: str, body: str, now: datetime, key: str | None = None
) -> None:
    """One mail leaves if this transaction commits; a repeated `key` sends nothing more."""
    enqueue(
        session,
        "send_mail",
        now=now,
        unique_key=f"mail:{key}" if key else None,
        to=to,
        subject=subject,
        body=body,
    )


@errand("send_mail")
def send_mail(services: Services, *, now: datetime, to: str, subject: str, body: str) -> None:
    services.mailer.send(to=to, subject=subject, body=body, now=now)
