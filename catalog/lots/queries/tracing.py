"""The road of a lot: for the public down to the village, for its supplier down to the household."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotState,
    MoveKind,
    Processing,
    ProcessingInput,
    StockMove,
)
from catalog.lots.queries.codes import Bag, find_code
from catalog.lots.queries.stock import CAME_IN, MADE
from catalog.lots.queries.villages import Origins, VillageCount, village_counts
from catalog.suppliers.models import Certificate, CertificateKind
from kernel.db import sum_whole
from kernel.periods import business_day

# Longer chains than fresh → dried → flour → tofu do not happen; a limit keeps a mistake finite.
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Balance:
    """What came into a lot and where it went, in base units. `difference` is 0 when all is well."""

    came_in: int
    returned: int
    processed: int
    spoiled: int
    counted: int
    shipped: int
    on_hand: int
    moved_out: int = 0
    undone: int = 0

    @property
    def difference(self) -> int:
        gone = self.processed + self.moved_out + self.spoiled + self.shipped + self.on_hand
        return self.came_in + self.returned + self.counted + self.undone - gone

    @property
    def lost(self) -> int:
        """Written off, and found missing or too much."""
        return self.spoiled - self.counted

    @property
    def within_tolerance(self) -> bool:
        """R9: at most 2 % of what came in was lost, or found too much."""
        return abs(self.lost) * 50 <= self.came_in


@dataclass(frozen=True, slots=True)
class Link:
    """A lot that another was made of, or was made from it."""

    lot_id: int
    code: str
    trace_key: str
    product_zh: str
    product_en: str
    step: str
    on: date
    quantity: int
    state: LotState
    depth: int


@dataclass(frozen=True, slots=True)
class CertificateShown:
    kind: CertificateKind
    number: str
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class TraceSheet:
    """Everything anybody may know of a lot: villages, never households (domain.md §2.4, §5.5).

    `lot` has its product and its supplier with organisation loaded.
    """

    lot: Lot
    bag: Bag | None
    events: tuple[LotEvent, ...]
    shipped_on: date | None
    villages: tuple[VillageCount, ...]
    households: str
    balance: Balance
    certificates: tuple[CertificateShown, ...]
    made_of: tuple[Link, ...]
    made_into: tuple[Link, ...]

    @property
    def recalled(self) -> bool:
        return self.lot.state is LotState.QUARANTINE


def trace(session: Session, code_or_key: str, *, today: date | None = None) -> TraceSheet:
    """By the code of a bag or lot, or by the lot's key (`find_code`); or Missing."""
    lot, bag = find_code(session, code_or_key)
    sources = made_of(session, [lot.id])
    origins = _origins(session, lot)
    first_shipped = _first_shipped(session, lot.id)
    return TraceSheet(
        lot=lot,
        bag=bag,
        events=events_of(session, [lot.id]),
        shipped_on=business_day(first_shipped) if first_shipped else None,
        villages=origins.villages,
        households=origins.shown,
        balance=balance(session, lot.id),
        certificates=_certificates(session, lot.supplier_id, today or lot.best_before),
        made_of=sources,
        made_into=made_into(session, [lot.id]),
    )


def _first_shipped(session: Session, lot_id: int) -> datetime | None:
    """When goods of this lot first left and were not called back: a call-back writes the opposite
    move, whose cause names the one it undoes (`ship_out`, `call_back`)."""
    rows = session.execute(
        sa.select(StockMove.made_at, StockMove.cause)
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .where(Contribution.lot_id == lot_id, StockMove.kind == MoveKind.SHIPPED)
    ).all()
    undone = {cause.replace(":back:", ":") for _, cause in rows if ":back:" in cause}
    return min((at for at, cause in rows if ":back:" not in cause and cause not in undone),
               default=None)  # fmt: skip


def _origins(session: Session, lot: Lot) -> Origins:
    return village_counts(session, Lot.id == lot.id)


def events_of(session: Session, lot_ids: Sequence[int]) -> tuple[LotEvent, ...]:
    """Oldest first."""
    return tuple(
        session.scalars(
            sa.select(LotEvent)
            .where(LotEvent.lot_id.in_(lot_ids))
            .order_by(LotEvent.on, LotEvent.id)
        )
    )


def _certificates(session: Session, supplier_id: int, on: date) -> tuple[CertificateShown, ...]:
    rows = session.execute(
        sa.select(Certificate.kind, Certificate.number, Certificate.valid_to)
        .where(
            Certificate.supplier_id == supplier_id,
            Certificate.valid_from <= on,
            sa.or_(Certificate.valid_to.is_(None), Certificate.valid_to >= on),
        )
        .order_by(Certificate.kind, Certificate.id)
    )
    return tuple(CertificateShown(*row) for row in rows)


def balance(session: Session, lot_id: int) -> Balance:
    """The moves of a lot by kind, and what its contributions say is there."""
    return balances(session, [lot_id])[lot_id]


