"""The counters of the store move only here: each row under its own condition, each row proved.

`on_hand` and `reserved` are changed by one statement for many rows. It carries the condition into
every row and tells which rows it changed; a row that is missing from the answer stops everything,
so a plan that is out of date can never be half done (lessons §1, rows 1, 3 and 5).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots import rules
from catalog.lots.models import Contribution, Lot, MoveKind, StockMove
from catalog.lots.queries.stock import gone_from_the_top, lock_pools
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Refusal, Text
from kernel.money import ZERO, Money

Draws = Sequence[tuple[int, int]]

_LISTED = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS quantity "
        "FROM json_each(:draws)"
    ),
    "postgresql": (
        "SELECT (pair->>0)::bigint AS id, (pair->>1)::bigint AS quantity "
        "FROM json_array_elements(CAST(:draws AS json)) AS pair"
    ),
}


def reserve(session: Session, draws: Draws) -> None:
    """(contribution, quantity) are spoken for, all of them or none. The pools are locked."""
    _change(session, draws, "reserved = reserved + d.quantity", "on_hand - reserved >= d.quantity")


def release(session: Session, draws: Draws) -> None:
    """What was spoken for is free again."""
    _change(session, draws, "reserved = reserved - d.quantity", "reserved >= d.quantity")


def ship_out(
    session: Session, draws: Draws, *, cause_prefix: str, by: Actor, now: datetime
) -> list[StockMove]:
    """Reserved goods leave the store; each contribution's move has the cause `prefix:id`."""
    _change(
        session,
        draws,
        "reserved = reserved - d.quantity, on_hand = on_hand - d.quantity",
        "reserved >= d.quantity",
    )
    return _write_moves(
        session,
        MoveKind.SHIPPED,
        [(key, -quantity, f"{cause_prefix}:{key}") for key, quantity in summed(draws)],
        by=by,
        now=now,
    )


def call_back(
    session: Session, draws: Draws, *, cause_prefix: str, by: Actor, now: datetime
) -> list[StockMove]:
    """Goods that were shipped out on paper only lie in the store again, reserved as before: the
    same moves with the other sign."""
    _change(
        session,
        draws,
        "reserved = reserved + d.quantity, on_hand = on_hand + d.quantity",
        "on_hand + d.quantity <= contributions.quantity",
    )
    return _write_moves(
        session,
        MoveKind.SHIPPED,
        [(key, quantity, f"{cause_prefix}:{key}") for key, quantity in summed(draws)],
        by=by,
        now=now,
    )


def take_out(
    session: Session, draws: Draws, *, kind: MoveKind, cause_prefix: str, by: Actor, now: datetime
) -> list[StockMove]:
    """Free goods leave the store for processing or as loss."""
    _change(session, draws, "on_hand = on_hand - d.quantity", "on_hand - reserved >= d.quantity")
    return _write_moves(
        session,
        kind,
        [(key, -quantity, f"{cause_prefix}:{key}") for key, quantity in summed(draws)],
        by=by,
        now=now,
    )


def bring_back(
    session: Session, draws: Draws, *, kind: MoveKind, cause_prefix: str, by: Actor, now: datetime
) -> list[StockMove]:
    """Goods that had left otherwise than by sale are there again, each in its own part."""
    _change(
        session,
        draws,
        "on_hand = on_hand + d.quantity",
        "on_hand + d.quantity <= contributions.quantity",
    )
    return _write_moves(
        session,
        kind,
        [(key, quantity, f"{cause_prefix}:{key}") for key, quantity in summed(draws)],
        by=by,
        now=now,
    )


def put_in(
    session: Session,
    lot: Lot,
    quantity: int,
    *,
    kind: MoveKind,
    cause: str,
    by: Actor,
    now: datetime,
) -> Contribution:
    """Goods that nobody brought were found in a lot: the cooperative's own, at no cost."""
    part = Contribution(
        lot_id=lot.id,
        product_id=lot.product_id,
        household_id=None,
        quantity=quantity,
        cost=ZERO,
        on_hand=quantity,
        reserved=0,
        **stamp(by, now),
    )
    session.add(part)
    session.flush()  # so that its move can point to it
    _write_moves(session, kind, [(part.id, quantity, cause)], by=by, now=now)
    return part


