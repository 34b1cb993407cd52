"""The basket: what somebody has put aside. It promises nothing and reserves nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.products.models import Pack, Shelf
from catalog.products.rules.pricing import CITIZEN, price_of
from kernel.actors import Actor
from kernel.codes import new_key
from kernel.errors import Missing, Text
from kernel.money import Money
from kernel.periods import business_day
from orders.sales.models import Basket, BasketLine
from orders.sales.queries import basket_of, packs_with_products

MOST_LINES = 60
# A basket that nobody touched for so long is forgotten; the cookie that opens it lives as long.
KEPT_FOR = timedelta(days=90)


def put_in_basket(
    session: Session,
    key: str | None,
    pack_id: int,
    count: int,
    *,
    add: bool = False,
    note: str | None = None,
    by: Actor,
    now: datetime,
) -> Basket:
    """So many of this pack lie in the basket (`add`: on top of what lay there); 0 takes it out.

    Never more than one order may hold. The price seen now is kept, to be compared later. Without
    `key` the browser has no basket yet: the new one's key is to be kept there. `note` is a word to
    the cooperative about this line; None leaves what stood there.
    """
    pack = packs_with_products(session, [pack_id]).get(pack_id)
    if pack is None or pack.shelf is not Shelf.CITIZENS:
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    basket = basket_of(session, key, by.user_id) or _new(session, key or new_key(), by.user_id, now)
    basket.touched_at = now
    line = next((each for each in basket.lines if each.pack_id == pack_id), None)
    count = min((line.count if line and add else 0) + max(0, count), pack.most_per_order)
    if line is None and count and len(basket.lines) < MOST_LINES:
        price = _price(pack, count, now)
        basket.lines.append(
            BasketLine(pack_id=pack_id, count=count, price_seen=price, note=(note or "")[:100])
        )
    elif line is not None and not count:
        basket.lines.remove(line)
    elif line is not None:
        _recount(line, pack, count, now)
        line.note = line.note if note is None else note[:100]
    session.flush()
    return basket


def _recount(line: BasketLine, pack: Pack, count: int, now: datetime) -> None:
    """So many lie there now. Another tier is the person's own doing, a new price is not: only that
    one is told."""
    known = line.price_seen == _price(pack, line.count, now)
    line.count = count
    if known:
        line.price_seen = _price(pack, count, now)


def _price(pack: Pack, count: int, now: datetime) -> Money:
    """What one of so many packs costs a citizen today."""
    quote = price_of(pack, pack.content * count, CITIZEN, business_day(now))
    return quote.price or Money(0)


def acknowledge_prices(session: Session, basket: Basket, *, now: datetime) -> None:
    """The prices shown now are the ones this person has seen."""
    for line in basket.lines:
        line.price_seen = _price(line.pack, line.count, now)
    session.flush()


def merge_baskets(session: Session, key: str | None, *, by: Actor, now: datetime) -> None:
    """What the browser collected before signing in joins the person's own basket."""
    if key is None or by.user_id is None:
        return
    theirs = session.scalar(
        sa.select(Basket)
        .where(Basket.key == key, Basket.user_id.is_(None))
        .options(selectinload(Basket.lines).joinedload(BasketLine.pack))
    )
    if theirs is None:
        return
    mine = basket_of(session, None, by.user_id)
    if mine is None:
        theirs.user_id = by.user_id
        return
    lying = {line.pack_id: line for line in mine.lines}
    for line in theirs.lines:
        if line.pack_id in lying:
            kept = lying[line.pack_id]
            _recount(kept, kept.pack, max(kept.count, line.count), now)
        else:
            mine.lines.append(
                BasketLine(
                    pack_id=line.pack_id,
                    count=line.count,
                    price_seen=line.price_seen,
                    note=line.note,
                )
            )
    mine.people = mine.people or theirs.people
    mine.touched_at = now
    session.delete(theirs)
    session.flush()


def empty_basket(session: Session, basket: Basket) -> None:
    """Nothing lies in the basket any more: it became an order."""
    basket.lines.clear()
    basket.people = None
    session.flush()


def keep_people(session: Session, basket: Basket, people: str | None, *, now: datetime) -> None:
    """Whom a group purchase is for, as typed; kept with the basket until it is ordered, so that
    nothing is lost while something in it is put right. None forgets them."""
    basket.people = people
    basket.touched_at = now
    session.flush()


def forget_baskets(session: Session, *, now: datetime) -> int:
    """Baskets that nobody touched for ninety days are gone, with the people named in them; how many
    there were."""
    old = sa.select(Basket.id).where(Basket.touched_at < now - KEPT_FOR)
    session.execute(sa.delete(BasketLine).where(BasketLine.basket_id.in_(old)))
    gone = session.execute(sa.delete(Basket).where(Basket.touched_at < now - KEPT_FOR))
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]


def _new(session: Session, key: str, user_id: int | None, now: datetime) -> Basket:
    basket = Basket(key=key, user_id=user_id, touched_at=now, lines=[])
    session.add(basket)
    return basket
