"""The buyer's order: opened by its key or by its owner; paying, cancelling, receiving, claiming."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Blueprint, flash, redirect, render_template, request
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from kernel.codes import mask_phone
from kernel.web.access import actor, public
from kernel.web.once import once
from kernel.web.work import now, session, transaction
from orders.payments.gateway import ProviderTrouble
from orders.payments.models import Payment, PaymentState, Refund
from orders.payments.operations import (
    TRANSFER,
    cancel_citizen_order,
    complete_citizen_order,
    receive_citizen_order,
    start_payment,
)
from orders.payments.queries import open_payment, payments_of
from orders.payments.queries.after import refunds_of, return_addresses
from orders.payments.queries.invoices import invoices_of, wish_of
from orders.payments.tasks import AUTO_COMPLETE
from orders.payments.views.opening import back_to, key_of, moment_of, opened, received_at
from orders.payments.views.paying import lead_to_payment, payment_address
from orders.payments.views.receipts import receipt_of
from orders.payments.views.standing import cancellable_in_part, open_kinds, shown
from orders.sales.models import Order, OrderLine, OrderRecipient, OrderState, Shipment
from orders.sales.operations import HAS_IT
from orders.sales.queries import TO_PACK
from orders.sales.queries.reviews import reviewed_lines
from orders.shares.operations import show_receipt, take_back_receipt

bp = Blueprint("orders", __name__)


@dataclass(slots=True)
class Parcel:
    """What goes to one of the people of a group purchase."""

    to: OrderRecipient
    phone: str
    lines: list[OrderLine] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)


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
        start_payment(work, order.id, by=actor(), now=now())
    return redirect(payment_address(order), code=303)  # type: ignore[return-value]


@bp.get("/orders/<code>/payment")
@public
def to_payment(code: str) -> Response:
    """On to the provider's page of the intent that is open; asking again leads to the same page.

    Apart from placing: the order stands, whatever the network between us and the provider does.
    """
    order = opened(code)
    payment = open_payment(session(), order.id)
    if payment is None or payment.method == TRANSFER:
        return back_to(order)
    try:
        return lead_to_payment(payment)
    except ProviderTrouble as trouble:
        flash(_(trouble.sentence.message), "alarm")
        return back_to(order)


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


@bp.post("/orders/<code>/receipt")
@public
@once
def show_it(code: str) -> Response:
    """The receipt gets an address that may be passed on without the order's key, or loses it."""
    order = opened(code)
    shown = "take_back" not in request.form
    with transaction() as work:
        if shown:
            show_receipt(work, f"order:{order.id}", by=actor(), now=now())
        else:
            take_back_receipt(work, f"order:{order.id}", by=actor(), now=now())
    flash(_("It has an address now.") if shown else _("The address leads nowhere now."), "done")
    return back_to(order, "#share")


def _page(order: Order) -> str:
    payments, refunds = payments_of(session(), order.id), refunds_of(session(), order.id)
    senders = [each.parcel.supplier_id for each in refunds if each.parcel is not None]
    addresses = return_addresses(session(), senders) if senders else {}
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
        transfer=_transfer(order, payments) if waits else None,
        people=_people(order),
        declined=any(each.failure and each.state is PaymentState.STARTED for each in payments),
        held=any(each.state is PaymentState.MISMATCHED for each in payments),
        seen=seen_of(order, refunds),
        refunds=[shown(each, addresses) for each in refunds],
        rest=_still_to_come(order),
        receipt=receipt_of(order),
        to_review=_not_yet_reviewed(order),
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


def _not_yet_reviewed(order: Order) -> list[OrderLine]:
    """What has arrived and its buyer has not written about."""
    if order.state not in HAS_IT:
        return []
    written = reviewed_lines(session(), [line.id for line in order.lines])
    return [line for line in order.lines if line.id not in written]


def _transfer(order: Order, payments: list[Payment]) -> Payment | None:
    """The transfer this order waits for; its cooperative, whose account it is, is loaded."""
    return next((each for each in payments if each.method == TRANSFER), None)


def _people(order: Order) -> list[Parcel]:
    """For each of the people of a group purchase what goes to them and how far it is."""
    shipment_of = {
        part.allocation_id: shipment
        for shipment in order.shipments
        if shipment.cancelled_at is None
        for part in shipment.lines
    }
    found: dict[int, Parcel] = {}
    for line in order.lines:
        if line.to is not None:
            parcel = found.setdefault(line.to.id, Parcel(line.to, mask_phone(line.to.phone)))
            parcel.lines.append(line)
            sent = [shipment_of[each.id] for each in line.allocations if each.id in shipment_of]
            parcel.shipments += [each for each in sent if each not in parcel.shipments]
    return sorted(found.values(), key=lambda each: each.to.position)


def _still_to_come(order: Order) -> list[tuple[OrderLine, int]]:
    """Lines of which some was sent or will be, with what has not left yet."""
    if order.state not in TO_PACK:
        return []
    open_of = [(line, sum(each.open for each in line.allocations)) for line in order.lines]
    return [(line, left) for line, left in open_of if left]


def _paid(payments: list[Payment]) -> Payment | None:
    return next((each for each in payments if each.state is PaymentState.PAID), None)
