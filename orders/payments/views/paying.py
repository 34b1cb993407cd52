"""From an intent to the provider's page: the network is asked outside any transaction."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from kernel.money import total
from kernel.web.access import actor
from kernel.web.work import now, services, session, transaction
from orders.payments.gateway import MOST, CheckoutAsked, Item, gateway_of
from orders.payments.models import Payment
from orders.payments.operations import await_transfer, first_payment, keep_page
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


def start(work: Session, order: Order) -> str:
    """An order that was placed in this transaction waits for its money: from the provider, which
    takes eight digits, or by bank transfer. Which letter says so."""
    if order.total > MOST:
        await_transfer(work, order, by=actor(), now=now())
        return "transfer"
    first_payment(work, order, by=actor(), now=now())
    return "placed"


def _items(order: Order) -> list[Item]:
    items = [_item(pack, order.locale) for pack in _by_pack(order.lines)]
    if order.freight:
        items.append(Item("运费" if order.locale == "zh" else "Delivery", 1, order.freight))
    return items


def _by_pack(lines: Sequence[OrderLine]) -> list[list[OrderLine]]:
    """Lines of one pack together: a group purchase has one for each of its people, and the
    provider shows at most a hundred."""
    found: dict[int, list[OrderLine]] = {}
    for line in lines:
        found.setdefault(line.pack_id, []).append(line)
    return list(found.values())


def _item(lines: Sequence[OrderLine], locale: str) -> Item:
    line, count = lines[0], sum(each.count for each in lines)
    amount = total(each.amount for each in lines)
    name = f"{line.name_zh} {line.pack_zh}" if locale == "zh" else f"{line.name_en}, {line.pack_en}"
    if line.pack_price is not None and line.pack_price * count == amount:
        return Item(name, count, line.pack_price)
    return Item(name, 1, amount)
