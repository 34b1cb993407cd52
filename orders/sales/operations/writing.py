"""The rows of an order beside its own: recipients, lines and their allocations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from kernel import audit
from kernel.actors import Actor
from kernel.db import Model, stamp
from kernel.money import ZERO, total
from orders.sales.models import Allocation, Order, OrderLine, OrderRecipient
from orders.sales.operations.wanting import Line, Placing
from orders.sales.queries.freight import Carriage
from orders.sales.rules.allocation import Plan

M = TypeVar("M", bound=Model)


def write_recipients(
    session: Session,
    order: Order,
    placing: Placing,
    parcels: Sequence[Sequence[Carriage]],
    *,
    by: Actor,
    now: datetime,
) -> list[int]:
    """The people of a group purchase, each with what the carriage of their parcel costs. Answers
    their keys, in their order."""
    made = {"order_id": order.id, **stamp(by, now)}
    if not placing.recipients:
        return []
    rows = [
        {
            "position": position,
            "recipient": person.recipient,
            "phone": person.phone,
            "address": person.address,
            "delivery_region": person.region,
            "note": person.note,
            "freight": total(each.amount or ZERO for each in carriage),
            **made,
        }
        for position, (person, carriage) in enumerate(
            zip(placing.recipients, parcels, strict=True), 1
        )
    ]
    written = _insert(session, OrderRecipient, rows)
    return [each.id for each in sorted(written, key=lambda each: each.position)]


def write_lines(
    session: Session,
    order: Order,
    lines: Sequence[Line],
    plan: Plan,
    rules: Mapping[int, int],
    recipients: Sequence[int],
    *,
    by: Actor,
    now: datetime,
) -> None:
    """Lines and allocations in one statement each, however many there are."""
    made = {"order_id": order.id, **stamp(by, now)}
    rows = [{**line.values(rules[line.pack.product_id], recipients), **made} for line in lines]
    written = _insert(session, OrderLine, rows)
    key_of = {line.position: line.id for line in written}
    slices = [
        {
            "line_id": key_of[each.key],
            "contribution_id": each.contribution_id,
            "lot_id": each.lot_id,
            "household_id": each.household_id,
            "quantity": each.quantity,
            "reason": each.reason,
            "released": 0,
            "shipped": 0,
            **stamp(by, now),
        }
        for each in plan.slices
    ]
    allocations = _insert(session, Allocation, slices)
    of_line: dict[int, list[Allocation]] = {}
    for each in sorted(allocations, key=lambda row: row.id):
        of_line.setdefault(each.line_id, []).append(each)
    for line in written:
        set_committed_value(line, "allocations", of_line[line.id])
    set_committed_value(order, "lines", sorted(written, key=lambda row: row.position))


def _insert(session: Session, model: type[M], rows: list[dict[str, Any]]) -> list[M]:
    """Rows in one statement; a flush would send one each on SQLite."""
    written = list(
        session.scalars(
            sa.insert(model).returning(model), rows, execution_options={"populate_existing": True}
        )
    )
    audit.remember(session, written)
    return written
