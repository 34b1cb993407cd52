"""This morning in the sample store: one slip was wrong and is put right, one lot is sorted."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Confirmation, Contribution, Lot, SlipState, WeighSlip
from catalog.lots.operations import Sorted, confirm_slip, record_correction, sort_lot
from catalog.lots.queries.reversals import hindrances
from catalog.products.models import Grade
from kernel.actors import Role
from kernel.periods import business_day
from orders.payouts.models import PayoutLine
from orders.payouts.operations import decide_slip_reversal, propose_slip_reversal
from orders.payouts.queries.owing import UNDER_WAY
from orders.shares.operations import take_in_slips
from shop.demo.people import SAMPLE_SUPPLIER
from shop.demo.store import plenty
from shop.demo.town import Town

BASKET_G = 3_000
SORTED_G, FIRST_G, SECOND_G, WASTE_G = 120_000, 76_500, 31_000, 11_400


def plan_mistakes(town: Town) -> None:
    """After the store was looked through."""
    town.plan(town.services.clock() - timedelta(minutes=30), _put_right, town)
    town.plan(town.services.clock() - timedelta(minutes=25), _sort, town)


def _put_right(town: Town, session: Session, now: datetime) -> None:
    """A basket's weight was forgotten: the slip is reversed, and the right one takes its place."""
    supplier = town.suppliers[SAMPLE_SUPPLIER]
    weigher = town.actor(SAMPLE_SUPPLIER, Role.WEIGHER)
    wrong = _untouched(session, supplier)
    if wrong is None:
        return
    propose_slip_reversal(
        session, wrong.number, supplier_id=supplier, reason="皮重漏扣，秤上还带着背篓",
        by=weigher, now=now,
    )  # fmt: skip
    decide_slip_reversal(
        session, wrong.number, supplier_id=supplier, agreed=True, words="核对过秤的照片，属实",
        by=town.actor(SAMPLE_SUPPLIER, Role.MANAGER), now=now,
    )  # fmt: skip
    right = record_correction(
        session, wrong.number, supplier_id=supplier, household_id=wrong.household_id,
        product_id=wrong.product_id, grade=wrong.grade, gross_g=wrong.gross_g,
        tare_g=wrong.tare_g + BASKET_G, deduction_bp=wrong.deduction_bp, device="sample",
        device_seq="correction", by=weigher, now=now,
    )  # fmt: skip
    confirm_slip(
        session, right.id, confirmation=Confirmation.FINGERPRINT, confirmed_by="本人",
        by=weigher, now=now,
    )  # fmt: skip
    take_in_slips(
        session, [right.id], supplier_id=supplier, by=town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER),
        now=now,
    )  # fmt: skip


def _untouched(session: Session, supplier: int) -> WeighSlip | None:
    """The newest slip whose goods all lie there and whose household is in no payout run."""
    paying = sa.select(PayoutLine.household_id).where(
        PayoutLine.supplier_id == supplier, PayoutLine.state.in_(UNDER_WAY)
    )
    found = session.scalars(
        sa.select(WeighSlip)
        .join(Contribution, Contribution.id == WeighSlip.contribution_id)
        .options(joinedload(WeighSlip.contribution).joinedload(Contribution.lot))
        .where(
            WeighSlip.supplier_id == supplier,
            WeighSlip.state == SlipState.TAKEN_IN,
            Contribution.on_hand == Contribution.quantity,
            Contribution.reserved == 0,
            WeighSlip.net_g > 4 * BASKET_G,
            WeighSlip.household_id.not_in(paying),
        )
        .order_by(WeighSlip.id.desc())
        .limit(20)
    )
    return next((slip for slip in found if not hindrances(session, slip)), None)


def _sort(town: Town, session: Session, now: datetime) -> None:
    """The canteens want the large roots; the rest goes to the market."""
    supplier = town.suppliers[SAMPLE_SUPPLIER]
    lot_id = plenty(session, supplier, [town.products["R01"]])
    if lot_id is None or session.get_one(Lot, lot_id).grade is not Grade.FIRST:
        return
    sort_lot(
        session, lot_id, SORTED_G,
        [Sorted(Grade.FIRST, FIRST_G), Sorted(Grade.SECOND, SECOND_G)],
        supplier_id=supplier, waste=WASTE_G, on=business_day(now), request_key="sample:sort",
        by=town.actor(SAMPLE_SUPPLIER, Role.STOREKEEPER), now=now,
    )  # fmt: skip
