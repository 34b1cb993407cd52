"""Files that were brought in: who, when, through which door, and what became of each row."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from kernel.actors import Role
from kernel.crypto import Sealed
from kernel.db import Made, Model, related
from kernel.labels import Labelled
from kernel.people import User
from kernel.storage import StoredFile


class ImportState(Labelled):
    """Being looked at, waiting for a yes, being carried out, done, or refused as a whole."""

    READING = "reading"
    PREVIEWED = "previewed"
    WRITING = "writing"
    DONE = "done"
    REFUSED = "refused"


class OnError(Labelled):
    """What happens to the good rows of a file that has bad ones."""

    REJECT_ALL = "reject_all"
    REJECT_ROWS = "reject_rows"


class ImportRun(Made, Model):
    """One file on its way in. File and report hold personal secrets, so both are sealed: the
    stored file is the sealed upload, `sha256` the fingerprint of what was uploaded."""

    __tablename__ = "import_runs"
    __table_args__ = (
        sa.CheckConstraint(
            "state = 'reading' OR rows = added + changed + unchanged + rejected",
            name="every_row_has_an_outcome",
        ),
        sa.Index("ix_import_runs_whose", "organisation_id", "kind", "id"),
    )

    code: Mapped[str] = mapped_column(sa.String(10), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisations.id"))
    role: Mapped[Role | None]
    file_id: Mapped[int] = mapped_column(sa.ForeignKey("stored_files.id"))
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    state: Mapped[ImportState]
    on_error: Mapped[OnError]
    rows: Mapped[int]
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    report: Mapped[str | None] = mapped_column(Sealed, deferred=True)
    # The result differed from what had been shown, so nothing was done and it is shown again.
    outdated: Mapped[bool] = mapped_column(default=False)
    confirmed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    file: Mapped[StoredFile] = related()
    maker: Mapped[User | None] = related(foreign_keys="ImportRun.made_by_id")
    confirmer: Mapped[User | None] = related(foreign_keys=[confirmed_by_id])
