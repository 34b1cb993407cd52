"""Who may open a citizen's order: whoever holds its key, or placed it while signed in."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, request
from werkzeug.wrappers import Response

from kernel.errors import Missing, Text
from kernel.web.access import actor
from kernel.web.work import services, session
from orders.sales.models import BuyerKind, Order, OrderState
from orders.sales.queries import order_by_code
from orders.sales.rules.keys import key_fits, order_key


def opened(code: str) -> Order:
    """The order, for whoever holds its key or placed it; for everybody else there is none."""
    order = order_by_code(session(), code)
    key = request.values.get("key", "")
    by_key = key_fits(services().config.secret_key, order.code, key)
    by_owner = order.user_id is not None and order.user_id == actor().user_id
    if order.buyer_kind is not BuyerKind.CITIZEN or not (by_key or by_owner):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    return order


def key_of(order: Order) -> str:
    return order_key(services().config.secret_key, order.code)


def back_to(order: Order, part: str = "") -> Response:
    """To the order's page, or to a part of it (`#share`)."""
    address = f"/orders/{order.code}?key={key_of(order)}{part}"
    return redirect(address, code=303)  # type: ignore[return-value]


def received_at(order: Order) -> datetime | None:
    """When the buyer said that it had arrived."""
    moments = [each.made_at for each in order.events if each.to_state == OrderState.RECEIVED.value]
    return moments[0] if moments else None


def moment_of(order: Order, *states: OrderState) -> datetime | None:
    """When it last came into one of these states."""
    names = {state.value for state in states}
    moments = [each.made_at for each in order.events if each.to_state in names]
    return moments[-1] if moments else None
