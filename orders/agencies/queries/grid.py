"""What the order grid needs: drafts, what was paid and ordered last, where goods grow."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.lots.models import Contribution, Lot
from catalog.lots.queries.stock import BROUGHT
from catalog.products.models import Audience
from kernel.db import sum_whole
from kernel.errors import Missing
from kernel.regions import Region
from orders.agencies.models import BulkOrder, OrderDraft, Unit
from orders.agencies.queries.bulk import NOT_YOURS
from orders.sales.models import Order, OrderLine


def audiences_of(unit: Unit) -> tuple[str, ...]:
    """The kinds of buyer a unit is to a price list, narrowest first."""
    return Audience(unit.kind.value).value, Audience.UNIT.value


def drafts_of(session: Session, unit_id: int) -> list[OrderDraft]:
    """What is being filled in and was not submitted, newest first."""
    return list(
        session.scalars(
            sa.select(OrderDraft)
            .where(OrderDraft.unit_id == unit_id, OrderDraft.submitted_at.is_(None))
            .order_by(OrderDraft.saved_at.desc(), OrderDraft.id.desc())
        )
    )


def draft_of(session: Session, draft_id: int, *, unit_id: int) -> OrderDraft:
    found = session.get(OrderDraft, draft_id)
    if found is None or found.unit_id != unit_id:
        raise Missing(NOT_YOURS)
    return found


def last_prices(session: Session, organisation_id: int) -> dict[int, int]:
    """Pack id → what this unit last paid per kg or piece, in hundredths of a fen."""
    latest = (
        sa.select(OrderLine.pack_id, sa.func.max(OrderLine.id).label("line_id"))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.organisation_id == organisation_id, OrderLine.unit_price.is_not(None))
        .group_by(OrderLine.pack_id)
        .subquery()
    )
    found = session.execute(
        sa.select(OrderLine.pack_id, OrderLine.unit_price).join(
            latest, latest.c.line_id == OrderLine.id
        )
    )
    return {pack_id: price.per_unit for pack_id, price in found if price is not None}


def last_order_lines(session: Session, organisation_id: int) -> dict[int, int]:
    """Pack id → base units of this unit's latest submission day: the template for the next."""
    newest = session.scalar(
        sa.select(sa.func.max(Order.placed_at))
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .where(Order.organisation_id == organisation_id)
    )
    if newest is None:
        return {}
    found = session.execute(
        sa.select(OrderLine.pack_id, sum_whole(OrderLine.quantity))
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.organisation_id == organisation_id, Order.placed_at == newest)
        .group_by(OrderLine.pack_id)
    )
    return {pack_id: int(quantity) for pack_id, quantity in found}


def village_names(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Region code → short name."""
    return {
        region.code: region.short_name
        for region in session.scalars(sa.select(Region).where(Region.code.in_(sorted(set(codes)))))
    }


def villages_of_products(
    session: Session, product_ids: Collection[int]
) -> dict[tuple[int, str], list[str]]:
    """(product id, grade) → codes of the villages whose households have goods in open lots."""
    from_lots = session.execute(
        sa.select(Lot.product_id, Lot.grade, Household.region_code)
        .join(Contribution, Contribution.lot_id == Lot.id)
        .join(Household, Household.id == Contribution.household_id)
        .where(Lot.product_id.in_(sorted(product_ids)), BROUGHT, Contribution.on_hand > 0)
        .distinct()
    )
    found: dict[tuple[int, str], list[str]] = {}
    for product_id, grade, region_code in from_lots:
        found.setdefault((product_id, grade.value), []).append(region_code)
    return {key: sorted(codes) for key, codes in found.items()}
