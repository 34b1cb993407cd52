"""One line of a bulk order is given back alone (domain.md §3.2).

Before the contract is signed either side takes it off freely; after that one side proposes and the
other agrees; what has left the store can only come back as a return.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.periods import business_day
from kernel.text import tidy
from orders.agencies.models import BulkOrder, LineProposal, ProposalState, Stage
from orders.agencies.operations.closing import finish_delivery
from orders.agencies.operations.contracts import freeze_contract
from orders.agencies.operations.quota import move_quota
from orders.agencies.operations.stages import move_stage, shared_order
from orders.agencies.operations.telling import tell_other_side
from orders.agencies.queries.bulk import NOT_YOURS
from orders.sales import operations as sales
from orders.sales.models import LineWithdrawal, Order, OrderState
from orders.sales.operations.withdrawing import open_line

NOT_SIGNED = (Stage.PENDING_APPROVAL, Stage.TO_SIGN)


def take_off_line(
    session: Session,
    order_id: int,
    line_id: int,
    quantity: int,
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> LineWithdrawal:
    """Unit or supplier takes so much of a line off an order that is not signed. An approval stands:
    less is bought than was approved. The other side gets a mail."""
    order, bulk = shared_order(session, order_id, by)
    if bulk.stage not in NOT_SIGNED:
        raise Refusal(
            "Order %(number)s is signed; propose it to the other side.", number=order.number
        )
    made = sales.withdraw_line(session, order_id, line_id, quantity, reason=reason, by=by, now=now)
    order, bulk = shared_order(session, order_id, by)  # read again with both sides
    _follow(session, order, bulk, made, by, now)
    tell_other_side(session, order, made, "taken_off", by=by, now=now)
    audit.note(
        session, "take_off_line", f"order:{order.id}", by=by, now=now,
        line=line_id, quantity=quantity, reason=made.reason,
    )  # fmt: skip
    return made


def propose_line(
    session: Session,
    order_id: int,
    line_id: int,
    quantity: int,
    *,
    reason: str,
    by: Actor,
    now: datetime,
) -> LineProposal:
    """One side of a signed order asks the other to do without so much of a line. It stays reserved
    and promised until the other side agrees; a line has one open proposal at most."""
    order, bulk = shared_order(session, order_id, by)
    if bulk.stage in NOT_SIGNED:
        raise Refusal("Order %(number)s is not signed; take it off at once.", number=order.number)
    if bulk.stage is not Stage.IN_DELIVERY:
        raise Refusal("Order %(number)s has nothing left to ship.", number=order.number)
    why = tidy(reason)[:120]
    open_line(session, order, line_id, quantity, why)
    if session.scalar(
        sa.select(LineProposal.id).where(
            LineProposal.line_id == line_id, LineProposal.state == ProposalState.OPEN
        )
    ):
        raise Refusal("This line has a proposal that waits for its answer.")
    assert by.organisation_id is not None
    made = LineProposal(
        order_id=order.id, line_id=line_id, organisation_id=by.organisation_id,
        quantity=quantity, reason=why, state=ProposalState.OPEN, decided_at=None,
        **stamp(by, now),
    )  # fmt: skip
    session.add(made)
    session.flush()
    tell_other_side(session, order, made, "proposed", by=by, now=now)
    audit.note(
        session, "propose_line", f"order:{order.id}", by=by, now=now,
        line=line_id, quantity=quantity, reason=why,
    )  # fmt: skip
    return made


def agree_line(session: Session, proposal_id: int, *, by: Actor, now: datetime) -> LineProposal:
    """The other side agrees: goods, promises, sums, contract and figures follow at once.

    Refused when less of the line waits than was proposed. Agreeing twice changes nothing."""
    order, bulk, found = _locked(session, proposal_id, by)
    if found.organisation_id == by.organisation_id:
        raise Refusal("The other side answers your proposal.")
    if found.state is ProposalState.AGREED:
        return found
    _still_open(found)
    if bulk.stage is not Stage.IN_DELIVERY:
        raise Refusal("Order %(number)s has nothing left to ship.", number=order.number)
    try:
        made = sales.withdraw_line(
            session, order.id, found.line_id, found.quantity, reason=found.reason, by=by, now=now
        )
    except Invalid as invalid:
        raise Refusal(
            "This cannot be taken off any more.", tuple(invalid.errors.values())
        ) from None
    order, bulk = shared_order(session, order.id, by)  # read again with both sides
    found.withdrawal_id = made.id
    _decide(found, ProposalState.AGREED, "", by, now)
    freeze_contract(session, order, bulk, by=by, now=now)
    _follow(session, order, bulk, made, by, now)
    tell_other_side(session, order, found, "agreed", by=by, now=now)
    audit.note(
        session, "agree_line", f"order:{order.id}", by=by, now=now,
        line=found.line_id, quantity=found.quantity,
    )  # fmt: skip
    return found


def decline_line(
    session: Session, proposal_id: int, *, reason: str, by: Actor, now: datetime
) -> LineProposal:
    """The other side says no and why, or whoever proposed takes it back; nothing changes."""
    order, _, found = _locked(session, proposal_id, by)
    own = found.organisation_id == by.organisation_id
    to = ProposalState.WITHDRAWN if own else ProposalState.DECLINED
    if found.state is to:
        return found
    _still_open(found)
    why = tidy(reason)[:200]
    if not why and not own:
        raise Invalid({"reason": Text("Say why, so that the other side understands.")})
    _decide(found, to, why, by, now)
    session.flush()
    tell_other_side(session, order, found, to.value, by=by, now=now)
    audit.note(
        session, "decline_line", f"order:{order.id}", by=by, now=now,
        line=found.line_id, to=to.value, reason=why,
    )  # fmt: skip
    return found


def _locked(session: Session, proposal_id: int, by: Actor) -> tuple[Order, BulkOrder, LineProposal]:
    """The proposal with its order, whose row is the lock of both."""
    order_id = session.scalar(
        sa.select(LineProposal.order_id).where(LineProposal.id == proposal_id)
    )
    if order_id is None:
        raise Missing(NOT_YOURS)
    order, bulk = shared_order(session, order_id, by)
    return order, bulk, get_or_missing(session, LineProposal, proposal_id, lock=True)


def _still_open(found: LineProposal) -> None:
    if found.state is not ProposalState.OPEN:
        raise Refusal("This proposal was answered already.")


def _decide(found: LineProposal, to: ProposalState, why: str, by: Actor, now: datetime) -> None:
    found.state, found.decided_at, found.decided_by_id, found.answer = to, now, by.user_id, why


def _follow(
    session: Session,
    order: Order,
    bulk: BulkOrder,
    made: LineWithdrawal,
    by: Actor,
    now: datetime,
) -> None:
    """The figures follow the sums. An order of which nothing is left is cancelled; one that waited
    only for this is delivered."""
    cause = f"withdrawal:{made.id}"
    if order.state is OrderState.CANCELLED:
        move_stage(bulk, Stage.CANCELLED)
        bulk.decision_reason = made.reason
    elif order.state is OrderState.SHIPPED:
        finish_delivery(session, order, bulk, f"{cause}:last", by=by, now=now)
    move_quota(session, bulk, order, cause=cause, on=business_day(now), by=by, now=now)
