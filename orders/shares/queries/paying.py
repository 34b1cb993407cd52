"""Whether the households behind an order, or behind a lot, have been paid: read from the ledger.

A household is owed the price at the scale from the day its goods are taken in (`slip:12`), and its
part of a sale from the day the line is settled. When a claim is paid is one arithmetic
(`rules.paying`); it agrees with what a refund finds unpaid (`splitting.unpaid_of`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from catalog.lots.models import Contribution, WeighSlip
from catalog.lots.queries import made_of
from kernel.db import sum_money
from kernel.money import ZERO, Money
from orders.ledger.models import Account, Transfer
from orders.shares.models import HOUSEHOLD_PARTS, PartKind, SplitPart
from orders.shares.queries.splitting import PAYMENTS
from orders.shares.rules.paying import Claim, Debit, Paid, Payment, payment_of, state_of

Shares = dict[PartKind, Paid]


Booked = dict[str, Payment | None]


def order_paid(session: Session, order_key: str) -> Shares:
    """What households get of `order:12` by kind, refunds taken off, and whether they have it.
    The number of queries does not grow with its lines and households."""
    parts = session.execute(
        sa.select(
            SplitPart.line, SplitPart.subject, SplitPart.kind, SplitPart.household_id,
            SplitPart.contribution_id, Contribution.lot_id, sum_money(SplitPart.amount),
        )
        .outerjoin(Contribution, Contribution.id == SplitPart.contribution_id)
        .where(
            SplitPart.order == order_key,
            SplitPart.kind.in_(HOUSEHOLD_PARTS),
            SplitPart.household_id.is_not(None),
        )
        .group_by(
            SplitPart.line, SplitPart.subject, SplitPart.kind, SplitPart.household_id,
            SplitPart.contribution_id, Contribution.lot_id,
        )
        .order_by(SplitPart.line, SplitPart.subject)
    ).all()  # fmt: skip
    lots = {row.lot_id for row in parts if row.kind is PartKind.FARM_GATE}
    slips = _slips(session, lots, {row.household_id for row in parts})
    pooled = [_cause(row) for row in parts if row.kind is not PartKind.FARM_GATE]
    booked = _booked(session, [*pooled, *(f"slip:{slip.id}" for slip in slips)])
    net: dict[tuple[str, PartKind, int, int | None], Money] = {}
    causes: dict[tuple[str, PartKind, int, int | None], list[str]] = {}
    for row in parts:
        of_scale = row.kind is PartKind.FARM_GATE
        key = row.line, row.kind, row.household_id, row.contribution_id if of_scale else None
        net[key] = net.get(key, ZERO) + row[-1]
        if not of_scale:
            causes.setdefault(key, []).append(_cause(row))
        elif key not in causes:
            causes[key] = _slip_causes(slips, row.household_id, row.contribution_id)
    found: dict[PartKind, list[Claim]] = {}
    for key, amount in net.items():
        claim = _claim(key[2], amount, causes[key], booked)
        found.setdefault(key[1], []).append(claim)
    return {kind: state_of(found[kind]) for kind in HOUSEHOLD_PARTS if kind in found}


def lot_paid(session: Session, lot_id: int, sources: Collection[int] = ()) -> Shares:
    """The same for everything that households are owed of a lot. `sources` are the lots it was made
    of: their households were paid when those were weighed in."""
    of_lot = sa.select(Contribution.id).where(Contribution.lot_id == lot_id)
    members = sa.select(Contribution.household_id).where(
        Contribution.lot_id == lot_id, Contribution.household_id.is_not(None)
    )
    parts = session.execute(
        sa.select(
            SplitPart.subject, SplitPart.kind, SplitPart.household_id, sum_money(SplitPart.amount),
            SplitPart.line,
        )
        .where(
            SplitPart.contribution_id.in_(of_lot),
            SplitPart.kind.in_(HOUSEHOLD_PARTS[1:]),
            SplitPart.household_id.is_not(None),
        )
        .group_by(SplitPart.line, SplitPart.subject, SplitPart.kind, SplitPart.household_id)
    ).all()  # fmt: skip
    slips = _slips(session, {lot_id}, members, sources=sources)
    pooled = sa.select(
        SplitPart.subject
        + ":"
        + sa.type_coerce(SplitPart.kind, sa.String)
        + ":"
        + sa.cast(SplitPart.household_id, sa.String)
    ).where(
        SplitPart.contribution_id.in_(of_lot),
        SplitPart.kind.in_(HOUSEHOLD_PARTS[1:]),
        SplitPart.household_id.is_not(None),
    )
    weighed = sa.select(sa.literal("slip:") + sa.cast(WeighSlip.id, sa.String)).where(
        WeighSlip.id.in_([slip.id for slip in slips])
    )
    booked = _booked(session, sa.union_all(pooled, weighed))
    net: dict[tuple[str, PartKind, int], Money] = {}
    behind: dict[tuple[str, PartKind, int], list[str]] = {}
    for row in parts:
        key = row.line, row.kind, row.household_id
        net[key] = net.get(key, ZERO) + row[3]
        behind.setdefault(key, []).append(_cause(row))
    found: dict[PartKind, list[Claim]] = {
        PartKind.FARM_GATE: [
            _claim(slip.household_id, slip.amount, [f"slip:{slip.id}"], booked)
            for slip in slips
            if f"slip:{slip.id}" in booked
        ]
    }
    for key, amount in net.items():
        found.setdefault(key[1], []).append(_claim(key[2], amount, behind[key], booked))
    return {kind: state_of(found[kind]) for kind in HOUSEHOLD_PARTS if found.get(kind)}


def _cause(row: Any) -> str:
    return f"{row.subject}:{row.kind.value}:{row.household_id}"


def _claim(household_id: int, amount: Money, causes: Iterable[str], booked: Booked) -> Claim:
    """Paid when the last of what it stands on is paid; a refund's own cause is no claim."""
    mine = [booked[cause] for cause in causes if cause in booked]
    paid = [each for each in mine if each is not None]
    last = max(paid, key=lambda each: (each.on, -each.together), default=None)
    return Claim(household_id, amount, last if len(paid) == len(mine) else None, known=bool(mine))


