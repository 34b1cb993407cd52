"""The base of all models, the column types of the house, and engines for both databases.

Knows no Flask. Every statement of a writing transaction on SQLite runs under BEGIN IMMEDIATE, so
that a transaction never fails half way because someone else began to write.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm

from kernel.actors import Actor, Door
from kernel.errors import Missing, Text
from kernel.money import Money, Price


class MoneyColumn(sa.TypeDecorator[Money]):
    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Money | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else value.fen

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Money | None:
        return None if value is None else Money(int(value))


class PriceColumn(sa.TypeDecorator[Price]):
    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Price | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else value.per_unit

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Price | None:
        return None if value is None else Price(int(value))


class Moment(sa.TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused at the door."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


WholeNumber = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Model(orm.DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        int: WholeNumber,
        Money: MoneyColumn(),
        Price: PriceColumn(),
        datetime: Moment(),
        date: sa.Date(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        enum.Enum: sa.Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, sort_order=-1)


class Made:
    """Who made the row, when, through which door, with which program."""

    made_at: orm.Mapped[datetime] = orm.mapped_column(sort_order=90)
    made_by_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("users.id"), sort_order=91)
    door: orm.Mapped[Door] = orm.mapped_column(sort_order=92)
    program: orm.Mapped[str] = orm.mapped_column(sa.String(40), sort_order=93)


def stamp(by: Actor, now: datetime) -> dict[str, Any]:
    """The four columns of `Made`, for a model's constructor."""
    return {"made_at": now, "made_by_id": by.user_id, "door": by.door, "program": by.program}


# A template that touches an unloaded relationship is a bug in the query, not a reason to query
# again, so every relationship raises instead of loading itself.
related = partial(orm.relationship, lazy="raise_on_sql")

# A column that repeats what its rows say (a counter, a state kept by conditional UPDATE) is
# compared by `flask selfcheck`, not by the audit trail.
DERIVED = {"audit": False}


def added(neutral: Any) -> dict[str, Any]:
    """`info` of a column that came after its table: a row that holds `neutral` there has the
    digest it had before, so the audit trail of older rows still verifies."""
    return {"added": neutral}


M = TypeVar("M", bound=Model)


def sum_money(amount: Any) -> sa.ColumnElement[Money]:
    """A SUM that answers in Money, ZERO for no rows; SQL forgets the type as it adds."""
    return sa.type_coerce(sa.func.coalesce(sa.func.sum(amount), 0), MoneyColumn())


def sum_whole(number: Any) -> sa.ColumnElement[int]:
    """A SUM of whole numbers, 0 for no rows; PostgreSQL would answer a Decimal."""
    return sa.cast(sa.func.coalesce(sa.func.sum(number), 0), sa.BigInteger)


def get_or_missing(session: orm.Session, model: type[M], key: object, *, lock: bool = False) -> M:
    """The row, or Missing with a sentence. `lock` reads it fresh and keeps others off it."""
    found = session.get(
        model,
        key,
        populate_existing=lock,
        with_for_update={"key_share": True} if lock else None,
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


WRITING = "sutian_writing"


def make_engine(url: str) -> sa.Engine:
    """An engine whose connections behave the same on SQLite and PostgreSQL."""
    if not url.startswith("sqlite"):
        return sa.create_engine(
            _with_driver(url), pool_size=10, max_overflow=20, pool_pre_ping=True
        )
    engine = sa.create_engine(
        url,
        connect_args={"timeout": 30, "check_same_thread": False},
        pool_size=10,
        max_overflow=40,
    )

    @sa.event.listens_for(engine, "connect")
    def _open(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "busy_timeout = 30000",
            "cache_size = -32000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _with_driver(url: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


class Work(orm.Session):
    """One unit of work. Opened by `Database.reading()` and `Database.writing()` only."""


@contextmanager
def attempt(session: orm.Session) -> Iterator[None]:
    """A part of a transaction: all of it or, when it raises, none of it, and the rest goes on."""
    with session.begin_nested():
        yield


# PostgreSQL: a lock was not to be had in time, two waited for each other, two changed the same.
_BUSY = frozenset({"55P03", "40P01", "40001"})


def was_busy(error: BaseException) -> bool:
    """Others held the rows, the file or all connections for too long: nothing was done, and the
    same may work in a moment."""
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if not isinstance(error, sa.exc.OperationalError):
        return False
    return "database is locked" in str(error.orig) or getattr(error.orig, "sqlstate", "") in _BUSY


class Database:
    """Where sessions come from: one engine to write, the same or a replica to read reports."""

    def __init__(self, url: str, replica_url: str | None = None) -> None:
        self.engine = make_engine(url)
        self.replica = make_engine(replica_url) if replica_url else self.engine
        self._reading = orm.sessionmaker(self.engine, class_=Work, expire_on_commit=False)
        self._writing = orm.sessionmaker(
            self.engine.execution_options(**{WRITING: True}), class_=Work, expire_on_commit=False
        )

    def reading(self) -> Work:
        return self._reading()

    def writing(self) -> Work:
        return self._writing()

    @contextmanager
    def snapshot(self) -> Iterator[Work]:
        """To read much that must agree: everything as it stood at one instant."""
        with self.reading() as session:
            if self.engine.dialect.name == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Work]:
        """A real transaction that is never kept: what would happen is tried by doing it."""
        session = self.writing()
        try:
            yield session
            session.flush()
        finally:
            session.rollback()
            session.close()

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        """All of it or none of it. The one place in the house that commits."""
        session = self.writing()
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def dispose(self) -> None:
        self.engine.dispose()
        if self.replica is not self.engine:
            self.replica.dispose()
