"""A supplier's own store: its slips, its lots, who brought what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import HouseholdRow, plot_areas, short_name
from catalog.lots import rules
from catalog.lots.models import (
    Contribution,
    Lot,
    LotEvent,
    LotState,
    SlipState,
    StockMove,
    WeighSlip,
)
from catalog.lots.queries.stock import plain_values
from catalog.lots.queries.tracing import Balance, Link, balance, events_of, made_into, made_of
from catalog.products.models import Grade, Product
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.periods import business_day, day_end, day_start, year_span
from kernel.quantities import BaseUnit
from kernel.regions import Region


def _missing() -> Missing:
    return Missing(Text("There is nothing at this address, or it is not yours."))


def _with_people(chosen: sa.Select[WeighSlip]) -> sa.Select[WeighSlip]:
    return chosen.options(joinedload(WeighSlip.household), joinedload(WeighSlip.product))


def slip_of(session: Session, supplier_id: int, number: str) -> WeighSlip:
    """This supplier's slip with household, product, price and contribution loaded; or Missing."""
    found = session.scalar(
        _with_people(sa.select(WeighSlip))
        .options(
            joinedload(WeighSlip.purchase_price),
            joinedload(WeighSlip.contribution).joinedload(Contribution.lot),
        )
        .where(WeighSlip.supplier_id == supplier_id, WeighSlip.number == number)
    )
    if found is None:
        raise _missing()
    return found


def slips_of_day(session: Session, supplier_id: int, day: date) -> list[WeighSlip]:
    """Everything weighed that day, newest first, with household and product."""
    return list(
        session.scalars(
            _with_people(sa.select(WeighSlip))
            .where(
                WeighSlip.supplier_id == supplier_id,
                WeighSlip.weighed_at >= day_start(day),
                WeighSlip.weighed_at < day_end(day),
            )
            .order_by(WeighSlip.weighed_at.desc(), WeighSlip.id.desc())
        )
    )


def slips_in_state(
    session: Session, supplier_id: int, *states: SlipState, limit: int = 200
) -> list[WeighSlip]:
    """Oldest first, with household and product."""
    return list(
        session.scalars(
            _with_people(sa.select(WeighSlip))
            .where(WeighSlip.supplier_id == supplier_id, WeighSlip.state.in_(states))
            .order_by(WeighSlip.weighed_at, WeighSlip.id)
            .limit(limit)
        )
    )


def recent_slips(
    session: Session, supplier_id: int, *, offset: int = 0, limit: int = 50
) -> list[WeighSlip]:
    """Taken in or void, newest first, with household and product."""
    return list(
        session.scalars(
            _with_people(sa.select(WeighSlip))
            .where(
                WeighSlip.supplier_id == supplier_id,
                WeighSlip.state.in_((SlipState.TAKEN_IN, SlipState.VOID)),
            )
            .order_by(WeighSlip.weighed_at.desc(), WeighSlip.id.desc())
            .offset(offset)
            .limit(limit)
        )
    )


@dataclass(frozen=True, slots=True)
class Season:
    """What a household brought of a product this year, and what its fields can bear at most."""

    brought_g: int
    most_g: int | None
    area_mu_100: int
    yield_kg_per_mu: int | None

    @property
    def expected(self) -> bool:
        """Whether the household grows it or has brought it this year."""
        return bool(self.brought_g or self.most_g)

    @property
    def share(self) -> Fraction | None:
        """How much of what the fields bear has been brought."""
        return Fraction(self.brought_g, self.most_g) if self.most_g else None


