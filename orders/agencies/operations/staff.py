"""Staff's own purchases are credited to their unit, and follow what happens to the order.

The buyer wishes it (`Order.credit_organisation_id`), the unit has agreed to the person
(`orders.sales`), and this room counts. What lower rooms do to a citizen's order they do not tell
us: `follow_staff_order` compares, as `move_quota` does, and writes the difference.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Missing, Refusal, Text
from kernel.periods import business_day
from orders.agencies.models import Purpose, QuotaMovement, StaffCredit, Unit
from orders.agencies.operations.quota import move_to
from orders.agencies.queries.staff import staff_facts
from orders.agencies.queries.units import counting_policy, policies_of
from orders.agencies.rules.counting import Figures
from orders.agencies.rules.staff import StaffOrder, last_day_to_credit, staff_figures
from orders.sales.models import BuyerKind, Order, OrderState
from orders.sales.queries.own import employer_on

GONE = (OrderState.CANCELLED, OrderState.CLOSED)


def credit_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """The buyer credits an order of theirs to the unit they worked for on the day they placed it.

    Within the days that the policy of that unit and year allows. Twice changes nothing.
    """
    order = _own(session, order_id, by)
    ordered_on = business_day(order.placed_at)
    employer = employer_on(session, by.user_id, ordered_on)
    if employer is None:
        raise Refusal("On the day of this order no unit had agreed that you work for it.")
    if order.credit_organisation_id == employer.id:
        return order
    if order.state in GONE:
        raise Refusal("This order was not bought; there is nothing to credit.")
    _refuse_late(session, employer.region_code, order, now)
    order.credit_organisation_id = employer.id
    session.flush()
    follow_staff_order(session, order.id, by=by, now=now)
    audit.note(session, "credit_order", f"order:{order.id}", by=by, now=now, unit=employer.id)
    return order


def take_credit_back(session: Session, order_id: int, *, by: Actor, now: datetime) -> Order:
    """The buyer wants it credited to nobody after all, within the same days."""
    order = _own(session, order_id, by)
    if order.credit_organisation_id is None:
        return order
    unit = _unit(session, order.credit_organisation_id)
    if unit is not None:
        _refuse_late(session, unit.organisation.region_code, order, now)
    order.credit_organisation_id = None
    session.flush()
    follow_staff_order(session, order.id, by=by, now=now)
    audit.note(session, "take_credit_back", f"order:{order.id}", by=by, now=now)
    return order


def follow_staff_order(
    session: Session, order_id: int, *, by: Actor, now: datetime
) -> list[QuotaMovement]:
    """Bring the movements of a citizen's order to where the order stands; calling again writes
    nothing. An order counts once: for the unit it is credited to now, and for no other."""
    order = get_or_missing(session, Order, order_id, lock=True)
    credit = session.scalar(sa.select(StaffCredit).where(StaffCredit.order_id == order.id))
    unit = _entitled(session, order)
    if unit is None and credit is None:
        return []
    facts = staff_facts(session, [order.id])[order.id]
    changed = _remember(session, order, credit, unit, facts.last, by, now)
    unit_id = unit.id if unit is not None else credit.unit_id if credit is not None else 0
    written = move_to(
        session,
        order,
        unit_id,
        {} if unit is None else _target(session, unit, facts.order),
        purpose=Purpose.STAFF,
        cause=f"staff:{order.id}:{_written(session, order.id)}",
        on=business_day(now),
        by=by,
        now=now,
    )
    if changed or written:
        subject = f"order:{order.id}"
        audit.note(session, "follow_staff_order", subject, by=by, now=now, rows=len(written))
    return written


def _remember(
    session: Session,
    order: Order,
    credit: StaffCredit | None,
    unit: Unit | None,
    last: datetime,
    by: Actor,
    now: datetime,
) -> bool:
    """To whom it is credited, and up to when that is known; whether this is new."""
    if credit is None:
        assert unit is not None
        session.add(
            StaffCredit(order_id=order.id, unit_id=unit.id, followed_to=last, **stamp(by, now))
        )
        return True
    before = credit.unit_id, credit.followed_to
    credit.unit_id = unit.id if unit is not None else credit.unit_id
    credit.followed_to = max(credit.followed_to, last)
    return before != (credit.unit_id, credit.followed_to)


def _entitled(session: Session, order: Order) -> Unit | None:
    """The unit the buyer named, if it had agreed to them on the day of the order."""
    if order.credit_organisation_id is None or order.user_id is None:
        return None
    employer = employer_on(session, order.user_id, business_day(order.placed_at))
    if employer is None or employer.id != order.credit_organisation_id:
        return None
    return _unit(session, employer.id)


def _unit(session: Session, organisation_id: int) -> Unit | None:
    return session.scalar(
        sa.select(Unit)
        .where(Unit.organisation_id == organisation_id)
        .options(joinedload(Unit.organisation))
    )


def _target(session: Session, unit: Unit, order: StaffOrder) -> Figures:
    year = order.ordered_on.year
    policy = policies_of(session, unit.organisation.region_code, [year]).get(year)
    if policy is None:
        return {}  # nothing counts where nothing is laid down
    return staff_figures(order, counting_policy(policy), counts=policy.staff_counts)


def _written(session: Session, order_id: int) -> int:
    """How many rows this order has: the next cause is another one."""
    rows = sa.select(sa.func.count()).where(QuotaMovement.order_id == order_id)
    return session.scalar(rows) or 0


def _refuse_late(session: Session, region_code: str, order: Order, now: datetime) -> None:
    ordered_on = business_day(order.placed_at)
    policy = policies_of(session, region_code, [ordered_on.year]).get(ordered_on.year)
    if policy is None or not policy.staff_counts:
        raise Refusal("Staff's own purchases do not count for your unit this year.")
    last = last_day_to_credit(ordered_on, policy.staff_credit_days)
    if business_day(now) > last:
        raise Refusal("This could be changed until %(day)s.", day=last)


def _own(session: Session, order_id: int, by: Actor) -> Order:
    order = get_or_missing(session, Order, order_id, lock=True)
    if (
        by.user_id is None
        or order.user_id != by.user_id
        or order.buyer_kind is not BuyerKind.CITIZEN
    ):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return order
