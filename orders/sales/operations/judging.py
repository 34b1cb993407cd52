"""Whether what somebody wants can be ordered at all: on sale, in these numbers, by this buyer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from catalog.products.models import Pack, Shelf
from kernel.errors import Named, Text
from orders.sales.models import BuyerKind
from orders.sales.operations.choosing import quantity_words
from orders.sales.operations.wanting import Placing, Wanted
from orders.sales.queries.limits import bought_of
from orders.sales.rules.limits import Limit, limit_of


def problems_of(
    session: Session,
    placing: Placing,
    packs: Mapping[int, Pack],
    rules: Mapping[int, int],
    today: date,
) -> list[Text]:
    """Everything that stands in the way, each once. The products are locked, so that two orders of
    one buyer are counted one after the other."""
    problems = [
        problem
        for wanted in placing.lines
        if (problem := _problem(placing, wanted, packs.get(wanted.pack_id), rules, today))
    ]
    problems += _over_limit(session, placing, packs, today)
    return list({str(each): each for each in problems}.values())


def _problem(
    placing: Placing, wanted: Wanted, pack: Pack | None, rules: Mapping[int, int], today: date
) -> Text | None:
    shelf = Shelf.CITIZENS if placing.buyer_kind is BuyerKind.CITIZEN else Shelf.CANTEENS
    if pack is None:
        return Text("Something in this order does not exist any more.")
    if not _for_sale(placing, pack, shelf, rules, today):
        return Text("%(name)s is not for sale now.", name=pack_words(pack))
    if pack.shelf is Shelf.CITIZENS and not 0 < (wanted.count or 0) <= pack.most_per_order:
        return Text(
            "%(name)s: between 1 and %(most)s in one order.",
            most=pack.most_per_order,
            name=pack_words(pack),
        )
    if pack.shelf is Shelf.CANTEENS and not _whole_packs(wanted, pack):
        step = quantity_words(pack.content, pack.product.base_unit)
        return Text("%(name)s is sold in steps of %(step)s.", step=step, name=pack_words(pack))
    return None


def _over_limit(
    session: Session, placing: Placing, packs: Mapping[int, Pack], today: date
) -> list[Text]:
    if placing.buyer_kind is not BuyerKind.CITIZEN:
        return []
    asked: dict[int, int] = {}
    for wanted in placing.lines:
        asked[wanted.pack_id] = asked.get(wanted.pack_id, 0) + (wanted.count or 0)
    bought = bought_of(
        session,
        packs.values(),
        user_id=placing.user_id,
        phone=placing.contact.phone,
        codes=placing.browser_codes,
        today=today,
    )
    problems = []
    for pack in packs.values():
        limit = limit_of(pack.most_per_buyer, pack.limit_days)
        left = limit.left(bought.get(pack.id, 0)) if limit else 0
        if limit and asked.get(pack.id, 0) > left:
            problems.append(limit_words(pack, limit, left))
    return problems


def limit_words(pack: Pack, limit: Limit, left: int) -> Text:
    """What everybody may have of this pack, and what is left of it for this buyer."""
    if limit.days == 1:
        return Text(
            "%(name)s: each buyer may have %(most)s a day; for you %(left)s are left.",
            name=pack_words(pack),
            most=limit.most,
            left=left,
        )
    return Text(
        "%(name)s: each buyer may have %(most)s in %(days)s days; for you %(left)s are left.",
        name=pack_words(pack),
        most=limit.most,
        days=limit.days,
        left=left,
    )


def _for_sale(
    placing: Placing, pack: Pack, shelf: Shelf, rules: Mapping[int, int], today: date
) -> bool:
    theirs = placing.supplier_id in (None, pack.product.supplier_id)
    on_sale = pack.on_sale and pack.product.offered_on(today)
    return on_sale and theirs and pack.shelf is shelf and pack.product_id in rules


def _whole_packs(wanted: Wanted, pack: Pack) -> bool:
    return (wanted.quantity or 0) > 0 and (wanted.quantity or 0) % pack.content == 0


def pack_words(pack: Pack) -> Named:
    product = pack.product
    return Named(f"{product.name_zh} {pack.name_zh}", f"{product.name_en}, {pack.name_en}")
