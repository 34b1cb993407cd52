"""A supplier's stores, the transfers between them, and what was lost or found."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import Lot, Processing, Store
from catalog.lots.models.papers import Adjustment, AdjustmentState, CountEntry, StoreTransfer
from kernel.errors import Missing, Text
from kernel.people import User


def stores_of(session: Session, supplier_id: int) -> list[Store]:
    """A supplier's stores beside the main one."""
    return list(
        session.scalars(sa.select(Store).where(Store.supplier_id == supplier_id).order_by(Store.id))
    )


def transfers_of(session: Session, supplier_id: int, *, limit: int = 60) -> list[StoreTransfer]:
    """Those under way first, then newest first; with slip, lot, product and both stores."""
    return list(
        session.scalars(
            sa.select(StoreTransfer)
            .join(Processing, Processing.id == StoreTransfer.processing_id)
            .join(Lot, Lot.id == Processing.output_lot_id)
            .options(
                joinedload(StoreTransfer.processing)
                .joinedload(Processing.output_lot)
                .joinedload(Lot.product),
                joinedload(StoreTransfer.from_store),
                joinedload(StoreTransfer.to_store),
            )
            .where(Lot.supplier_id == supplier_id)
            .order_by(
                sa.case((StoreTransfer.arrived.is_(None), 0), else_=1), StoreTransfer.id.desc()
            )
            .limit(limit)
        )
    )


def adjustments_of(
    session: Session, supplier_id: int, *, offset: int = 0, limit: int = 50
) -> list[Adjustment]:
    """Loss slips and count differences: those that wait first, then newest first; with lot and
    product."""
    return list(
        session.scalars(
            sa.select(Adjustment)
            .options(joinedload(Adjustment.lot).joinedload(Lot.product))
            .where(Adjustment.supplier_id == supplier_id)
            .order_by(
                sa.case((Adjustment.state == AdjustmentState.PROPOSED, 0), else_=1),
                Adjustment.id.desc(),
            )
            .offset(offset)
            .limit(limit)
        )
    )


def adjustment_of(session: Session, supplier_id: int, number: str) -> Adjustment:
    """This supplier's slip with lot, product and photo; or Missing."""
    found = session.scalar(
        sa.select(Adjustment)
        .options(joinedload(Adjustment.lot).joinedload(Lot.product), joinedload(Adjustment.photo))
        .where(Adjustment.supplier_id == supplier_id, Adjustment.number == number)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def transfer_of(session: Session, supplier_id: int, key: int) -> StoreTransfer:
    """This supplier's transfer with slip, lot and product; or Missing."""
    found = session.scalar(
        sa.select(StoreTransfer)
        .join(Processing, Processing.id == StoreTransfer.processing_id)
        .join(Lot, Lot.id == Processing.output_lot_id)
        .options(
            joinedload(StoreTransfer.processing)
            .joinedload(Processing.output_lot)
            .joinedload(Lot.product)
        )
        .where(StoreTransfer.id == key, Lot.supplier_id == supplier_id)
    )
    if found is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return found


def counter_of(session: Session, adjustment_id: int) -> Adjustment | None:
    """The slip that takes this one back, waiting or agreed to."""
    return session.scalar(
        sa.select(Adjustment).where(
            Adjustment.reverses_id == adjustment_id, Adjustment.state != AdjustmentState.REFUSED
        )
    )


def taken_back_by(session: Session, slip: Adjustment) -> Adjustment | None:
    """The slip that this one takes back, if it is a counter-slip."""
    return session.get(Adjustment, slip.reverses_id) if slip.reverses_id is not None else None


def slips_of_count(session: Session, count_id: int) -> list[Adjustment]:
    """The differences of a count and whatever took them back, oldest first."""
    own = sa.select(Adjustment.id).where(Adjustment.count_id == count_id)
    return list(
        session.scalars(
            sa.select(Adjustment)
            .options(joinedload(Adjustment.lot).joinedload(Lot.product))
            .where(sa.or_(Adjustment.count_id == count_id, Adjustment.reverses_id.in_(own)))
            .order_by(Adjustment.id)
        )
    )


def names_of(session: Session, user_ids: Sequence[int | None]) -> dict[int, str]:
    """Who these people are."""
    wanted = [key for key in user_ids if key is not None]
    return dict(session.execute(sa.select(User.id, User.name).where(User.id.in_(wanted))).all())


def writers_of(session: Session, slip: Adjustment) -> set[int | None]:
    """Whose figures a slip holds, and who therefore may not decide it: both counters of a count
    difference, else whoever wrote it down."""
    if slip.count_id is None:
        return {slip.made_by_id}
    return set(
        session.scalars(
            sa.select(CountEntry.made_by_id).where(
                CountEntry.count_id == slip.count_id, CountEntry.lot_id == slip.lot_id
            )
        )
    )
