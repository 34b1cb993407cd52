"""One order seen from the office: its lines, their lots, and the households behind them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.rules import Detail, Viewer, display, shown, shown_place
from catalog.lots.models import Lot
from catalog.products.models import Product
from kernel.db import sum_money
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money, total
from kernel.people import Organisation
from kernel.quantities import BaseUnit
from kernel.regions import Region
from orders.agencies.models import BulkOrder, Unit
from orders.agencies.queries.movements import MovementList, Wanted, movement_rows
from orders.agencies.queries.scope import Scope
from orders.sales.models import Allocation, Order, OrderLine
from orders.shares.models import HOUSEHOLD_PARTS, SplitPart


@dataclass(frozen=True, slots=True)
class Source:
    """So much of a line from one household's part of a lot; the name as this viewer may read it."""

    lot_code: str
    trace_key: str
    household_code: str
    household: str
    village: str
    group_no: int | None
    quantity: int
    released: int
    shipped: int
    received: Money


@dataclass(frozen=True, slots=True)
class LineSheet:
    position: int
    name_zh: str
    name_en: str
    pack_zh: str
    pack_en: str
    unit: BaseUnit
    quantity: int
    amount: Money
    sources: list[Source]


@dataclass(frozen=True, slots=True)
class OrderSheet:
    number: str
    code: str
    unit_id: int
    unit: str
    bulk: BulkOrder
    order: Order
    lines: list[LineSheet]
    movements: MovementList
    accepted: Money
    to_households: Money
    households: int


def order_sheet(
    session: Session, scope: Scope, number: str, *, viewer: Viewer, today: date
) -> OrderSheet:
    """An order of one of the scope's units; Missing for any other, as if it did not exist."""
    found = session.execute(
        sa.select(BulkOrder, Order, Organisation.name)
        .join(Order, Order.id == BulkOrder.order_id)
        .join(Unit, Unit.id == BulkOrder.unit_id)
        .join(Organisation, Organisation.id == Unit.organisation_id)
        .where(Order.number == number.strip().upper(), BulkOrder.unit_id.in_(scope.unit_ids()))
    ).one_or_none()
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    bulk, order, unit = found
    parts = _parts(session, order.id)
    lines = _lines(session, order.id, parts, viewer)
    reached = {household: amount for (_, household), amount in parts.items() if household}
    return OrderSheet(
        number=order.number,
        code=order.code,
        unit_id=bulk.unit_id,
        unit=unit,
        bulk=bulk,
        order=order,
        lines=lines,
        movements=movement_rows(session, scope, Wanted(None, today, order_id=order.id)),
        accepted=total(parts.values()),
        to_households=total(amount for (_, household), amount in parts.items() if household),
        households=len(reached),
    )


Parts = dict[tuple[str, int | None], Money]


def _parts(session: Session, order_id: int) -> Parts:
    """(line, household) → amount; None for what goes elsewhere than to a household."""
    household = sa.case((SplitPart.kind.in_(HOUSEHOLD_PARTS), SplitPart.household_id))
    rows = session.execute(
        sa.select(SplitPart.line, household, sum_money(SplitPart.amount))
        .where(SplitPart.order == f"order:{order_id}")
        .group_by(SplitPart.line, household)
    )
    return {(line, household_id): amount for line, household_id, amount in rows}


def _lines(session: Session, order_id: int, parts: Parts, viewer: Viewer) -> list[LineSheet]:
    sources = _sources(session, order_id, dict(parts), viewer)
    lines = session.execute(
        sa.select(OrderLine, Product.base_unit)
        .join(Product, Product.id == OrderLine.product_id)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )
    return [
        LineSheet(
            position=line.position,
            name_zh=line.name_zh,
            name_en=line.name_en,
            pack_zh=line.pack_zh,
            pack_en=line.pack_en,
            unit=unit,
            quantity=line.stands,
            amount=line.owed,
            sources=sources[line.id],
        )
        for line, unit in lines
    ]


def _sources(
    session: Session, order_id: int, parts: Parts, viewer: Viewer
) -> dict[int, list[Source]]:
    """Line → its lots' parts. What a household received of a line stands at its first part."""
    found: dict[int, list[Source]] = defaultdict(list)
    rows = session.execute(
        sa.select(Allocation, Lot.code, Lot.trace_key, Household, Region.name)
        .join(OrderLine, OrderLine.id == Allocation.line_id)
        .join(Lot, Lot.id == Allocation.lot_id)
        .outerjoin(Household, Household.id == Allocation.household_id)
        .outerjoin(Region, Region.code == Household.region_code)
        .where(OrderLine.order_id == order_id)
        .order_by(Allocation.line_id, Allocation.id)
    )
    for allocation, code, key, household, village in rows:
        received = parts.pop((f"line:{allocation.line_id}", allocation.household_id), ZERO)
        if household is None:
            received = ZERO
        found[allocation.line_id].append(
            _source(allocation, code, key, household, village, received, viewer)
        )
    return found


def _source(
    allocation: Allocation,
    code: str,
    key: str,
    household: Household | None,
    village: str | None,
    received: Money,
    viewer: Viewer,
) -> Source:
    place, group = ("", None)
    if household is not None:
        short = Region(name=village or "").short_name
        place, group = shown_place(short, household.group_no, viewer)
    return Source(
        lot_code=code,
        trace_key=key,
        household_code=shown(Detail.CODE, household.code, viewer) if household else "",
        household=shown(Detail.NAME, household.name, viewer) if household else "",
        village=place,
        group_no=group,
        quantity=allocation.quantity,
        released=allocation.released,
        shipped=allocation.shipped,
        received=received if display(Detail.INCOME, viewer) else ZERO,
    )
