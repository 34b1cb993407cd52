"""Reversed slips: the paper that took one back, what is against it, what stands in its place."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import LotState, MoveKind, Processing, SlipState, StockMove, WeighSlip
from catalog.lots.models.harvests import HarvestArrival
from catalog.lots.models.papers import Adjustment, AdjustmentState
from catalog.lots.models.reversals import SlipReversal
from catalog.lots.queries.flows import cause_of
from kernel.errors import Missing, Text
from kernel.quantities import kilograms

_BY_SALE = (MoveKind.SHIPPED, MoveKind.RETURNED)


def reversal_of(session: Session, slip_id: int) -> SlipReversal | None:
    """The reversal of a slip that waits or was agreed to, with its replacement."""
    return session.scalar(
        sa.select(SlipReversal)
        .options(joinedload(SlipReversal.replacement))
        .where(SlipReversal.slip_id == slip_id, SlipReversal.state != AdjustmentState.REFUSED)
    )


def instead_of(session: Session, slip_id: int) -> SlipReversal | None:
    """The reversal in whose place this slip stands, with the slip that was reversed."""
    return session.scalar(
        sa.select(SlipReversal)
        .options(joinedload(SlipReversal.slip))
        .where(SlipReversal.replacement_id == slip_id)
    )


def refused_reversals(session: Session, slip_id: int) -> list[SlipReversal]:
    """Reversals of a slip that nobody agreed to, oldest first."""
    return list(
        session.scalars(
            sa.select(SlipReversal)
            .where(SlipReversal.slip_id == slip_id, SlipReversal.state == AdjustmentState.REFUSED)
            .order_by(SlipReversal.id)
        )
    )


def waiting_reversals(session: Session, supplier_id: int, *, limit: int = 50) -> list[SlipReversal]:
    """What waits for a second person, oldest first, with slip, household and product."""
    return list(
        session.scalars(
            sa.select(SlipReversal)
            .join(WeighSlip, WeighSlip.id == SlipReversal.slip_id)
            .options(
                joinedload(SlipReversal.slip).joinedload(WeighSlip.household),
                joinedload(SlipReversal.slip).joinedload(WeighSlip.product),
            )
            .where(
                WeighSlip.supplier_id == supplier_id,
                SlipReversal.state == AdjustmentState.PROPOSED,
            )
            .order_by(SlipReversal.id)
            .limit(limit)
        )
    )


def reversed_slip(
    session: Session, supplier_id: int, number: str, *, lock: bool = False
) -> SlipReversal:
    """The agreed reversal of this supplier's slip, with slip, household and replacement; or
    Missing."""
    query = (
        sa.select(SlipReversal)
        .join(WeighSlip, WeighSlip.id == SlipReversal.slip_id)
        .options(
            joinedload(SlipReversal.slip).joinedload(WeighSlip.household),
            joinedload(SlipReversal.replacement),
        )
        .where(
            WeighSlip.supplier_id == supplier_id,
            WeighSlip.number == number,
            SlipReversal.state == AdjustmentState.APPROVED,
        )
    )
    if lock:
        query = query.with_for_update(of=SlipReversal).execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def hindrances(session: Session, slip: WeighSlip) -> list[Text]:
    """Everything that keeps a slip's goods from going back, and what to do about it. The slip has
    its part and lot; the pool is locked by whoever acts on the answer."""
    part = slip.contribution
    if slip.state is not SlipState.TAKEN_IN or part is None:
        return [_not_in_store(slip)]
    lot, found = part.lot, []
    if lot.state is LotState.QUARANTINE:
        found.append(Text("Lot %(code)s is recalled: close the recall first.", code=lot.code))
    if part.reserved:
        found.append(
            Text(
                "%(kg)s kg of it are promised to orders: give those orders another lot, or release "
                "them, first.",
                kg=kilograms(part.reserved),
            )
        )
    if part.on_hand < part.quantity:
        found += _where_it_went(session, part.id)
    waiting = session.scalars(
        sa.select(Adjustment.number).where(
            Adjustment.lot_id == lot.id, Adjustment.state == AdjustmentState.PROPOSED
        )
    )
    found += [
        Text("Slip %(number)s of the same lot waits for a decision: decide it first.", number=each)
        for each in waiting
    ]
    counted = sa.select(HarvestArrival.id).where(HarvestArrival.contribution_id == part.id)
    if session.scalar(counted.limit(1)) is not None:
        found.append(
            Text(
                "These goods are counted as what came of an expected harvest; write what is wrong "
                "as a loss or a new slip."
            )
        )
    return found


def _not_in_store(slip: WeighSlip) -> Text:
    if slip.state is SlipState.REVERSED:
        return Text("Slip %(number)s was reversed already.", number=slip.number)
    if slip.state is SlipState.VOID:
        return Text("Slip %(number)s is void.", number=slip.number)
    return Text(
        "Slip %(number)s is not in the store yet: make it void instead.", number=slip.number
    )


def _where_it_went(session: Session, contribution_id: int) -> list[Text]:
    """Paper by paper, what of the goods is no longer there."""
    gone: dict[str, int] = {}
    shipped = 0
    for kind, quantity, cause in session.execute(
        sa.select(StockMove.kind, StockMove.quantity, StockMove.cause)
        .where(StockMove.contribution_id == contribution_id, StockMove.kind != MoveKind.TAKEN_IN)
        .order_by(StockMove.id)
    ):
        if kind in _BY_SALE:
            shipped -= quantity
        else:
            paper = cause_of(cause)
            gone[paper] = gone.get(paper, 0) - quantity
    found = []
    if shipped > 0:
        found.append(
            Text(
                "%(kg)s kg of it were shipped: what was sold stays bought. Take the goods back "
                "from the buyer first, or write only the difference as a new slip or a loss.",
                kg=kilograms(shipped),
            )
        )
    left = {paper: quantity for paper, quantity in gone.items() if quantity > 0}
    names = _numbers(session, list(left))
    for paper, quantity in left.items():
        said = {"kg": kilograms(quantity), "number": names.get(paper, paper)}
        if paper.startswith("processing:"):
            found.append(
                Text("%(kg)s kg of it went into slip %(number)s: undo that step first.", **said)
            )
        else:
            found.append(
                Text(
                    "%(kg)s kg of it were written off by %(number)s: take that slip back first.",
                    **said,
                )
            )
    return found


def _numbers(session: Session, papers: list[str]) -> dict[str, str]:
    """`processing:12` → the number that stands on the paper."""
    found: dict[str, str] = {}
    for prefix, model in (("processing:", Processing), ("adjustment:", Adjustment)):
        keys = [int(each.removeprefix(prefix)) for each in papers if each.startswith(prefix)]
        rows = session.execute(sa.select(model.id, model.number).where(model.id.in_(keys)))
        found |= {f"{prefix}{key}": number for key, number in rows}
    return found
