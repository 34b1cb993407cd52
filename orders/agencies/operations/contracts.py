"""A bulk order between submission and delivery: approved by another, signed by the supplier,
or dropped by either side (domain.md §3.5, 先货后款). The order's row is the lock of all of it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Product
from kernel import audit
from kernel.actors import WORKER, Actor
from kernel.errors import Invalid, Refusal, Text
from kernel.periods import business_day
from kernel.versions import FrozenVersion, freeze
from orders.agencies.models import (
    BulkOrder,
    Stage,
)
from orders.agencies.operations.ordering import HOLD
from orders.agencies.operations.quota import move_quota
from orders.agencies.operations.stages import move_stage, own_order, shared_order, supplied_order
from orders.agencies.queries.bulk import lock_bulk, unsigned_past
from orders.agencies.rules.terms import STATUTORY_RATE_PER_MILLION
from orders.sales.models import Order, OrderLine, OrderState
from orders.sales.operations import (
    confirm_order,
    give_back,
)

UNSIGNED = Text("nobody signed within 48 hours")
CONTRACT_FORMAT = 1


def approve_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> BulkOrder:
    """A second person of the unit agrees; it is the supplier's turn to sign. Four eyes always."""
    order, bulk = own_order(session, order_id, by)
    if bulk.approved_by_id is not None and bulk.approved_by_id == by.user_id:
        return bulk
    if bulk.stage is not Stage.PENDING_APPROVAL:
        raise Refusal("Order %(number)s is not waiting for approval any more.", number=order.number)
    if by.user_id is None or by.user_id == bulk.made_by_id:
        raise Refusal("Whoever submitted an order cannot approve it.")
    bulk.approved_by_id = by.user_id
    bulk.approved_at = now
    order.hold_until = now + HOLD
    move_stage(bulk, Stage.TO_SIGN)
    session.flush()
    audit.note(session, "approve_order", f"order:{order.id}", by=by, now=now, total=order.total)
    return bulk


def reject_order(
    session: Session, order_id: int, *, reason: str, by: Actor, now: datetime
) -> BulkOrder:
    """The second person says no; every gram is free again and nothing stays ordered."""
    order, bulk = own_order(session, order_id, by)
    if bulk.stage is Stage.REJECTED:
        return bulk
    if bulk.stage is not Stage.PENDING_APPROVAL:
        raise Refusal("Order %(number)s is not waiting for approval any more.", number=order.number)
    if not reason.strip():
        raise Invalid({"reason": Text("Say why, so that the buyer can do better.")})
    _drop(session, order, bulk, Stage.REJECTED, reason.strip(), by, now)
    audit.note(session, "reject_order", f"order:{order.id}", by=by, now=now, reason=reason)
    return bulk


def cancel_order(
    session: Session, order_id: int, *, reason: str, by: Actor, now: datetime
) -> BulkOrder:
    """Unit or supplier withdraws before the contract is signed; until then it is free (§3.2)."""
    order, bulk = shared_order(session, order_id, by)
    if bulk.stage is Stage.CANCELLED:
        return bulk
    if bulk.stage not in (Stage.PENDING_APPROVAL, Stage.TO_SIGN):
        raise Refusal(
            "Order %(number)s is signed; it can no longer be cancelled.", number=order.number
        )
    if not reason.strip():
        raise Invalid({"reason": Text("Say why, so that the other side understands.")})
    _drop(session, order, bulk, Stage.CANCELLED, reason.strip(), by, now)
    audit.note(session, "cancel_order", f"order:{order.id}", by=by, now=now, reason=reason)
    return bulk


def sign_order(session: Session, order_id: int, *, by: Actor, now: datetime) -> BulkOrder:
    """The supplier signs the contract, which is frozen; the goods are now to be shipped."""
    order, bulk = supplied_order(session, order_id, by)
    if bulk.signed_at is not None:
        return bulk
    if bulk.stage is not Stage.TO_SIGN:
        raise Refusal("Order %(number)s is not waiting for your signature.", number=order.number)
    frozen = freeze_contract(session, order, bulk, by=by, now=now)
    bulk.signed_by_id = by.user_id
    bulk.signed_at = now
    move_stage(bulk, Stage.IN_DELIVERY)
    confirm_order(session, order.id, by=by, now=now)
    session.flush()
    audit.note(session, "sign_order", f"order:{order.id}", by=by, now=now, sha256=frozen.sha256)
    return bulk


