"""Promises of harvests where they meet the buyer: goods that came in, and a day agreed anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from catalog.lots.models import LotState
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Refusal, Text
from kernel.mail import send_later
from kernel.money import Money
from kernel.people import User
from kernel.periods import business_day, business_year
from kernel.text import tidy
from orders.agencies.models import BulkOrder, Stage
from orders.agencies.operations.stages import supplied_order
from orders.agencies.queries.units import cap_of_order
from orders.sales import operations as sales
from orders.sales.models import Allocation, Order, OrderEvent
from orders.sales.operations.arriving import Arrival
from orders.sales.queries import open_allocations, order_with_lines


def bring_in_harvest(
    session: Session, supplier_id: int, code: str, *, lot_id: int, by: Actor, now: datetime
) -> Arrival:
    """`sales.bring_in_harvest` under the yearly caps that units' orders were placed under."""

    def cap_of(order: Order) -> Money | None:
        return cap_of_order(session, order.id, business_year(now))

    return sales.bring_in_harvest(
        session, supplier_id, code, lot_id=lot_id, cap_of=cap_of, by=by, now=now
    )


def agree_day(
    session: Session, order_id: int, deliver_on: date, *, reason: str, by: Actor, now: datetime
) -> BulkOrder:
    """The supplier has agreed with the buyer on another day for what is not shipped yet.

    The order's events keep the old day and the reason; whoever placed the order gets a mail.
    Refused when goods that are reserved for it are not there, or not good any more, on that day.
    The same day again changes nothing.
    """
    order, bulk = supplied_order(session, order_id, by)
    why = tidy(reason)[:120]
    if bulk.stage not in (Stage.PENDING_APPROVAL, Stage.TO_SIGN, Stage.IN_DELIVERY):
        raise Refusal("Order %(number)s has nothing left to ship.", number=order.number)
    lines = order_with_lines(session, order.id).lines
    days = {line.deliver_on for line in lines} | {order.deliver_on}
    if days == {deliver_on}:
        return bulk
    errors: dict[str, Text] = {} if why else {"reason": Text("Say why.")}
    if deliver_on < business_day(now):
        errors["deliver_on"] = Text("The day of delivery is over.")
    if errors:
        raise Invalid(errors)
    held = open_allocations(session, [order.id])
    if (problem := _not_good_on(deliver_on, held)) is not None:
        raise Invalid({"deliver_on": problem})
    waiting = {each.line_id for each in held}
    before = max((day for day in days if day is not None), default=None)
    order.deliver_on = deliver_on
    for line in lines:
        if line.id in waiting:
            line.deliver_on = deliver_on
    words = f"{before or '—'} → {deliver_on} {why}"
    session.add(
        OrderEvent(
            order_id=order.id, from_state=order.state.value, to_state=order.state.value,
            reason=words[:200], **stamp(by, now),
        )
    )  # fmt: skip
    session.flush()
    _write_to_buyer(session, order, before, deliver_on, why, now)
    audit.note(
        session, "agree_day", f"order:{order.id}", by=by, now=now,
        before=before, after=deliver_on, reason=why,
    )  # fmt: skip
    return bulk


def _not_good_on(day: date, held: Sequence[Allocation]) -> Text | None:
    """What is reserved and not there on that day; a harvest is there within its window only."""
    for each in held:
        lot = each.lot
        if lot.available_from <= day <= lot.best_before:
            continue
        if lot.state is LotState.EXPECTED:
            return Text(
                "Harvest %(lot)s is expected between %(since)s and %(until)s.",
                lot=lot.code, since=lot.available_from, until=lot.best_before,
            )  # fmt: skip
        return Text(
            "Lot %(lot)s is good from %(since)s until %(until)s.",
            lot=lot.code, since=lot.available_from, until=lot.best_before,
        )  # fmt: skip
    return None


def _write_to_buyer(
    session: Session, order: Order, before: date | None, day: date, why: str, now: datetime
) -> None:
    buyer = session.get(User, order.user_id) if order.user_id is not None else None
    if buyer is None:
        return
    was = before or "—"
    send_later(
        session, to=buyer.email, now=now, key=f"day:{order.id}:{day}:{was}",
        subject=f"订单 {order.number}：送货日改为 {day}",
        body=(
            f"订单 {order.number} 还没有送的货，供应方改到 {day} 送（原定 {was}）。\n"
            f"原因：{why}\n\n与约定不符的，请与供应方联系。\n"
        ),
    )  # fmt: skip
