"""Bulk orders as their unit, their supplier and their operations see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from catalog.households.models import Household
from catalog.suppliers.models import Supplier
from kernel.db import sum_money, sum_whole
from kernel.errors import Missing, Text
from kernel.money import ZERO, Money
from kernel.people import User
from orders.agencies.models import (
    Acceptance,
    AcceptanceLine,
    AcceptanceState,
    BulkOrder,
    CreditNote,
    CreditNoteLine,
    Invoice,
    QuotaMovement,
    Stage,
    Unit,
)
from orders.payments.models import BankMatch
from orders.sales.models import Allocation, Order, OrderLine, OrderState, Shipment

NOT_YOURS = Text("There is nothing at this address, or it is not yours.")


def lock_bulk(session: Session, order_id: int) -> tuple[Order, BulkOrder]:
    """The order and what makes it a unit's, both read fresh under the order's lock."""
    order = session.scalar(
        sa.select(Order)
        .where(Order.id == order_id)
        .options(
            joinedload(Order.supplier).joinedload(Supplier.organisation),
            joinedload(Order.organisation),
        )
        .with_for_update(of=Order, key_share=True)
        .execution_options(populate_existing=True)
    )
    bulk = session.scalar(
        sa.select(BulkOrder)
        .where(BulkOrder.order_id == order_id)
        .execution_options(populate_existing=True)
    )
    if order is None or bulk is None:
        raise Missing(NOT_YOURS)
    return order, bulk


def bulk_sheet(
    session: Session,
    number: str,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
) -> BulkOrder:
    """One order by its number with all its page shows; of this unit, or for this supplier."""
    scope = [Order.number == number.strip().upper()]
    if organisation_id is not None:
        scope.append(Order.organisation_id == organisation_id)
    if supplier_organisation_id is not None:
        scope.append(Supplier.organisation_id == supplier_organisation_id)
    found = session.scalar(
        sa.select(BulkOrder)
        .join(BulkOrder.order)
        .join(Order.supplier)
        .where(*scope)
        .options(
            joinedload(BulkOrder.unit).joinedload(Unit.organisation),
            joinedload(BulkOrder.payer),
            joinedload(BulkOrder.order).options(
                joinedload(Order.supplier).joinedload(Supplier.organisation),
                joinedload(Order.organisation),
                selectinload(Order.events),
                selectinload(Order.shipments).selectinload(Shipment.lines),
                selectinload(Order.lines).options(
                    joinedload(OrderLine.product),
                    selectinload(OrderLine.allocations).options(
                        joinedload(Allocation.lot),
                        joinedload(Allocation.household).load_only(
                            Household.id, Household.region_code
                        ),
                    ),
                ),
            ),
        )
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One order in a list."""

    order_id: int
    number: str
    unit: str
    supplier: str
    purpose: str
    stage: Stage
    state: OrderState
    placed_at: datetime
    deliver_on: date | None
    lines: int
    total: Money
    accepted: Money
    accepted_on: date | None
    due_on: date | None
    paid: Money
    credited: Money
    paid_on: date | None
    made_by_id: int | None
    made_by: str
    approved_at: datetime | None
    invoice: str | None

    @property
    def outstanding(self) -> Money:
        return self.accepted - self.paid


