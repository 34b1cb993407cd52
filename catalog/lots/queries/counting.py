"""What two people counted of each lot, beside the book at its own moment (R8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots import rules
from catalog.lots.models import Contribution, Lot, LotState
from catalog.lots.models.papers import CountEntry, CountState, StockCount
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.people import User


def count_of(session: Session, supplier_id: int, number: str) -> StockCount:
    """This supplier's count with its store, or Missing."""
    found = session.scalar(
        sa.select(StockCount)
        .options(joinedload(StockCount.store))
        .where(StockCount.supplier_id == supplier_id, StockCount.number == number)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def counts_of(session: Session, supplier_id: int, *, limit: int = 50) -> list[StockCount]:
    """Newest first, with their stores."""
    return list(
        session.scalars(
            sa.select(StockCount)
            .options(joinedload(StockCount.store))
            .where(StockCount.supplier_id == supplier_id)
            .order_by(StockCount.id.desc())
            .limit(limit)
        )
    )


def last_counted_on(session: Session, supplier_id: int) -> date | None:
    """When a count was last finished; it should be every month."""
    return session.scalar(
        sa.select(sa.func.max(StockCount.on)).where(
            StockCount.supplier_id == supplier_id, StockCount.state == CountState.FINISHED
        )
    )


def lots_to_count(session: Session, count: StockCount) -> list[Lot]:
    """What lies in the store now, and what was counted of it already; with products."""
    in_store = sa.and_(
        Lot.supplier_id == count.supplier_id,
        Lot.store_id.is_(None) if count.store_id is None else Lot.store_id == count.store_id,
        Lot.state.not_in((LotState.CLOSED, LotState.IN_TRANSIT, LotState.EXPECTED)),
        sa.exists().where(Contribution.lot_id == Lot.id, Contribution.on_hand > 0),
    )
    counted = Lot.id.in_(sa.select(CountEntry.lot_id).where(CountEntry.count_id == count.id))
    return list(
        session.scalars(
            sa.select(Lot)
            .options(joinedload(Lot.product))
            .where(sa.or_(counted, in_store) if count.state is CountState.COUNTING else counted)
            .order_by(Lot.product_id, Lot.harvested_on, Lot.id)
        )
    )


def newest_entries(session: Session, count_id: int) -> dict[int, dict[int, CountEntry]]:
    """Lot → person → the newest entry of that person."""
    found: dict[int, dict[int, CountEntry]] = {}
    for entry in session.scalars(
        sa.select(CountEntry).where(CountEntry.count_id == count_id).order_by(CountEntry.id)
    ):
        found.setdefault(entry.lot_id, {})[entry.made_by_id or 0] = entry
    return found


@dataclass(frozen=True, slots=True)
class CountLine:
    """One lot of a count. The entries belong to the two counters."""

    lot: Lot
    first: CountEntry | None
    second: CountEntry | None

    @property
    def difference(self) -> int | None:
        """What both found; None while one is missing or they disagree."""
        return rules.agreed_difference(_counted(self.first), _counted(self.second))

    @property
    def disagree(self) -> bool:
        return None not in (self.first, self.second) and self.difference is None


def _counted(entry: CountEntry | None) -> rules.Counted | None:
    return None if entry is None else rules.Counted(entry.counted, entry.book)


@dataclass(frozen=True, slots=True)
class CountSheet:
    """A count with every lot. Only a finished one may be shown whole: see `own`."""

    count: StockCount
    counters: tuple[int, ...]
    names: dict[int, str]
    lines: tuple[CountLine, ...]

    def own(self, user_id: int | None) -> dict[int, CountEntry]:
        """Lot → what this person wrote; what the other wrote stays hidden."""
        found = {}
        for line in self.lines:
            for entry in (line.first, line.second):
                if entry is not None and entry.made_by_id == user_id:
                    found[line.lot.id] = entry
        return found

    @property
    def missing(self) -> int:
        return sum(None in (line.first, line.second) for line in self.lines)

    @property
    def disagreeing(self) -> tuple[CountLine, ...]:
        return tuple(line for line in self.lines if line.disagree)


def count_sheet(session: Session, count: StockCount) -> CountSheet:
    """Three queries whatever the number of lots."""
    entries = newest_entries(session, count.id)
    lots = lots_to_count(session, count)
    people = counters_of(entries)
    names = dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(people))).all())
    first, second = (*people, None, None)[:2]
    lines = []
    for lot in lots:
        of_lot = entries.get(lot.id, {})
        lines.append(CountLine(lot, of_lot.get(first or 0), of_lot.get(second or 0)))
    return CountSheet(count, people, dict(names), tuple(lines))


def counters_of(entries: dict[int, dict[int, CountEntry]]) -> tuple[int, ...]:
    """Who counts: two people at most, in the order of what they wrote last."""
    wrote: dict[int, int] = {}
    for of_lot in entries.values():
        for person, entry in of_lot.items():
            wrote[person] = max(wrote.get(person, 0), entry.id)
    return tuple(sorted(wrote, key=lambda person: wrote[person]))


def book_of(session: Session, lot_id: int) -> int:
    """What the book says is there, spoken for or not."""
    return int(
        session.scalar(
            sa.select(sum_whole(Contribution.on_hand)).where(Contribution.lot_id == lot_id)
        )
        or 0
    )


def open_count_of(session: Session, supplier_id: int, store_id: int | None) -> StockCount | None:
    """The count of this store that is going on."""
    return session.scalar(
        sa.select(StockCount).where(
            StockCount.supplier_id == supplier_id,
            StockCount.store_id.is_(None) if store_id is None else StockCount.store_id == store_id,
            StockCount.state == CountState.COUNTING,
        )
    )
