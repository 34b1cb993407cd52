"""The grid, kept and submitted: one order per supplier, its goods reserved, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.queries import lock_pools
from catalog.products.models import Pack
from kernel import audit
from kernel.actors import Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from orders.agencies.models import (
    BulkOrder,
    OrderDraft,
    Purpose,
    Stage,
    Unit,
)
from orders.agencies.operations.quota import move_quota
from orders.agencies.queries.bulk import NOT_YOURS
from orders.agencies.queries.grid import audiences_of, draft_of
from orders.agencies.queries.units import policy_for, unit_sheet
from orders.agencies.rules.terms import STATUTORY_DAYS, term_problem
from orders.sales.models import BuyerKind, Order, OrderState
from orders.sales.operations import (
    Contact,
    Placing,
    Wanted,
    place_order,
)
from orders.sales.queries import packs_with_products

# Goods are kept for an order that nobody approves, or nobody signs, for so long.
HOLD = timedelta(hours=48)
MOST_LINES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GridLine:
    """One line of the grid: so many base units of a canteens' pack."""

    pack_id: int
    quantity: int
    deliver_on: date | None = None
    deliver_to: str = ""


def save_draft(
    session: Session,
    unit_id: int,
    *,
    draft_id: int | None = None,
    title: str,
    deliver_on: date | None,
    lines: Mapping[int, int],
    by: Actor,
    now: datetime,
) -> OrderDraft:
    """The grid as it stands, kept. Promises and reserves nothing."""
    unit = _own_unit(session, unit_id, by)
    if draft_id is None:
        draft = OrderDraft(unit_id=unit.id, submitted_at=None, **stamp(by, now))
        session.add(draft)
    else:
        draft = draft_of(session, draft_id, unit_id=unit.id)
        if draft.submitted_at is not None:
            raise Refusal("This draft was submitted; start a new order.")
    draft.title = title.strip()[:60]
    draft.deliver_on = deliver_on
    draft.lines = {str(pack_id): quantity for pack_id, quantity in sorted(lines.items())}
    draft.saved_at = now
    session.flush()
    audit.note(session, "save_draft", f"order_draft:{draft.id}", by=by, now=now)
    return draft


def submit_order(
    session: Session,
    unit_id: int,
    *,
    lines: Sequence[GridLine],
    request_key: str,
    deliver_on: date | None = None,
    purpose: Purpose = Purpose.CANTEEN,
    payment_days: int = STATUTORY_DAYS,
    payer_id: int | None = None,
    note: str = "",
    draft_id: int | None = None,
    by: Actor,
    now: datetime,
) -> list[BulkOrder]:
    """One order per supplier, its goods reserved, waiting for a second person's approval.

    All or nothing: if anything is missing in the store, nothing is ordered and every product that
    falls short is named. The same `request_key` again answers the same orders.
    """
    unit = _own_unit(session, unit_id, by)
    _check(lines, payment_days, deliver_on, business_day(now))
    policy = policy_for(session, unit.organisation.region_code, business_day(now).year)
    packs = packs_with_products(session, [line.pack_id for line in lines])
    if len(packs) < len({line.pack_id for line in lines}):
        raise Missing(Text("Something in this order is no longer for sale."))
    # Every pool of every supplier at once and in id order, before the first order is placed.
    lock_pools(session, sorted({pack.product_id for pack in packs.values()}))
    found = []
    for supplier_id, theirs in _by_supplier(lines, packs).items():
        placing = replace(
            _placing(unit, theirs, deliver_on, by, now),
            request_key=f"{request_key}:{supplier_id}",
            supplier_id=supplier_id,
            note=note,
            annual_cap=policy.annual_cap,
        )
        order = place_order(session, placing, by=by, now=now)
        bulk = _existing(session, order, unit)
        if bulk is None:
            bulk = BulkOrder(
                order_id=order.id,
                unit_id=unit.id,
                payer_id=payer_id or unit.organisation_id,
                purpose=purpose,
                stage=Stage.PENDING_APPROVAL,
                payment_days=payment_days,
                **stamp(by, now),
            )
            session.add(bulk)
            session.flush()
            move_quota(
                session,
                bulk,
                order,
                cause=f"order:{order.id}",
                on=business_day(now),
                by=by,
                now=now,
            )
        found.append(bulk)
    if draft_id is not None:
        draft = draft_of(session, draft_id, unit_id=unit.id)
        draft.submitted_at = draft.submitted_at or now
    if unit.activated_on is None:
        unit.activated_on = business_day(now)
    session.flush()
    audit.note(
        session, "submit_order", f"unit:{unit.id}", by=by, now=now,
        orders=[bulk.order_id for bulk in found],
    )  # fmt: skip
    return found


def _own_unit(session: Session, unit_id: int, by: Actor) -> Unit:
    unit = unit_sheet(session, unit_id)
    if unit.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return unit


def _check(
    lines: Sequence[GridLine], payment_days: int, deliver_on: date | None, today: date
) -> None:
    if not lines:
        raise Refusal("An order has at least one line.")
    if len(lines) > MOST_LINES:
        raise Refusal("An order has at most %(most)s lines.", most=MOST_LINES)
    if problem := term_problem(payment_days):
        raise Invalid({"payment_days": problem})
    if deliver_on is not None and deliver_on < today:
        raise Invalid({"deliver_on": Text("The day of delivery is over.")})


def _placing(
    unit: Unit, lines: Sequence[GridLine], deliver_on: date | None, by: Actor, now: datetime
) -> Placing:
    """What is the same for every supplier; the caller adds whose it is and its key."""
    return Placing(
        lines=[
            Wanted(
                pack_id=line.pack_id,
                quantity=line.quantity,
                deliver_on=line.deliver_on or deliver_on,
                deliver_to=line.deliver_to or unit.delivery_place,
            )
            for line in lines
        ],
        buyer_kind=BuyerKind.UNIT,
        contact=_contact(unit),
        request_key="",
        state=OrderState.AWAITING_SIGNATURE,
        hold_until=now + HOLD,
        user_id=by.user_id,
        organisation_id=unit.organisation_id,
        audiences=audiences_of(unit),
        deliver_on=deliver_on,
    )


def _by_supplier(lines: Sequence[GridLine], packs: Mapping[int, Pack]) -> dict[int, list[GridLine]]:
    found: dict[int, list[GridLine]] = {}
    for line in lines:
        found.setdefault(packs[line.pack_id].product.supplier_id, []).append(line)
    return dict(sorted(found.items()))


def _existing(session: Session, order: Order, unit: Unit) -> BulkOrder | None:
    """The bulk order that this order has already; another unit's key is not ours to answer."""
    bulk = session.scalar(sa.select(BulkOrder).where(BulkOrder.order_id == order.id))
    if order.organisation_id != unit.organisation_id:
        raise Missing(NOT_YOURS)
    return bulk


def _contact(unit: Unit) -> Contact:
    return Contact(
        recipient=unit.contact or unit.organisation.short_name,
        phone=unit.contact_phone,
        address=f"{unit.organisation.name} {unit.delivery_place}".strip(),
        region=unit.organisation.region_code,
    )
