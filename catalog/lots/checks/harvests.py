"""What must always be true of expected harvests: promised ≤ still expected × confidence."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Contribution, Lot, LotState, MoveKind, StockMove
from catalog.lots.models.harvests import Harvest, HarvestArrival, HarvestPart
from kernel.checks import Check, Difference, rows_of
from kernel.db import sum_whole
from kernel.errors import Text
from kernel.money import ZERO


def _promises_are_covered(session: Session) -> Iterator[Difference]:
    came = {
        key: int(quantity)
        for key, quantity in session.execute(
            sa.select(HarvestArrival.part_id, sum_whole(HarvestArrival.quantity)).group_by(
                HarvestArrival.part_id
            )
        )
    }
    for part in session.scalars(
        sa.select(HarvestPart)
        .options(joinedload(HarvestPart.harvest), joinedload(HarvestPart.contribution))
        .order_by(HarvestPart.id)
    ):
        if part.came != came.get(part.id, 0):
            yield Difference(
                f"harvest_part:{part.id}",
                Text("%(came)s came, its arrivals say %(said)s",
                     came=part.came, said=came.get(part.id, 0)),
            )  # fmt: skip
        if part.may_promise != (right := part.right_promise()):
            yield Difference(
                f"harvest_part:{part.id}",
                Text("%(may)s may be promised, what is still expected says %(right)s",
                     may=part.may_promise, right=right),
            )  # fmt: skip
        held = part.contribution
        # What was promised and given back since does not come back: it may be more, never less.
        if held.on_hand < part.may_promise or held.cost != ZERO:
            yield Difference(
                f"harvest_part:{part.id}",
                Text("its promises hold %(held)s for %(may)s, or cost something",
                     held=held.on_hand, may=part.may_promise),
            )  # fmt: skip


def _nothing_expected_moves(session: Session) -> Iterator[Difference]:
    """A harvest's lot never holds goods: nothing was taken in, shipped or lost there; and only such
    lots carry promises of a harvest."""
    expected = sa.case((Lot.state == LotState.EXPECTED, 1), else_=0)
    promised = sa.case((StockMove.kind == MoveKind.EXPECTED, 1), else_=0)
    for key, kind, code in session.execute(
        sa.select(StockMove.id, StockMove.kind, Lot.code)
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(expected != promised)
        .order_by(StockMove.id)
    ):
        yield Difference(
            f"stock_move:{key}",
            Text("is “%(kind)s” in lot %(code)s, which it cannot be", kind=kind, code=code),
        )


HARVEST_CHECKS = [
    Check(
        "lots.harvests",
        Text("No more is promised of a harvest than is still expected of it with confidence"),
        _promises_are_covered,
        rows_of(HarvestPart),
    ),
    Check(
        "lots.expected",
        Text("Goods that are only expected never move"),
        _nothing_expected_moves,
        rows_of(Harvest),
    ),
]
