"""What must always be true of conversions, transfers, losses and counts (R8, R9, R20)."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import Lot, LotState, Processing, ProcessingInput, StockMove
from catalog.lots.models.papers import (
    Adjustment,
    AdjustmentKind,
    AdjustmentState,
    CountEntry,
    CountState,
    StockCount,
    StoreTransfer,
)
from catalog.lots.queries.counting import count_sheet
from catalog.lots.queries.stock import MADE
from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text


def _yields_are_explained(session: Session) -> Iterator[Difference]:
    rows = session.execute(
        sa.select(
            Processing.id,
            Processing.input_quantity,
            Processing.output_quantity + sa.func.coalesce(Processing.waste, 0),
            Processing.least_bp,
            Processing.most_bp,
        )
        .where(Processing.least_bp.is_not(None), sa.func.coalesce(Processing.reason, "") == "")
        .order_by(Processing.id)
    )
    for key, put_in, came_out, least, most in rows:
        if not rules.within_band(put_in, came_out, (least or 0, most or 0)):
            yield Difference(
                f"processing:{key}",
                Text("%(out)s of %(put)s is outside of what was expected, and nobody says why",
                     out=came_out, put=put_in),
            )  # fmt: skip


def _goods_stay_in_their_store(session: Session) -> Iterator[Difference]:
    """A lot lies where its sources lay, or where a transfer took it."""
    source, output = sa.orm.aliased(Lot), sa.orm.aliased(Lot)
    rows = session.execute(
        sa.select(
            Processing.id, source.store_id, output.store_id, StoreTransfer.id,
            StoreTransfer.from_store_id, StoreTransfer.to_store_id,
        )
        .join(ProcessingInput, ProcessingInput.processing_id == Processing.id)
        .join(source, source.id == ProcessingInput.lot_id)
        .join(MADE, MADE.c.processing_id == Processing.id)
        .join(output, output.id == MADE.c.lot_id)
        .outerjoin(StoreTransfer, StoreTransfer.processing_id == Processing.id)
        .order_by(Processing.id)
    )  # fmt: skip
    for key, before, after, transfer, sent_from, sent_to in rows:
        expected = (sent_from, sent_to) if transfer else (before, before)
        if (before, after) != expected:
            yield Difference(f"processing:{key}", Text("its lot lies in another store"))


def _what_is_under_way_has_a_slip(session: Session) -> Iterator[Difference]:
    waiting = (
        sa.exists()
        .where(Processing.output_lot_id == Lot.id, StoreTransfer.processing_id == Processing.id)
        .where(
            sa.or_(
                StoreTransfer.arrived.is_(None),
                sa.exists().where(
                    Adjustment.transfer_id == StoreTransfer.id,
                    Adjustment.state == AdjustmentState.PROPOSED,
                ),
            )
        )
    )
    rows = session.scalars(
        sa.select(Lot.id).where(Lot.state == LotState.IN_TRANSIT, ~waiting).order_by(Lot.id)
    )
    for key in rows:
        yield Difference(f"lot:{key}", Text("is under way, but no transfer waits for it"))


def _slips_moved_what_they_say(session: Session) -> Iterator[Difference]:
    moved: dict[int, int] = {}
    rows = session.execute(
        sa.select(StockMove.cause, StockMove.quantity).where(
            StockMove.cause.startswith("adjustment:")
        )
    )
    for cause, quantity in rows:
        key = int(cause.split(":")[1])
        moved[key] = moved.get(key, 0) + quantity
    for key, state, quantity in session.execute(
        sa.select(Adjustment.id, Adjustment.state, Adjustment.quantity).order_by(Adjustment.id)
    ):
        said = quantity if state is AdjustmentState.APPROVED else 0
        if said != moved.get(key, 0):
            yield Difference(
                f"adjustment:{key}",
                Text("says %(said)s, its moves say %(moves)s", said=said, moves=moved.get(key, 0)),
            )


def _two_people_decide(session: Session) -> Iterator[Difference]:
    """Nobody decides what they counted or take back; small losses by hand are one person's."""
    counted = sa.exists().where(
        CountEntry.count_id == Adjustment.count_id,
        CountEntry.lot_id == Adjustment.lot_id,
        CountEntry.made_by_id == Adjustment.decided_by_id,
    )
    wrote = sa.and_(
        sa.or_(Adjustment.kind == AdjustmentKind.TRANSFER, Adjustment.reverses_id.is_not(None)),
        Adjustment.made_by_id == Adjustment.decided_by_id,
    )
    rows = session.scalars(
        sa.select(Adjustment.id).where(sa.or_(counted, wrote)).order_by(Adjustment.id)
    )
    for key in rows:
        yield Difference(f"adjustment:{key}", Text("decided by who wrote it"))


def _counts_are_two_peoples(session: Session) -> Iterator[Difference]:
    """Of a finished count: both agree on every lot, and each difference has its slip."""
    slips = {
        (count_id, lot_id): quantity
        for count_id, lot_id, quantity in session.execute(
            sa.select(Adjustment.count_id, Adjustment.lot_id, Adjustment.quantity).where(
                Adjustment.count_id.is_not(None)
            )
        )
    }
    for count in session.scalars(
        sa.select(StockCount).where(StockCount.state == CountState.FINISHED).order_by(StockCount.id)
    ):
        for line in count_sheet(session, count).lines:
            found = slips.get((count.id, line.lot.id), 0)
            if line.difference is None or line.difference != found:
                yield Difference(
                    f"stock_count:{count.id}",
                    Text("lot %(code)s: its slip does not say what was counted",
                         code=line.lot.code),
                )  # fmt: skip


def _counter_slips_are_opposites(session: Session) -> Iterator[Difference]:
    """What takes a slip back moves its quantity of its lot the other way."""
    wrong = sa.orm.aliased(Adjustment)
    rows = session.scalars(
        sa.select(Adjustment.id)
        .join(wrong, wrong.id == Adjustment.reverses_id)
        .where(
            sa.or_(
                wrong.lot_id != Adjustment.lot_id,
                wrong.quantity != -Adjustment.quantity,
                wrong.state != AdjustmentState.APPROVED,
                wrong.reverses_id.is_not(None),
            )
        )
        .order_by(Adjustment.id)
    )
    for key in rows:
        yield Difference(f"adjustment:{key}", Text("is not the opposite of what it takes back"))


PAPER_CHECKS = [
    Check(
        "lots.yields",
        Text("A yield outside of what is expected has its reason"),
        _yields_are_explained,
        rows_of(Processing),
    ),
    Check(
        "lots.stores",
        Text("A lot lies where its sources lay or where a transfer took it"),
        _goods_stay_in_their_store,
        rows_of(Processing, StoreTransfer),
    ),
    Check(
        "lots.transit",
        Text("What is under way has a transfer that waits for it"),
        _what_is_under_way_has_a_slip,
        rows_of(StoreTransfer),
    ),
    Check(
        "lots.adjustments",
        Text("Loss slips moved what they say, once they were agreed to"),
        _slips_moved_what_they_say,
        rows_of(Adjustment),
    ),
    Check(
        "lots.counter_slips",
        Text("What takes a slip back is its exact opposite"),
        _counter_slips_are_opposites,
        rows_of(Adjustment),
    ),
    Check(
        "lots.second_person",
        Text("R20: nobody decides what they counted or received themselves"),
        _two_people_decide,
        rows_of(Adjustment),
    ),
    Check(
        "lots.counts",
        Text("R8: two people agreed on every lot of a finished count"),
        _counts_are_two_peoples,
        rows_of(StockCount, CountEntry),
    ),
]
