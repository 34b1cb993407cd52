"""The buyer's order: opened by its key or by its owner; paying, cancelling, receiving, claiming."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.households.rules import shown_count
from kernel.codes import mask_phone
from kernel.web.access import actor, public, signed_in
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments.models import Payment, PaymentState, Refund
from orders.payments.operations import (
    cancel_citizen_order,
    complete_citizen_order,
    receive_citizen_order,
    start_payment,
)
from orders.payments.queries import payments_of
from orders.payments.queries.after import refunds_of, return_addresses, undecided_of_orders
from orders.payments.queries.invoices import invoices_of, wish_of
from orders.payments.tasks import AUTO_COMPLETE
from orders.payments.views.opening import back_to, key_of, moment_of, opened, received_at
from orders.payments.views.paying import lead_to_payment
from orders.payments.views.standing import cancellable_in_part, open_kinds, shown
from orders.sales.models import Order, OrderLine, OrderState
from orders.sales.queries import TO_PACK, growers_of, orders_of_user
from orders.shares.models import HOUSEHOLD_PARTS
from orders.shares.queries import Going, of_order, parts_of_order

bp = Blueprint("orders", __name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the money of one line went, as the public may know it."""

    line: OrderLine
    villages: list[tuple[str, str]]
    to_households_bp: int | None


@bp.get("/account/orders")
@signed_in
def mine() -> str:
    user_id = actor().user_id
    assert user_id is not None
    orders = orders_of_user(session(), user_id)
    return render_template(
        "shop/orders.html",
        orders=orders,
        asking=undecided_of_orders(session(), [order.id for order in orders]),
    )


@bp.get("/orders/<code>")
@public
def show(code: str) -> str:
    return _page(opened(code))


@bp.get("/orders/<code>/status")
@public
def status(code: str) -> Answer:
    """A few words that the page asks for again; it draws itself anew when something has moved.

    While a payment is on its way it asks often, afterwards every half minute with what it `seen`.
    """
    order = opened(code)
    seen = request.args.get("seen")
    answer = Answer(
        render_template(
            "shop/order_status.html", order=order, key=key_of(order), paying=seen is None
        )
    )
    if seen is None:
        moved = order.state is not OrderState.AWAITING_PAYMENT
    else:
        moved = seen != seen_of(order, refunds_of(session(), order.id))
    if moved:
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/orders/<code>/pay")
@public
@once
def pay(code: str) -> Response:
    order = opened(code)
    with transaction() as work:
        payment = start_payment(work, order.id, by=actor(), now=now())
    return lead_to_payment(payment)


@bp.post("/orders/<code>/cancel")
@public
@once
def cancel(code: str) -> Response:
    order = opened(code)
    with transaction() as work:
        cancel_citizen_order(work, order.id, reason="by the buyer", by=actor(), now=now())
    flash(_("The order is cancelled."), "done")
    return back_to(order)


@bp.post("/orders/<code>/received")
@public
@once
def received(code: str) -> Response:
    order = opened(code)
    with transaction() as work:
        receive_citizen_order(work, order.id, by=actor(), now=now())
    flash(_("Thank you. Please look and weigh: fresh goods are claimed within 48 hours."), "done")
    return back_to(order)


@bp.post("/orders/<code>/complete")
@public
@once
def complete(code: str) -> Response:
    """All is well: the households' shares are divided now instead of in ten days."""
    order = opened(code)
    with transaction() as work:
        complete_citizen_order(work, order.id, by=actor(), now=now())
    flash(_("Completed. The money is divided; you see below where it went."), "done")
    return back_to(order)


def _page(order: Order) -> str:
    payments, refunds = payments_of(session(), order.id), refunds_of(session(), order.id)
    senders = [each.parcel.supplier_id for each in refunds if each.parcel is not None]
    addresses = return_addresses(session(), senders) if senders else {}
    going = of_order(session(), f"order:{order.id}")
    received = received_at(order)
    paid = _paid(payments)
    waits = order.state is OrderState.AWAITING_PAYMENT
    return render_template(
        "shop/order.html",
        order=order,
        key=key_of(order),
        phone=mask_phone(order.phone),
        paying=waits and request.args.get("paid") == "1",
        payment=paid,
        declined=any(each.failure and each.state is PaymentState.STARTED for each in payments),
        held=any(each.state is PaymentState.MISMATCHED for each in payments),
        seen=seen_of(order, refunds),
        refunds=[shown(each, addresses) for each in refunds],
        rest=_still_to_come(order),
        going=going,
        receipts=_receipts(order, going),
        may_claim=paid is not None and bool(open_kinds(order)),
        may_cancel_part=paid is not None and cancellable_in_part(order),
        wish=wish_of(session(), order.id) if paid is not None else None,
        invoices=invoices_of(session(), order.id) if paid is not None else [],
        shipped_at=moment_of(order, OrderState.SHIPPED, OrderState.PARTLY_SHIPPED),
        paid_at=moment_of(order, OrderState.TO_SHIP),
        received_at=received,
        completed_at=moment_of(order, OrderState.COMPLETED),
        completes_at=(received or now()) + AUTO_COMPLETE,
    )


def seen_of(order: Order, refunds: list[Refund]) -> str:
    """Changes whenever the page would say something else of the order's way."""
    moved = sum(len(each.events) + len(each.photos) for each in refunds)
    sent = sum(1 for each in order.shipments if each.cancelled_at is None)
    return f"{order.state.value}-{len(order.events)}-{sent}-{len(refunds)}-{moved}"


def _still_to_come(order: Order) -> list[tuple[OrderLine, int]]:
    """Lines of which some was sent or will be, with what has not left yet."""
    if order.state not in TO_PACK:
        return []
    open_of = [(line, sum(each.open for each in line.allocations)) for line in order.lines]
    return [(line, left) for line, left in open_of if left]


def _paid(payments: list[Payment]) -> Payment | None:
    return next((each for each in payments if each.state is PaymentState.PAID), None)


def _receipts(order: Order, going: Going) -> list[Receipt]:
    villages: dict[int, list[tuple[str, str]]] = {}
    for each in growers_of(session(), order.id):
        shown = (each.village, shown_count(each.households))
        villages.setdefault(each.line_id, []).append(shown)
    shares = _shares(order) if going.total else {}
    return [Receipt(line, villages.get(line.id, []), shares.get(line.id)) for line in order.lines]


def _shares(order: Order) -> dict[int, int]:
    """Line → basis points of what was settled that reached households."""
    sums: dict[str, list[int]] = {}
    for part in parts_of_order(session(), f"order:{order.id}"):
        whole = sums.setdefault(part.line, [0, 0])
        whole[0] += part.amount.fen
        if part.kind in HOUSEHOLD_PARTS and part.household_id is not None:
            whole[1] += part.amount.fen
    return {
        line.id: sums[f"line:{line.id}"][1] * 10_000 // sums[f"line:{line.id}"][0]
        for line in order.lines
        if sums.get(f"line:{line.id}", [0, 0])[0] > 0
    }
