"""What a canteen's people have to do: counts for the masthead, lists for today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel.money import ZERO, Money
from kernel.people import Organisation
from orders.agencies.models import (
    Acceptance,
    AcceptanceState,
    BulkOrder,
    Invoice,
    Stage,
)
from orders.agencies.queries.bulk import Row, rows
from orders.agencies.rules.terms import days_late, days_left, late_interest
from orders.sales.models import Order, Shipment
from orders.sales.queries.own import count_asking

WAITING = (
    Stage.PENDING_APPROVAL,
    Stage.TO_SIGN,
    Stage.IN_DELIVERY,
    Stage.TO_INVOICE,
    Stage.TO_PAY,
    Stage.TO_REVIEW,
)


def stage_counts(session: Session, organisation_id: int) -> dict[Stage, int]:
    """How many orders of a unit stand at each stage."""
    found = session.execute(
        sa.select(BulkOrder.stage, sa.func.count())
        .join(BulkOrder.order)
        .where(Order.organisation_id == organisation_id)
        .group_by(BulkOrder.stage)
    )
    return dict(found.all())


def open_deliveries(session: Session, organisation_id: int) -> int:
    """Shipments on their way to a unit that nobody accepted yet."""
    return (
        session.scalar(
            sa.select(sa.func.count())
            .select_from(Shipment)
            .join(Order, Order.id == Shipment.order_id)
            .join(BulkOrder, BulkOrder.order_id == Order.id)
            .outerjoin(Acceptance, Acceptance.shipment_id == Shipment.id)
            .where(
                Order.organisation_id == organisation_id,
                Shipment.cancelled_at.is_(None),
                sa.or_(Acceptance.id.is_(None), Acceptance.state == AcceptanceState.OPEN),
            )
        )
        or 0
    )


def nav_counts(session: Session, organisation_id: int) -> dict[str, int]:
    """Masthead entry → how much waits there."""
    stages = stage_counts(session, organisation_id)
    return {
        "canteen.approvals": stages.get(Stage.PENDING_APPROVAL, 0),
        "canteen.deliveries": open_deliveries(session, organisation_id),
        "canteen.invoices": stages.get(Stage.TO_INVOICE, 0),
        "canteen.payments": stages.get(Stage.TO_PAY, 0),
        "canteen.reviews": stages.get(Stage.TO_REVIEW, 0),
        "canteen.staff": count_asking(session, organisation_id),
    }


def waiting(session: Session, organisation_id: int) -> dict[Stage, list[Row]]:
    """Everything that is on its way, by stage, the oldest first within each."""
    found: dict[Stage, list[Row]] = {stage: [] for stage in WAITING}
    for row in reversed(rows(session, organisation_id=organisation_id, stages=WAITING, limit=300)):
        found[row.stage].append(row)
    return found


@dataclass(frozen=True, slots=True)
class Debt:
    """One order to be paid, as it stands on a day (domain.md §3.4)."""

    row: Row
    due_on: date
    outstanding: Money
    days_left: int
    days_late: int
    interest: Money


def debts(found: list[Row], today: date) -> list[Debt]:
    """What must be paid, the most urgent first."""
    owed = [
        Debt(
            row=row,
            due_on=row.due_on,
            outstanding=row.outstanding,
            days_left=days_left(row.due_on, today),
            days_late=days_late(row.due_on, today),
            interest=late_interest(row.outstanding, days_late(row.due_on, today)),
        )
        for row in found
        if row.due_on is not None
    ]
    return sorted(owed, key=lambda debt: (debt.due_on, debt.row.order_id))


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An accepted order and its invoice, if one was entered."""

    row: Row
    invoice: Invoice | None


def invoices(session: Session, organisation_id: int, *, limit: int = 60) -> list[InvoiceRow]:
    """Orders that wait for an invoice or its check, then the latest checked ones."""
    found = rows(
        session,
        organisation_id=organisation_id,
        stages=(Stage.TO_INVOICE, Stage.TO_PAY, Stage.TO_REVIEW, Stage.DONE),
        limit=limit,
    )
    known = {
        invoice.order_id: invoice
        for invoice in session.scalars(
            sa.select(Invoice).where(Invoice.order_id.in_([row.order_id for row in found]))
        )
    }
    ordered = sorted(found, key=lambda row: (row.stage is not Stage.TO_INVOICE, -row.order_id))
    return [InvoiceRow(row, known.get(row.order_id)) for row in ordered]


def total_of(found: list[Row]) -> Money:
    return sum((row.accepted - row.credited for row in found), ZERO)


def organisation(session: Session, organisation_id: int) -> Organisation:
    return session.scalars(
        sa.select(Organisation)
        .where(Organisation.id == organisation_id)
        .options(joinedload(Organisation.parent))
    ).one()
