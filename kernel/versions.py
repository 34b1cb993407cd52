"""What was submitted or signed, frozen: canonical JSON, its SHA-256, a number and a format.

Correcting or withdrawing adds a version; nothing is ever erased (architecture, invariant 9).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.actors import Actor
from kernel.codes import new_code
from kernel.db import Made, Model, stamp


class FrozenVersion(Made, Model):
    """One version of one thing. `subject` names it (`filing:12`), `payload` is what was signed."""

    __tablename__ = "frozen_versions"
    __table_args__ = (sa.UniqueConstraint("subject", "number"),)

    subject: Mapped[str] = mapped_column(sa.String(60))
    number: Mapped[int]
    format: Mapped[int]
    code: Mapped[str] = mapped_column(sa.String(16), unique=True)
    payload: Mapped[str] = mapped_column(sa.Text)
    sha256: Mapped[str] = mapped_column(sa.String(64))

    def content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.payload)
        return found

    @property
    def intact(self) -> bool:
        return hashlib.sha256(self.payload.encode()).hexdigest() == self.sha256


def canonical(content: Mapping[str, Any]) -> str:
    """The same content always gives the same text."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def freeze(
    session: Session,
    subject: str,
    content: Mapping[str, Any],
    *,
    by: Actor,
    now: datetime,
    format: int = 1,  # noqa: A002
) -> FrozenVersion:
    """Append the next version of `subject`. `content` holds only JSON values."""
    last = session.scalar(
        sa.select(sa.func.max(FrozenVersion.number)).where(FrozenVersion.subject == subject)
    )
    payload = canonical(content)
    version = FrozenVersion(
        subject=subject,
        number=(last or 0) + 1,
        format=format,
        code=new_code(12),
        payload=payload,
        sha256=hashlib.sha256(payload.encode()).hexdigest(),
        **stamp(by, now),
    )
    session.add(version)
    session.flush()  # so that the caller can point to version.id
    return version


def versions_of(session: Session, subject: str) -> list[FrozenVersion]:
    """All versions, oldest first."""
    return list(
        session.scalars(
            sa.select(FrozenVersion)
            .where(FrozenVersion.subject == subject)
            .order_by(FrozenVersion.number)
        )
    )