def put_back(
    session: Session, contribution_id: int, quantity: int, *, cause: str, by: Actor, now: datetime
) -> None:
    """Goods come back from a buyer into the part of the lot they left. Once per cause."""
    if quantity == 0 or _known(session, cause):
        return
    assert quantity > 0
    _lock_pool_of(session, contribution_id)
    _change(
        session,
        [(contribution_id, quantity)],
        "on_hand = on_hand + d.quantity",
        "on_hand + d.quantity <= contributions.quantity",
    )
    _write_moves(session, MoveKind.RETURNED, [(contribution_id, quantity, cause)], by=by, now=now)
    audit.note(
        session,
        "put_back",
        f"contribution:{contribution_id}",
        by=by,
        now=now,
        cause=cause,
        quantity=quantity,
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost and what it had cost; whoever keeps the books writes it off."""

    contribution_id: int
    quantity: int
    cost: Money


def spoil(
    session: Session, contribution_id: int, quantity: int, *, cause: str, by: Actor, now: datetime
) -> Loss:
    """Free goods are lost (报损). Once per cause: the second time nothing is lost."""
    if quantity == 0 or _known(session, cause):
        return Loss(contribution_id, 0, ZERO)
    assert quantity > 0
    _lock_pool_of(session, contribution_id)
    contribution = get_or_missing(session, Contribution, contribution_id)
    gone = gone_from_the_top(session, [contribution_id]).get(contribution_id, 0)
    _change(
        session,
        [(contribution_id, quantity)],
        "on_hand = on_hand - d.quantity",
        "on_hand - reserved >= d.quantity",
    )
    cost = rules.cost_from_the_top(contribution.cost.fen, contribution.quantity, gone, quantity)
    _write_moves(session, MoveKind.SPOILED, [(contribution_id, -quantity, cause)], by=by, now=now)
    audit.note(
        session,
        "spoil",
        f"contribution:{contribution_id}",
        by=by,
        now=now,
        cause=cause,
        quantity=quantity,
    )
    return Loss(contribution_id, quantity, Money(cost))


def summed(draws: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """One entry per contribution, in id order: two lines that draw on one part are one demand."""
    together: dict[int, int] = {}
    for key, quantity in draws:
        assert quantity > 0, (key, quantity)
        together[key] = together.get(key, 0) + quantity
    return sorted(together.items())


def _change(session: Session, draws: Draws, changes: str, condition: str) -> None:
    wanted = summed(draws)
    if not wanted:
        return
    session.flush()
    statement = sa.text(
        f"UPDATE contributions SET {changes} "  # noqa: S608  the pieces are written above
        f"FROM ({_LISTED[session.get_bind().dialect.name]}) AS d "
        f"WHERE contributions.id = d.id AND {condition} RETURNING contributions.id"
    )
    changed = set(session.scalars(statement, {"draws": json.dumps(wanted)}))
    if changed != {key for key, _ in wanted}:
        raise Refusal(Text("Somebody else was faster: some of these goods are no longer there."))
    _forget_counters(session, changed)


def _forget_counters(session: Session, contribution_ids: Iterable[int]) -> None:
    """Rows that the session holds already are read again when asked."""
    for key in contribution_ids:
        held = session.identity_map.get(sa.orm.util.identity_key(Contribution, key))
        if held is not None:
            session.expire(held, ["on_hand", "reserved"])


def _write_moves(
    session: Session,
    kind: MoveKind,
    moves: Iterable[tuple[int, int, str]],
    *,
    by: Actor,
    now: datetime,
) -> list[StockMove]:
    rows = [
        StockMove(contribution_id=key, kind=kind, quantity=quantity, cause=cause, **stamp(by, now))
        for key, quantity, cause in moves
    ]
    session.add_all(rows)
    session.flush()  # a cause that was used before is refused here and now
    return rows


def _known(session: Session, cause: str) -> bool:
    return session.scalar(sa.select(StockMove.id).where(StockMove.cause == cause)) is not None


def _lock_pool_of(session: Session, contribution_id: int) -> None:
    contribution = get_or_missing(session, Contribution, contribution_id)
    lock_pools(session, [contribution.product_id])