def rows(
    session: Session,
    *,
    organisation_id: int | None = None,
    supplier_organisation_id: int | None = None,
    stages: Collection[Stage] | None = None,
    number: str | None = None,
    limit: int = 200,
    offset: int = 0,
) -> list[Row]:
    """Orders of one unit, or for one supplier, newest first; one query whatever the number."""
    assert organisation_id is not None or supplier_organisation_id is not None
    maker = aliased(User)
    statement = (
        sa.select(Order, BulkOrder, *_sums_of_order(), Invoice.number, maker.name)
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .join(Supplier, Supplier.id == Order.supplier_id)
        .outerjoin(Invoice, Invoice.order_id == Order.id)
        .outerjoin(maker, maker.id == BulkOrder.made_by_id)
        .options(
            joinedload(Order.organisation),
            joinedload(Order.supplier).joinedload(Supplier.organisation),
        )
        .order_by(Order.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if organisation_id is not None:
        statement = statement.where(Order.organisation_id == organisation_id)
    if supplier_organisation_id is not None:
        statement = statement.where(Supplier.organisation_id == supplier_organisation_id)
    if stages is not None:
        statement = statement.where(BulkOrder.stage.in_(list(stages)))
    if number:
        statement = statement.where(Order.number == number)
    return [
        Row(
            order_id=order.id,
            number=order.number,
            unit=order.organisation.short_name if order.organisation else "",
            supplier=order.supplier.organisation.short_name if order.supplier else "",
            purpose=bulk.purpose.value,
            stage=bulk.stage,
            state=order.state,
            placed_at=order.placed_at,
            deliver_on=order.deliver_on,
            lines=line_count,
            total=order.total,
            accepted=taken or ZERO,
            accepted_on=bulk.accepted_on,
            due_on=bulk.due_on,
            paid=received or ZERO,
            credited=returned or ZERO,
            paid_on=bulk.paid_on,
            made_by_id=bulk.made_by_id,
            made_by=made_by or "",
            approved_at=bulk.approved_at,
            invoice=invoice,
        )
        for order, bulk, line_count, taken, received, returned, invoice, made_by in session.execute(
            statement
        )
    ]


def _sums_of_order() -> tuple[Any, ...]:
    """Of each order: its lines, and what was accepted, paid and credited of it."""
    lines = sa.select(sa.func.count()).select_from(OrderLine).where(OrderLine.order_id == Order.id)
    accepted = sa.select(sum_money(Acceptance.amount)).where(
        Acceptance.order_id == Order.id, Acceptance.state == AcceptanceState.SIGNED
    )
    paid = sa.select(sum_money(BankMatch.amount)).where(BankMatch.target == order_target())
    credited = sa.select(sum_money(CreditNote.amount)).where(CreditNote.order_id == Order.id)
    return tuple(
        each.correlate(Order).scalar_subquery() for each in (lines, accepted, paid, credited)
    )


def order_target() -> sa.ColumnElement[str]:
    """SQL: what a bank match of this order names."""
    return sa.literal("order:") + sa.cast(Order.id, sa.String)


def paid_of(session: Session, order_id: int) -> Money:
    """What bank lines were recognised for this order."""
    return (
        session.scalar(
            sa.select(sum_money(BankMatch.amount)).where(BankMatch.target == f"order:{order_id}")
        )
        or ZERO
    )


def accepted_of(session: Session, order_id: int) -> Money:
    """What signed protocols say the unit took of this order, in money."""
    return (
        session.scalar(
            sa.select(sum_money(Acceptance.amount)).where(
                Acceptance.order_id == order_id, Acceptance.state == AcceptanceState.SIGNED
            )
        )
        or ZERO
    )


def payments_of(session: Session, order_id: int) -> list[BankMatch]:
    return list(
        session.scalars(
            sa.select(BankMatch)
            .where(BankMatch.target == f"order:{order_id}")
            .order_by(BankMatch.id)
            .options(joinedload(BankMatch.bank_line))
        )
    )


def line_sums(session: Session, order_id: int) -> dict[int, tuple[int, Money, int, Money]]:
    """Line id → (accepted, amount, credited quantity, credited amount)."""
    taken = session.execute(
        sa.select(
            AcceptanceLine.line_id,
            sum_whole(AcceptanceLine.accepted),
            sum_money(AcceptanceLine.amount),
        )
        .join(Acceptance, Acceptance.id == AcceptanceLine.acceptance_id)
        .where(Acceptance.order_id == order_id, Acceptance.state == AcceptanceState.SIGNED)
        .group_by(AcceptanceLine.line_id)
    )
    given = {
        line_id: (int(quantity), amount)
        for line_id, quantity, amount in session.execute(
            sa.select(
                CreditNoteLine.line_id,
                sum_whole(CreditNoteLine.quantity),
                sum_money(CreditNoteLine.amount),
            )
            .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
            .where(CreditNote.order_id == order_id)
            .group_by(CreditNoteLine.line_id)
        )
    }
    return {
        line_id: (int(accepted), amount, *given.get(line_id, (0, ZERO)))
        for line_id, accepted, amount in taken
    }


def invoice_of(session: Session, order_id: int) -> Invoice | None:
    return session.scalar(sa.select(Invoice).where(Invoice.order_id == order_id))


def credit_notes_of(session: Session, order_id: int) -> list[CreditNote]:
    return list(
        session.scalars(
            sa.select(CreditNote)
            .where(CreditNote.order_id == order_id)
            .order_by(CreditNote.id)
            .options(selectinload(CreditNote.lines))
        )
    )


def movements_of_order(session: Session, order_id: int) -> list[QuotaMovement]:
    return list(
        session.scalars(
            sa.select(QuotaMovement)
            .where(QuotaMovement.order_id == order_id)
            .order_by(QuotaMovement.id)
        )
    )


def people_of(session: Session, user_ids: Collection[int | None]) -> dict[int, str]:
    """User id → name."""
    wanted = sorted({each for each in user_ids if each is not None})
    return dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted))).all())


def unsigned_past(session: Session, *, before: datetime, limit: int = 100) -> Sequence[int]:
    """Orders nobody approved or signed since before that instant, in id order."""
    return list(
        session.scalars(
            sa.select(BulkOrder.order_id)
            .where(
                BulkOrder.stage.in_((Stage.PENDING_APPROVAL, Stage.TO_SIGN)),
                sa.func.coalesce(BulkOrder.approved_at, BulkOrder.made_at) <= before,
            )
            .order_by(BulkOrder.order_id)
            .limit(limit)
        )
    )
