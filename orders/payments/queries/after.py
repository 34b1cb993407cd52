"""Reads of refunds, of what buyers show with them, and of goods that travel back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from catalog.suppliers.models import Supplier
from kernel.db import sum_whole
from kernel.errors import Missing, Text
from kernel.storage import StoredFile
from orders.payments.models import UNDECIDED, Refund, RefundLine, RefundState
from orders.payments.models.after import (
    RefundPhoto,
    ReturnAddress,
    ReturnParcel,
    ReturnSlice,
    ReturnState,
)
from orders.payments.rules.claims import answer_due
from orders.sales.models import Allocation, OrderLine

NOT_YOURS = Text("There is nothing at this address, or it is not yours.")
# On the storekeeper's desk; what waits to be sent lies with the buyer.
COMING = (ReturnState.TO_SEND, ReturnState.UNDER_WAY, ReturnState.ARRIVED)


def refunds_of(session: Session, order_id: int) -> list[Refund]:
    """Every refund of an order with all that its page shows, oldest first."""
    return list(
        session.scalars(
            sa.select(Refund)
            .where(Refund.order_id == order_id)
            .order_by(Refund.id)
            .options(*_whole())
        )
    )


def refund_of(session: Session, refund_id: int, *, order_id: int) -> Refund:
    """One refund of this order."""
    return _one(session, Refund.id == refund_id, Refund.order_id == order_id)


def refund_sheet(session: Session, refund_id: int, *, supplier_id: int) -> Refund:
    """A refund, if all its lines are this supplier's."""
    return _one(session, Refund.id == refund_id, _of_supplier(supplier_id))


def any_refund(session: Session, refund_id: int) -> Refund:
    """A refund whoever sold the goods: for the platform."""
    return _one(session, Refund.id == refund_id)


def claims_to_answer(session: Session, supplier_id: int) -> list[Refund]:
    """What buyers ask of this supplier and nothing travels for, the oldest first."""
    return _many(
        session,
        Refund.state.in_(UNDECIDED),
        _of_supplier(supplier_id),
        Refund.id.not_in(sa.select(ReturnParcel.refund_id).where(ReturnParcel.state.in_(COMING))),
        oldest_first=True,
    )


def claims_answered(session: Session, supplier_id: int, *, limit: int = 20) -> list[Refund]:
    """What this supplier's buyers asked for and was decided, newest first."""
    return _many(
        session,
        Refund.state.not_in(UNDECIDED),
        Refund.answered_at.is_not(None),
        _of_supplier(supplier_id),
        limit=limit,
    )


def returns_of_supplier(session: Session, supplier_id: int) -> list[Refund]:
    """Refunds whose goods are on their way back to this supplier, what has arrived first."""
    found = list(
        session.scalars(
            sa.select(Refund)
            .join(ReturnParcel, ReturnParcel.refund_id == Refund.id)
            .where(ReturnParcel.supplier_id == supplier_id, ReturnParcel.state.in_(COMING))
            .order_by(ReturnParcel.arrived_at.is_(None), ReturnParcel.id)
            .options(*_whole())
        )
    )
    return sorted(found, key=lambda each: -COMING.index(each.parcel.state) if each.parcel else 0)


def claims_for_platform(session: Session, *, now: datetime) -> list[Refund]:
    """What buyers brought to the platform, and what a cooperative let lie too long."""
    open_ = _many(
        session,
        Refund.state.in_((RefundState.ESCALATED, RefundState.REQUESTED)),
        sa.or_(
            Refund.state == RefundState.ESCALATED,
            Refund.id.not_in(sa.select(ReturnParcel.refund_id)),
        ),
        oldest_first=True,
    )
    return [
        each
        for each in open_
        if each.state is RefundState.ESCALATED or answer_due(each.made_at) < now
    ]


def claims_waiting(session: Session, supplier_id: int) -> tuple[int, int]:
    """(claims to answer, parcels that came back or are coming) of this supplier."""
    claims = session.scalar(
        sa.select(sa.func.count(Refund.id)).where(
            Refund.state == RefundState.REQUESTED,
            _of_supplier(supplier_id),
            Refund.id.not_in(
                sa.select(ReturnParcel.refund_id).where(ReturnParcel.state.in_(COMING))
            ),
        )
    )
    parcels = session.scalar(
        sa.select(sa.func.count(ReturnParcel.id)).where(
            ReturnParcel.supplier_id == supplier_id,
            ReturnParcel.state.in_((ReturnState.UNDER_WAY, ReturnState.ARRIVED)),
        )
    )
    return claims or 0, parcels or 0


