"""What must always be true of goods that came back from buyers."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lots.models import StockMove
from kernel.checks import Check, Difference, rows_of
from kernel.db import sum_whole
from kernel.errors import Text
from orders.payments.models.after import ReturnSlice
from orders.sales.models import Allocation


def _returned_goods_lie_in_the_store(session: Session) -> Iterator[Difference]:
    """No more of an allocation came back than was sent, and every gram of it moved."""
    back = sum_whole(ReturnSlice.quantity)
    for key, shipped, said in session.execute(
        sa.select(Allocation.id, Allocation.shipped, back)
        .join(ReturnSlice, ReturnSlice.allocation_id == Allocation.id)
        .group_by(Allocation.id, Allocation.shipped)
        .having(back > Allocation.shipped)
        .order_by(Allocation.id)
    ):
        yield Difference(
            f"allocation:{key}",
            Text("%(shipped)s were sent, %(said)s came back", shipped=shipped, said=said),
        )
    cause = sa.literal("return:") + sa.cast(ReturnSlice.id, sa.String)
    for key, quantity, moved in session.execute(
        sa.select(ReturnSlice.id, ReturnSlice.quantity, StockMove.quantity)
        .outerjoin(StockMove, StockMove.cause == cause)
        .where(sa.func.coalesce(StockMove.quantity, 0) != ReturnSlice.quantity)
        .order_by(ReturnSlice.id)
    ):
        yield Difference(
            f"return_slice:{key}",
            Text("%(quantity)s came back, %(moved)s moved", quantity=quantity, moved=moved or 0),
        )


RETURNED = Check(
    "payments.returns",
    Text("No more came back than was sent, and all of it lies in its lots"),
    _returned_goods_lie_in_the_store,
    rows_of(ReturnSlice),
)
