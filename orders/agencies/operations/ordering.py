"""Bulk orders until they are signed: drafted, submitted, approved by another, signed or dropped.

Transitions of domain.md §3.5 for 先货后款. The order's row is the lock of everything about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.queries import lock_pools
from catalog.products.models import Pack, Product
from kernel import audit
from kernel.actors import WORKER, Actor
from kernel.db import stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.versions import freeze
from orders.agencies.models import (
    STAGE_MOVES,
    BulkOrder,
    OrderDraft,
    Purpose,
    Stage,
    Unit,
)
from orders.agencies.operations.quota import move_quota
from orders.agencies.queries.bulk import NOT_YOURS, draft_of, lock_bulk, unsigned_past
from orders.agencies.queries.units import policy_for, unit_sheet
from orders.agencies.rules.terms import STATUTORY_DAYS, STATUTORY_RATE_PER_MILLION, term_problem
from orders.sales.models import BuyerKind, Order, OrderLine, OrderState
from orders.sales.operations import (
    Contact,
    Placing,
    Wanted,
    confirm_order,
    give_back,
    place_order,
)
from orders.sales.queries import packs_with_products

# Goods are kept for an order that nobody approves, or nobody signs, for so long.
HOLD = timedelta(hours=48)
CONTRACT_FORMAT = 1
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
    _check_lines(lines)
    if problem := term_problem(payment_days):
        raise Invalid({"payment_days": problem})
    if deliver_on is not None and deliver_on < business_day(now):
        raise Invalid({"deliver_on": Text("The day of delivery is over.")})
    policy = policy_for(session, unit.organisation.region_code, business_day(now).year)
    packs = packs_with_products(session, [line.pack_id for line in lines])
    if len(packs) < len({line.pack_id for line in lines}):
        raise Missing(Text("Something in this order is no longer for sale."))
    # Every pool of every supplier at once and in id order, before the first order is placed.
    lock_pools(session, sorted({pack.product_id for pack in packs.values()}))
    found = []
    for supplier_id, theirs in _by_supplier(lines, packs).items():
        placing = Placing(
            lines=[
                Wanted(
                    pack_id=line.pack_id,
                    quantity=line.quantity,
                    deliver_on=line.deliver_on or deliver_on,
                    deliver_to=line.deliver_to or unit.delivery_place,
                )
                for line in theirs
            ],
            buyer_kind=BuyerKind.UNIT,
            contact=_contact(unit),
            request_key=f"{request_key}:{supplier_id}",
            state=OrderState.AWAITING_SIGNATURE,
            hold_until=now + HOLD,
            user_id=by.user_id,
            organisation_id=unit.organisation_id,
            supplier_id=supplier_id,
            deliver_on=deliver_on,
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
    """Unit or supplier withdraws before the contract is signed (domain.md §3.2: free until then)."""
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
    content = _contract(session, order, bulk, now)
    frozen = freeze(
        session, f"contract:{order.id}", content, by=by, now=now, format=CONTRACT_FORMAT
    )
    bulk.contract_id = frozen.id
    bulk.signed_by_id = by.user_id
    bulk.signed_at = now
    move_stage(bulk, Stage.IN_DELIVERY)
    confirm_order(session, order.id, reason="signed", by=by, now=now)
    session.flush()
    audit.note(session, "sign_order", f"order:{order.id}", by=by, now=now, sha256=frozen.sha256)
    return bulk


def close_unsigned_orders(session: Session, *, now: datetime, limit: int = 50) -> list[BulkOrder]:
    """Orders that nobody approved or signed for 48 hours give their goods back (domain.md §3.5)."""
    closed = []
    for order_id in unsigned_past(session, before=now - HOLD, limit=limit):
        order, bulk = lock_bulk(session, order_id)
        if bulk.stage not in (Stage.PENDING_APPROVAL, Stage.TO_SIGN):
            continue
        _drop(session, order, bulk, Stage.CANCELLED, "nobody signed within 48 hours", WORKER, now)
        audit.note(session, "close_unsigned_order", f"order:{order.id}", by=WORKER, now=now)
        closed.append(bulk)
    return closed


def own_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for someone of the unit that placed it; Missing for everyone else."""
    order, bulk = lock_bulk(session, order_id)
    if order.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return order, bulk


def supplied_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for someone of the supplier; Missing for everyone else."""
    order, bulk = lock_bulk(session, order_id)
    if order.supplier is None or order.supplier.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return order, bulk


def shared_order(session: Session, order_id: int, by: Actor) -> tuple[Order, BulkOrder]:
    """The order, locked, for either side of the contract."""
    order, bulk = lock_bulk(session, order_id)
    theirs = order.supplier.organisation_id if order.supplier else None
    if by.organisation_id is None or by.organisation_id not in (order.organisation_id, theirs):
        raise Missing(NOT_YOURS)
    return order, bulk


def move_stage(bulk: BulkOrder, to: Stage) -> None:
    """One step of the stages' table; anything else is a bug of the caller."""
    assert to in STAGE_MOVES[bulk.stage], (bulk.stage, to)
    bulk.stage = to


def _own_unit(session: Session, unit_id: int, by: Actor) -> Unit:
    unit = unit_sheet(session, unit_id)
    if unit.organisation_id != by.organisation_id:
        raise Missing(NOT_YOURS)
    return unit


def _check_lines(lines: Sequence[GridLine]) -> None:
    if not lines:
        raise Refusal("An order has at least one line.")
    if len(lines) > MOST_LINES:
        raise Refusal("An order has at most %(most)s lines.", most=MOST_LINES)


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
                "quantity": line.quantity,
                "unit": units[line.product_id],
                "price_hundredth_fen": line.unit_price.per_unit if line.unit_price else None,
                "amount_fen": line.amount.fen,
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
