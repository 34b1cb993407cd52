"""One unit: which orders are missing to the target, what each waits for, and when it must pay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.suppliers.models import Supplier
from kernel.db import MoneyColumn
from kernel.labels import Labelled
from kernel.money import Money, total
from kernel.people import Organisation
from kernel.periods import business_day
from orders.agencies.models import Basis, BulkOrder, Invoice, QuotaMovement, Reminder, Stage
from orders.agencies.rules.terms import days_late, late_interest
from orders.sales.models import Order, OrderState


class Holder(Labelled):
    """In whose hands an order is."""

    SUPPLIER = "supplier"
    CANTEEN = "canteen"
    APPROVER = "approver"
    FINANCE = "finance"
    NOBODY = "nobody"


class Wait(Labelled):
    """What an order waits for before it counts."""

    APPROVAL = "approval"
    SIGNATURE = "signature"
    SHIPMENT = "shipment"
    ACCEPTANCE = "acceptance"
    INVOICE = "invoice"
    INVOICE_CHECK = "invoice_check"
    PAYMENT = "payment"
    REVIEW = "review"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order of the year with what it adds to each figure and the days of its milestones."""

    number: str
    supplier: str
    stage: Stage
    state: OrderState
    ordered: Money
    settled: Money
    counted: Money
    signed_on: date | None
    accepted_on: date | None
    invoiced_on: date | None
    invoice_checked_on: date | None
    paid_on: date | None
    reviewed_on: date | None
    due_on: date | None
    hold_until: datetime | None
    placed_on: date

    @property
    def to_review(self) -> Money:
        return self.settled - self.counted

    @property
    def to_settle(self) -> Money:
        return self.ordered - self.settled

    @property
    def wait(self) -> Wait:
        if self.stage is Stage.IN_DELIVERY:
            gone = self.state in (
                OrderState.PARTLY_SHIPPED,
                OrderState.SHIPPED,
                OrderState.RECEIVED,
            )
            return Wait.ACCEPTANCE if gone else Wait.SHIPMENT
        if self.stage is Stage.TO_INVOICE:
            return Wait.INVOICE_CHECK if self.invoiced_on else Wait.INVOICE
        return {
            Stage.PENDING_APPROVAL: Wait.APPROVAL,
            Stage.TO_SIGN: Wait.SIGNATURE,
            Stage.TO_PAY: Wait.PAYMENT,
            Stage.TO_REVIEW: Wait.REVIEW,
        }.get(self.stage, Wait.NOTHING)

    @property
    def holder(self) -> Holder:
        return {
            Wait.APPROVAL: Holder.APPROVER,
            Wait.SIGNATURE: Holder.SUPPLIER,
            Wait.SHIPMENT: Holder.SUPPLIER,
            Wait.ACCEPTANCE: Holder.CANTEEN,
            Wait.INVOICE: Holder.SUPPLIER,
            Wait.INVOICE_CHECK: Holder.FINANCE,
            Wait.PAYMENT: Holder.FINANCE,
            Wait.REVIEW: Holder.CANTEEN,
            Wait.NOTHING: Holder.NOBODY,
        }[self.wait]

    def since(self) -> date:
        """The day of the last thing that happened to it."""
        days = (self.signed_on, self.accepted_on, self.invoiced_on, self.paid_on)
        return max((day for day in days if day), default=self.placed_on)

    def waits(self, day: date) -> int:
        return max(0, (day - self.since()).days)

    def late(self, day: date) -> int:
        """Days past the legal term while it is unpaid."""
        return days_late(self.due_on, day) if self.due_on and not self.paid_on else 0

    def interest(self, day: date) -> Money:
        """0.05 % a day on what was accepted (domain.md §3.4)."""
        return late_interest(self.to_settle, self.late(day))


@dataclass(frozen=True, slots=True)
class UnitOrders:
    """The orders of a year in the three groups of the gap; each group adds up to its figure."""

    rows: list[OrderRow]

    @property
    def to_review(self) -> list[OrderRow]:
        return [row for row in self.rows if row.to_review]

    @property
    def to_settle(self) -> list[OrderRow]:
        return [row for row in self.rows if row.to_settle]

    @property
    def counted(self) -> list[OrderRow]:
        return [row for row in self.rows if row.counted]

    @property
    def due(self) -> list[OrderRow]:
        """What must be paid, earliest first."""
        unpaid = (row for row in self.rows if row.due_on and not row.paid_on and row.to_settle)
        return sorted(unpaid, key=lambda row: (row.due_on or date.max, row.number))

    @property
    def ordered(self) -> Money:
        return total(row.ordered for row in self.rows)


