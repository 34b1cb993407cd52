"""What must always be true of orders, their goods and their sums (architecture, 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import Contribution
from catalog.products.models import Product
from kernel.checks import Check, Difference, Findings, Sides, rows_of, totals
from kernel.crypto import keyed_hash
from kernel.db import sum_money, sum_whole
from kernel.errors import Text
from orders.sales.models import (
    Allocation,
    AllocationChange,
    BuyerKind,
    Employment,
    LineWithdrawal,
    Order,
    OrderEvent,
    OrderFreight,
    OrderLine,
    OrderRecipient,
    OrderState,
    Shipment,
    ShipmentLine,
)

OPEN = Allocation.quantity - Allocation.released - Allocation.shipped

# In these states nothing of an order may still be reserved in the store.
HOLDS_NOTHING = (
    OrderState.SHIPPED,
    OrderState.RECEIVED,
    OrderState.COMPLETED,
    OrderState.CANCELLED,
    OrderState.CLOSED,
)


def _lines_are_allocated(session: Session) -> Findings:
    replaced = (
        sa.select(sum_whole(AllocationChange.quantity))
        .where(AllocationChange.line_id == OrderLine.id)
        .correlate(OrderLine)
        .scalar_subquery()
    )
    allocated = sum_whole(Allocation.quantity) - replaced
    for line_id, quantity, said in session.execute(
        sa.select(OrderLine.id, OrderLine.quantity, allocated)
        .outerjoin(Allocation, Allocation.line_id == OrderLine.id)
        .group_by(OrderLine.id)
        .having(OrderLine.quantity != allocated)
        .order_by(OrderLine.id)
    ):
        yield Difference(
            f"line:{line_id}",
            Text(
                "is %(quantity)s, its allocations say %(allocated)s",
                quantity=quantity,
                allocated=int(said),
            ),
        )
    ordered, slices, replaced_in_all = (
        session.execute(sa.select(sum_whole(each.quantity))).scalar_one()
        for each in (OrderLine, Allocation, AllocationChange)
    )
    return Sides(ordered, slices - replaced_in_all)


def _reserved_is_open(session: Session) -> Findings:
    opened = sum_whole(OPEN)
    for key, reserved, said in session.execute(
        sa.select(Contribution.id, Contribution.reserved, opened)
        .outerjoin(Allocation, Allocation.contribution_id == Contribution.id)
        .group_by(Contribution.id)
        .having(Contribution.reserved != opened)
        .order_by(Contribution.id)
    ):
        yield Difference(
            f"contribution:{key}",
            Text(
                "%(reserved)s reserved, open allocations say %(open)s",
                reserved=reserved,
                open=int(said),
            ),
        )
    return totals(session, sum_whole(Contribution.reserved), sum_whole(OPEN))


def _orders_add_up(session: Session) -> Findings:
    lines = sum_money(
        sa.type_coerce(OrderLine.amount, sa.BigInteger)
        - sa.type_coerce(OrderLine.withdrawn_amount, sa.BigInteger)
    )
    for number, goods, said in session.execute(
        sa.select(Order.number, Order.goods, lines)
        .outerjoin(OrderLine, OrderLine.order_id == Order.id)
        .group_by(Order.id)
        .having(sa.type_coerce(Order.goods, sa.BigInteger) != sa.type_coerce(lines, sa.BigInteger))
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("goods of %(goods)s, its lines say %(lines)s", goods=goods, lines=said),
        )
    goods, owed = (
        session.execute(sa.select(sum_)).scalar_one() for sum_ in (sum_money(Order.goods), lines)
    )
    return Sides(goods, owed)


def _withdrawals_are_in_their_lines(session: Session) -> Iterator[Difference]:
    """The columns of a line say what its withdrawals say; so much of it was released and not
    replaced; and what is left of it costs its price."""
    for line, unit, quantity, amount, released, replaced in session.execute(
        sa.select(
            OrderLine,
            Product.base_unit,
            _of_line(sum_whole(LineWithdrawal.quantity), LineWithdrawal),
            _of_line(sum_money(LineWithdrawal.amount), LineWithdrawal),
            _of_line(sum_whole(Allocation.released), Allocation),
            _of_line(sum_whole(AllocationChange.quantity), AllocationChange),
        )
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            sa.or_(
                OrderLine.withdrawn != 0,
                sa.exists().where(LineWithdrawal.line_id == OrderLine.id),
            )
        )
        .order_by(OrderLine.id)
    ):
        subject = f"line:{line.id}"
        if (line.withdrawn, line.withdrawn_amount) != (quantity, amount):
            yield Difference(
                subject,
                Text("gave back %(said)s, its withdrawals say %(found)s",
                     said=line.withdrawn, found=int(quantity)),
            )  # fmt: skip
        if quantity > released - replaced:
            yield Difference(
                subject,
                Text("gave back %(said)s, of which %(found)s are free again",
                     said=int(quantity), found=int(released - replaced)),
            )  # fmt: skip
        if line.unit_price is None or line.owed != line.unit_price.of(line.stands, unit):
            yield Difference(subject, Text("its sum is not what is left of it costs"))


def _of_line(sum_: sa.ColumnElement[Any], model: Any) -> sa.ColumnElement[Any]:
    return sa.select(sum_).where(model.line_id == OrderLine.id).scalar_subquery()


def _ended_orders_hold_nothing(session: Session) -> Iterator[Difference]:
    for number, held in session.execute(
        sa.select(Order.number, sum_whole(OPEN))
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Allocation, Allocation.line_id == OrderLine.id)
        .where(Order.state.in_(HOLDS_NOTHING), OPEN > 0)
        .group_by(Order.id)
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}", Text("has ended and still holds %(held)s", held=int(held))
        )


def _shipments_are_what_left(session: Session) -> Findings:
    sent = sum_whole(sa.case((Shipment.cancelled_at.is_(None), ShipmentLine.quantity), else_=0))
    for key, shipped, said in session.execute(
        sa.select(Allocation.id, Allocation.shipped, sent)
        .outerjoin(ShipmentLine, ShipmentLine.allocation_id == Allocation.id)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .group_by(Allocation.id)
        .having(Allocation.shipped != sent)
        .order_by(Allocation.id)
    ):
        yield Difference(
            f"allocation:{key}",
            Text("%(shipped)s left, shipments say %(said)s", shipped=shipped, said=int(said)),
        )
    left = sa.select(sum_whole(Allocation.shipped))
    stands = (
        sa.select(sum_whole(ShipmentLine.quantity))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.cancelled_at.is_(None))
    )
    return Sides(session.execute(left).scalar_one(), session.execute(stands).scalar_one())


def _changes_are_in_their_slices(session: Session) -> Iterator[Difference]:
    """What was replaced was closed in the old slice and stands in new ones of the same line."""
    gone = sum_whole(AllocationChange.quantity)
    for key, released, said in session.execute(
        sa.select(Allocation.id, Allocation.released, gone)
        .join(AllocationChange, AllocationChange.from_id == Allocation.id)
        .group_by(Allocation.id)
        .having(Allocation.released < gone)
        .order_by(Allocation.id)
    ):
        yield Difference(
            f"allocation:{key}",
            Text("%(released)s closed, but %(said)s replaced", released=released, said=int(said)),
        )
    for key, quantity, said in session.execute(
        sa.select(Allocation.id, Allocation.quantity, gone)
        .join(AllocationChange, AllocationChange.to_id == Allocation.id)
        .group_by(Allocation.id)
        .having(Allocation.quantity != gone)
        .order_by(Allocation.id)
    ):
        yield Difference(
            f"allocation:{key}",
            Text(
                "is %(quantity)s, but took the place of %(said)s", quantity=quantity, said=int(said)
            ),
        )


def _freight_is_what_was_frozen(session: Session) -> Iterator[Difference]:
    frozen = sum_money(OrderFreight.amount)
    for number, freight, said in session.execute(
        sa.select(Order.number, Order.freight, frozen)
        .outerjoin(OrderFreight, OrderFreight.order_id == Order.id)
        .where(Order.buyer_kind == BuyerKind.CITIZEN)
        .group_by(Order.id)
        .having(
            sa.type_coerce(Order.freight, sa.BigInteger) != sa.type_coerce(frozen, sa.BigInteger)
        )
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("freight of %(freight)s, its parts say %(said)s", freight=freight, said=said),
        )


def _recipients_are_whole(session: Session) -> Iterator[Difference]:
    """Every line of a group purchase goes to one of its people; their carriage is the order's."""
    carried = (
        sa.select(sum_money(OrderRecipient.freight))
        .where(OrderRecipient.order_id == Order.id)
        .correlate(Order)
        .scalar_subquery()
    )
    grouped = Order.id.in_(sa.select(OrderRecipient.order_id))
    for number, freight, said in session.execute(
        sa.select(Order.number, Order.freight, carried)
        .where(
            grouped,
            sa.type_coerce(Order.freight, sa.BigInteger) != sa.type_coerce(carried, sa.BigInteger),
        )
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("freight of %(freight)s, its parts say %(said)s", freight=freight, said=said),
        )
    for number, position in session.execute(
        sa.select(Order.number, OrderLine.position)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .outerjoin(OrderRecipient, OrderRecipient.id == OrderLine.recipient_id)
        .where(
            sa.or_(
                sa.and_(grouped, OrderLine.recipient_id.is_(None)),
                OrderRecipient.order_id != OrderLine.order_id,
            )
        )
        .order_by(Order.id, OrderLine.position)
    ):
        yield Difference(
            f"order:{number}",
            Text("line %(position)s goes to none of its people", position=position),
        )


