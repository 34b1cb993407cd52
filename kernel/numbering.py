"""Document numbers: one sequence per kind and year, without gaps.

The number is taken in the transaction that writes the document, after every other lock: whoever
rolls back gives the number back, because nobody else could pass meanwhile.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from kernel.db import Model
from kernel.periods import business_day


class DocumentSequence(Model):
    __tablename__ = "document_sequences"
    __audited__ = False
    __table_args__ = (sa.UniqueConstraint("kind", "year"),)

    kind: Mapped[str] = mapped_column(sa.String(8))
    year: Mapped[int]
    last: Mapped[int]


def next_number(session: Session, kind: str, now: datetime) -> str:
    """The next number of a kind, such as `SD26-000043`; gapless within the business year."""
    year = business_day(now).year
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    taken = session.execute(
        insert(DocumentSequence)
        .values(kind=kind, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["kind", "year"], set_={"last": DocumentSequence.last + 1}
        )
        .returning(DocumentSequence.last)
    ).scalar_one()
    return f"{kind}{year % 100:02}-{taken:06}"
