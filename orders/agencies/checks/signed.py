"""What was submitted or signed is there, unchanged, and says what its row says."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel.checks import Check, Difference, rows_of
from kernel.errors import Text
from kernel.money import Money
from kernel.versions import FrozenVersion
from orders.agencies.models import (
    Acceptance,
    AcceptanceState,
    BulkOrder,
    Filing,
    FilingState,
)
from orders.agencies.rules.filing import reserved_share
from orders.sales.models import Order


def _frozen(session: Session) -> Iterator[Difference]:
    """What was signed or submitted is there, unchanged, and says what its row says."""
    for acceptance, version in session.execute(
        sa.select(Acceptance, FrozenVersion)
        .outerjoin(FrozenVersion, FrozenVersion.id == Acceptance.frozen_id)
        .where(Acceptance.state == AcceptanceState.SIGNED)
    ):
        yield from _compared(
            f"acceptance:{acceptance.id}", version, "amount_fen", acceptance.amount
        )
    for order_id, amount, version in session.execute(
        sa.select(BulkOrder.order_id, Order.total, FrozenVersion)
        .join(BulkOrder.order)
        .outerjoin(FrozenVersion, FrozenVersion.id == BulkOrder.contract_id)
        .where(BulkOrder.signed_at.is_not(None))
    ):
        yield from _compared(f"order:{order_id}", version, "total_fen", amount)


def _compared(
    subject: str, version: FrozenVersion | None, name: str, amount: Money
) -> Iterator[Difference]:
    if version is None:
        yield Difference(subject, Text("nothing was frozen"))
    elif not version.intact:
        yield Difference(subject, Text("what was frozen was changed"))
    elif version.content().get(name) != amount.fen:
        yield Difference(subject, Text("what was frozen says another amount"))


def _filings(session: Session) -> Iterator[Difference]:
    """R = base × ratio; what was submitted is frozen and says the same."""
    for filing, version in session.execute(
        sa.select(Filing, FrozenVersion)
        .outerjoin(FrozenVersion, FrozenVersion.id == Filing.frozen_id)
        .order_by(Filing.id)
    ):
        subject = f"filing:{filing.id}"
        share = reserved_share(filing.canteen_type.value, filing.base, filing.ratio_bp)
        if filing.reserved != share:
            yield Difference(
                subject,
                Text("reserves %(said)s, should %(found)s", said=filing.reserved, found=share),
            )
        if filing.state not in (FilingState.DRAFT, FilingState.RETURNED):
            yield from _compared(subject, version, "reserved_fen", filing.reserved)


CHECKS: list[Check] = [
    Check(
        "agencies.frozen",
        Text("Contracts and protocols are as they were signed"),
        _frozen,
        rows_of(Acceptance, BulkOrder),
    ),
    Check(
        "agencies.filings",
        Text("Filings reserve what their base and share come to"),
        _filings,
        rows_of(Filing),
    ),
]
