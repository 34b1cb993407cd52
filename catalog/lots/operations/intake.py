"""Confirmed slips become lots: the storekeeper takes in what somebody else has weighed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots import rules
from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotEventKind,
    LotState,
    MoveKind,
    SlipState,
    StockMove,
    WeighSlip,
)
from catalog.lots.operations.conformity import certify
from catalog.lots.queries.stock import MADE, lock_pools
from catalog.lots.queries.weighing import under_review
from catalog.products.models import Grade, Product
from catalog.products.operations import learn_villages
from catalog.suppliers.models import Supplier
from catalog.suppliers.queries import supplier_sheet
from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code, new_uid
from kernel.db import stamp
from kernel.errors import Missing, Refusal, Text
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.regions import Region


def take_in(
    session: Session,
    slip_ids: Sequence[int],
    *,
    supplier_id: int,
    best_before: date | None = None,
    available_from: date | None = None,
    by: Actor,
    now: datetime,
) -> list[Contribution]:
    """Slips of one product, grade and day become one lot, each slip a contribution to it.

    Nobody takes in what they weighed themselves (R20). A slip that is in the store already keeps
    its contribution: the same request again changes nothing. Contributions come in slip order.
    """
    slips = _locked_slips(session, slip_ids, supplier_id)
    fresh = [slip for slip in slips if slip.state is not SlipState.TAKEN_IN]
    waiting = under_review(session, [slip.id for slip in fresh])
    if reasons := _reasons_against(fresh, waiting, by):
        raise Refusal(Text("These slips cannot be taken in."), tuple(reasons))
    supplier = supplier_sheet(session, supplier_id)
    fresh.sort(key=_group)
    for (_, _, day), group in groupby(fresh, key=_group):
        of_one_lot = list(group)
        lot = _lot_for(
            session, supplier, of_one_lot[0], day, best_before, available_from, by=by, now=now
        )
        _contribute(session, lot, of_one_lot, by=by, now=now)
        certify(session, lot, of_one_lot[0].product, supplier, by=by, now=now)
    _learn_origins(session, fresh)
    audit.note(
        session,
        "take_in",
        f"supplier:{supplier_id}",
        by=by,
        now=now,
        slips=[s.number for s in fresh],
    )
    found = {
        each.id: each
        for each in session.scalars(
            sa.select(Contribution)
            .options(joinedload(Contribution.lot))
            .where(Contribution.id.in_([slip.contribution_id for slip in slips]))
        )
    }
    return [found[slip.contribution_id] for slip in slips if slip.contribution_id is not None]


def _group(slip: WeighSlip) -> tuple[int, str, date]:
    return slip.product_id, slip.grade.value, business_day(slip.weighed_at)


def _locked_slips(session: Session, slip_ids: Sequence[int], supplier_id: int) -> list[WeighSlip]:
    """The pools of their products are locked first, then the slips, both in id order."""
    wanted = sorted(set(slip_ids))
    mine = sa.and_(WeighSlip.id.in_(wanted), WeighSlip.supplier_id == supplier_id)
    lock_pools(session, list(session.scalars(sa.select(WeighSlip.product_id).where(mine))))
    slips = list(
        session.scalars(
            sa.select(WeighSlip)
            .options(joinedload(WeighSlip.product), joinedload(WeighSlip.household))
            .where(mine)
            .order_by(WeighSlip.id)
            .with_for_update(of=WeighSlip)
            .execution_options(populate_existing=True)
        )
    )
    if not wanted or len(slips) < len(wanted):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return slips


def _reasons_against(slips: Sequence[WeighSlip], waiting: set[int], by: Actor) -> list[Text]:
    reasons = []
    for slip in slips:
        if slip.id in waiting and slip.state.stands:
            reasons.append(
                Text("Slip %(number)s waits for the manager's review.", number=slip.number)
            )
        if slip.state is SlipState.VOID:
            reasons.append(Text("Slip %(number)s is void.", number=slip.number))
        elif slip.state is SlipState.REVERSED:
            reasons.append(Text("Slip %(number)s was reversed already.", number=slip.number))
        elif slip.state is not SlipState.CONFIRMED:
            reasons.append(
                Text("The household has not confirmed slip %(number)s yet.", number=slip.number)
            )
        if by.user_id is not None and slip.made_by_id == by.user_id:
            reasons.append(
                Text(
                    "You weighed slip %(number)s yourself; somebody else must take it in.",
                    number=slip.number,
                )
            )
    return reasons


def _lot_for(
    session: Session,
    supplier: Supplier,
    slip: WeighSlip,
    day: date,
    best_before: date | None,
    available_from: date | None,
    *,
    by: Actor,
    now: datetime,
) -> Lot:
    """The open lot that the day's goods already make, or a new one."""
    until = best_before or day + timedelta(days=slip.product.shelf_life_days)
    since = available_from or day
    found = session.scalar(
        sa.select(Lot)
        .where(
            Lot.supplier_id == supplier.id,
            Lot.product_id == slip.product_id,
            Lot.grade == slip.grade,
            Lot.harvested_on == day,
            Lot.best_before == until,
            Lot.available_from == since,
            Lot.state == LotState.OPEN,
            Lot.store_id.is_(None),
            ~sa.exists().where(MADE.c.lot_id == Lot.id),
        )
        .order_by(Lot.id)
        .limit(1)
    )
    if found is not None:
        return found
    lot = make_lot(
        session, supplier, slip.product, slip.grade, day, since=since, until=until, by=by, now=now
    )
    for kind, note_zh, note_en in (
        (LotEventKind.HARVESTED, "农户采收", "Harvested by the households"),
        (
            LotEventKind.WEIGHED,
            "收购点过磅，农户确认",
            "Weighed in and confirmed by each household",
        ),
    ):
        session.add(
            LotEvent(
                lot_id=lot.id, kind=kind, on=day, note_zh=note_zh, note_en=note_en, details={},
                **stamp(by, now),
            )
        )  # fmt: skip
    return lot


