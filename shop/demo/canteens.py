"""One grid of a canteen from the morning it is filled in until it counts (or stays where it is)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.actors import Role
from kernel.money import Money, total
from orders.agencies.models import Acceptance, BulkOrder, Disposition, Purpose
from orders.agencies.operations import (
    GridLine,
    accept_rest_as_shipped,
    approve_order,
    check_invoice,
    open_acceptance,
    record_acceptance_line,
    record_invoice,
    review_order,
    sign_acceptance,
    sign_order,
    submit_order,
)
from orders.sales.models import Allocation, Order, OrderLine, ShipmentLine
from orders.sales.operations import OutOfStock, ship_order
from shop.demo import rhythm, tables
from shop.demo.carrying import good_until
from shop.demo.menus import Grid
from shop.demo.pictures import photo
from shop.demo.statements import Till
from shop.demo.tables import UnitRow
from shop.demo.town import Town, at

# After which step a grid stays, so that somebody finds it on the desk today.
STEPS = (
    "submitted", "approved", "signed", "shipped", "accepted", "invoiced", "checked", "paid",
    "reviewed",
)  # fmt: skip
_REJECTED_FOR = ("rotten", "damaged", "wrong_specification")
_LAG = {"prompt": (6, 14), "usual": (17, 28), "late": (33, 52)}
_REVIEW = {"prompt": (1, 3), "usual": (2, 8), "slow": (8, 24)}


@dataclass(slots=True)
class Flow:
    """One submission on its way; each of its orders walks alone after it is placed."""

    town: Town
    till: Till
    row: UnitRow
    key: str
    grid: Grid
    chance: Random
    until: str = "reviewed"
    orders: dict[int, str] = field(default_factory=dict)

    def goes_on_after(self, step: str) -> bool:
        return STEPS.index(step) < STEPS.index(self.until)


def plan_grid(flow: Flow, moment: datetime | None = None) -> None:
    """The grid is submitted that morning; everything else follows from it."""
    moment = moment or at(flow.grid.day, 9, flow.chance.randint(0, 110))
    flow.town.plan(moment, _submit, flow)


def _submit(flow: Flow, session: Session, now: datetime) -> None:
    lines = list(flow.grid.lines)
    for _ in range(3):
        try:
            placed = submit_order(
                session,
                flow.town.units[flow.key],
                lines=[
                    GridLine(
                        pack_id=flow.town.packs[line.pack.product, line.pack.position],
                        quantity=line.grams,
                    )
                    for line in lines
                ],
                request_key=f"grid:{flow.key}:{flow.grid.number}",
                deliver_on=flow.grid.deliver_on,
                purpose=Purpose(flow.grid.purpose),
                by=flow.town.actor(flow.key, Role.BUYER),
                now=now,
            )
            break
        except OutOfStock as shortage:
            missing = {each.product_id for each in shortage.shortages}
            for each in shortage.reasons:
                flow.town.misses.append(f"{now:%Y-%m-%d} {flow.key} {each}")
            lines = [each for each in lines if flow.town.products[each.pack.product] not in missing]
            if not lines:
                return
    else:
        return
    for bulk in placed:
        supplier = _supplier(session, bulk, flow.town)
        flow.orders[bulk.order_id] = supplier
        if flow.goes_on_after("submitted"):
            later = now + timedelta(minutes=flow.chance.randint(40, 300))
            flow.town.plan(later, _approve, flow, bulk.order_id)


def _supplier(session: Session, bulk: BulkOrder, town: Town) -> str:
    key = session.scalar(sa.select(Order.supplier_id).where(Order.id == bulk.order_id))
    return next(code for code, supplier_id in town.suppliers.items() if supplier_id == key)


def _approve(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    approve_order(session, order_id, by=flow.town.actor(flow.key, Role.APPROVER), now=now)
    if not flow.goes_on_after("approved"):
        return
    # Signed the same evening or the next morning, before the goods must leave.
    evening = now + timedelta(hours=flow.chance.choice((2, 3, 17)))
    before = at(flow.grid.deliver_on, 4) - timedelta(minutes=flow.chance.randint(5, 90))
    flow.town.plan(max(min(evening, before), now + timedelta(minutes=10)), _sign, flow, order_id)


def _sign(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    sign_order(session, order_id, by=flow.town.actor(flow.orders[order_id], Role.MANAGER), now=now)
    if not flow.goes_on_after("signed"):
        return
    ships = max(
        at(flow.grid.deliver_on, 5, flow.chance.randint(10, 50)), now + timedelta(minutes=20)
    )
    if flow.chance.random() < 0.08:
        usual = at(rhythm.working_days_after(flow.grid.deliver_on, 1), 5, 35)
        second = max(ships, min(usual, at(good_until(session, order_id), 17, 30)))
        flow.town.plan(ships, _ship_some, flow, order_id)
        flow.town.plan(second, _ship_rest, flow, order_id)
    else:
        flow.town.plan(ships, _ship_rest, flow, order_id)


def _ship_some(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    """The first half of the lines goes ahead."""
    lines = session.execute(
        sa.select(OrderLine.id, OrderLine.quantity)
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    ).all()
    first: dict[int, int] = {key: grams for key, grams in lines[: len(lines) // 2]}  # noqa: C416
    if first:
        _ship(flow, order_id, first, "1", session, now)


def _ship_rest(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    _ship(flow, order_id, None, "2", session, now)


def _ship(
    flow: Flow,
    order_id: int,
    lines: dict[int, int] | None,
    part: str,
    session: Session,
    now: datetime,
) -> None:
    supplier = flow.orders[order_id]
    shipment = ship_order(
        session,
        order_id,
        supplier_id=flow.town.suppliers[supplier],
        lines=lines,
        carrier=f"渝 {flow.chance.randint(1, 3)} 号车",
        request_key=f"van:{order_id}:{part}",
        by=flow.town.actor(supplier, Role.STOREKEEPER),
        now=now,
    )
    if flow.goes_on_after("shipped"):
        arrives = now + timedelta(minutes=flow.chance.randint(70, 170))
        flow.town.plan(arrives, _accept, flow, order_id, shipment.id)


def _accept(flow: Flow, order_id: int, shipment_id: int, session: Session, now: datetime) -> None:
    first = flow.town.actor(flow.key, Role.RECEIVER, 0)
    acceptance = open_acceptance(session, shipment_id, by=first, now=now)
    shipped = dict(
        session.execute(
            sa.select(Allocation.line_id, sa.func.sum(ShipmentLine.quantity))
            .join(Allocation, Allocation.id == ShipmentLine.allocation_id)
            .where(ShipmentLine.shipment_id == shipment_id)
            .group_by(Allocation.line_id)
            .order_by(Allocation.line_id)
        ).all()
    )
    for line_id, quantity in shipped.items():
        _record(flow, acceptance.id, line_id, int(quantity), session, now)
    accept_rest_as_shipped(session, acceptance.id, by=first, now=now + timedelta(minutes=5))
    sign_acceptance(
        session, acceptance.id, capacity="验收人", by=first, now=now + timedelta(minutes=9)
    )
    second = flow.town.actor(flow.key, Role.RECEIVER, 1)
    later = now + timedelta(minutes=14)
    sign_acceptance(session, acceptance.id, capacity="食堂管理员", by=second, now=later)
    bulk = session.scalar(sa.select(BulkOrder).where(BulkOrder.order_id == order_id))
    if bulk is not None and bulk.due_on is not None and flow.goes_on_after("accepted"):
        day = rhythm.working_days_after(_day(now), flow.chance.randint(1, 4))
        flow.town.plan(at(day, 10, flow.chance.randint(0, 55)), _invoice, flow, order_id)


def _record(
    flow: Flow, acceptance_id: int, line_id: int, shipped: int, session: Session, now: datetime
) -> None:
    """Mostly as it was sent; now and then short on the scale, seldom something is sent back."""
    fate = flow.chance.random()
    if fate >= 0.07 or shipped < 20_000:
        return
    weighed, rejected, reason, photos = shipped, 0, "", []
    disposition = None
    weighed = shipped - round(shipped * flow.chance.uniform(0.004, 0.022) / 100) * 100
    if fate < 0.02:
        rejected = max(100, round(shipped * flow.chance.uniform(0.01, 0.04) / 100) * 100)
        reason = flow.chance.choice(_REJECTED_FOR)
        disposition = Disposition.RETURN
        photos = [photo(flow.town.services.storage, flow.chance)]
    record_acceptance_line(
        session,
        acceptance_id,
        line_id,
        weighed=weighed,
        rejected=rejected,
        reason=reason,
        disposition=disposition,
        photos=photos,
        by=flow.town.actor(flow.key, Role.RECEIVER, 0),
        now=now,
    )


def _invoice(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    amounts = session.scalars(sa.select(Acceptance.amount).where(Acceptance.order_id == order_id))
    amount = total(amounts)
    flow.town.invoices += 1
    record_invoice(
        session,
        order_id,
        number=f"{now:%y}50{flow.town.invoices:016}",
        amount=amount,
        issued_on=_day(now),
        by=flow.town.actor(flow.orders[order_id], Role.ACCOUNTANT),
        now=now,
    )
    if flow.goes_on_after("invoiced"):
        day = rhythm.working_days_after(_day(now), flow.chance.randint(1, 3))
        flow.town.plan(
            at(day, 14, flow.chance.randint(0, 55)),
            _check,
            flow,
            order_id,
            amount,
        )


def _check(flow: Flow, order_id: int, amount: Money, session: Session, now: datetime) -> None:
    check_invoice(session, order_id, by=flow.town.actor(flow.key, Role.FINANCE), now=now)
    if not flow.goes_on_after("checked"):
        return
    pays_on = _pay_day(flow, _day(now))
    flow.till.expect(
        flow.orders[order_id],
        pays_on,
        order_id,
        amount,
        flow.row.name,
        lambda n: _paid(flow, order_id, n),
    )


def _pay_day(flow: Flow, checked: date) -> date:
    """As is the unit's habit; before the books of a past year close, most hurry."""
    low, high = _LAG[flow.row.paying]
    wait = flow.chance.randint(low, high) - (checked - flow.grid.deliver_on).days
    day = rhythm.working_day(checked + timedelta(days=max(2, wait)))
    closing = date(checked.year, 12, 29)
    hurries = checked.year < flow.town.span.today.year and flow.chance.random() < 0.88
    if checked <= closing < day and hurries:
        return closing - timedelta(days=flow.chance.randint(0, 2)) if checked < closing else closing
    return day


def _paid(flow: Flow, order_id: int, now: datetime) -> None:
    """The money was recognised; the unit writes its review some days later."""
    if not flow.goes_on_after("paid"):
        return
    low, high = _REVIEW[flow.row.reviewing]
    day = _day(now) + timedelta(days=flow.chance.randint(low, high))
    year_ends = date(_day(now).year, 12, 31)
    if day > year_ends >= _day(now):
        day = year_ends
    # Nobody reviews before the statement that shows the payment is in the books.
    moment = max(at(day, 15, flow.chance.randint(0, 55)), now + timedelta(hours=1))
    flow.town.plan(moment, _review, flow, order_id)


def _review(flow: Flow, order_id: int, session: Session, now: datetime) -> None:
    review_order(
        session,
        order_id,
        stars=flow.chance.choice((5, 5, 5, 4, 4, 3)),
        text=flow.chance.choice(tables.words()["canteen_reviews"]),
        by=flow.town.actor(flow.key, Role.BUYER),
        now=now,
    )


def _day(now: datetime) -> date:
    return (now + timedelta(hours=8)).date()
