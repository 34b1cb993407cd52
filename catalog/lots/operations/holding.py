"""A lot is held back, released or recalled; and what else happens to it on its way."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from catalog.lots.models import Lot, LotEvent, LotEventKind, LotState
from catalog.lots.queries.stock import lock_pools
from catalog.lots.queries.tracing import balance
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy


def hold_lot(session: Session, lot_id: int, *, reason: str, by: Actor, now: datetime) -> Lot:
    """Nothing more of it is sold until it is released. What is reserved stays reserved."""
    return _move(session, lot_id, LotState.HOLD, LotEventKind.HELD, reason, by=by, now=now)


def release_lot(
    session: Session,
    lot_id: int,
    *,
    reason: str,
    after_recall: bool = False,
    by: Actor,
    now: datetime,
) -> Lot:
    """It may be sold again. A lot that was recalled is released only by closing its recall."""
    lot = get_or_missing(session, Lot, lot_id)
    if lot.state is LotState.QUARANTINE and not after_recall:
        raise Refusal("This lot was recalled. Close its recall to let it be sold again.")
    return _move(session, lot_id, LotState.OPEN, LotEventKind.RELEASED, reason, by=by, now=now)


def recall_lot(session: Session, lot_id: int, *, reason: str, by: Actor, now: datetime) -> Lot:
    """It is set apart, and whoever has some of it is told; the trace page says so at once."""
    return _move(
        session, lot_id, LotState.QUARANTINE, LotEventKind.RECALLED, reason, by=by, now=now
    )


def set_apart(session: Session, lot_id: int, *, reason: str, by: Actor, now: datetime) -> Lot:
    """It waits for a test: nothing more of it is sold until it is released."""
    return _move(
        session, lot_id, LotState.AWAITING_TEST, LotEventKind.SET_APART, reason, by=by, now=now
    )


def close_lot(session: Session, lot_id: int, *, reason: str = "", by: Actor, now: datetime) -> Lot:
    """An empty lot is done with. More than 2 % lost of what came in asks for a reason (R9)."""
    lot = get_or_missing(session, Lot, lot_id)
    lock_pools(session, [lot.product_id])
    found = balance(session, lot_id)
    if found.on_hand:
        raise Refusal(Text("There are still goods in lot %(code)s.", code=lot.code))
    reason = tidy(reason)
    if not found.within_tolerance and not reason:
        raise Invalid({"reason": Text("More than 2 % of this lot was lost: say why.")})
    return _move(
        session, lot_id, LotState.CLOSED, LotEventKind.CLOSED, reason or "批次已清", by=by, now=now
    )


_FROM = {
    LotState.HOLD: {LotState.OPEN, LotState.AWAITING_TEST},
    LotState.OPEN: {LotState.HOLD, LotState.QUARANTINE, LotState.AWAITING_TEST},
    LotState.AWAITING_TEST: {LotState.OPEN, LotState.HOLD},
    LotState.QUARANTINE: {
        LotState.OPEN,
        LotState.HOLD,
        LotState.AWAITING_TEST,
        LotState.IN_TRANSIT,
        LotState.CLOSED,
    },
    LotState.CLOSED: {LotState.OPEN, LotState.HOLD, LotState.QUARANTINE},
}


def _move(
    session: Session,
    lot_id: int,
    to: LotState,
    kind: LotEventKind,
    reason: str,
    *,
    by: Actor,
    now: datetime,
) -> Lot:
    reason = tidy(reason)[:200]
    if not reason:
        raise Invalid({"reason": Text("Say why.")})
    lot = get_or_missing(session, Lot, lot_id)
    lock_pools(session, [lot.product_id])
    lot = get_or_missing(session, Lot, lot_id, lock=True)
    if lot.state is to:
        return lot
    if lot.state not in _FROM[to]:
        raise Refusal("A lot that is “%(state)s” cannot become “%(to)s”.", state=lot.state, to=to)
    lot.state = to
    lot.state_reason = "" if to is LotState.OPEN else reason
    session.add(
        LotEvent(
            lot_id=lot.id, kind=kind, on=business_day(now), note_zh=reason, details={},
            **stamp(by, now),
        )
    )  # fmt: skip
    audit.note(session, f"{to.value}_lot", f"lot:{lot.id}", by=by, now=now, reason=reason)
    return lot


# What may be written down of a lot by itself; all else changes something and is its own verb.
BY_HAND = (
    LotEventKind.SOWN,
    LotEventKind.HARVESTED,
    LotEventKind.WEIGHED,
    LotEventKind.TESTED,
    LotEventKind.PROCESSED,
    LotEventKind.PACKED,
)


def add_lot_event(
    session: Session,
    lot_id: int,
    *,
    kind: LotEventKind,
    on: date,
    note_zh: str,
    note_en: str = "",
    details: dict[str, Any] | None = None,
    by: Actor,
    now: datetime,
) -> LotEvent:
    """Sown, tested, packed: one more mark on the lot's road. Events are never changed."""
    lot = get_or_missing(session, Lot, lot_id)
    if kind not in BY_HAND:
        raise Refusal("Holding, releasing and recalling change the lot; use those.")
    event = LotEvent(
        lot_id=lot.id,
        kind=kind,
        on=on,
        note_zh=tidy(note_zh)[:200],
        note_en=tidy(note_en)[:300],
        details=details or {},
        **stamp(by, now),
    )
    session.add(event)
    audit.note(session, "add_lot_event", f"lot:{lot.id}", by=by, now=now, kind=kind)
    return event
