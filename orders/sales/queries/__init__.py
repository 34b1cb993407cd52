"""Reads of orders: for pages, and for the rule that chooses lots."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.util import identity_key

from catalog.households.models import Household
from catalog.lots.models import Contribution
from catalog.lots.models.harvests import HarvestPart
from catalog.lots.queries.stock import IN_LOT
from catalog.products.models import Grade, Pack
from catalog.suppliers.models import Supplier
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.periods import business_year, year_span
from kernel.regions import Region, counties
from orders.sales.models import (
    Allocation,
    Basket,
    BasketLine,
    BuyerKind,
    Order,
    OrderLine,
    OrderState,
    Shipment,
)
from orders.sales.rules.addresses import Place
from orders.sales.rules.allocation import Standing

TO_PACK = (OrderState.TO_SHIP, OrderState.PARTLY_SHIPPED)


def order_sheet(session: Session, order_id: int) -> Order:
    """One order with everything about it: lines, allocations with lots, events, shipments."""
    found = session.scalar(_sheet().where(Order.id == order_id))
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def order_by_code(session: Session, code: str) -> Order:
    """The same by its public code. Whoever calls this has checked the key or the owner."""
    found = session.scalar(_sheet().where(Order.code == code.strip().upper()))
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def order_with_lines(session: Session, order_id: int) -> Order:
    """One order with its lines only, in one query."""
    found = session.scalars(
        sa.select(Order).where(Order.id == order_id).options(joinedload(Order.lines))
    )
    return found.unique().one()


def _sheet() -> sa.Select[Order]:
    return sa.select(Order).options(
        joinedload(Order.supplier).joinedload(Supplier.organisation),
        joinedload(Order.organisation),
        selectinload(Order.lines).options(
            joinedload(OrderLine.product),
            joinedload(OrderLine.supplier),
            joinedload(OrderLine.to),
            selectinload(OrderLine.allocations).options(
                joinedload(Allocation.lot),
                joinedload(Allocation.household).load_only(
                    Household.id, Household.code, Household.region_code, Household.name
                ),
            ),
        ),
        selectinload(Order.events),
        selectinload(Order.shipments).options(
            selectinload(Shipment.lines), joinedload(Shipment.by_carrier)
        ),
    )


def basket_of(session: Session, key: str | None, user_id: int | None) -> Basket | None:
    """The basket of this person, or of this browser, with packs and products."""
    if key is None and user_id is None:
        return None
    mine = Basket.user_id == user_id if user_id is not None else sa.false()
    theirs = sa.and_(Basket.key == key, Basket.user_id.is_(None)) if key else sa.false()
    found = session.scalars(
        sa.select(Basket)
        .where(sa.or_(mine, theirs))
        .order_by(Basket.user_id.is_(None), Basket.id)
        .options(joinedload(Basket.lines).joinedload(BasketLine.pack).joinedload(Pack.product))
        .execution_options(populate_existing=True)
    )
    return found.unique().first()


def basket_count(session: Session, key: str | None, user_id: int | None) -> int:
    """How many packs lie in the basket, for the mark in the page's head."""
    if key is None and user_id is None:
        return 0
    mine = Basket.user_id == user_id if user_id is not None else sa.false()
    theirs = sa.and_(Basket.key == key, Basket.user_id.is_(None)) if key else sa.false()
    return (
        session.scalar(
            sa.select(sum_whole(BasketLine.count))
            .join(Basket, Basket.id == BasketLine.basket_id)
            .where(mine if user_id is not None else theirs)
        )
        or 0
    )


def packs_with_products(session: Session, pack_ids: Collection[int]) -> dict[int, Pack]:
    """Packs by id with their products; what this session holds already is not asked for again."""
    held = {key: session.identity_map.get(identity_key(Pack, key)) for key in set(pack_ids)}
    known = {
        key: pack for key, pack in held.items() if pack is not None and "product" in vars(pack)
    }
    missing = sorted(set(pack_ids) - known.keys())
    if missing:
        rows = sa.select(Pack).where(Pack.id.in_(missing)).options(joinedload(Pack.product))
        known |= {pack.id: pack for pack in session.scalars(rows)}
    return known


