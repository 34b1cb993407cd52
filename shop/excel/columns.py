"""What a kind of row is: its columns, how one row meets what is there, and what may leave."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from catalog.households.rules import Detail, Display, Viewer, display
from catalog.suppliers.models import Supplier
from kernel.actors import Actor
from kernel.cells import CellType
from kernel.errors import Named, Text
from kernel.labels import Labelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its names, how its cells are read and written, and who may see it.

    `told_only` columns explain an exported row and are never taken from a file. `detail` is what
    the matrix of visibility calls it (domain.md §5.5).
    """

    key: str
    zh: str
    en: str
    type: CellType
    also: tuple[str, ...] = ()
    unit: str = ""
    required: bool = False
    told_only: bool = False
    example: str = ""
    note: Text | None = None
    detail: Detail | None = None

    @property
    def name(self) -> Named:
        return Named(self.zh, self.en)

    def heading(self, lang: str) -> str:
        """`毛重(公斤)`: the name with its unit, as forms and exports write it."""
        words = self.en if lang == "en" else self.zh
        return f"{words}({self.unit})" if self.unit else words


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose rows these are: a supplier with its catchment, a region, or (`prefixes` empty and no
    supplier) the whole house, at the terminal."""

    by: Actor
    viewer: Viewer | None = None
    supplier: Supplier | None = None
    prefixes: tuple[str, ...] = ()
    # Who takes in what `by` has weighed: never the same person (R20).
    taker: Actor | None = None

    def sees(self, column: Column) -> bool:
        """Whether this desk may bring in the column. What it may never know it cannot write."""
        if self.viewer is None or column.detail is None:
            return True
        return display(column.detail, self.viewer) not in (Display.NEVER, Display.COUNT_ONLY)


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it was read: only the cells that hold something."""

    number: int
    values: Mapping[str, Any]
    places: Mapping[str, str]

    def get(self, key: str) -> Any:
        return self.values.get(key)


class Outcome(Labelled):
    """What becomes of one row of an imported file."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Change:
    """A value that will be another one."""

    key: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Done:
    """What an accepted row did: nothing, some changes, or something new."""

    outcome: Outcome
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(cls, changes: Sequence[Change]) -> Done:
        return cls(Outcome.CHANGED, tuple(changes)) if changes else cls(Outcome.UNCHANGED)


ADDED = Done(Outcome.ADDED)

# A thing that rows speak of, and the columns that say something about it.
Said = tuple[Hashable, tuple[str, ...]]


class Handling(Protocol):
    """The rows of one file, one after the other, in one transaction."""

    def subjects(self, row: Row) -> list[Said]:
        """What this row speaks of, so that two rows of a file cannot contradict each other."""
        ...

    def apply(self, row: Row) -> Done:
        """Find what is there, compare, and call the room's operation for what differs. Raises
        Refusal; an Invalid names the columns by the keys in `Kind.fields`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of rows that come in and go out as a table."""

    key: str
    title: Text
    about: Text
    columns: tuple[Column, ...]
    # Columns by whose cells people recognise a row; none that is somebody's secret.
    labels: tuple[str, ...] = ()
    # Fields of the operations' forms → columns, so that a refusal finds its cell.
    fields: Mapping[str, str] = field(default_factory=dict)
    # Whether the same row twice may be two events, which only their numbers can tell apart.
    events: bool = False

    def handle(self, session: Session, desk: Desk, rows: Sequence[Row], now: datetime) -> Handling:
        raise AssertionError

    def export(self, session: Session, desk: Desk, now: datetime) -> Iterator[dict[str, Any]]:
        """Every row of this desk, column → value, in an order that does not change."""
        raise AssertionError

    def order(self, row: Row) -> Any:
        """In which order rows are applied; as they stand, unless a kind needs another."""
        return 0

    def column(self, key: str) -> Column:
        return next(each for each in self.columns if each.key == key)


def differences(held: Mapping[str, Any], row: Row, keys: Sequence[str]) -> list[Change]:
    """What the row says otherwise than what is held; an empty cell says nothing."""
    return [
        Change(key, held.get(key), row.values[key])
        for key in keys
        if key in row.values and row.values[key] != held.get(key)
    ]
