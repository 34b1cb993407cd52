"""From an intent to the provider's page: the network is asked outside any transaction."""

from __future__ import annotations

from flask import redirect
from werkzeug.wrappers import Response

from kernel.errors import Refusal
from kernel.money import Money
from kernel.web.access import actor
from kernel.web.work import now, services, session, transaction
from orders.payments.gateway import MOST, CheckoutAsked, Item, gateway_of
from orders.payments.models import Payment
from orders.payments.operations import keep_page
from orders.sales.models import Order, OrderLine
from orders.sales.queries import order_with_lines
from orders.sales.rules.keys import order_address, order_key


def address_of(order: Order) -> str:
    """The full address of an order's page, with its key."""
    config = services().config
    return order_address(config.public_url, config.secret_key, order.code)


def payment_address(order: Order) -> str:
    """Where the buyer is led on to the provider's page; with the order's key, like its page."""
    key = order_key(services().config.secret_key, order.code)
    return f"/orders/{order.code}/payment?key={key}"


def lead_to_payment(payment: Payment) -> Response:
    """To the provider's page of this intent. Asking again leads to the same page."""
    if payment.url:
        return redirect(payment.url, code=303)  # type: ignore[return-value]
    order = order_with_lines(session(), payment.order_id)
    address = address_of(order)
    page = gateway_of(services().config).create_checkout(
        CheckoutAsked(
            key=payment.request_key,
            order_code=order.code,
            items=_items(order),
            success_url=address + "&paid=1",
            cancel_url=address,
            locale=order.locale,
            email=order.email,
        )
    )
    url = page.url or address
    with transaction() as work:
        keep_page(work, payment.id, session_id=page.session_id, url=url, by=actor(), now=now())
    return redirect(url, code=303)  # type: ignore[return-value]


def refuse_too_large(total: Money) -> None:
    """The provider takes eight digits."""
    if total > MOST:
        raise Refusal(
            "Online payment goes up to %(most)s. For %(total)s please pay by bank transfer: "
            "write to us, and we send you an offer with our account.",
            most=MOST,
            total=total,
        )


def _items(order: Order) -> list[Item]:
    items = [_item(line, order.locale) for line in order.lines]
    if order.freight:
        items.append(Item("运费" if order.locale == "zh" else "Delivery", 1, order.freight))
    return items


def _item(line: OrderLine, locale: str) -> Item:
    name = f"{line.name_zh} {line.pack_zh}" if locale == "zh" else f"{line.name_en}, {line.pack_en}"
    if line.pack_price is not None and line.pack_price * line.count == line.amount:
        return Item(name, line.count, line.pack_price)
    return Item(name, 1, line.amount)