def freeze_contract(
    session: Session, order: Order, bulk: BulkOrder, *, by: Actor, now: datetime
) -> FrozenVersion:
    """The contract as it stands now, a version beside those that were signed before."""
    signed_at = bulk.signed_at or now
    frozen = freeze(
        session,
        f"contract:{order.id}",
        _contract(session, order, bulk, signed_at),
        by=by,
        now=now,
        format=CONTRACT_FORMAT,
    )
    bulk.contract_id = frozen.id
    return frozen


def close_unsigned_orders(session: Session, *, now: datetime, limit: int = 50) -> list[BulkOrder]:
    """Orders that nobody approved or signed for 48 hours give their goods back (domain.md §3.5)."""
    closed = []
    for order_id in unsigned_past(session, before=now - HOLD, limit=limit):
        order, bulk = lock_bulk(session, order_id)
        if bulk.stage not in (Stage.PENDING_APPROVAL, Stage.TO_SIGN):
            continue
        _drop(session, order, bulk, Stage.CANCELLED, str(UNSIGNED), WORKER, now)
        audit.note(session, "close_unsigned_order", f"order:{order.id}", by=WORKER, now=now)
        closed.append(bulk)
    return closed


def _drop(
    session: Session,
    order: Order,
    bulk: BulkOrder,
    to: Stage,
    reason: str,
    by: Actor,
    now: datetime,
) -> None:
    move_stage(bulk, to)
    bulk.decision_reason = reason[:200]
    give_back(session, order.id, to=OrderState.CANCELLED, reason=reason[:200], by=by, now=now)
    move_quota(
        session,
        bulk,
        order,
        cause=f"{to.value}:order:{order.id}",
        on=business_day(now),
        by=by,
        now=now,
    )


def _contract(session: Session, order: Order, bulk: BulkOrder, now: datetime) -> dict[str, object]:
    """What both sides agree on (domain.md §3.2, contract fields)."""
    assert order.supplier is not None
    assert order.organisation is not None
    lines = session.scalars(
        sa.select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    ).all()
    units = {
        product.id: product.base_unit.value
        for product in session.scalars(
            sa.select(Product).where(Product.id.in_(sorted({line.product_id for line in lines})))
        )
    }
    seller = order.supplier.organisation
    return {
        "number": order.number,
        "buyer": {"name": order.organisation.name, "uscc": order.organisation.uscc},
        "seller": {
            "name": seller.name,
            "uscc": seller.uscc,
            "bank": order.supplier.bank,
            "bank_account": order.supplier.bank_account,
            "small_enterprise": order.supplier.is_small_enterprise,
        },
        "purpose": bulk.purpose.value,
        "lines": [
            {
                "position": line.position,
                "name": line.name_zh,
                "pack": line.pack_zh,
                "grade": line.grade.value,
                "quantity": line.stands,
                "unit": units[line.product_id],
                "price_hundredth_fen": line.unit_price.per_unit if line.unit_price else None,
                "amount_fen": line.owed.fen,
                "deliver_on": line.deliver_on.isoformat() if line.deliver_on else None,
                "deliver_to": line.deliver_to,
            }
            for line in lines
        ],
        "goods_fen": order.goods.fen,
        "freight_fen": order.freight.fen,
        "total_fen": order.total.fen,
        "payment_days_after_acceptance": bulk.payment_days,
        "late_interest_per_million_and_day": STATUTORY_RATE_PER_MILLION,
        "acceptance": "weighed on delivery by at least two people",
        "filing_year": business_day(order.placed_at).year,
        "signed_at": now.isoformat(),
    }