def _states_have_events(session: Session) -> Iterator[Difference]:
    last = (
        sa.select(sa.func.max(OrderEvent.id).label("id")).group_by(OrderEvent.order_id).subquery()
    )
    told = sa.select(OrderEvent.order_id, OrderEvent.to_state).join(
        last, last.c.id == OrderEvent.id
    )
    told_by = told.subquery()
    for number, state, said in session.execute(
        sa.select(Order.number, Order.state, told_by.c.to_state)
        .outerjoin(told_by, told_by.c.order_id == Order.id)
        .where(sa.cast(Order.state, sa.String).is_distinct_from(told_by.c.to_state))
        .order_by(Order.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("is %(state)s, its last event says %(said)s", state=state.value, said=said or "—"),
        )


def _mail_hashes(session: Session) -> Iterator[Difference]:
    """A guest's order is found by the hash of its address, and by nothing else."""
    for key, email, hashed in session.execute(
        sa.select(Order.id, Order.email, Order.email_hash)
        .where(sa.or_(Order.email.is_not(None), Order.email_hash.is_not(None)))
        .order_by(Order.id)
        .execution_options(yield_per=1000)
    ):
        if hashed != (keyed_hash(email) if email else None):
            yield Difference(f"order:{key}", Text("cannot be found by its e-mail address"))


def _employments(session: Session) -> Iterator[Difference]:
    """A person's orders of one day may be credited to one unit, never to two."""
    last: Employment | None = None
    for each in session.scalars(
        sa.select(Employment)
        .where(Employment.valid_from.is_not(None))
        .order_by(Employment.user_id, Employment.valid_from, Employment.id)
        .execution_options(yield_per=1000)
    ):
        same = last is not None and last.user_id == each.user_id
        if (
            same
            and last is not None
            and each.valid_from is not None
            and last.holds_on(each.valid_from)
        ):
            yield Difference(
                f"employment:{each.id}", Text("holds on days on which another one holds")
            )
        last = each


CHECKS: list[Check] = [
    Check(
        "sales.allocations",
        Text("Every gram of every order line comes from a household's lot"),
        _lines_are_allocated,
        rows_of(OrderLine),
    ),
    Check(
        "sales.reserved",
        Text("What is reserved in the store is what open orders hold"),
        _reserved_is_open,
        rows_of(Contribution, Allocation),
    ),
    Check("sales.totals", Text("Orders add up"), _orders_add_up, rows_of(Order, OrderLine)),
    Check(
        "sales.withdrawn",
        Text("What was given back of a line is free again, and its sums follow"),
        _withdrawals_are_in_their_lines,
        rows_of(LineWithdrawal),
    ),
    Check(
        "sales.ended",
        Text("Orders that have ended hold nothing"),
        _ended_orders_hold_nothing,
        rows_of(Order),
    ),
    Check(
        "sales.shipments",
        Text("What left the store stands in a shipment"),
        _shipments_are_what_left,
        rows_of(Shipment, ShipmentLine),
    ),
    Check(
        "sales.replaced",
        Text("What was replaced by another lot is conserved"),
        _changes_are_in_their_slices,
        rows_of(AllocationChange),
    ),
    Check(
        "sales.freight",
        Text("Freight of an order is what was frozen for its suppliers"),
        _freight_is_what_was_frozen,
        rows_of(OrderFreight),
    ),
    Check(
        "sales.recipients",
        Text("Every parcel of a group purchase has its recipient, and their freight adds up"),
        _recipients_are_whole,
        rows_of(OrderRecipient),
    ),
    Check(
        "sales.events",
        Text("Every order is where its last event put it"),
        _states_have_events,
        rows_of(OrderEvent),
    ),
    Check(
        "sales.mail_hashes",
        Text("An order's e-mail address and its hash belong together"),
        _mail_hashes,
        rows_of(Order),
    ),
    Check(
        "sales.employments",
        Text("A person is bound to one unit at a time"),
        _employments,
        rows_of(Employment),
    ),
]
