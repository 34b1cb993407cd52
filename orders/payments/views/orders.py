"""The buyer's order: opened by its key or by its owner; paying, cancelling, receiving, claiming."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request
from flask import Response as Answer
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from catalog.households.rules import shown_count
from kernel.codes import mask_phone
from kernel.errors import Invalid, Missing, Text
from kernel.web.access import actor, public, signed_in
from kernel.web.once import once
from kernel.web.work import now, services, session, transaction
from orders.payments.forms import read_claim
from orders.payments.gateway import ProviderTrouble
from orders.payments.models import Payment, PaymentState
from orders.payments.operations import (
    TRANSFER,
    cancel_citizen_order,
    complete_citizen_order,
    refund_order_lines,
    start_payment,
)
from orders.payments.queries import gone_of_lines, open_payment, payments_of, refunds_of
from orders.payments.rules.claims import BUYERS_KINDS, claim_problem
from orders.payments.rules.refunds import Gone
from orders.payments.tasks import AUTO_COMPLETE
from orders.payments.views.paying import lead_to_payment, payment_address
from orders.sales.models import (
    BuyerKind,
    Order,
    OrderLine,
    OrderRecipient,
    OrderState,
    Shipment,
)
from orders.sales.operations import mark_received
from orders.sales.queries import TO_PACK, growers_of, order_by_code, orders_of_user
from orders.sales.rules.keys import key_fits, order_key
from orders.shares.models import HOUSEHOLD_PARTS
from orders.shares.queries import Going, of_order, parts_of_order

bp = Blueprint("orders", __name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the money of one line went, as the public may know it."""

    line: OrderLine
    villages: list[tuple[str, str]]
    to_households_bp: int | None


@dataclass(slots=True)
class Parcel:
    """What goes to one of the people of a group purchase."""

    to: OrderRecipient
    phone: str
    lines: list[OrderLine] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)


@bp.get("/account/orders")
@signed_in
def mine() -> str:
    user_id = actor().user_id
    assert user_id is not None
    return render_template("shop/orders.html", orders=orders_of_user(session(), user_id))


@bp.get("/orders/<code>")
@public
def show(code: str) -> str:
    return _page(_order(code), {}, {})


@bp.get("/orders/<code>/status")
@public
def status(code: str) -> Answer:
    """A few words that the page asks for again while the payment is on its way."""
    order = _order(code)
    answer = Answer(
        render_template("shop/order_status.html", order=order, key=_key(order), paying=True)
    )
    if order.state is not OrderState.AWAITING_PAYMENT:
        answer.headers["HX-Refresh"] = "true"
    return answer


@bp.post("/orders/<code>/pay")
@public
@once
def pay(code: str) -> Response:
    order = _order(code)
    with transaction() as work:
        start_payment(work, order.id, by=actor(), now=now())
    return redirect(payment_address(order), code=303)  # type: ignore[return-value]


@bp.get("/orders/<code>/payment")
@public
def to_payment(code: str) -> Response:
    """On to the provider's page of the intent that is open; asking again leads to the same page.

    Apart from placing: the order stands, whatever the network between us and the provider does.
    """
    order = _order(code)
    payment = open_payment(session(), order.id)
    if payment is None or payment.method == TRANSFER:
        return _back(order)
    try:
        return lead_to_payment(payment)
    except ProviderTrouble as trouble:
        flash(_(trouble.sentence.message), "alarm")
        return _back(order)


@bp.post("/orders/<code>/cancel")
@public
@once
def cancel(code: str) -> Response:
    order = _order(code)
    with transaction() as work:
        cancel_citizen_order(work, order.id, reason="by the buyer", by=actor(), now=now())
    flash(_("The order is cancelled."), "done")
    return _back(order)


@bp.post("/orders/<code>/received")
@public
@once
def received(code: str) -> Response:
    order = _order(code)
    with transaction() as work:
        mark_received(work, order.id, by=actor(), now=now())
    flash(_("Thank you. Please look and weigh: fresh goods are claimed within 48 hours."), "done")
    return _back(order)


@bp.post("/orders/<code>/complete")
@public
@once
def complete(code: str) -> Response:
    """All is well: the households' shares are divided now instead of in ten days."""
    order = _order(code)
    with transaction() as work:
        complete_citizen_order(work, order.id, by=actor(), now=now())
    flash(_("Completed. The money is divided; you see below where it went."), "done")
    return _back(order)


