"""The cooperative answers, the buyer agrees or not, the platform decides."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from kernel import audit
from kernel.actors import WORKER, Actor
from kernel.errors import Invalid, Refusal, Text
from kernel.money import ZERO, Money
from orders.payments.models import STANDING, Refund, RefundState
from orders.payments.models.after import ReturnState
from orders.payments.operations.refunding.asking import begin_return
from orders.payments.operations.refunding.granting import give_less, grant
from orders.payments.operations.refunding.moving import locked_refund, move_refund
from orders.payments.queries import gone_of_lines
from orders.payments.rules.claims import OFFER_DAYS, answer_due, may_disagree
from orders.payments.rules.refunds import Gone
from orders.sales.models import Order
from orders.sales.operations import tell_buyer

# While goods travel, the parcel decides.
_TRAVELLING = (ReturnState.TO_SEND, ReturnState.UNDER_WAY, ReturnState.ARRIVED)


def approve_refund(
    session: Session, refund_id: int, *, answer: str = "", by: Actor, now: datetime
) -> Refund:
    """The cooperative grants what the buyer asked for."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is not RefundState.REQUESTED:
        return refund
    _refuse_while_travelling(refund)
    refund.answer, refund.answered_at = answer[:200], now
    grant(session, order, refund, by=by, now=now, words=answer)
    audit.note(session, "approve_refund", f"refund:{refund.id}", by=by, now=now)
    return refund


def decline_refund(
    session: Session, refund_id: int, *, answer: str, by: Actor, now: datetime
) -> Refund:
    """The cooperative says no, and why."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is not RefundState.REQUESTED:
        return refund
    _refuse_while_travelling(refund)
    _decline(session, order, refund, answer, by, now)
    audit.note(session, "decline_refund", f"refund:{refund.id}", by=by, now=now, answer=answer)
    return refund


def offer_refund(
    session: Session, refund_id: int, amount: Money, *, answer: str, by: Actor, now: datetime
) -> Refund:
    """The cooperative would give a part of what was asked for; the buyer decides."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is RefundState.OFFERED and refund.offer == amount:
        return refund
    _refuse_while_travelling(refund)
    _refuse_amount(refund, amount)
    refund.offer, refund.answer, refund.answered_at = amount, answer[:200], now
    move_refund(session, refund, RefundState.OFFERED, words=answer, by=by, now=now)
    tell_buyer(session, order, "refund_offered", about=f"{refund.number} {amount}", now=now)
    audit.note(session, "offer_refund", f"refund:{refund.id}", by=by, now=now, amount=amount)
    return refund


def ask_goods_back(
    session: Session, refund_id: int, *, answer: str, by: Actor, now: datetime
) -> Refund:
    """The cooperative wants to see the goods before it decides; it pays their way."""
    order, refund = locked_refund(session, refund_id)
    if refund.parcel is not None:
        return refund
    if refund.state is not RefundState.REQUESTED:
        raise Refusal("This claim was answered already.")
    refund.answer, refund.answered_at = answer[:200], now
    begin_return(session, order, refund, by=by, now=now)
    audit.note(session, "ask_goods_back", f"refund:{refund.id}", by=by, now=now)
    return refund


