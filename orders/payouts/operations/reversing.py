"""A reversed weigh slip takes its claim with it: an opposite row in the books, in the open period.

What the household was not paid yet is no longer owed. What it was paid already stays with it and
is set off against what it earns next: its account is below nothing until then (domain.md §4.4).
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.lots.models import WeighSlip
from catalog.lots.models.papers import AdjustmentState
from catalog.lots.models.reversals import SlipReversal
from catalog.lots.operations import decide_reversal, propose_reversal
from catalog.suppliers.models import Supplier
from kernel.actors import Actor
from kernel.db import get_or_missing
from kernel.errors import Missing, Text
from kernel.periods import business_day
from orders.ledger import rules as accounts
from orders.ledger.operations import Entry, post
from orders.ledger.queries import transfers_by_cause
from orders.payouts.models import PayoutLine, PayoutRun
from orders.payouts.queries.owing import UNDER_WAY


def propose_slip_reversal(
    session: Session, number: str, *, supplier_id: int, reason: str, by: Actor, now: datetime
) -> SlipReversal:
    """Somebody says that a slip in the store is wrong. Refused with everything that stands against
    it, in the store and in the payouts."""
    also = _in_a_run(session, number, supplier_id)
    return propose_reversal(
        session, number, supplier_id=supplier_id, reason=reason, also=also, by=by, now=now
    )


def decide_slip_reversal(
    session: Session,
    number: str,
    *,
    supplier_id: int,
    agreed: bool,
    words: str = "",
    by: Actor,
    now: datetime,
) -> SlipReversal:
    """Another person agrees: the goods leave their lot, and what was owed for them is owed no more,
    on the day of the decision. Goods on consignment were never owed for. A second time changes
    nothing."""
    also = _in_a_run(session, number, supplier_id)
    made = decide_reversal(
        session, number, supplier_id=supplier_id, agreed=agreed, words=words, also=also,
        by=by, now=now,
    )  # fmt: skip
    if made.state is not AdjustmentState.APPROVED:
        return made
    slip = session.get_one(
        WeighSlip,
        made.slip_id,
        options=[joinedload(WeighSlip.product), joinedload(WeighSlip.household)],
        populate_existing=True,
    )
    claim = transfers_by_cause(session, [f"slip:{slip.id}"]).get(f"slip:{slip.id}")
    if claim is not None:
        code = session.get_one(Supplier, supplier_id).code
        back = Entry(
            accounts.household(slip.household.code, code),
            accounts.goods(code),
            claim.amount,
            f"slip:{slip.id}:reversed",
            f"{made.number} {slip.product.name_zh}",
        )
        post(session, [back], on=business_day(now), by=by, now=now)
    return made


def _in_a_run(session: Session, number: str, supplier_id: int) -> list[Text]:
    """While a run with the household is under way its amount stands on a list that people signed.
    The supplier is locked as for drafting a run, so none begins meanwhile."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    household_id = session.scalar(
        sa.select(WeighSlip.household_id).where(
            WeighSlip.number == number, WeighSlip.supplier_id == supplier_id
        )
    )
    if household_id is None:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    runs = session.scalars(
        sa.select(PayoutRun.number)
        .join(PayoutLine, PayoutLine.run_id == PayoutRun.id)
        .where(
            PayoutLine.supplier_id == supplier_id,
            PayoutLine.household_id == household_id,
            PayoutLine.state.in_(UNDER_WAY),
        )
    )
    return [
        Text(
            "The household is in payout run %(number)s, which is under way: wait until the bank "
            "has confirmed it, or reject the run first.",
            number=each,
        )
        for each in runs
    ]