def standings(
    session: Session, product_ids: Collection[int], now: datetime
) -> dict[tuple[int, int], Standing]:
    """Per (household, product): what was taken this year of what was brought this year. Of a coming
    harvest: what is promised of what may be."""
    begin, end = year_span(business_year(now))
    coming = HarvestPart.id.is_not(None)
    gone = sa.case(
        (coming, Contribution.reserved),
        else_=Contribution.quantity - Contribution.on_hand + Contribution.reserved,
    )
    brought = sa.case((coming, Contribution.on_hand), else_=Contribution.quantity)
    rows = session.execute(
        sa.select(
            Contribution.household_id,
            Contribution.product_id,
            sum_whole(gone),
            sum_whole(brought),
        )
        .outerjoin(HarvestPart, HarvestPart.contribution_id == Contribution.id)
        .where(
            Contribution.product_id.in_(sorted(product_ids)),
            Contribution.household_id.is_not(None),
            IN_LOT,
            Contribution.made_at >= begin,
            Contribution.made_at < end,
        )
        .group_by(Contribution.household_id, Contribution.product_id)
    )
    return {
        (household, product): Standing(int(served), int(weight))
        for household, product, served, weight in rows
        if household is not None
    }


def spent_on_households(
    session: Session, household_ids: Collection[int], now: datetime
) -> dict[int, int]:
    """Fen that units' orders of this year draw from each of these households, part fens upwards."""
    begin, end = year_span(business_year(now))
    kept = Allocation.quantity - Allocation.released
    # Integer division that rounds up, the same on both databases; Money columns hold fen.
    worth = sa.type_coerce(OrderLine.amount, sa.BigInteger) * kept + OrderLine.quantity - 1
    fen = worth.op("/", precedence=8)(OrderLine.quantity)  # as strong as *, or brackets go missing
    rows = session.execute(
        sa.select(Allocation.household_id, sum_whole(fen))
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Allocation.household_id.in_(sorted(household_ids)),
            Order.buyer_kind == BuyerKind.UNIT,
            Order.placed_at >= begin,
            Order.placed_at < end,
        )
        .group_by(Allocation.household_id)
    )
    return {household: int(spent) for household, spent in rows if household is not None}


def open_allocations(session: Session, order_ids: Collection[int]) -> list[Allocation]:
    """What these orders still hold in the store, in id order, with line and lot. Read fresh."""
    return list(
        session.scalars(
            sa.select(Allocation)
            .join(OrderLine, OrderLine.id == Allocation.line_id)
            .where(
                OrderLine.order_id.in_(sorted(order_ids)),
                Allocation.quantity > Allocation.released + Allocation.shipped,
            )
            .order_by(Allocation.id)
            .options(
                joinedload(Allocation.line).joinedload(OrderLine.product),
                joinedload(Allocation.lot),
            )
            .execution_options(populate_existing=True)
        )
    )


def products_of(session: Session, order_ids: Collection[int]) -> list[int]:
    """Products of these orders in id order, to be locked."""
    return list(
        session.scalars(
            sa.select(OrderLine.product_id)
            .where(OrderLine.order_id.in_(sorted(order_ids)))
            .distinct()
            .order_by(OrderLine.product_id)
        )
    )


def overdue_holds(session: Session, *, now: datetime, limit: int) -> list[Order]:
    """Citizens' orders whose time to pay is over, locked; those that others hold are left."""
    return list(
        session.scalars(
            sa.select(Order)
            .where(Order.state == OrderState.AWAITING_PAYMENT, Order.hold_until <= now)
            .order_by(Order.id)
            .limit(limit)
            .with_for_update(key_share=True, skip_locked=True)
            .execution_options(populate_existing=True)
        )
    )


