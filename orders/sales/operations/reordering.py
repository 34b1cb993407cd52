"""The same again: what can still be had of an order goes into the basket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from catalog.lots.queries import available
from kernel.actors import Actor
from kernel.errors import Text
from kernel.periods import business_day
from orders.sales.models import Order
from orders.sales.operations.baskets import put_in_basket
from orders.sales.queries import basket_of, packs_with_products


@dataclass(frozen=True, slots=True)
class Again:
    """How many packs lie in the basket now on top of what lay there, and what is missing, why."""

    taken: int
    missing: list[Text]


def put_again(session: Session, key: str, order: Order, *, by: Actor, now: datetime) -> Again:
    """Put the packs of this order (with its lines) into the basket, as far as they can be had.

    One pack may stand in two lines and two packs may hold the same goods: demand is added up
    before anything is promised (lessons §1, rows 3 and 61).
    """
    wanted: dict[int, int] = {}
    for line in order.lines:
        wanted[line.pack_id] = wanted.get(line.pack_id, 0) + line.count
    packs = packs_with_products(session, wanted)
    today = business_day(now)
    free = available(session, sorted({pack.product_id for pack in packs.values()}), today=today)
    basket = basket_of(session, key, by.user_id)
    lying = {each.pack_id: each.count for each in basket.lines} if basket is not None else {}
    left = dict(free)
    for pack_id, count in lying.items():
        if (pack := packs.get(pack_id)) is not None:
            kind = (pack.product_id, pack.grade)
            left[kind] = left.get(kind, 0) - pack.content * count
    taken, missing = 0, []
    for pack_id, count in wanted.items():
        pack = packs[pack_id]
        name = pack.product.name_zh
        if not (pack.on_sale and pack.product.offered_on(today)):
            missing.append(Text("%(goods)s is not for sale any more.", goods=name))
            continue
        kind = (pack.product_id, pack.grade)
        room = pack.most_per_order - lying.get(pack_id, 0)
        most = max(0, min(count, room, left.get(kind, 0) // pack.content))
        if most < count:
            missing.append(
                Text("Of %(goods)s only %(n)s of %(asked)s can be had now.",
                     goods=name, n=most, asked=count)
                if most
                else Text("%(goods)s is sold out for now.", goods=name)
            )  # fmt: skip
        if most:
            put_in_basket(session, key, pack_id, most, add=True, by=by, now=now)
            left[kind] -= pack.content * most
            taken += most
    return Again(taken, missing)
