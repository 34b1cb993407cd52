"""What a buyer had already of packs of which everybody may have only so many."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.products.models import Pack
from kernel.crypto import keyed_hash
from kernel.db import sum_whole
from kernel.periods import day_start
from orders.sales.models import BuyerKind, Order, OrderLine, OrderState
from orders.sales.rules.limits import limit_of

GAVE_BACK = (OrderState.CANCELLED, OrderState.CLOSED)


def phone_key(phone: str) -> str:
    """What finds the orders of one number again, however it is written."""
    return keyed_hash("phone:" + "".join(each for each in phone if each.isdigit()))


def bought_of(
    session: Session,
    packs: Iterable[Pack],
    *,
    user_id: int | None,
    phone: str = "",
    codes: Collection[str] = (),
    today: date,
) -> dict[int, int]:
    """Pack → how many this buyer ordered within its limit's days: as this user, with this phone, or
    in this browser. Cancelled and closed orders gave theirs back. No limited pack: no query."""
    since = {
        pack.id: limit.since(today)
        for pack in packs
        if (limit := limit_of(pack.most_per_buyer, pack.limit_days)) is not None
    }
    theirs = [
        *([Order.user_id == user_id] if user_id is not None else []),
        *([Order.phone_hash == phone_key(phone)] if phone else []),
        *([Order.code.in_(sorted(codes))] if codes else []),
    ]
    if not since or not theirs:
        return {}
    within = [
        sa.and_(OrderLine.pack_id == pack_id, Order.placed_at >= day_start(day))
        for pack_id, day in sorted(since.items())
    ]
    rows = session.execute(
        sa.select(OrderLine.pack_id, sum_whole(OrderLine.count))
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.buyer_kind == BuyerKind.CITIZEN,
            Order.state.not_in(GAVE_BACK),
            sa.or_(*theirs),
            sa.or_(*within),
        )
        .group_by(OrderLine.pack_id)
    )
    return {pack_id: int(count) for pack_id, count in rows}
