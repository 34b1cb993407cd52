"""What a recall reaches, how far it has come, and what the public and the buyers may read of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.lots.models import Lot, LotState
from catalog.lots.queries import Affected, affected_by
from kernel.actors import CANTEEN
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.people import User
from kernel.periods import business_day
from kernel.quantities import BaseUnit
from kernel.staff import people_to_tell
from orders.sales.models import Allocation, BuyerKind, Order, OrderLine
from orders.tracing.models import Recall, RecallKind, RecallLine, RecallLot, RecallOutcome
from orders.tracing.queries.ways import buyer_name


@dataclass(frozen=True, slots=True)
class Reached:
    """So much of a lot went to this order, or is still held for it."""

    order_id: int
    order_number: str
    buyer: str
    buyer_kind: BuyerKind
    lot_id: int
    lot_code: str
    shipped: int
    waiting: int
    by_mail: bool


@dataclass(frozen=True, slots=True)
class RecallReach:
    """The lot, everything made of it, and every order that has or waits for some of it."""

    lots: tuple[Affected, ...]
    units: dict[int, BaseUnit]
    orders: tuple[Reached, ...]

    @property
    def buyers(self) -> int:
        return len({each.order_id for each in self.orders if each.shipped})

    @property
    def without_mail(self) -> int:
        return len({each.order_id for each in self.orders if each.shipped and not each.by_mail})


def recall_reach(session: Session, lot_id: int) -> RecallReach:
    """A fixed number of queries beside one for each step of processing."""
    lots = affected_by(session, lot_id)
    taken = (
        sa.select(
            Allocation.lot_id,
            OrderLine.order_id,
            sum_whole(Allocation.shipped).label("shipped"),
            sum_whole(Allocation.quantity - Allocation.released - Allocation.shipped).label("open"),
        )
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .where(Allocation.lot_id.in_([each.lot_id for each in lots]))
        .group_by(Allocation.lot_id, OrderLine.order_id)
        .having(sa.func.sum(Allocation.quantity - Allocation.released) > 0)
        .subquery()
    )
    rows = session.execute(
        sa.select(taken.c.lot_id, Order, taken.c.shipped, taken.c.open)
        .join(Order, Order.id == taken.c.order_id)
        .options(joinedload(Order.organisation))
        .order_by(Order.id, taken.c.lot_id)
    ).all()
    codes = {each.lot_id: each.code for each in lots}
    units = session.scalars(
        sa.select(Lot).where(Lot.id.in_(codes)).options(joinedload(Lot.product))
    )
    return RecallReach(
        lots=tuple(lots),
        units={lot.id: lot.product.base_unit for lot in units},
        orders=tuple(
            Reached(
                order.id, order.number, buyer_name(order), order.buyer_kind, lot_id,
                codes[lot_id], int(shipped), int(waiting),
                order.buyer_kind is BuyerKind.UNIT or order.email is not None,
            )
            for lot_id, order, shipped, waiting in rows
        ),
    )  # fmt: skip


def recalls_of(
    session: Session, supplier_id: int, *, offset: int = 0, limit: int = 50
) -> list[Recall]:
    """Newest first, with lot and product."""
    return list(
        session.scalars(
            sa.select(Recall)
            .where(Recall.supplier_id == supplier_id)
            .order_by(Recall.id.desc())
            .offset(offset)
            .limit(limit)
            .options(joinedload(Recall.lot).joinedload(Lot.product))
        )
    )


def recall_by(session: Session, supplier_id: int, number: str) -> Recall:
    """One recall of this supplier with lots, lines, orders and reports; or Missing."""
    found = session.scalar(
        sa.select(Recall)
        .where(Recall.supplier_id == supplier_id, Recall.number == number)
        .options(
            joinedload(Recall.lot).joinedload(Lot.product),
            selectinload(Recall.lots).joinedload(RecallLot.lot).joinedload(Lot.product),
            selectinload(Recall.lines).options(
                joinedload(RecallLine.lot).joinedload(Lot.product),
                joinedload(RecallLine.order).joinedload(Order.organisation),
                selectinload(RecallLine.reports),
            ),
        )
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


@dataclass(frozen=True, slots=True)
class Accounted:
    """What became of what was shipped, in base units: shipped = the four outcomes + open."""

    shipped: int
    by_outcome: dict[RecallOutcome, int]

    @property
    def open(self) -> int:
        return self.shipped - sum(self.by_outcome.values())


def accounted(lines: Collection[RecallLine]) -> Accounted:
    """Of lines with their reports loaded."""
    sums = dict.fromkeys(RecallOutcome, 0)
    for line in lines:
        for report in line.reports:
            sums[report.outcome] += report.quantity
    return Accounted(sum(line.shipped for line in lines), sums)


def time_needed(recall: Recall) -> timedelta | None:
    """From the beginning until somebody had the list of whom to call; None before that."""
    return recall.listed_at - recall.made_at if recall.listed_at else None


@dataclass(frozen=True, slots=True)
class Notice:
    """What anybody may know of a recall: since when, why, what to do, whom to ask."""

    since: date
    reason: str
    advice: str
    closed: bool


def notice_of(session: Session, lot_id: int) -> Notice | None:
    """The newest real recall that reaches this lot, while the lot is set apart."""
    row = session.scalar(
        sa.select(Recall)
        .join(RecallLot, RecallLot.recall_id == Recall.id)
        .join(Lot, Lot.id == RecallLot.lot_id)
        .where(
            RecallLot.lot_id == lot_id,
            Recall.kind == RecallKind.REAL,
            Lot.state == LotState.QUARANTINE,
        )
        .order_by(Recall.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    return Notice(business_day(row.made_at), row.reason, row.advice, row.closed_at is not None)


def lines_for_buyer(session: Session, organisation_id: int) -> list[RecallLine]:
    """Real recalls of goods this unit has, newest first."""
    return list(
        session.scalars(
            sa.select(RecallLine)
            .join(Order, Order.id == RecallLine.order_id)
            .join(Recall, Recall.id == RecallLine.recall_id)
            .where(Order.organisation_id == organisation_id, Recall.kind == RecallKind.REAL)
            .order_by(RecallLine.id.desc())
            .limit(100)
            .options(
                joinedload(RecallLine.recall),
                joinedload(RecallLine.order),
                joinedload(RecallLine.lot).joinedload(Lot.product),
                selectinload(RecallLine.reports),
            )
        )
    )


def unread_for(session: Session, organisation_id: int) -> int:
    """How many recalled deliveries this unit has not yet said it read about."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(RecallLine)
            .join(Order, Order.id == RecallLine.order_id)
            .join(Recall, Recall.id == RecallLine.recall_id)
            .where(
                Order.organisation_id == organisation_id,
                Recall.kind == RecallKind.REAL,
                RecallLine.read_at.is_(None),
            )
        )
        or 0
    )


def units_people(session: Session, organisation_ids: Collection[int], now: datetime) -> list[User]:
    return people_to_tell(session, organisation_ids, CANTEEN, now)
