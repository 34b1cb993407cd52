"""A supplier's weigh slips, and the households that brought something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.households.models import Household
from catalog.households.queries import HouseholdRow, plot_areas, short_name
from catalog.lots import rules
from catalog.lots.models import (
    Contribution,
    SlipState,
    WeighSlip,
)
from catalog.lots.queries.stock import STANDS
from catalog.products.models import Product
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.periods import business_day, day_end, day_start, year_span
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
    """Taken in, void or reversed, newest first, with household and product."""
    return list(
        session.scalars(
            _with_people(sa.select(WeighSlip))
            .where(
                WeighSlip.supplier_id == supplier_id,
                WeighSlip.state.in_((SlipState.TAKEN_IN, SlipState.VOID, SlipState.REVERSED)),
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
                STANDS,
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
            STANDS,
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
