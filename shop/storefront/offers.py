"""What stands beside a price: which pack is shown first, and what of it reaches households."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from catalog.lots.queries import ShelfRow
from catalog.lots.queries.sheet import PackOffer, ProductSheet
from kernel.sharing import half_up
from orders.shares.queries import Sharing, sharing_of
from shop.storefront import dividing
from shop.storefront.remembered import remembered_each


def usual(sheet: ProductSheet) -> PackOffer | None:
    """The pack in the middle of those that are there."""
    there = [each for each in sheet.packs if each.count] or list(sheet.packs)
    return there[len(there) // 2] if there else None


def groups_of(
    sheet: ProductSheet, offer: PackOffer | None, sharing: Sharing | None
) -> list[dividing.Group]:
    """How the price of this pack divides; nothing where nobody can say."""
    if sharing is None or offer is None or offer.pack.price is None:
        return []
    return dividing.groups_of_price(
        sharing, offer.pack.grade, offer.pack.price, offer.pack.content, sheet.product.base_unit
    )


def shares(session: Session, rows: Sequence[ShelfRow], day: date) -> dict[int, str]:
    """Product → fen of each yuan of its pack that reach households, with one decimal; as of the
    last minute. The product's own page reckons anew."""
    by_key = {("share", row.pack_id, row.price.fen, day): row for row in rows}

    def reckon(keys: list[tuple[str, int, int, date]]) -> dict[tuple[str, int, int, date], str]:
        wanted = {key: by_key[key] for key in keys}
        sharing = sharing_of(session, [row.product_id for row in wanted.values()], day)
        return {key: _share(row, sharing.get(row.product_id)) for key, row in wanted.items()}

    found = remembered_each(by_key, reckon)
    return {by_key[key].product_id: share for key, share in found.items() if share}


def _share(row: ShelfRow, sharing: Sharing | None) -> str:
    if sharing is None:
        return ""
    groups = dividing.groups_of_price(sharing, row.grade, row.price, row.content, row.base_unit)
    share = dividing.households_get(groups)
    tenths = half_up(share.fen * 1000, row.price.fen)
    return f"{tenths // 10}.{tenths % 10}" if share else ""
