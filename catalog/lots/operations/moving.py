"""Goods stay what they are and become another lot: split, repacked, carried to another store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Lot, LotEvent, LotEventKind, LotState, Processing, StepKind, Store
from catalog.lots.models.papers import Adjustment, AdjustmentKind, StoreTransfer
from catalog.lots.operations.adjusting import propose_adjustment
from catalog.lots.operations.converting import (
    Output,
    Step,
    convert,
    locked_lots,
    made_before,
    plan_draws,
    whole_uid,
)
from catalog.lots.queries.stock import lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy

_WORDS = {
    StepKind.SPLIT: ("拆出一批", "Split off", LotEventKind.SPLIT),
    StepKind.REPACK: ("并批分装", "Repacked together", LotEventKind.REPACKED),
    StepKind.TRANSFER: ("调往另一仓库", "Sent to another store", LotEventKind.SENT),
}


def open_store(
    session: Session, supplier_id: int, *, name: str, place: str = "", by: Actor, now: datetime
) -> Store:
    """One more store beside the main one. The same name again is the same store."""
    name = tidy(name)[:40]
    if not name:
        raise Invalid({"name": Text("Please fill this in.")})
    found = session.scalar(
        sa.select(Store).where(Store.supplier_id == supplier_id, Store.name == name)
    )
    if found is not None:
        return found
    store = Store(supplier_id=supplier_id, name=name, place=tidy(place)[:120], **stamp(by, now))
    session.add(store)
    session.flush()
    audit.note(session, "open_store", f"store:{store.id}", by=by, now=now)
    return store


def split_lot(
    session: Session,
    lot_id: int,
    quantity: int,
    *,
    supplier_id: int,
    reason: str,
    request_key: str | None = None,
    uid: str | None = None,
    by: Actor,
    now: datetime,
) -> Lot:
    """So much of a lot becomes a lot of its own, to be treated differently from now on."""
    return _move(
        session, StepKind.SPLIT, {lot_id: quantity}, supplier_id=supplier_id, reason=reason,
        request_key=request_key, uid=whole_uid(uid), by=by, now=now,
    ).output_lot  # fmt: skip


def repack_lots(
    session: Session,
    inputs: Mapping[int, int],
    *,
    supplier_id: int,
    reason: str,
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> Lot:
    """Lots of one product and grade are put together: the new one expires with the first of them
    and names all of them as its sources."""
    if len(inputs) < 2:
        raise Invalid({"inputs": Text("Choose at least two lots.")})
    return _move(
        session, StepKind.REPACK, inputs, supplier_id=supplier_id, reason=reason,
        request_key=request_key, by=by, now=now,
    ).output_lot  # fmt: skip


def send_to_store(
    session: Session,
    lot_id: int,
    quantity: int,
    *,
    supplier_id: int,
    to_store_id: int | None,
    reason: str = "",
    request_key: str | None = None,
    by: Actor,
    now: datetime,
) -> StoreTransfer:
    """So much of a lot is under way to a store (None: the main one), unsold until it is there."""
    _check_store(session, supplier_id, to_store_id)
    source = get_or_missing(session, Lot, lot_id)
    if source.store_id == to_store_id:
        raise Invalid({"store": Text("The goods lie in this store already.")})
    made = _move(
        session, StepKind.TRANSFER, {lot_id: quantity}, supplier_id=supplier_id, reason=reason,
        to_store_id=to_store_id, request_key=request_key, by=by, now=now,
    )  # fmt: skip
    found = session.scalar(sa.select(StoreTransfer).where(StoreTransfer.processing_id == made.id))
    if found is not None:
        return found
    transfer = StoreTransfer(
        processing=made,
        from_store_id=source.store_id,
        to_store_id=to_store_id,
        **stamp(by, now),
    )
    session.add(transfer)
    session.flush()
    return transfer


def receive_transfer(
    session: Session,
    transfer_id: int,
    arrived: int,
    *,
    supplier_id: int,
    reason: str = "",
    by: Actor,
    now: datetime,
) -> Adjustment | None:
    """What came in at the other end. All of it: the lot is open. Less: the rest becomes a loss slip
    that somebody else decides, and the lot opens then. The same receipt again changes nothing.
    """
    transfer = _locked_transfer(session, transfer_id, supplier_id)
    lot, sent = transfer.processing.output_lot, transfer.processing.output_quantity
    if transfer.processing.undone_at is not None:
        raise Refusal(Text("This transfer was undone: the goods lie where they came from."))
    if transfer.arrived is not None:
        return session.scalar(sa.select(Adjustment).where(Adjustment.transfer_id == transfer.id))
    if not 0 <= arrived <= sent:
        raise Invalid({"arrived": Text("Not more can arrive than was sent.")})
    if arrived < sent and not tidy(reason):
        raise Invalid({"reason": Text("Less arrived than was sent: say why.")})
    transfer.arrived = arrived
    transfer.arrived_at = now
    transfer.arrived_by_id = by.user_id
    session.add(
        LotEvent(
            lot_id=lot.id, kind=LotEventKind.ARRIVED, on=business_day(now), note_zh="到达入库",
            note_en="Arrived at the store", details={}, **stamp(by, now),
        )
    )  # fmt: skip
    audit.note(
        session, "receive_transfer", f"store_transfer:{transfer.id}", by=by, now=now,
        arrived=arrived, sent=sent,
    )  # fmt: skip
    if arrived == sent:
        if lot.state is LotState.IN_TRANSIT:  # it may have been recalled on its way
            lot.state = LotState.OPEN
        return None
    return propose_adjustment(
        session,
        lot.id,
        arrived - sent,
        supplier_id=supplier_id,
        kind=AdjustmentKind.TRANSFER,
        reason=reason,
        transfer_id=transfer.id,
        by=by,
        now=now,
    )


def _locked_transfer(session: Session, transfer_id: int, supplier_id: int) -> StoreTransfer:
    product_id = session.scalar(
        sa.select(Lot.product_id)
        .join(Processing, Processing.output_lot_id == Lot.id)
        .join(StoreTransfer, StoreTransfer.processing_id == Processing.id)
        .where(StoreTransfer.id == transfer_id, Lot.supplier_id == supplier_id)
    )
    if product_id is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    lock_pools(session, [product_id])
    return session.scalars(
        sa.select(StoreTransfer)
        .options(joinedload(StoreTransfer.processing).joinedload(Processing.output_lot))
        .where(StoreTransfer.id == transfer_id)
        .execution_options(populate_existing=True)
    ).one()


def _check_store(session: Session, supplier_id: int, store_id: int | None) -> None:
    if store_id is None:
        return
    store = session.get(Store, store_id)
    if store is None or store.supplier_id != supplier_id:
        raise Missing(Text("There is nothing at this address, or it is not yours."))


def _move(
    session: Session,
    kind: StepKind,
    inputs: Mapping[int, int],
    *,
    supplier_id: int,
    reason: str,
    to_store_id: int | None = None,
    request_key: str | None,
    uid: str | None = None,
    by: Actor,
    now: datetime,
) -> Processing:
    made = made_before(session, request_key, uid)
    if made is not None:
        return session.scalars(
            sa.select(Processing)
            .options(joinedload(Processing.output_lot))
            .where(Processing.output_lot_id == made.id)
        ).one()
    if any(quantity <= 0 for quantity in inputs.values()):
        raise Invalid({"quantity": Text("Say how much of which lot is used.")})
    lots = locked_lots(session, list(inputs), supplier_id)
    if len({(lot.product_id, lot.grade) for lot in lots}) > 1:
        raise Refusal(Text("Only lots of the same product and grade can be put together."))
    draws = plan_draws(lots, inputs)
    first, transfer = lots[0], kind is StepKind.TRANSFER
    words, words_en, event = _WORDS[kind]
    return convert(
        session,
        draws,
        [Output(
            product=first.product,
            grade=first.grade,
            quantity=sum(inputs.values()),
            harvested_on=min(lot.harvested_on for lot in lots),
            since=max(lot.available_from for lot in lots),
            until=min(lot.best_before for lot in lots),
            state=LotState.IN_TRANSIT if transfer else LotState.OPEN,
            store_id=to_store_id if transfer else first.store_id,
            uid=uid,
        )],
        Step(
            kind=kind, words=words, words_en=words_en, on=business_day(now),
            band=(10_000, 10_000), reason=tidy(reason)[:200], event=event, request_key=request_key,
        ),
        supplier_id=supplier_id, by=by, now=now,
    )  # fmt: skip