def make_lot(
    session: Session,
    supplier: Supplier,
    product: Product,
    grade: Grade,
    day: date,
    *,
    since: date,
    until: date,
    state: LotState = LotState.OPEN,
    store_id: int | None = None,
    uid: str | None = None,
    by: Actor,
    now: datetime,
) -> Lot:
    """A new lot with its code; the product is locked, so no two lots get the same serial.

    `uid` is what a phone called it before it had a code.
    """
    before = session.scalar(
        sa.select(sa.func.count())
        .select_from(Lot)
        .where(Lot.product_id == product.id, Lot.harvested_on == day)
    )
    lot = Lot(
        code=rules.lot_code(
            supplier.organisation.region_code, product.code, day, (before or 0) + 1
        ),
        trace_key=new_code(16),
        uid=uid or new_uid(),
        store_id=store_id,
        product_id=product.id,
        supplier_id=supplier.id,
        grade=grade,
        state=state,
        harvested_on=day,
        available_from=since,
        best_before=until,
        # Whoever mixes the goods of several households answers for them (domain.md §2.3).
        certificate_no=(
            next_number(session, "HG", now)
            if product.needs_certificate and state is not LotState.EXPECTED
            else ""
        ),
        **stamp(by, now),
    )
    session.add(lot)
    session.flush()  # so that contributions can point to lot.id
    return lot


def _contribute(
    session: Session, lot: Lot, slips: Sequence[WeighSlip], *, by: Actor, now: datetime
) -> None:
    contributions = [
        Contribution(
            lot_id=lot.id,
            product_id=lot.product_id,
            household_id=slip.household_id,
            quantity=slip.net_g,
            cost=slip.amount,
            on_hand=slip.net_g,
            reserved=0,
            **stamp(by, now),
        )
        for slip in slips
    ]
    session.add_all(contributions)
    session.flush()  # so that moves and slips can point to their ids
    for slip, contribution in zip(slips, contributions, strict=True):
        session.add(
            StockMove(
                contribution_id=contribution.id,
                kind=MoveKind.TAKEN_IN,
                quantity=slip.net_g,
                cause=f"slip:{slip.id}",
                **stamp(by, now),
            )
        )
        slip.state = SlipState.TAKEN_IN
        slip.taken_in_by_id = by.user_id
        slip.taken_in_at = now
        slip.contribution_id = contribution.id
    session.flush()


def _learn_origins(session: Session, slips: Sequence[WeighSlip]) -> None:
    """A product is found by the villages its goods come from."""
    if not slips:
        return
    places: dict[int, list[str]] = {}
    for product_id, village in session.execute(
        sa.select(WeighSlip.product_id, Region.name)
        .join(Household, Household.id == WeighSlip.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(WeighSlip.id.in_([slip.id for slip in slips]))
        .distinct()
    ):
        places.setdefault(product_id, []).append(short_name(village))
    for product_id, names in sorted(places.items()):
        learn_villages(session, product_id, names)
