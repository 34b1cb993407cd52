"""冲销: a slip that is in the store already is taken back by a counter-slip (domain.md §4.5).

One person says why, another agrees; nothing is edited. Only goods that lie there untouched can go
back: what was promised, shipped, processed or written off is taken back first, or stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotEventKind,
    LotState,
    MoveKind,
    SlipState,
    WeighSlip,
)
from catalog.lots.models.papers import AdjustmentState
from catalog.lots.models.reversals import SlipReversal
from catalog.lots.operations.conformity import certify
from catalog.lots.operations.stock import take_out
from catalog.lots.operations.weighing import record_slip
from catalog.lots.queries.reversals import hindrances, reversal_of, reversed_slip
from catalog.lots.queries.stock import lock_pools
from catalog.products.models import Grade
from catalog.products.operations import relearn_villages
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Price
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.regions import Region
from kernel.text import tidy

_NOT_NOW = Text("This slip cannot be reversed as things are.")


def propose_reversal(
    session: Session,
    number: str,
    *,
    supplier_id: int,
    reason: str,
    also: Sequence[Text] = (),
    by: Actor,
    now: datetime,
) -> SlipReversal:
    """Somebody says that a slip in the store is wrong, and why; nothing moves before another
    person agrees. A slip whose reversal waits already keeps that one.

    `also` is what a room above has against it; it is told together with what the goods say.
    """
    reason = tidy(reason)[:200]
    slip = _locked(session, number, supplier_id)
    known = reversal_of(session, slip.id)
    if known is not None:
        return known
    if not reason:
        raise Invalid({"reversal_reason": Text("Say why.")})
    if reasons := (*hindrances(session, slip), *also):
        raise Refusal(_NOT_NOW, reasons)
    made = SlipReversal(
        number=next_number(session, "CX", now),
        slip_id=slip.id,
        reason=reason,
        state=AdjustmentState.PROPOSED,
        **stamp(by, now),
    )
    session.add(made)
    session.flush()
    audit.note(
        session, "propose_reversal", f"slip:{slip.id}", by=by, now=now, number=made.number,
        reason=reason,
    )  # fmt: skip
    return made


def decide_reversal(
    session: Session,
    number: str,
    *,
    supplier_id: int,
    agreed: bool,
    words: str = "",
    also: Sequence[Text] = (),
    by: Actor,
    now: datetime,
) -> SlipReversal:
    """Agreed: the goods leave the lot, which is as if they had never come, with a new certificate
    for what stays; a lot that nothing stays in is closed. What the slip was owed for is for the
    room above. Not agreed: nothing moves. Decided once, by somebody who did not propose it (R20).
    """
    slip = _locked(session, number, supplier_id)
    made = reversal_of(session, slip.id)
    if made is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    if made.state is not AdjustmentState.PROPOSED:
        return made
    words = tidy(words)[:200]
    if not agreed and not words:
        raise Invalid({"words": Text("Say why you do not agree.")})
    if by.user_id is not None and by.user_id == made.made_by_id:
        raise Refusal(Text("You proposed this yourself; somebody else must decide it."))
    if agreed and (reasons := (*hindrances(session, slip), *also)):
        raise Refusal(_NOT_NOW, reasons)
    made.state = AdjustmentState.APPROVED if agreed else AdjustmentState.REFUSED
    made.decided_by_id, made.decided_at, made.decision = by.user_id, now, words
    if agreed:
        _take_back(session, slip, made, by=by, now=now)
    audit.note(
        session, "decide_reversal", f"slip:{slip.id}", by=by, now=now, number=made.number,
        agreed=agreed, words=words,
    )  # fmt: skip
    return made


def record_correction(
    session: Session,
    number: str,
    *,
    supplier_id: int,
    household_id: int,
    product_id: int,
    grade: Grade,
    gross_g: int,
    tare_g: int,
    deduction_bp: int,
    device: str,
    device_seq: str,
    asked_price: Price | None = None,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> WeighSlip:
    """The slip that should have been written instead of the reversed one: weighed when that was
    weighed, at the price of that day, under every rule of the scale. One slip stands in its place;
    a void one may be replaced again.
    """
    reversed_ = reversed_slip(session, supplier_id, number, lock=True)
    before = reversed_.replacement
    again = before is not None and (before.device, before.device_seq) == (device, device_seq)
    if before is not None and before.state.stands and not again:
        raise Refusal(
            "Slip %(other)s stands in the place of slip %(number)s already.",
            other=before.number,
            number=number,
        )
    slip = record_slip(
        session, supplier_id=supplier_id, household_id=household_id, product_id=product_id,
        grade=grade, gross_g=gross_g, tare_g=tare_g, deduction_bp=deduction_bp, device=device,
        device_seq=device_seq, weighed_at=reversed_.slip.weighed_at, asked_price=asked_price,
        reason=reason, by=by, now=now,
    )  # fmt: skip
    if not again:
        reversed_.replacement = slip
        audit.note(
            session, "record_correction", f"slip:{slip.id}", by=by, now=now, instead_of=number
        )
    return slip


def _locked(session: Session, number: str, supplier_id: int) -> WeighSlip:
    """This supplier's slip with its part and lot, read behind the lock of its pool; or Missing."""
    mine = sa.and_(WeighSlip.number == number, WeighSlip.supplier_id == supplier_id)
    product_id = session.scalar(sa.select(WeighSlip.product_id).where(mine))
    if product_id is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    lock_pools(session, [product_id])
    return session.scalars(
        sa.select(WeighSlip)
        .options(
            joinedload(WeighSlip.contribution).joinedload(Contribution.lot),
            joinedload(WeighSlip.product),
        )
        .where(mine)
        .with_for_update(of=WeighSlip)
        .execution_options(populate_existing=True)
    ).one()


def _take_back(
    session: Session, slip: WeighSlip, made: SlipReversal, *, by: Actor, now: datetime
) -> None:
    part = slip.contribution
    assert part is not None, slip.number
    lot = part.lot
    take_out(
        session, [(part.id, part.quantity)], kind=MoveKind.REVERSED,
        cause_prefix=f"reversal:{made.id}", by=by, now=now,
    )  # fmt: skip
    part.reversed_at = now
    slip.state = SlipState.REVERSED
    session.add(
        LotEvent(
            lot_id=lot.id, kind=LotEventKind.REVERSED, on=business_day(now),
            note_zh="有误的收购单冲销", note_en="A weigh slip that was wrong was reversed",
            details={"reversal": made.number}, **stamp(by, now),
        )
    )  # fmt: skip
    session.flush()
    _relearn_origins(session, slip.product_id)
    if _something_stays(session, lot):
        supplier = supplier_sheet(session, slip.supplier_id)
        certify(session, lot, slip.product, supplier, by=by, now=now)
    else:
        lot.state, lot.state_reason = LotState.CLOSED, f"{slip.number} 冲销"


def _something_stays(session: Session, lot: Lot) -> bool:
    found = session.scalar(
        sa.select(Contribution.id)
        .where(Contribution.lot_id == lot.id, Contribution.reversed_at.is_(None))
        .limit(1)
    )
    return found is not None


def _relearn_origins(session: Session, product_id: int) -> None:
    """A village whose only slip was reversed is no origin of the product any more."""
    villages = session.scalars(
        sa.select(Region.name)
        .join(Household, Household.region_code == Region.code)
        .join(WeighSlip, WeighSlip.household_id == Household.id)
        .where(WeighSlip.product_id == product_id, WeighSlip.state == SlipState.TAKEN_IN)
        .distinct()
    )
    relearn_villages(session, product_id, [short_name(each) for each in villages])
