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
    LineProposal,
)
from orders.agencies.rules.filing import reserved_share
from orders.sales.models import LineWithdrawal, Order, OrderLine


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


def _agreed(session: Session) -> Iterator[Difference]:
    """What was taken off a signed order was proposed by one side and agreed by the other."""
    for withdrawal, number in session.execute(
        sa.select(LineWithdrawal, Order.number)
        .join(LineWithdrawal.line)
        .join(OrderLine.order)
        .join(BulkOrder, BulkOrder.order_id == Order.id)
        .outerjoin(LineProposal, LineProposal.withdrawal_id == LineWithdrawal.id)
        .where(BulkOrder.signed_at < LineWithdrawal.made_at, LineProposal.id.is_(None))
        .order_by(LineWithdrawal.id)
    ):
        yield Difference(
            f"order:{number}",
            Text("line %(line)s was lowered after the signature without a proposal",
                 line=withdrawal.line_id),
        )  # fmt: skip
    for proposal, withdrawal in session.execute(
        sa.select(LineProposal, LineWithdrawal)
        .join(LineWithdrawal, LineWithdrawal.id == LineProposal.withdrawal_id)
        .where(
            sa.or_(
                LineProposal.line_id != LineWithdrawal.line_id,
                LineProposal.quantity != LineWithdrawal.quantity,
            )
        )
    ):
        yield Difference(
            f"line_proposal:{proposal.id}",
            Text("agreed on %(said)s, %(found)s were taken off",
                 said=proposal.quantity, found=withdrawal.quantity),
        )  # fmt: skip


CHECKS: list[Check] = [
    Check(
        "agencies.agreed",
        Text("What was taken off a signed order was agreed by both sides"),
        _agreed,
        rows_of(LineProposal, LineWithdrawal),
    ),
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