def accept_offer(session: Session, refund_id: int, *, by: Actor, now: datetime) -> Refund:
    """The buyer takes the part that was offered; with that the claim is settled."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is not RefundState.OFFERED:
        if refund.offer is not None and refund.state in STANDING:
            return refund
        raise Refusal("This offer does not stand any more.")
    assert refund.offer is not None
    give_less(session, refund, refund.offer)
    grant(session, order, refund, by=by, now=now)
    audit.note(session, "accept_offer", f"refund:{refund.id}", by=by, now=now, amount=refund.amount)
    return refund


def lapse_offer(session: Session, refund_id: int, *, now: datetime) -> Refund:
    """Seven days without a word: the buyer gets what was offered."""
    _, refund = locked_refund(session, refund_id)
    if refund.state is not RefundState.OFFERED or not _lapsed(refund, now):
        return refund
    return accept_offer(session, refund_id, by=WORKER, now=now)


def escalate_refund(
    session: Session, refund_id: int, *, words: str, by: Actor, now: datetime
) -> Refund:
    """The buyer does not agree, or got no answer in time: the platform decides. Once."""
    order, refund = locked_refund(session, refund_id)
    if refund.state is RefundState.ESCALATED:
        return refund
    problem = escalation_problem(refund, now)
    if problem is not None:
        raise Refusal(problem)
    if refund.state is RefundState.DECLINED:
        _refuse_overlap(session, order, refund)
    refund.escalated_at = now
    move_refund(session, refund, RefundState.ESCALATED, words=words, by=by, now=now)
    tell_buyer(session, order, "refund_escalated", about=refund.number, now=now)
    audit.note(session, "escalate_refund", f"refund:{refund.id}", by=by, now=now)
    return refund


def escalation_problem(refund: Refund, now: datetime) -> Text | None:
    """Why the platform cannot be asked about this refund now; its parcel is loaded."""
    if refund.escalated_at is not None:
        return Text("The platform has decided on this already.")
    if refund.parcel is not None and refund.parcel.state in _TRAVELLING:
        return Text("The goods are on their way back; they are looked at first.")
    if refund.state is RefundState.REQUESTED and now <= answer_due(refund.made_at):
        return Text("The cooperative still has time to answer.")
    if refund.state is RefundState.DECLINED and not (
        refund.answered_at is not None and may_disagree(refund.answered_at, now)
    ):
        return Text("The fifteen days to disagree are over.")
    if refund.state not in (RefundState.REQUESTED, RefundState.OFFERED, RefundState.DECLINED):
        return Text("There is nothing to decide any more.")
    return None


def decide_refund(
    session: Session, refund_id: int, amount: Money, *, answer: str, by: Actor, now: datetime
) -> Refund:
    """The platform decides: all of it, a part, or nothing (¥0.00), and says why.

    Open to it is what buyers brought to it, and what a cooperative let lie too long.
    """
    order, refund = locked_refund(session, refund_id)
    late = refund.state is RefundState.REQUESTED and escalation_problem(refund, now) is None
    if refund.state is not RefundState.ESCALATED and not late:
        raise Refusal("There is nothing to decide any more.")
    if amount > refund.amount:
        raise Invalid({"amount": Text("At most %(most)s was asked for.", most=refund.amount)})
    refund.escalated_at = refund.escalated_at or now
    if amount == ZERO:
        _decline(session, order, refund, answer, by, now)
    else:
        refund.answer, refund.answered_at = answer[:200], now
        if amount < refund.amount:
            _refuse_amount(refund, amount)
            give_less(session, refund, amount)
        grant(session, order, refund, by=by, now=now, words=answer)
    audit.note(
        session, "decide_refund", f"refund:{refund.id}", by=by, now=now, amount=amount,
        answer=answer,
    )  # fmt: skip
    return refund


def offers_to_lapse(session: Session, *, now: datetime) -> list[int]:
    """Offers that nobody answered for a week."""
    return list(
        session.scalars(
            sa.select(Refund.id)
            .where(
                Refund.state == RefundState.OFFERED,
                Refund.answered_at < now - timedelta(days=OFFER_DAYS),
            )
            .order_by(Refund.id)
        )
    )


def _lapsed(refund: Refund, now: datetime) -> bool:
    return refund.answered_at is not None and refund.answered_at < now - timedelta(days=OFFER_DAYS)


def _decline(
    session: Session, order: Order, refund: Refund, answer: str, by: Actor, now: datetime
) -> None:
    refund.answer, refund.answered_at = answer[:200], now
    move_refund(session, refund, RefundState.DECLINED, words=answer, by=by, now=now)
    tell_buyer(session, order, "refund_declined", about=refund.number, now=now)


def _refuse_amount(refund: Refund, amount: Money) -> None:
    if refund.freights or not ZERO < amount < refund.amount:
        raise Invalid(
            {
                "amount": Text(
                    "Enter less than the %(asked)s that was asked for.", asked=refund.amount
                )
            }
        )


def _refuse_while_travelling(refund: Refund) -> None:
    if refund.parcel is not None and refund.parcel.state in _TRAVELLING:
        raise Refusal("The goods are on their way back; answer when you have looked at them.")


def _refuse_overlap(session: Session, order: Order, refund: Refund) -> None:
    """What was declined may have been refunded otherwise in the meantime."""
    gone = gone_of_lines(session, order.id)
    for part in refund.lines:
        known = gone.get(part.line_id, Gone())
        if (
            known.quantity + part.quantity > part.line.quantity
            or known.fen + part.amount.fen > part.line.amount.fen
        ):
            raise Refusal("More is to be refunded than is left of this line.")
