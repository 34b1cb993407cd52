"""Expected harvests: what may be promised of them, and each with its households."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.households.models import Household, Plot
from catalog.households.queries import short_name
from catalog.lots import rules
from catalog.lots.models import Contribution, Lot, LotState, WeighSlip
from catalog.lots.models.harvests import Harvest, HarvestArrival, HarvestPart
from catalog.lots.queries.stock import IN_LOT, STANDS, Candidate
from catalog.products.models import Grade, Product
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.periods import year_span
from kernel.regions import Region, within


def promisable_parts(
    session: Session, product_ids: Sequence[int], *, days: Sequence[date]
) -> list[Candidate]:
    """Everything of coming harvests of these products that may be promised for one of these days,
    in id order; the pools are locked by whoever promises. One query.

    Citizens are never served from here: only goods in the store are on the shelf (`sellable`).
    """
    free = HarvestPart.may_promise - Contribution.reserved
    rows = session.execute(
        sa.select(
            Contribution.id,
            Lot.id,
            Lot.product_id,
            Lot.grade,
            Contribution.household_id,
            free,
            Lot.best_before,
            Lot.available_from,
            Lot.code,
        )
        .join(HarvestPart, HarvestPart.contribution_id == Contribution.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(
            Lot.product_id.in_(product_ids),
            Lot.state == LotState.EXPECTED,
            Lot.available_from <= max(days),
            Lot.best_before >= min(days),
            free > 0,
        )
        .order_by(Contribution.id)
    )
    return [Candidate(*row) for row in rows]


def coming_sums(
    session: Session, product_ids: Collection[int], *, today: date
) -> dict[tuple[int, Grade], tuple[int, date]]:
    """(product, grade) → base units of coming harvests that may still be promised for some later
    day, and the first day of the earliest of them. One query."""
    tomorrow = today + timedelta(days=1)
    parts = promisable_parts(session, sorted(product_ids), days=[tomorrow, date.max])
    found: dict[tuple[int, Grade], tuple[int, date]] = {}
    for each in parts:
        much, since = found.get((each.product_id, each.grade), (0, date.max))
        first = min(since, max(tomorrow, each.available_from))
        found[each.product_id, each.grade] = (much + each.free, first)
    return found


def harvests_of(session: Session, supplier_id: int, *, ended: bool = False) -> list[Harvest]:
    """A supplier's harvests with lots, products and parts, soonest first. Three queries.

    Those that are over are left out unless asked for, or something promised of them is still open.
    """
    chosen = sa.select(Harvest).join(Harvest.lot).where(Harvest.supplier_id == supplier_id)
    if not ended:
        holding = (
            sa.select(HarvestPart.harvest_id)
            .join(Contribution, Contribution.id == HarvestPart.contribution_id)
            .where(Contribution.reserved > 0)
        )
        chosen = chosen.where(sa.or_(Harvest.ended_at.is_(None), Harvest.id.in_(holding)))
    return list(
        session.scalars(
            chosen.order_by(Lot.available_from, Harvest.id).options(
                joinedload(Harvest.lot).joinedload(Lot.product), _parts()
            )
        )
    )


def _parts() -> sa.orm.interfaces.LoaderOption:
    return (
        selectinload(Harvest.parts)
        .joinedload(HarvestPart.contribution)
        .joinedload(Contribution.household)
    )


def harvest_of(session: Session, supplier_id: int, code: str) -> Harvest:
    """This supplier's harvest by the code of its lot, read fresh; or Missing."""
    found = session.scalar(
        sa.select(Harvest)
        .join(Harvest.lot)
        .where(Harvest.supplier_id == supplier_id, Lot.code == code)
        .options(joinedload(Harvest.lot).joinedload(Lot.product), _parts())
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


@dataclass(frozen=True, slots=True)
class Grower:
    """A household that grows the crop this year: what its fields can still bear, in base units;
    None where nobody said what a mu may bear."""

    household_id: int
    code: str
    name: str
    village: str
    area_mu_100: int
    plausible: int | None


def growers(
    session: Session,
    product: Product,
    prefixes: Sequence[str],
    *,
    year: int,
    household_ids: Collection[int] | None = None,
) -> list[Grower]:
    """Households of these regions with fields of the product's crop, by village and name: what
    they may still bring is what the fields bear, less what was brought and what other harvests
    still expect of them. Three queries."""
    area = sum_whole(Plot.area_mu_100)
    chosen = sa.and_(
        Plot.crop == product.code, Plot.year == year, Plot.retired_on.is_(None),
        within(Household.region_code, list(prefixes)),
    )  # fmt: skip
    if household_ids is not None:
        chosen = sa.and_(chosen, Household.id.in_(sorted(household_ids)))
    rows = session.execute(
        sa.select(Household.id, Household.code, Household.name, Region.name, area)
        .join(Plot, Plot.household_id == Household.id)
        .join(Region, Region.code == Household.region_code)
        .where(chosen)
        .group_by(Household.id, Region.code, Region.name)
        .order_by(Region.code, Household.pinyin, Household.id)
    ).all()
    taken = _spoken_for(session, product.id, year)
    most = product.most_yield_kg_per_mu
    return [
        Grower(
            key, code, name, short_name(village), int(mu),
            None if most is None
            else max(0, rules.plausible_g(int(mu), most) - taken.get(key, 0)),
        )
        for key, code, name, village, mu in rows
    ]  # fmt: skip


def _spoken_for(session: Session, product_id: int, year: int) -> dict[int, int]:
    """Household → grams it brought this year, and those other harvests still wait for."""
    begin, end = year_span(year)
    found = {
        key: int(net)
        for key, net in session.execute(
            sa.select(WeighSlip.household_id, sum_whole(WeighSlip.net_g))
            .where(
                WeighSlip.product_id == product_id,
                STANDS,
                WeighSlip.weighed_at >= begin,
                WeighSlip.weighed_at < end,
            )
            .group_by(WeighSlip.household_id)
        )
    }
    waiting = sa.case(
        (HarvestPart.expected > HarvestPart.came, HarvestPart.expected - HarvestPart.came), else_=0
    )
    for key, more in session.execute(
        sa.select(Contribution.household_id, sum_whole(waiting))
        .join(HarvestPart, HarvestPart.contribution_id == Contribution.id)
        .join(Harvest, Harvest.id == HarvestPart.harvest_id)
        .where(Contribution.product_id == product_id, Harvest.ended_at.is_(None))
        .group_by(Contribution.household_id)
    ):
        if key is not None:
            found[key] = found.get(key, 0) + int(more)
    return found


def lots_that_came(session: Session, harvest: Harvest) -> list[tuple[Lot, int]]:
    """Open lots of the same goods that may have been this harvest, with what is free in them."""
    lot = harvest.lot
    rows = session.execute(
        sa.select(Lot, sum_whole(Contribution.on_hand - Contribution.reserved))
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(
            Lot.supplier_id == harvest.supplier_id,
            Lot.product_id == lot.product_id,
            Lot.grade == lot.grade,
            Lot.state == LotState.OPEN,
        )
        .group_by(Lot.id)
        .having(sa.func.sum(Contribution.on_hand) > 0)
        .order_by(Lot.harvested_on.desc(), Lot.id)
        .limit(20)
    )
    return [(each, int(free)) for each, free in rows]


def uncounted_parts(session: Session, lot_id: int) -> list[Contribution]:
    """What households brought into a lot and no harvest has counted yet."""
    return list(
        session.scalars(
            sa.select(Contribution)
            .where(
                Contribution.lot_id == lot_id,
                Contribution.household_id.is_not(None),
                IN_LOT,
                Contribution.id.not_in(sa.select(HarvestArrival.contribution_id)),
            )
            .order_by(Contribution.id)
        )
    )
