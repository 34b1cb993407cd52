"""Losses and count differences: one writes them, another agrees, then stock moves (R8, R20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.lots import rules
from catalog.lots.models import Contribution, Lot, LotState, MoveKind
from catalog.lots.models.papers import Adjustment, AdjustmentKind, AdjustmentState
from catalog.lots.operations.opposites import forget_found_parts, plan_counter
from catalog.lots.operations.stock import Loss, bring_back, put_in, take_out
from catalog.lots.queries.papers import writers_of
from catalog.lots.queries.stock import gone_from_the_top, lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp, sum_money, sum_whole
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import ZERO, Money, total
from kernel.numbering import next_number
from kernel.storage import Blob, keep_file
from kernel.text import tidy

BY_HAND = (AdjustmentKind.SPOILED, AdjustmentKind.SHRINK)


def propose_adjustment(
    session: Session,
    lot_id: int,
    quantity: int,
    *,
    supplier_id: int,
    kind: AdjustmentKind,
    reason: str,
    photo: Blob | None = None,
    count_id: int | None = None,
    transfer_id: int | None = None,
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> Adjustment:
    """A slip that says how much less (negative) or more there is of a lot, and why. Nothing moves
    before it is decided. The same request again is the same slip.
    """
    if request_key is not None:
        known = session.scalar(sa.select(Adjustment).where(Adjustment.request_key == request_key))
        if known is not None:
            return known
    assert quantity
    reason = tidy(reason)[:200]
    if not reason:
        raise Invalid({"reason": Text("Say why.")})
    lot = _locked_lot(session, lot_id, supplier_id)
    if lot.state is LotState.CLOSED:
        raise Refusal(Text("Lot %(code)s is closed.", code=lot.code))
    if lot.state is LotState.EXPECTED:
        raise Refusal(Text("Nothing of this harvest lies in the store yet."))
    free = sum(part.on_hand - part.reserved for part in lot.contributions)
    if kind in BY_HAND and -quantity > free - _waiting(session, lot.id):
        raise Invalid(
            {
                "quantity": Text(
                    "There is less of this lot that is neither spoken for nor on another slip."
                )
            }
        )
    adjustment = Adjustment(
        number=next_number(session, "SY", now),
        request_key=request_key,
        supplier_id=supplier_id,
        lot_id=lot.id,
        kind=kind,
        quantity=quantity,
        reason=reason,
        photo_id=keep_file(session, photo, by=by, now=now).id if photo else None,
        count_id=count_id,
        transfer_id=transfer_id,
        state=AdjustmentState.PROPOSED,
        **stamp(by, now),
    )
    session.add(adjustment)
    session.flush()
    audit.note(
        session, "propose_adjustment", f"adjustment:{adjustment.id}", by=by, now=now,
        lot=lot.code, quantity=quantity, kind=kind, reason=reason,
    )  # fmt: skip
    return adjustment


def decide_adjustment(
    session: Session,
    adjustment_id: int,
    *,
    supplier_id: int,
    agreed: bool,
    words: str = "",
    by: Actor,
    now: datetime,
) -> list[Loss]:
    """Agreed: stock moves, and what it had cost is for whoever keeps the books (a gain is
    negative). Not agreed: nothing moves. Decided once; the second time the answer is empty.

    Nobody decides what they wrote or counted themselves (R20), but a small loss by hand.
    """
    adjustment = locked_adjustment(session, adjustment_id, supplier_id)
    if adjustment.state is not AdjustmentState.PROPOSED:
        return []
    words = tidy(words)[:200]
    if not agreed and not words:
        raise Invalid({"words": Text("Say why you do not agree.")})
    lot = adjustment.lot
    if agreed and lot.state is LotState.CLOSED:
        raise Refusal(Text("Lot %(code)s is closed.", code=lot.code))
    losses: list[Loss] = []
    if agreed and adjustment.reverses_id is not None:
        losses = plan_counter(session, session.get_one(Adjustment, adjustment.reverses_id))
    elif agreed:
        losses = _plan(session, adjustment)
    _check_second_person(session, adjustment, losses, by)
    adjustment.state = AdjustmentState.APPROVED if agreed else AdjustmentState.REFUSED
    adjustment.decided_by_id, adjustment.decided_at = by.user_id, now
    adjustment.decision = words
    if agreed:
        adjustment.cost = total(loss.cost for loss in losses)
        _apply(session, adjustment, losses, by=by, now=now)
    if adjustment.kind is AdjustmentKind.TRANSFER and lot.state is LotState.IN_TRANSIT:
        lot.state = LotState.OPEN
    audit.note(
        session, "decide_adjustment", f"adjustment:{adjustment.id}", by=by, now=now,
        agreed=agreed, words=words,
    )  # fmt: skip
    return losses


def needs_second_person(session: Session, adjustment: Adjustment) -> bool:
    """Whether whoever wrote it may not decide it too."""
    if adjustment.kind not in BY_HAND or adjustment.reverses_id is not None:
        return True
    came_in, cost = session.execute(
        sa.select(sum_whole(Contribution.quantity), sum_money(Contribution.cost)).where(
            Contribution.lot_id == adjustment.lot_id
        )
    ).one()
    before = session.scalar(
        sa.select(sum_whole(-Adjustment.quantity)).where(
            Adjustment.lot_id == adjustment.lot_id,
            Adjustment.kind.in_(BY_HAND),
            Adjustment.state == AdjustmentState.APPROVED,
            Adjustment.made_by_id == adjustment.made_by_id,
        )
    )
    lost = -adjustment.quantity
    worth = rules.cost_up_to(cost.fen, came_in, min(lost, came_in))
    return not rules.may_write_off_alone(lost + int(before or 0), came_in, worth)


def _locked_lot(session: Session, lot_id: int, supplier_id: int) -> Lot:
    lot = get_or_missing(session, Lot, lot_id)
    if lot.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    lock_pools(session, [lot.product_id])
    return session.scalars(
        sa.select(Lot)
        .options(selectinload(Lot.contributions))
        .where(Lot.id == lot_id)
        .execution_options(populate_existing=True)
    ).one()


def locked_adjustment(session: Session, adjustment_id: int, supplier_id: int) -> Adjustment:
    """This supplier's slip with its lot, read behind the lock of its pool; or Missing."""
    found = session.get(Adjustment, adjustment_id)
    if found is None or found.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    _locked_lot(session, found.lot_id, supplier_id)
    return session.scalars(
        sa.select(Adjustment)
        .options(sa.orm.joinedload(Adjustment.lot).selectinload(Lot.contributions))
        .where(Adjustment.id == adjustment_id)
        .with_for_update(of=Adjustment)
        .execution_options(populate_existing=True)
    ).one()