def unit_orders(session: Session, unit_id: int, *, year: int, as_of: date) -> UnitOrders:
    """One statement: every order that has a row in one of the year's figures, oldest first."""
    sums = _sums_by_order(unit_id, year, as_of)
    seller = aliased(Organisation)
    rows = session.execute(
        sa.select(
            Order.number,
            seller.short_name,
            BulkOrder.stage,
            Order.state,
            sums.c.ordered,
            sums.c.settled,
            sums.c.counted,
            BulkOrder.signed_at,
            BulkOrder.accepted_on,
            Invoice.issued_on,
            Invoice.checked_at,
            BulkOrder.paid_on,
            BulkOrder.reviewed_on,
            BulkOrder.due_on,
            Order.hold_until,
            Order.placed_at,
        )
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .join(sums, sums.c.order_id == Order.id)
        .outerjoin(Supplier, Supplier.id == Order.supplier_id)
        .outerjoin(seller, seller.id == Supplier.organisation_id)
        .outerjoin(Invoice, Invoice.order_id == Order.id)
        .order_by(Order.placed_at, Order.id)
    )
    return UnitOrders([_as_it_stood(_order_row(*tuple(row)), as_of) for row in rows])


def _as_it_stood(row: OrderRow, day: date) -> OrderRow:
    """The order on that day: what happened later had not happened yet."""

    def until(on: date | None) -> date | None:
        return on if on and on <= day else None

    seen = replace(
        row,
        signed_on=until(row.signed_on),
        accepted_on=until(row.accepted_on),
        invoiced_on=until(row.invoiced_on),
        invoice_checked_on=until(row.invoice_checked_on),
        paid_on=until(row.paid_on),
        reviewed_on=until(row.reviewed_on),
        due_on=row.due_on if until(row.accepted_on) else None,
    )
    return row if seen == row else replace(seen, stage=_stage_of(seen))


def _stage_of(row: OrderRow) -> Stage:
    if row.reviewed_on:
        return Stage.DONE
    if row.paid_on:
        return Stage.TO_REVIEW
    if row.invoice_checked_on:
        return Stage.TO_PAY
    if row.accepted_on:
        return Stage.TO_INVOICE
    return Stage.IN_DELIVERY if row.signed_on else Stage.TO_SIGN


def _sums_by_order(unit_id: int, year: int, as_of: date) -> sa.Subquery:
    def over(basis: Basis) -> sa.ColumnElement[Money]:
        amount = sa.case((QuotaMovement.basis == basis, QuotaMovement.amount))
        return sa.type_coerce(sa.func.coalesce(sa.func.sum(amount), 0), MoneyColumn())

    return (
        sa.select(
            QuotaMovement.order_id,
            over(Basis.ORDERED).label("ordered"),
            over(Basis.SETTLED).label("settled"),
            over(Basis.COUNTED).label("counted"),
        )
        .where(
            QuotaMovement.unit_id == unit_id,
            QuotaMovement.year == year,
            QuotaMovement.on <= as_of,
        )
        .group_by(QuotaMovement.order_id)
        .subquery()
    )


def _order_row(
    number: str,
    supplier: str | None,
    stage: Stage,
    state: OrderState,
    ordered: Money,
    settled: Money,
    counted: Money,
    signed_at: datetime | None,
    accepted_on: date | None,
    invoiced_on: date | None,
    checked_at: datetime | None,
    paid_on: date | None,
    reviewed_on: date | None,
    due_on: date | None,
    hold_until: datetime | None,
    placed_at: datetime,
) -> OrderRow:
    return OrderRow(
        number=number,
        supplier=supplier or "",
        stage=stage,
        state=state,
        ordered=ordered,
        settled=settled,
        counted=counted,
        signed_on=business_day(signed_at) if signed_at else None,
        accepted_on=accepted_on,
        invoiced_on=invoiced_on,
        invoice_checked_on=business_day(checked_at) if checked_at else None,
        paid_on=paid_on,
        reviewed_on=reviewed_on,
        due_on=due_on,
        hold_until=hold_until,
        placed_on=business_day(placed_at),
    )


def reminders_of(session: Session, unit_id: int) -> list[Reminder]:
    """Newest first."""
    return list(
        session.scalars(
            sa.select(Reminder)
            .where(Reminder.unit_id == unit_id)
            .order_by(Reminder.id.desc())
            .limit(20)
        )
    )


@dataclass(frozen=True, slots=True)
class DuePoint:
    """One payment on the line of due days, in percent of it; `raised` steps over its neighbour."""

    row: OrderRow
    at: float
    kind: str
    raised: bool


@dataclass(frozen=True, slots=True)
class DueLine:
    first: date
    last: date
    today_at: float
    points: list[DuePoint]
    marks: list[tuple[date, float]]


def due_line(orders: UnitOrders, *, day: date) -> DueLine | None:
    """Payments due on a line of days from the earliest to the latest; None when nothing is due."""
    due = orders.due
    if not due:
        return None
    days = [row.due_on for row in due if row.due_on]
    first, last = min(*days, day), max(*days, day)
    span = max((last - first).days, 1)

    def at(on: date) -> float:
        return round(4 + 92 * (on - first).days / span, 1)

    points: list[DuePoint] = []
    for row in due:
        assert row.due_on
        kind = "late" if row.late(day) else "" if row.stage is Stage.TO_PAY else "est"
        place = at(row.due_on)
        near = bool(points) and place - points[-1].at < 14 and not points[-1].raised
        points.append(DuePoint(row, place, kind, near))
    marks = [(on, at(on)) for on in _month_starts(first, last)]
    return DueLine(first, last, at(day), points, marks)


def _month_starts(first: date, last: date) -> list[date]:
    day = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    found = []
    while day <= last:
        found.append(day)
        day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return found
