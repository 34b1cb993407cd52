"""What of an order may still be asked for or taken off, and how a refund stands, for its buyer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kernel.errors import Text
from kernel.periods import business_day
from kernel.web.work import now, session
from orders.payments.models import UNDECIDED, Refund, RefundState
from orders.payments.models.after import ReturnAddress, ReturnState
from orders.payments.operations.refunding.answering import escalation_problem
from orders.payments.queries import gone_of_lines
from orders.payments.rules.claims import (
    BUYERS_KINDS,
    DISAGREE_DAYS,
    OFFER_DAYS,
    answer_due,
    claim_problem,
    refund_due,
)
from orders.payments.rules.refunds import Gone
from orders.payments.views.opening import received_at
from orders.sales.models import Order, OrderLine, OrderState
from orders.sales.queries import TO_PACK

SENT = (
    OrderState.PARTLY_SHIPPED, OrderState.SHIPPED, OrderState.RECEIVED, OrderState.COMPLETED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A refund as its buyer sees it: until when what happens, and what can be done."""

    refund: Refund
    address: ReturnAddress | None
    answer_until: datetime | None
    offer_until: date | None
    disagree_until: date | None
    paid_until: date | None
    may_withdraw: bool
    may_disagree: bool


def shown(refund: Refund, addresses: Mapping[int, ReturnAddress]) -> Shown:
    parcel, answered = refund.parcel, refund.answered_at
    waits = refund.state is RefundState.REQUESTED and parcel is None
    return Shown(
        refund=refund,
        address=addresses.get(parcel.supplier_id) if parcel else None,
        answer_until=answer_due(refund.made_at) if waits else None,
        offer_until=_days_after(answered, OFFER_DAYS),
        disagree_until=_days_after(answered, DISAGREE_DAYS),
        paid_until=refund_due(parcel.arrived_at) if parcel and parcel.arrived_at else None,
        may_withdraw=refund.state in UNDECIDED
        and (parcel is None or parcel.state is not ReturnState.ARRIVED),
        may_disagree=escalation_problem(refund, now()) is None,
    )


def open_kinds(order: Order) -> list[str]:
    """Kinds of claims that at least one line still allows; none before something was sent."""
    if order.state not in SENT:
        return []
    left = claimable(order, gone_of_lines(session(), order.id))
    lines = [line for line in order.lines if left[line.id]]
    return [
        kind
        for kind in BUYERS_KINDS
        if any(problem_of(order, line, kind) is None for line in lines)
    ]


def claimable(order: Order, gone: Mapping[int, Gone]) -> dict[int, int]:
    """Line → packs that were sent and not claimed yet."""
    found = {}
    for line in order.lines:
        sent = sum(each.shipped for each in line.allocations)
        given_up = line.quantity - sum(each.kept for each in line.allocations)
        back = max(0, gone.get(line.id, Gone()).quantity - given_up)
        found[line.id] = max(0, sent - back) // pack_size(line)
    return found


def cancellable(order: Order) -> dict[int, int]:
    """Line → packs that have not left yet."""
    if order.state not in TO_PACK:
        return dict.fromkeys((line.id for line in order.lines), 0)
    return {
        line.id: sum(each.open for each in line.allocations) // pack_size(line)
        for line in order.lines
    }


def cancellable_in_part(order: Order) -> bool:
    """Whether taking off a part is something else than cancelling the order."""
    left = cancellable(order)
    whole = order.state is OrderState.TO_SHIP
    return sum(left.values()) > (1 if whole else 0)


def pack_size(line: OrderLine) -> int:
    return line.quantity // line.count


def _days_after(moment: datetime | None, days: int) -> date | None:
    return business_day(moment) + timedelta(days=days) if moment else None


def problem_of(order: Order, line: OrderLine, kind: str) -> Text | None:
    return claim_problem(kind, fresh=line.product.fresh, received_at=received_at(order), now=now())