def seasons(
    session: Session, household_id: int, products: Sequence[Product], *, year: int
) -> dict[int, Season]:
    """Product → the household's year so far. Two queries."""
    start, end = year_span(year)
    brought = {
        product_id: int(net)
        for product_id, net in session.execute(
            sa.select(WeighSlip.product_id, sum_whole(WeighSlip.net_g))
            .where(
                WeighSlip.household_id == household_id,
                WeighSlip.state != SlipState.VOID,
                WeighSlip.weighed_at >= start,
                WeighSlip.weighed_at < end,
            )
            .group_by(WeighSlip.product_id)
        )
    }
    areas = plot_areas(session, household_id, year=year)
    return {
        product.id: _season(product, brought.get(product.id, 0), areas.get(product.code, 0))
        for product in products
    }


def _season(product: Product, brought_g: int, area: int) -> Season:
    if product.most_yield_kg_per_mu is None:
        return Season(brought_g, None, area, None)
    most = rules.plausible_g(area, product.most_yield_kg_per_mu)
    return Season(brought_g, most, area, product.most_yield_kg_per_mu)


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


def lots_of(
    session: Session,
    supplier_id: int,
    *,
    states: Sequence[LotState] = (LotState.OPEN, LotState.HOLD, LotState.QUARANTINE),
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
        .join(Contribution, Contribution.lot_id == Lot.id)
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
        .where(Contribution.lot_id.in_(lot_ids))
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
        return Money(sum(part.cost.fen for part in self.contributions))


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


def slips_of_household(
    session: Session, supplier_id: int, household_id: int, *, year: int
) -> list[WeighSlip]:
    """What it brought to this supplier in the year, newest first, with product and lot."""
    start, end = year_span(year)
    return list(
        session.scalars(
            sa.select(WeighSlip)
            .options(
                joinedload(WeighSlip.product),
                joinedload(WeighSlip.contribution).joinedload(Contribution.lot),
            )
            .where(
                WeighSlip.supplier_id == supplier_id,
                WeighSlip.household_id == household_id,
                WeighSlip.weighed_at >= start,
                WeighSlip.weighed_at < end,
            )
            .order_by(WeighSlip.weighed_at.desc(), WeighSlip.id.desc())
        )
    )


@dataclass(frozen=True, slots=True)
class Producer:
    """A household that brought goods to this supplier: what and for how much, this year."""

    household: HouseholdRow
    slips: int
    net_g: int
    amount: Money
    last_on: date


def producers(
    session: Session,
    supplier_id: int,
    *,
    year: int,
    text: str = "",
    household_ids: Sequence[int] | None = None,
    limit: int = 300,
) -> list[Producer]:
    """A supplier's own producers of the year, by village, group and name; all or these."""
    start, end = year_span(year)
    last = sa.func.max(WeighSlip.weighed_at)
    query = (
        sa.select(
            Household.id,
            Household.code,
            Household.name,
            Household.region_code,
            Region.name,
            Household.group_no,
            Household.people,
            sa.func.count(WeighSlip.id),
            sum_whole(WeighSlip.net_g),
            sum_money(WeighSlip.amount),
            last,
        )
        .join(Region, Region.code == Household.region_code)
        .join(WeighSlip, WeighSlip.household_id == Household.id)
        .where(
            WeighSlip.supplier_id == supplier_id,
            WeighSlip.state != SlipState.VOID,
            WeighSlip.weighed_at >= start,
            WeighSlip.weighed_at < end,
        )
        .group_by(Household.id, Region.id)
        .order_by(Household.region_code, Household.group_no, Household.pinyin, Household.id)
        .limit(limit)
    )
    if household_ids is not None:
        query = query.where(Household.id.in_(household_ids))
    if text:
        query = query.where(
            sa.or_(
                Household.name.contains(text, autoescape=True),
                Household.pinyin.startswith(text.lower(), autoescape=True),
                Household.initials.startswith(text.lower(), autoescape=True),
                Household.code.icontains(text, autoescape=True),
            )
        )
    return [
        Producer(
            HouseholdRow(*row[:4], short_name(row[4]), *row[5:7]),
            row[7], int(row[8]), row[9], business_day(row[10]),
        )
        for row in session.execute(query)
    ]  # fmt: skip