@bp.post("/orders/<code>/claim")
@public
@once
def claim(code: str) -> Response | tuple[str, int]:
    order = _order(code)
    gone = gone_of_lines(session(), order.id)
    try:
        asked = read_claim(request.form, _packs_left(order, gone))
        _refuse_closed_claims(order, asked.kind.value, asked.packs)
    except Invalid as invalid:
        return _page(order, request.form, invalid.errors), invalid.status
    lines = {line.id: line for line in order.lines}
    with transaction() as work:
        for number, (supplier_id, quantities) in enumerate(_by_supplier(lines, asked.packs)):
            refund_order_lines(
                work,
                order.id,
                quantities,
                kind=asked.kind,
                reason=asked.reason,
                request_key=f"form:{request.form['once']}:{supplier_id}:{number}",
                approved=False,
                by=actor(),
                now=now(),
            )
    flash(_("We have your request. The cooperative answers within two working days."), "done")
    return _back(order)


def _by_supplier(
    lines: Mapping[int, OrderLine], packs: Mapping[int, int]
) -> list[tuple[int, dict[int, int]]]:
    """Each cooperative answers for its own goods."""
    found: dict[int, dict[int, int]] = {}
    for line_id, count in packs.items():
        line = lines[line_id]
        quantity = count * (line.quantity // line.count)
        found.setdefault(line.supplier_id, {})[line_id] = quantity
    return sorted(found.items())


def _packs_left(order: Order, gone: Mapping[int, Gone]) -> dict[int, int]:
    return {
        line.id: (line.quantity - gone.get(line.id, Gone()).quantity)
        // (line.quantity // line.count)
        for line in order.lines
    }


def _refuse_closed_claims(order: Order, kind: str, packs: Mapping[int, int]) -> None:
    for line in order.lines:
        if line.id in packs:
            problem = claim_problem(
                kind, fresh=line.product.fresh, received_at=_received_at(order), now=now()
            )
            if problem is not None:
                raise Invalid({"kind": problem})


def _order(code: str) -> Order:
    """The order, for whoever holds its key or placed it; for everybody else there is none."""
    order = order_by_code(session(), code)
    key = request.values.get("key", "")
    by_key = key_fits(services().config.secret_key, order.code, key)
    by_owner = order.user_id is not None and order.user_id == actor().user_id
    if order.buyer_kind is not BuyerKind.CITIZEN or not (by_key or by_owner):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return order


def _key(order: Order) -> str:
    return order_key(services().config.secret_key, order.code)


def _back(order: Order) -> Response:
    return redirect(f"/orders/{order.code}?key={_key(order)}", code=303)  # type: ignore[return-value]


def _received_at(order: Order) -> datetime | None:
    moments = [each.made_at for each in order.events if each.to_state == OrderState.RECEIVED.value]
    return moments[0] if moments else None


def _moment_of(order: Order, *states: OrderState) -> datetime | None:
    names = {state.value for state in states}
    moments = [each.made_at for each in order.events if each.to_state in names]
    return moments[-1] if moments else None


def _page(order: Order, form: Mapping[str, str], errors: Mapping[str, Text]) -> str:
    payments, refunds = payments_of(session(), order.id), refunds_of(session(), order.id)
    gone = gone_of_lines(session(), order.id)
    going = of_order(session(), f"order:{order.id}")
    received = _received_at(order)
    paid = _paid(payments)
    waits = order.state is OrderState.AWAITING_PAYMENT
    return render_template(
        "shop/order.html",
        order=order,
        key=_key(order),
        phone=mask_phone(order.phone),
        paying=waits and request.args.get("paid") == "1",
        payment=paid,
        transfer=_transfer(order, payments) if waits else None,
        people=_people(order),
        declined=any(each.failure and each.state is PaymentState.STARTED for each in payments),
        held=any(each.state is PaymentState.MISMATCHED for each in payments),
        refunds=refunds,
        rest=_still_to_come(order),
        going=going,
        receipts=_receipts(order, going),
        packs_left=_packs_left(order, gone),
        claims=_open_claims(order, received) if paid is not None else [],
        shipped_at=_moment_of(order, OrderState.SHIPPED, OrderState.PARTLY_SHIPPED),
        paid_at=_moment_of(order, OrderState.TO_SHIP),
        received_at=received,
        completed_at=_moment_of(order, OrderState.COMPLETED),
        completes_at=(received or now()) + AUTO_COMPLETE,
        form=form,
        errors=errors,
    )


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


def _open_claims(order: Order, received: datetime | None) -> list[str]:
    """Kinds of claims that at least one line still allows; none before it was shipped."""
    after = (
        OrderState.PARTLY_SHIPPED, OrderState.SHIPPED, OrderState.RECEIVED, OrderState.COMPLETED,
    )  # fmt: skip
    if order.state not in after:
        return []
    return [
        kind
        for kind in BUYERS_KINDS
        if any(
            claim_problem(kind, fresh=line.product.fresh, received_at=received, now=now()) is None
            for line in order.lines
        )
    ]


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
