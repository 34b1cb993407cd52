"""A cooperative's today: what is to be shipped, taken in, confirmed, paid out, and what expires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, render_template
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.lots import queries as lots
from catalog.lots.models import SlipState
from catalog.lots.views.scope import sum_slips
from catalog.products.models import Product
from catalog.suppliers.queries import expiring_certificates, supplier_of
from kernel.actors import COOPERATIVE
from kernel.codes import mask_name
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from kernel.money import Money
from kernel.people import User
from kernel.quantities import BaseUnit
from kernel.regions import Region
from kernel.web.access import organisation_id, requires
from kernel.web.work import session, today
from orders.agencies.models import BulkOrder, Stage
from orders.agencies.queries.harvests import overdue_harvests, proposals_to_answer
from orders.payments.queries.after import claims_waiting
from orders.payouts.models import PayoutLine, PayoutRun, RunState
from orders.sales.models import Allocation, Order, OrderLine
from orders.sales.queries.packing import OrderToShip, to_ship
from orders.sales.queries.promises import promises_of
from shop.suppliers.queries import stopped_by_papers

bp = Blueprint("coop_today", __name__, url_prefix="/coop")

WEEKDAYS = (
    Text("Monday"),
    Text("Tuesday"),
    Text("Wednesday"),
    Text("Thursday"),
    Text("Friday"),
    Text("Saturday"),
    Text("Sunday"),
)

SOON = 14
MOST = 8
UNDER_WAY = (RunState.DRAFTED, RunState.REVIEWED, RunState.APPROVED, RunState.EXPORTED)


@bp.get("/")
@requires(*COOPERATIVE)
def show_today() -> str:
    supplier = supplier_of(session(), organisation_id())
    orders = to_ship(session(), supplier.id)
    waiting = lots.slips_in_state(session(), supplier.id, SlipState.WEIGHED)
    confirmed = lots.slips_in_state(session(), supplier.id, SlipState.CONFIRMED)
    expiring = lots.expiring(session(), supplier.id, today=today(), within_days=SOON)
    run = run_under_way(session(), supplier.id)
    claims, parcels = claims_waiting(session(), supplier.id)
    return render_template(
        "coop/today.html",
        day=today(),
        weekday=WEEKDAYS[today().weekday()],
        orders=orders[:MOST],
        count_orders=len(orders),
        grams=open_grams(session(), supplier.id, orders),
        to_sign=count_to_sign(session(), supplier.id),
        waiting=waiting,
        sum_waiting=sum_slips(waiting),
        sum_confirmed=sum_slips(confirmed),
        expiring=expiring[:MOST],
        urgent=sum(lot.days_left(today()) <= 1 for lot in expiring),
        run=run,
        claims=claims,
        parcels=parcels,
        worries=[each for each in promises_of(session(), supplier.id) if each.worries(today())],
        overdue=overdue_harvests(session(), supplier.id, today()),
        proposals=proposals_to_answer(session(), organisation_id(), supplier_id=supplier.id),
        papers=expiring_certificates(session(), today(), supplier_id=supplier.id),
        stopped=len(stopped_by_papers(session(), supplier.id, today())),
    )


def open_grams(session: Session, supplier_id: int, orders: Sequence[OrderToShip]) -> dict[int, int]:
    """Order → grams still to ship; what is counted by the piece is left out."""
    left = Allocation.quantity - Allocation.released - Allocation.shipped
    rows = session.execute(
        sa.select(OrderLine.order_id, sum_whole(left))
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            OrderLine.order_id.in_([order.order_id for order in orders]),
            OrderLine.supplier_id == supplier_id,
            Product.base_unit == BaseUnit.GRAM,
        )
        .group_by(OrderLine.order_id)
    )
    return {order_id: int(grams) for order_id, grams in rows}


def count_to_sign(session: Session, supplier_id: int) -> int:
    """Units' orders that wait for this supplier's signature."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(BulkOrder)
            .join(Order, Order.id == BulkOrder.order_id)
            .where(Order.supplier_id == supplier_id, BulkOrder.stage == Stage.TO_SIGN)
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class VillagePart:
    village: str
    households: int
    amount: Money


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """The payout run that waits for somebody, with who did which step."""

    run: PayoutRun
    drafted_by: str
    reviewed_by: str
    approved_by: str
    villages: tuple[VillagePart, ...]


def run_under_way(session: Session, supplier_id: int) -> RunUnderWay | None:
    """The oldest run that is not settled; None when nothing waits."""
    run = session.scalar(
        sa.select(PayoutRun)
        .where(PayoutRun.supplier_id == supplier_id, PayoutRun.state.in_(UNDER_WAY))
        .order_by(PayoutRun.id)
        .limit(1)
    )
    if run is None:
        return None
    people = {run.made_by_id, run.reviewed_by_id, run.approved_by_id} - {None}
    names = {
        key: mask_name(name)
        for key, name in session.execute(sa.select(User.id, User.name).where(User.id.in_(people)))
    }
    rows = session.execute(
        sa.select(Region.name, sa.func.count(PayoutLine.id), sum_money(PayoutLine.amount))
        .join(Household, Household.id == PayoutLine.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(PayoutLine.run_id == run.id)
        .group_by(Region.code, Region.name)
        .order_by(sa.func.sum(PayoutLine.amount).desc(), Region.code)
    )
    return RunUnderWay(
        run=run,
        drafted_by=names.get(run.made_by_id or 0, ""),
        reviewed_by=names.get(run.reviewed_by_id or 0, ""),
        approved_by=names.get(run.approved_by_id or 0, ""),
        villages=tuple(
            VillagePart(short_name(name), int(count), amount) for name, count, amount in rows
        ),
    )
