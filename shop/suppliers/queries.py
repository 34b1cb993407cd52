"""What stands and falls with a supplier's papers, and all money that reached its households."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household, HouseholdStatus, MonitorType
from catalog.products.models import OffReason, Product, ProductState
from catalog.products.queries import without_mandate
from catalog.suppliers.models import LinkMechanism
from catalog.suppliers.queries import lapsed_kinds, link_payments
from catalog.suppliers.rules import Effect, Paid, effect, stops
from kernel.periods import business_day, day_end, day_start
from kernel.regions import Region
from orders.payouts.models import PayoutLine, PayoutState
from orders.sales.models import Order, OrderLine, OrderState

OPEN = (
    OrderState.AWAITING_PAYMENT,
    OrderState.AWAITING_SIGNATURE,
    OrderState.TO_SHIP,
    OrderState.PARTLY_SHIPPED,
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Goods that went off sale with a certificate or a mandate. `may_return`: nothing behind them
    lapses now."""

    product: Product
    may_return: bool


def stopped_by_papers(session: Session, supplier_id: int, today: date) -> list[Stopped]:
    return _stopped(session, supplier_id, OffReason.CERTIFICATE, today)


def stopped_by_mandate(session: Session, supplier_id: int, today: date) -> list[Stopped]:
    return _stopped(session, supplier_id, OffReason.MANDATE, today)


def _stopped(session: Session, supplier_id: int, why: OffReason, today: date) -> list[Stopped]:
    lapsed = lapsed_kinds(session, today).get(supplier_id, set())
    products = session.scalars(
        sa.select(Product)
        .where(
            Product.supplier_id == supplier_id,
            Product.state == ProductState.OFF_SALE,
            Product.off_reason == why,
        )
        .order_by(Product.position, Product.id)
    ).all()
    unlawful = without_mandate(session, today, product_ids=[each.id for each in products])
    return [
        Stopped(each, not stops(lapsed, fresh=each.fresh) and each.id not in unlawful)
        for each in products
    ]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that still waits for goods which may not be sold any more."""

    order_id: int
    number: str
    state: OrderState
    products: tuple[str, ...]


def open_orders_with(
    session: Session, supplier_id: int, product_ids: Collection[int]
) -> list[OpenOrder]:
    """Orders not shipped yet that hold goods of these products, oldest first."""
    found: dict[int, OpenOrder] = {}
    for order_id, number, state, name in session.execute(
        sa.select(Order.id, Order.number, Order.state, Product.name_zh)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            OrderLine.supplier_id == supplier_id,
            OrderLine.product_id.in_(sorted(product_ids)),
            Order.state.in_(OPEN),
        )
        .order_by(Order.id, Product.id)
    ):
        before = found[order_id].products if order_id in found else ()
        names = before if name in before else (*before, name)
        found[order_id] = OpenOrder(order_id, number, state, names)
    return list(found.values())


def paid_to_households(session: Session, supplier_id: int, *, begin: date, end: date) -> list[Paid]:
    """Everything that reached households through this supplier on these days: what its links
    record, and what the bank confirmed of our own payout runs (for goods they brought: ORDER)."""
    rows = session.execute(
        sa.select(PayoutLine.household_id, PayoutLine.amount, PayoutLine.done_at)
        .where(
            PayoutLine.supplier_id == supplier_id,
            PayoutLine.state == PayoutState.PAID,
            PayoutLine.done_at >= day_start(begin),
            PayoutLine.done_at < day_end(end),
        )
        .order_by(PayoutLine.id)
    )
    order = LinkMechanism.ORDER.value
    ours = [
        Paid(household_id, order, business_day(done_at), amount.fen)
        for household_id, amount, done_at in rows
        if done_at is not None
    ]
    return ours + link_payments(session, [supplier_id], begin=begin, end=end).get(supplier_id, [])


def effect_of(
    session: Session, payments: Sequence[Paid], *, begin: date, end: date
) -> tuple[Effect, dict[int, list[tuple[date, bool, bool]]]]:
    """What these payments amount to, and every status of the households they went to."""
    households = {each.household_id for each in payments}
    statuses: dict[int, list[tuple[date, bool, bool]]] = {}
    for household_id, as_of, lifted, monitor in session.execute(
        sa.select(
            HouseholdStatus.household_id,
            HouseholdStatus.as_of,
            HouseholdStatus.lifted,
            HouseholdStatus.monitor_type,
        )
        .where(HouseholdStatus.household_id.in_(households))
        .order_by(HouseholdStatus.id)
    ):
        statuses.setdefault(household_id, []).append(
            (as_of, lifted, monitor is not MonitorType.NONE)
        )
    return effect(payments, statuses, begin=begin, end=end), statuses


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """One household and what it got, never without the money. `mechanisms` by value."""

    code: str
    name: str
    village: str
    mechanisms: tuple[str, ...]
    amount: int
    net: int


def beneficiaries(session: Session, payments: Sequence[Paid]) -> list[Beneficiary]:
    """Who got what, the most first. Whoever shows names asks the visibility matrix."""
    sums: dict[int, list[Paid]] = {}
    for each in payments:
        sums.setdefault(each.household_id, []).append(each)
    rows = session.execute(
        sa.select(Household.id, Household.code, Household.name, Region.name)
        .join(Region, Region.code == Household.region_code)
        .where(Household.id.in_(sums))
    )
    found = [
        Beneficiary(
            code,
            name,
            village.removesuffix("村民委员会").removesuffix("居民委员会"),
            tuple(sorted({each.mechanism for each in sums[key]})),
            sum(each.amount for each in sums[key]),
            sum(each.amount - each.cost for each in sums[key]),
        )
        for key, code, name, village in rows
    ]
    return sorted(found, key=lambda each: (-each.amount, each.code))