def _waiting(session: Session, lot_id: int) -> int:
    """What other slips of the lot would take out."""
    return int(
        session.scalar(
            sa.select(sum_whole(-Adjustment.quantity)).where(
                Adjustment.lot_id == lot_id,
                Adjustment.state == AdjustmentState.PROPOSED,
                Adjustment.quantity < 0,
            )
        )
        or 0
    )


def _check_second_person(
    session: Session, adjustment: Adjustment, losses: Sequence[Loss], by: Actor
) -> None:
    if by.user_id is None:
        return
    wrote = writers_of(session, adjustment)
    if by.user_id in wrote and needs_second_person(session, adjustment):
        raise Refusal(
            Text("You wrote or counted this yourself; somebody else must decide it."),
        )


def _plan(session: Session, adjustment: Adjustment) -> list[Loss]:
    """Whose goods they are, with their cost from the top; what nobody had lost costs nothing and
    has contribution 0: it becomes the cooperative's own."""
    parts = sorted(adjustment.lot.contributions, key=lambda part: part.id)
    gone = gone_from_the_top(session, [part.id for part in parts])
    lost = -adjustment.quantity
    found = 0
    if lost > 0:
        frees = [part.on_hand - part.reserved for part in parts]
        if lost > sum(frees):
            raise Refusal(
                Text("Some of these goods are spoken for; release or replace the orders first."),
                (Text("Free: %(free)s, missing: %(lost)s.", free=sum(frees), lost=lost),),
            )
        shares = rules.draw_evenly(lost, frees)
    else:
        # Goods whose slip was reversed never came, so they are not found again either.
        rooms = [0 if part.reversed_at else max(0, gone.get(part.id, 0)) for part in parts]
        back, found = rules.spread_surplus(-lost, rooms)
        shares = [-each for each in back]
    losses = [
        Loss(
            part.id,
            share,
            Money(
                rules.cost_from_the_top(part.cost.fen, part.quantity, gone.get(part.id, 0), share)
            ),
        )
        for part, share in zip(parts, shares, strict=True)
        if share
    ]
    return [*losses, *([Loss(0, -found, ZERO)] if found else [])]


_MOVES = {AdjustmentKind.COUNT: (MoveKind.COUNT_SHORTAGE, MoveKind.COUNT_SURPLUS)}


def _apply(
    session: Session, adjustment: Adjustment, losses: Sequence[Loss], *, by: Actor, now: datetime
) -> None:
    cause = f"adjustment:{adjustment.id}"
    less, more = _MOVES.get(adjustment.kind, (MoveKind.SPOILED, MoveKind.COUNT_SURPLUS))
    if adjustment.reverses_id is not None:
        less, more = more, less  # the same moves with the other sign
        forget_found_parts(session, adjustment.reverses_id, now=now)
    gone = [(loss.contribution_id, loss.quantity) for loss in losses if loss.quantity > 0]
    back = [
        (loss.contribution_id, -loss.quantity)
        for loss in losses
        if loss.quantity < 0 and loss.contribution_id
    ]
    if gone:
        take_out(session, gone, kind=less, cause_prefix=cause, by=by, now=now)
    if back:
        bring_back(session, back, kind=more, cause_prefix=cause, by=by, now=now)
    for loss in losses:
        if not loss.contribution_id:
            put_in(
                session, adjustment.lot, -loss.quantity, kind=more,
                cause=f"{cause}:own", by=by, now=now,
            )  # fmt: skip
