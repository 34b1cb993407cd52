"""Letters between the two sides of a bulk order, to everyone who can act on it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from catalog.products.models import Product
from kernel.actors import Actor, Role
from kernel.errors import Named, Text
from kernel.mail import send_later
from kernel.speech import say_in
from kernel.staff import people_to_tell
from orders.agencies.models import LineProposal
from orders.sales.models import LineWithdrawal, Order, OrderLine
from orders.sales.operations.choosing import quantity_words

UNIT_SIDE = (Role.BUYER, Role.APPROVER, Role.UNION)
SUPPLIER_SIDE = (Role.MANAGER, Role.STOREKEEPER)

_SUBJECTS = {
    "taken_off": Text("Order %(number)s: %(quantity)s of %(name)s taken off"),
    "proposed": Text("Order %(number)s: a proposal to do without %(quantity)s of %(name)s"),
    "agreed": Text("Order %(number)s: agreed, %(quantity)s of %(name)s taken off"),
    "declined": Text("Order %(number)s: %(quantity)s of %(name)s stay ordered"),
    "withdrawn": Text("Order %(number)s: the proposal for %(name)s was taken back"),
}
_BODIES = {
    "taken_off": Text(
        "%(who)s took %(quantity)s of %(name)s off order %(number)s, which is not signed yet.\n"
        "Why: %(reason)s\nThe order comes to %(total)s now."
    ),
    "proposed": Text(
        "%(who)s proposes to take %(quantity)s of %(name)s off order %(number)s.\n"
        "Why: %(reason)s\nNothing changes before you agree. Answer on the page of the order."
    ),
    "agreed": Text(
        "%(who)s agreed: %(quantity)s of %(name)s are taken off order %(number)s.\n"
        "The order comes to %(total)s now; the contract was frozen anew."
    ),
    "declined": Text(
        "%(who)s did not agree to take %(quantity)s of %(name)s off order %(number)s.\n"
        "Why: %(reason)s\nEverything stays as it was ordered."
    ),
    "withdrawn": Text(
        "%(who)s took back the proposal to take %(quantity)s of %(name)s off order %(number)s. "
        "Everything stays as it was ordered."
    ),
}


def tell_other_side(
    session: Session,
    order: Order,
    about: LineWithdrawal | LineProposal,
    event: str,
    *,
    by: Actor,
    now: datetime,
) -> None:
    """The side that did not act hears of it, each of its people once."""
    assert order.supplier is not None
    assert order.organisation is not None
    unit, supplier = order.organisation, order.supplier.organisation
    ours = by.organisation_id == unit.id
    other, roles = (supplier, SUPPLIER_SIDE) if ours else (unit, UNIT_SIDE)
    line = session.get_one(OrderLine, about.line_id)
    product = session.get_one(Product, line.product_id)
    answer = about.answer if isinstance(about, LineProposal) else ""
    values = {
        "number": order.number,
        "name": Named(line.name_zh, line.name_en),
        "quantity": quantity_words(about.quantity, product.base_unit),
        "who": (unit if ours else supplier).name,
        "reason": answer or about.reason,
        "total": str(order.total),
    }
    subject = Text(_SUBJECTS[event].message, **values)
    body = Text(_BODIES[event].message, **values)
    for user in people_to_tell(session, [other.id], roles, now):
        send_later(
            session,
            to=user.email,
            subject=say_in(subject, user.locale),
            body=say_in(body, user.locale),
            key=f"{about.__tablename__}:{about.id}:{event}:{user.id}",
            now=now,
        )