def shipment_by_key(session: Session, request_key: str) -> Shipment | None:
    return session.scalar(
        sa.select(Shipment)
        .where(Shipment.request_key == request_key)
        .options(selectinload(Shipment.lines))
    )


def standing_shipments(session: Session, order_id: int) -> list[int]:
    """Deliveries of this order that were not called back."""
    return list(
        session.scalars(
            sa.select(Shipment.id)
            .where(Shipment.order_id == order_id, Shipment.cancelled_at.is_(None))
            .order_by(Shipment.id)
        )
    )


def places_named_in(session: Session, text: str) -> list[Place]:
    """Counties whose name stands in this text, with their prefecture and province."""
    return [Place(*each) for each in counties(session) if each.name in text]


def places_like(session: Session, typed: str, *, limit: int = 12) -> list[Place]:
    """Counties whose whole name holds what is typed so far: 渝北, 重庆市渝, 西湖区."""
    plain = "".join(typed.split())
    if not plain:
        return []
    found = (Place(*each) for each in counties(session))
    return list(islice((each for each in found if plain in each.name), limit))


def own_unpaid_orders(
    session: Session, *, user_id: int | None, codes: Collection[str], ending_by: datetime
) -> list[int]:
    """Orders of this person or this browser that hold goods and wait for payment, and would give
    them back by then: not those for which a transfer or somebody's look is awaited for days."""
    mine = Order.user_id == user_id if user_id is not None else sa.false()
    here = sa.and_(Order.code.in_(codes), Order.user_id.is_(None)) if codes else sa.false()
    return list(
        session.scalars(
            sa.select(Order.id)
            .where(
                Order.state == OrderState.AWAITING_PAYMENT,
                Order.hold_until <= ending_by,
                sa.or_(mine, here),
            )
            .order_by(Order.id)
        )
    )


def reserved_by(session: Session, order_ids: Collection[int]) -> dict[tuple[int, Grade], int]:
    """(product, grade) → base units these orders still hold."""
    if not order_ids:
        return {}
    open_part = Allocation.quantity - Allocation.released - Allocation.shipped
    rows = session.execute(
        sa.select(OrderLine.product_id, OrderLine.grade, sum_whole(open_part))
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .where(OrderLine.order_id.in_(sorted(order_ids)))
        .group_by(OrderLine.product_id, OrderLine.grade)
    )
    return {(product, grade): int(held) for product, grade, held in rows}


@dataclass(frozen=True, slots=True)
class Growers:
    """How many households of one village served one line."""

    line_id: int
    village: str
    households: int


def growers_of(session: Session, order_id: int) -> list[Growers]:
    """Villages and numbers of households behind each line; who may read the numbers is not said
    here (`catalog.households.rules.shown_count`)."""
    rows = session.execute(
        sa.select(
            Allocation.line_id, Region.name, sa.func.count(sa.distinct(Allocation.household_id))
        )
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .join(Household, Household.id == Allocation.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(OrderLine.order_id == order_id, Allocation.quantity > Allocation.released)
        .group_by(Allocation.line_id, Region.code, Region.name)
        .order_by(Allocation.line_id, Region.code)
    )
    return [
        Growers(line, name.removesuffix("村民委员会").removesuffix("居民委员会"), number)
        for line, name, number in rows
    ]


def households_by_village(session: Session, order_id: int) -> list[int]:
    """How many households of each village served the order, a household of several lines once; for
    the public only through `catalog.households.rules.shown_total`."""
    rows = session.execute(
        sa.select(Household.region_code, sa.func.count(sa.distinct(Household.id)))
        .join(Allocation, Allocation.household_id == Household.id)
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .where(OrderLine.order_id == order_id, Allocation.quantity > Allocation.released)
        .group_by(Household.region_code)
        .order_by(Household.region_code)
    )
    return [int(number) for _, number in rows]
