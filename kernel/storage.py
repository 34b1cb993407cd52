"""Files behind one interface: a directory, or an S3-compatible store.

Bytes are put before the transaction (content-addressed, so putting twice is harmless); the row
that names them is written inside it.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import obstore
import sqlalchemy as sa
from obstore.store import LocalStore
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.actors import Actor
from kernel.db import Made, Model, stamp


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that lie in the store already."""

    sha256: str
    size: int
    media_type: str
    name: str


class StoredFile(Made, Model):
    __tablename__ = "stored_files"

    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(sa.String(80))
    name: Mapped[str] = mapped_column(sa.String(200))


class Storage:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(str(folder))

    def put(self, content: bytes, *, media_type: str, name: str) -> Blob:
        """The bytes are in the store; the same bytes are kept once."""
        sha256 = hashlib.sha256(content).hexdigest()
        obstore.put(self._store, _key(sha256), content)
        return Blob(sha256, len(content), media_type, name[:200])

    def get(self, sha256: str) -> bytes:
        return bytes(obstore.get(self._store, _key(sha256)).bytes())

    def keep_note(self, key: str, content: bytes) -> None:
        """A few bytes under a name that may change and may be lost: how far some work is."""
        obstore.put(self._store, f"notes/{key}", content)

    def note(self, key: str) -> bytes:
        """What was noted last; nothing if nothing was."""
        try:
            return bytes(obstore.get(self._store, f"notes/{key}").bytes())
        except FileNotFoundError:
            return b""

    def forget_note(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, f"notes/{key}")


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def keep_file(session: Session, blob: Blob, *, by: Actor, now: datetime) -> StoredFile:
    """The row that names a blob."""
    file = StoredFile(
        sha256=blob.sha256,
        size=blob.size,
        media_type=blob.media_type,
        name=blob.name,
        **stamp(by, now),
    )
    session.add(file)
    session.flush()  # so that the caller can point to file.id
    return file