def _slips(
    session: Session,
    lot_ids: Collection[int],
    households: Any,
    *,
    sources: Collection[int] | None = None,
) -> Sequence[Any]:
    """Slips of these households in the lots and in what those were made of."""
    if not lot_ids:
        return []
    if sources is None:
        sources = {link.lot_id for link in made_of(session, lot_ids)}
    return session.execute(
        sa.select(WeighSlip.id, WeighSlip.household_id, WeighSlip.contribution_id, WeighSlip.amount)
        .join(Contribution, Contribution.id == WeighSlip.contribution_id)
        .where(
            Contribution.lot_id.in_({*lot_ids, *sources}), WeighSlip.household_id.in_(households)
        )
        .order_by(WeighSlip.id)
    ).all()


def _slip_causes(slips: Sequence[Any], household_id: int, contribution_id: int | None) -> list[str]:
    """Of this part of a lot; of goods made of others, all that the household brought for it."""
    mine = [slip for slip in slips if slip.household_id == household_id]
    own = [slip for slip in mine if slip.contribution_id == contribution_id]
    return [f"slip:{slip.id}" for slip in own or mine]


def _booked(session: Session, causes: Any) -> Booked:
    """Cause of a claim → what paid it, if it is paid. Three queries."""
    if isinstance(causes, list) and not causes:
        return {}
    accounts = sa.select(Transfer.credit_id).where(Transfer.cause.in_(causes))
    payer = aliased(Account)
    fen = sa.type_coerce(Transfer.amount, sa.BigInteger)
    claims = (
        sa.select(
            Transfer.credit_id.label("account"),
            Transfer.cause,
            sa.func.sum(fen)
            .over(partition_by=Transfer.credit_id, order_by=Transfer.id)
            .label("reached"),
        )
        .join(payer, payer.id == Transfer.debit_id)
        .where(
            Transfer.credit_id.in_(accounts),
            *(~payer.code.startswith(prefix) for prefix in PAYMENTS),
        )
        .subquery()
    )
    rows = session.execute(sa.select(claims).where(claims.c.cause.in_(causes))).all()
    debits = _debits(session, accounts)
    return {row.cause: payment_of(int(row.reached), debits.get(row.account, [])) for row in rows}


def _debits(session: Session, accounts: sa.Select[int]) -> dict[int, list[Debit]]:
    """Account → what left it, oldest first: payments the bank has confirmed, and what was taken
    back. A payment that is under way, or came back, pays nothing."""
    paid, back = aliased(Transfer), aliased(Transfer)
    rows = session.execute(
        sa.select(
            Transfer.debit_id, Transfer.amount, Transfer.cause.startswith("payout_line:"),
            paid.on, paid.debit_id, back.id,
        )
        .outerjoin(paid, paid.cause == sa.func.replace(Transfer.cause, ":sent", ":paid"))
        .outerjoin(back, back.cause == sa.func.replace(Transfer.cause, ":sent", ":returned"))
        .where(Transfer.debit_id.in_(accounts))
        .order_by(Transfer.id)
    ).all()  # fmt: skip
    together = _together(session, {(row[4], row[3]) for row in rows if row[2] and row[3]})
    found: dict[int, list[Debit]] = {}
    for account, amount, is_payment, on, in_transit, returned in rows:
        if is_payment and (on is None or returned is not None):
            continue
        mine = found.setdefault(account, [])
        before = mine[-1].reached if mine else 0
        payment = Payment(on, together[in_transit, on]) if is_payment else None
        mine.append(Debit(before + amount.fen, payment))
    return found


def _together(session: Session, days: set[tuple[int, date]]) -> dict[tuple[int, date], int]:
    """(the cooperative's account of money in transit, day) → households paid from it that day."""
    rows = session.execute(
        sa.select(Transfer.debit_id, Transfer.on, sa.func.count())
        .where(
            Transfer.debit_id.in_({account for account, _ in days}),
            Transfer.on.in_({on for _, on in days}),
            Transfer.cause.like("payout_line:%:paid"),
        )
        .group_by(Transfer.debit_id, Transfer.on)
    )
    return {(account, on): int(number) for account, on, number in rows}