def balances(session: Session, lot_ids: Collection[int]) -> dict[int, Balance]:
    """The same for many lots; two queries."""
    moved: dict[int, dict[MoveKind, int]] = {each: {} for each in lot_ids}
    for lot_id, kind, quantity in session.execute(
        sa.select(Contribution.lot_id, StockMove.kind, sa.func.sum(StockMove.quantity))
        .join(Contribution, Contribution.id == StockMove.contribution_id)
        .where(Contribution.lot_id.in_(lot_ids))
        .group_by(Contribution.lot_id, StockMove.kind)
    ):
        moved[lot_id][kind] = int(quantity)
    rows = session.execute(
        sa.select(Contribution.lot_id, sum_whole(Contribution.on_hand))
        .where(Contribution.lot_id.in_(lot_ids))
        .group_by(Contribution.lot_id)
    ).all()
    on_hand = dict(rows)
    return {each: _balance(moved[each], on_hand.get(each, 0)) for each in lot_ids}


def _balance(moved: dict[MoveKind, int], on_hand: int) -> Balance:
    return Balance(
        # What a reversed slip had brought never came.
        came_in=sum(moved.get(kind, 0) for kind in (*CAME_IN, MoveKind.REVERSED)),
        returned=moved.get(MoveKind.RETURNED, 0),
        processed=-moved.get(MoveKind.TO_PROCESSING, 0),
        spoiled=-moved.get(MoveKind.SPOILED, 0),
        counted=moved.get(MoveKind.COUNT_SURPLUS, 0) + moved.get(MoveKind.COUNT_SHORTAGE, 0),
        shipped=-moved.get(MoveKind.SHIPPED, 0),
        on_hand=int(on_hand),
        moved_out=-moved.get(MoveKind.MOVED_OUT, 0),
        undone=moved.get(MoveKind.UNDONE, 0),
    )


def made_of(session: Session, lot_ids: Collection[int]) -> tuple[Link, ...]:
    """Back to the fields: every lot these were made of, nearest first; one query a step."""
    return _walk(session, lot_ids, MADE.c.lot_id, ProcessingInput.lot_id)


def made_into(session: Session, lot_ids: Collection[int]) -> tuple[Link, ...]:
    """Forward: every lot that has some of these in it, nearest first; one query a step."""
    return _walk(session, lot_ids, ProcessingInput.lot_id, MADE.c.lot_id)


def _walk(
    session: Session, lot_ids: Collection[int], here: object, there: object
) -> tuple[Link, ...]:
    seen, edge, links = set(lot_ids), set(lot_ids), []
    for depth in range(1, DEEPEST + 1):
        rows = session.execute(
            sa.select(Processing.step, Processing.on, ProcessingInput.quantity, Lot)
            .join(ProcessingInput, ProcessingInput.processing_id == Processing.id)
            .join(MADE, MADE.c.processing_id == Processing.id)
            .join(Lot, Lot.id == there)  # type: ignore[arg-type]
            .options(joinedload(Lot.product))
            .where(Processing.undone_at.is_(None))
            .where(here.in_(edge))  # type: ignore[attr-defined]
            .order_by(Lot.id, Processing.id)
        ).all()
        links += [
            Link(
                lot.id, lot.code, lot.trace_key, lot.product.name_zh, lot.product.name_en,
                step, on, quantity, lot.state, depth,
            )
            for step, on, quantity, lot in rows
            if lot.id not in seen
        ]  # fmt: skip
        edge = {lot.id for _, _, _, lot in rows} - seen
        seen |= edge
        if not edge:
            break
    return tuple(links)


@dataclass(frozen=True, slots=True)
class Affected:
    """A lot that a recall reaches: the lot itself, or one that was made of it."""

    lot_id: int
    code: str
    product_zh: str
    product_en: str
    state: LotState
    on_hand: int
    reserved: int
    shipped: int


def affected_by(session: Session, lot_id: int) -> list[Affected]:
    """The recall list inside the store; who bought some of it is known one room above."""
    below = {link.lot_id for link in made_into(session, [lot_id])}
    shipped = (
        sa.select(
            Contribution.lot_id,
            sa.cast(sa.func.sum(-StockMove.quantity), sa.BigInteger).label("shipped"),
        )
        .join(StockMove, StockMove.contribution_id == Contribution.id)
        .where(StockMove.kind.in_((MoveKind.SHIPPED, MoveKind.RETURNED)))
        .group_by(Contribution.lot_id)
        .subquery()
    )
    held = (
        sa.select(
            Contribution.lot_id,
            sa.cast(sa.func.sum(Contribution.on_hand), sa.BigInteger).label("on_hand"),
            sa.cast(sa.func.sum(Contribution.reserved), sa.BigInteger).label("reserved"),
        )
        .group_by(Contribution.lot_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(Lot, held.c.on_hand, held.c.reserved, sa.func.coalesce(shipped.c.shipped, 0))
        .options(joinedload(Lot.product))
        .join(held, held.c.lot_id == Lot.id)
        .outerjoin(shipped, shipped.c.lot_id == Lot.id)
        .where(Lot.id.in_({lot_id, *below}))
        .order_by(Lot.id)
    )
    return [
        Affected(
            lot.id, lot.code, lot.product.name_zh, lot.product.name_en, lot.state,
            int(on_hand), int(reserved), int(gone),
        )
        for lot, on_hand, reserved, gone in rows
    ]  # fmt: skip