def undecided_of_orders(session: Session, order_ids: Collection[int]) -> set[int]:
    """Orders of which something is being asked back."""
    return set(
        session.scalars(
            sa.select(Refund.order_id)
            .where(Refund.order_id.in_(order_ids), Refund.state.in_(UNDECIDED))
            .distinct()
        )
    )


def return_addresses(session: Session, supplier_ids: Collection[int]) -> dict[int, ReturnAddress]:
    """Supplier → where goods are sent back to, of those who have said so."""
    rows = session.scalars(
        sa.select(ReturnAddress).where(ReturnAddress.supplier_id.in_(supplier_ids))
    )
    return {each.supplier_id: each for each in rows}


def photo_file(
    session: Session,
    photo_id: int,
    *,
    order_id: int | None = None,
    supplier_id: int | None = None,
) -> StoredFile:
    """A buyer's photo, for whoever holds the order, for the cooperative that sent the goods, or
    (neither named) for the platform."""
    scope: sa.ColumnElement[bool] = sa.true()
    if order_id is not None:
        scope = Refund.order_id == order_id
    elif supplier_id is not None:
        scope = _of_supplier(supplier_id)
    found = session.scalar(
        sa.select(StoredFile)
        .join(RefundPhoto, RefundPhoto.file_id == StoredFile.id)
        .join(Refund, Refund.id == RefundPhoto.refund_id)
        .where(RefundPhoto.id == photo_id, scope)
    )
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def returned_of(session: Session, refund_line_ids: Collection[int]) -> dict[int, dict[int, int]]:
    """Refund line → contribution → base units that came back to the store."""
    found: dict[int, dict[int, int]] = {}
    for line, contribution, quantity in session.execute(
        sa.select(
            ReturnSlice.refund_line_id, Allocation.contribution_id, sum_whole(ReturnSlice.quantity)
        )
        .join(Allocation, Allocation.id == ReturnSlice.allocation_id)
        .where(ReturnSlice.refund_line_id.in_(refund_line_ids))
        .group_by(ReturnSlice.refund_line_id, Allocation.contribution_id)
    ):
        found.setdefault(line, {})[contribution] = int(quantity)
    return found


def returned_by_allocation(session: Session, allocation_ids: Collection[int]) -> dict[int, int]:
    """Allocation → base units of it that came back."""
    rows = session.execute(
        sa.select(ReturnSlice.allocation_id, sum_whole(ReturnSlice.quantity))
        .where(ReturnSlice.allocation_id.in_(allocation_ids))
        .group_by(ReturnSlice.allocation_id)
    )
    return {allocation: int(quantity) for allocation, quantity in rows}


def _of_supplier(supplier_id: int) -> sa.ColumnElement[bool]:
    """It has lines, and every one of them is this supplier's."""
    mine = (
        sa.select(RefundLine.id)
        .join(OrderLine, OrderLine.id == RefundLine.line_id)
        .where(RefundLine.refund_id == Refund.id)
    )
    return sa.and_(
        mine.where(OrderLine.supplier_id == supplier_id).exists(),
        ~mine.where(OrderLine.supplier_id != supplier_id).exists(),
    )


def _whole() -> list[ORMOption]:
    return [
        joinedload(Refund.order),
        joinedload(Refund.parcel),
        selectinload(Refund.freights),
        selectinload(Refund.photos),
        selectinload(Refund.events),
        selectinload(Refund.lines)
        .joinedload(RefundLine.line)
        .options(
            joinedload(OrderLine.product),
            joinedload(OrderLine.supplier).joinedload(Supplier.organisation),
        ),
    ]


def _one(session: Session, *where: sa.ColumnElement[bool]) -> Refund:
    found = session.scalar(sa.select(Refund).where(*where).options(*_whole()))
    if found is None:
        raise Missing(NOT_YOURS)
    return found


def _many(
    session: Session,
    *where: sa.ColumnElement[bool],
    oldest_first: bool = False,
    limit: int = 200,
) -> list[Refund]:
    order = Refund.id if oldest_first else Refund.id.desc()
    return list(
        session.scalars(
            sa.select(Refund).where(*where).order_by(order).limit(limit).options(*_whole())
        )
    )
