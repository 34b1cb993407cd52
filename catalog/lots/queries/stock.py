"""What is there and free: one expression for list, basket and commit (lessons §1, rows 4 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import (
    Contribution,
    Lot,
    LotState,
    MoveKind,
    Processing,
    ProcessingOutput,
    SlipState,
    StockMove,
    WeighSlip,
)
from catalog.products.models import Grade, Product

FREE = Contribution.on_hand - Contribution.reserved

# A lot of goods that somebody brought; an expected harvest is none.
BROUGHT = Lot.state != LotState.EXPECTED

# A slip that holds: neither void nor reversed.
STANDS = WeighSlip.state.not_in([each for each in SlipState if not each.stands])

# A part that is one: the slip that brought it was not reversed.
IN_LOT = Contribution.reversed_at.is_(None)

# Which slip made which lot; a sorting slip made several.
MADE = sa.union_all(
    sa.select(Processing.id.label("processing_id"), Processing.output_lot_id.label("lot_id")),
    sa.select(ProcessingOutput.processing_id, ProcessingOutput.lot_id),
).subquery("made")

# Goods that come into a lot for the first time.
CAME_IN = (MoveKind.TAKEN_IN, MoveKind.FROM_PROCESSING, MoveKind.MOVED_IN)

# Goods that leave otherwise than by sale, or come back from there; their cost is counted from the
# top (rules).
FROM_THE_TOP = (
    MoveKind.TO_PROCESSING,
    MoveKind.MOVED_OUT,
    MoveKind.UNDONE,
    MoveKind.REVERSED,
    MoveKind.SPOILED,
    MoveKind.COUNT_SHORTAGE,
    MoveKind.COUNT_SURPLUS,
)


def sellable(
    on_day: date | sa.BindParameter[date], good_until: date | sa.BindParameter[date] | None = None
) -> sa.ColumnElement[bool]:
    """SQL: this lot's goods may be promised for that day, and are still good on the last day they
    may leave on: that day itself, or the end of the time a citizen's parcel is packed in
    (`rules.citizens_until`)."""
    last = on_day if good_until is None else good_until
    return sa.and_(
        Lot.state == LotState.OPEN, Lot.available_from <= on_day, Lot.best_before >= last
    )


def plain_values(row: Sequence[Any], *more: Any) -> list[Any]:
    """A row's values (and more) for a dataclass of the same order, which says their types."""
    return [*row, *more]


def lock_pools(session: Session, product_ids: Sequence[int]) -> None:
    """Nobody else reserves, ships or moves goods of these products until this transaction ends.

    Always in id order, so two baskets with the same products in other orders wait for each other
    instead of for ever. SQLite's writing transactions are alone anyway.
    """
    if not product_ids:
        return
    session.execute(
        sa.select(Product.id)
        .where(Product.id.in_(sorted(set(product_ids))))
        .order_by(Product.id)
        .with_for_update(key_share=True)
    ).all()


class Candidate(NamedTuple):
    """So much of one household's part of one lot may be promised. A tuple: there are thousands."""

    contribution_id: int
    lot_id: int
    product_id: int
    grade: Grade
    household_id: int | None
    free: int
    best_before: date
    available_from: date
    lot_code: str


def candidates(
    session: Session, product_ids: Sequence[int], *, on_day: date, good_until: date | None = None
) -> list[Candidate]:
    """Everything of these products that may be promised for that day (`sellable`), in id order.

    Two queries whatever the number of lots: the lots, and their parts as bare numbers.
    """
    chosen = sa.and_(Lot.product_id.in_(product_ids), sellable(on_day, good_until))
    lots = {
        row[0]: row
        for row in session.execute(
            sa.select(
                Lot.id, Lot.product_id, Lot.grade, Lot.best_before, Lot.available_from, Lot.code
            ).where(chosen)
        )
    }
    parts = session.execute(
        sa.select(Contribution.id, Contribution.lot_id, Contribution.household_id, FREE)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(chosen, FREE > 0)
        .order_by(Contribution.id)
    )
    found = []
    for key, lot_id, household_id, free in parts:
        _, product_id, grade, until, since, code = lots[lot_id]
        found.append(
            Candidate(key, lot_id, product_id, grade, household_id, free, until, since, code)
        )
    return found


def available(
    session: Session, product_ids: Sequence[int], *, today: date, good_until: date | None = None
) -> dict[tuple[int, Grade], int]:
    """(product, grade) → base units that may be promised for that day (`sellable`); what is absent
    is none."""
    return {
        (product_id, grade): int(free)
        for product_id, grade, free in session.execute(
            sa.select(Lot.product_id, Lot.grade, sa.func.sum(FREE))
            .join(Contribution, Contribution.lot_id == Lot.id)
            .where(Lot.product_id.in_(product_ids), sellable(today, good_until))
            .group_by(Lot.product_id, Lot.grade)
        )
    }


def gone_from_the_top(session: Session, contribution_ids: Sequence[int]) -> dict[int, int]:
    """Contribution → base units that left for processing or as loss."""
    return {
        key: -int(moved)
        for key, moved in session.execute(
            sa.select(StockMove.contribution_id, sa.func.sum(StockMove.quantity))
            .where(
                StockMove.contribution_id.in_(contribution_ids), StockMove.kind.in_(FROM_THE_TOP)
            )
            .group_by(StockMove.contribution_id)
        )
    }
