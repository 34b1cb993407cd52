"""A supplier's own store: its lots, and one lot down to the single move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotState,
    StockMove,
)
from catalog.lots.queries.stock import IN_LOT, plain_values
from catalog.lots.queries.tracing import Balance, Link, balance, events_of, made_into, made_of
from catalog.lots.rules import citizens_until
from catalog.products.models import Grade, Product
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.quantities import BaseUnit
from kernel.regions import Region


def _missing() -> Missing:
    return Missing(Text("There is nothing at this address, or it is not yours."))


IN_STORE = tuple(s for s in LotState if s not in (LotState.CLOSED, LotState.EXPECTED))


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot in a list."""

    id: int
    code: str
    product_zh: str
    product_en: str
    base_unit: BaseUnit
    grade: Grade
    state: LotState
    harvested_on: date
    best_before: date
    came_in: int
    on_hand: int
    reserved: int
    households: int
    villages: tuple[str, ...]

    @property
    def free(self) -> int:
        return self.on_hand - self.reserved

    def days_left(self, today: date) -> int:
        return (self.best_before - today).days

    def not_for_citizens(self, today: date) -> bool:
        """Still good and free, but too short of life for a parcel: the shop shows it no more."""
        good = today <= self.best_before < citizens_until(today)
        return good and self.free > 0 and self.state is LotState.OPEN


def lots_of(
    session: Session,
    supplier_id: int,
    *,
    states: Sequence[LotState] = IN_STORE,
    product_id: int | None = None,
    only_in_store: bool = False,
    best_before: date | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[LotRow]:
    """A supplier's lots, first to expire first. Two queries: the lots, and their villages."""
    chosen = sa.and_(Lot.supplier_id == supplier_id, Lot.state.in_(states))
    if product_id is not None:
        chosen = sa.and_(chosen, Lot.product_id == product_id)
    if best_before is not None:
        chosen = sa.and_(chosen, Lot.best_before <= best_before)
    query = (
        sa.select(
            Lot.id,
            Lot.code,
            Product.name_zh,
            Product.name_en,
            Product.base_unit,
            Lot.grade,
            Lot.state,
            Lot.harvested_on,
            Lot.best_before,
            sum_whole(Contribution.quantity),
            sum_whole(Contribution.on_hand),
            sum_whole(Contribution.reserved),
            sa.func.count(Contribution.household_id.distinct()),
        )
        .join(Product, Product.id == Lot.product_id)
        .join(Contribution, sa.and_(Contribution.lot_id == Lot.id, IN_LOT))
        .where(chosen)
        .group_by(Lot.id, Product.id)
        .order_by(Lot.best_before, Lot.id)
        .offset(offset)
        .limit(limit)
    )
    if only_in_store:
        query = query.having(sa.func.sum(Contribution.on_hand) > 0)
    rows = session.execute(query).all()
    places = villages_of_lots(session, [row[0] for row in rows])
    return [LotRow(*plain_values(row, tuple(places.get(row[0], ())))) for row in rows]


def villages_of_lots(session: Session, lot_ids: Sequence[int]) -> dict[int, list[str]]:
    """Lot → names of its villages, most goods first."""
    places: dict[int, list[str]] = {}
    for lot_id, village in session.execute(
        sa.select(Contribution.lot_id, Region.name)
        .join(Household, Household.id == Contribution.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(Contribution.lot_id.in_(lot_ids), IN_LOT)
        .group_by(Contribution.lot_id, Region.code, Region.name)
        .order_by(Contribution.lot_id, sa.func.sum(Contribution.quantity).desc(), Region.code)
    ):
        places.setdefault(lot_id, []).append(short_name(village))
    return places


def expiring(
    session: Session, supplier_id: int, *, today: date, within_days: int = 14, limit: int = 20
) -> list[LotRow]:
    """Lots with goods in the store that expire soon or have expired, soonest first."""
    return lots_of(
        session,
        supplier_id,
        only_in_store=True,
        best_before=today + timedelta(days=within_days),
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class LotSheet:
    """One lot as its own supplier sees it: down to the household and the single move.

    `lot` has its product loaded; contributions have their households, moves nothing.
    """

    lot: Lot
    events: tuple[LotEvent, ...]
    contributions: tuple[Contribution, ...]
    places: dict[int, str]
    moves: tuple[StockMove, ...]
    balance: Balance
    made_of: tuple[Link, ...]
    made_into: tuple[Link, ...]

    @property
    def cost(self) -> Money:
        return Money(sum(part.cost.fen for part in self.parts))

    @property
    def parts(self) -> tuple[Contribution, ...]:
        """What the lot consists of: parts whose slip was reversed are none."""
        return tuple(part for part in self.contributions if part.reversed_at is None)


def lot_of(session: Session, supplier_id: int, code: str) -> Lot:
    """This supplier's lot, or Missing."""
    found = session.scalar(
        sa.select(Lot)
        .options(joinedload(Lot.product))
        .where(Lot.supplier_id == supplier_id, Lot.code == code)
    )
    if found is None:
        raise _missing()
    return found


def lot_sheet(session: Session, supplier_id: int, code: str, *, moves: int = 200) -> LotSheet:
    """This supplier's lot with everything, the newest `moves` moves first; or Missing."""
    lot = lot_of(session, supplier_id, code)
    contributions = tuple(
        session.scalars(
            sa.select(Contribution)
            .options(joinedload(Contribution.household))
            .where(Contribution.lot_id == lot.id)
            .order_by(Contribution.id)
        )
    )
    codes = {part.household.region_code for part in contributions if part.household}
    names = dict(
        session.execute(sa.select(Region.code, Region.name).where(Region.code.in_(codes))).all()
    )
    return LotSheet(
        lot=lot,
        events=events_of(session, [lot.id]),
        contributions=contributions,
        places={
            part.id: short_name(names.get(part.household.region_code, ""))
            for part in contributions
            if part.household
        },
        moves=tuple(
            session.scalars(
                sa.select(StockMove)
                .join(Contribution, Contribution.id == StockMove.contribution_id)
                .where(Contribution.lot_id == lot.id)
                .order_by(StockMove.id.desc())
                .limit(moves)
            )
        ),
        balance=balance(session, lot.id),
        made_of=made_of(session, [lot.id]),
        made_into=made_into(session, [lot.id]),
    )
