"""The one place that writes the three figures: signed rows, and their monthly roll-up beside them.

Whoever changes an order calls `move_quota` afterwards. It compares what the order's own rows say
it should stand at (the counting rule) with what the movements say it stands at, and writes the
difference. So calling twice writes nothing, and no path can forget a sign.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from kernel.actors import Actor
from kernel.db import MoneyColumn, stamp, sum_money
from kernel.money import Money
from kernel.periods import business_day
from orders.agencies.models import (
    Acceptance,
    AcceptanceState,
    Basis,
    BulkOrder,
    CreditNote,
    Purpose,
    QuotaMonth,
    QuotaMovement,
    Stage,
    Unit,
)
from orders.agencies.queries.units import counting_policy, policy_for
from orders.agencies.rules.counting import Figures, History, figures, month_of, moves
from orders.sales.models import Order


def move_quota(
    session: Session,
    bulk: BulkOrder,
    order: Order,
    *,
    cause: str,
    on: date,
    by: Actor,
    now: datetime,
) -> list[QuotaMovement]:
    """Bring the movements of one order to where its history stands. The order is locked.

    `cause` names what happened, such as `acceptance:45`; it is part of each row's unique cause.
    The policy is that of the year the order was placed in.
    """
    session.flush()  # what the caller changed must be in the sums below
    ordered_on = business_day(order.placed_at)
    unit = session.scalars(
        sa.select(Unit).where(Unit.id == bulk.unit_id).options(joinedload(Unit.organisation))
    ).one()
    policy = counting_policy(policy_for(session, unit.organisation.region_code, ordered_on.year))
    target = figures(_history(session, bulk, order, ordered_on), policy)
    return move_to(
        session, order, bulk.unit_id, target,
        purpose=bulk.purpose, cause=cause, on=on, by=by, now=now,
    )  # fmt: skip


def move_to(
    session: Session,
    order: Order,
    unit_id: int,
    target: Figures,
    *,
    purpose: Purpose,
    cause: str,
    on: date,
    by: Actor,
    now: datetime,
) -> list[QuotaMovement]:
    """Write what is missing until the order stands at `target` for this unit, and at nothing for
    every other. The order is locked."""
    standing = _standing(session, order.id)
    changes = [
        (each, key, amount)
        for each in sorted({unit_id, *standing})
        for key, amount in moves(standing.get(each, {}), target if each == unit_id else {}).items()
    ]
    written = []
    for of_unit, (basis, year), amount in changes:
        movement = QuotaMovement(
            unit_id=of_unit,
            year=year,
            basis=Basis(basis),
            purpose=purpose,
            channel=order.channel.value,
            order_id=order.id,
            amount=amount,
            on=on,
            cause=f"{cause}:{basis}:{year}:unit:{of_unit}",
            **stamp(by, now),
        )
        session.add(movement)
        _roll_up(session, movement)
        written.append(movement)
    session.flush()
    return written


def _history(session: Session, bulk: BulkOrder, order: Order, ordered_on: date) -> History:
    accepted = session.scalar(
        sa.select(sum_money(Acceptance.amount)).where(
            Acceptance.order_id == order.id, Acceptance.state == AcceptanceState.SIGNED
        )
    )
    refunded = session.scalar(
        sa.select(sum_money(CreditNote.amount)).where(CreditNote.order_id == order.id)
    )
    return History(
        channel=order.channel.value,
        ordered_on=ordered_on,
        goods=order.goods,
        freight=order.freight,
        dropped=bulk.stage in (Stage.REJECTED, Stage.CANCELLED),
        accepted=accepted or Money(0),
        accepted_on=bulk.accepted_on,
        paid_on=bulk.paid_on,
        reviewed_on=bulk.reviewed_on,
        refunded=refunded or Money(0),
    )


def _standing(session: Session, order_id: int) -> dict[int, Figures]:
    """Unit → what the movements say of this order; more than one unit after a correction (G10)."""
    rows = session.execute(
        sa.select(
            QuotaMovement.unit_id,
            QuotaMovement.basis,
            QuotaMovement.year,
            sum_money(QuotaMovement.amount),
        )
        .where(QuotaMovement.order_id == order_id)
        .group_by(QuotaMovement.unit_id, QuotaMovement.basis, QuotaMovement.year)
    )
    found: dict[int, Figures] = {}
    for unit_id, basis, year, amount in rows:
        if amount:
            found.setdefault(unit_id, {})[basis.value, year] = amount
    return found


def _roll_up(session: Session, movement: QuotaMovement) -> None:
    """The same amount, added to the month the pages draw."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(QuotaMonth).values(
        unit_id=movement.unit_id,
        year=movement.year,
        month=month_of(movement.on, movement.year),
        basis=movement.basis,
        purpose=Purpose(movement.purpose),
        amount=movement.amount,
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["unit_id", "year", "month", "basis", "purpose"],
            set_={
                "amount": sa.type_coerce(
                    sa.type_coerce(QuotaMonth.amount, sa.BigInteger)
                    + sa.type_coerce(statement.excluded.amount, sa.BigInteger),
                    MoneyColumn(),
                )
            },
        )
    )
