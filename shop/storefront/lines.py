"""Lines of the price list as text in the reader's language; twenty-four of them make a page, so
every sentence is looked up once and filled in for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from catalog.lots.queries import ShelfRow
from kernel.quantities import BaseUnit
from kernel.web.drawing import day_of_month, half_price, named, whole_fen
from kernel.web.i18n import in_chinese


@dataclass(frozen=True, slots=True)
class Line:
    """One product as the shelf writes it. `state` is empty, or why it cannot be bought."""

    slug: str
    name: str
    note: str
    places: str
    came_in: str
    state: str
    share: str
    price: str
    per_unit: str
    per_jin: str
    gallery: list[dict[str, Any]]


def lines(rows: Sequence[ShelfRow], shares: Mapping[int, str]) -> list[Line]:
    """`shares`: product → fen of each yuan that reach households."""
    words = {
        "others": _(", and %(n)s other packs"),
        "came_in": _("came in on %(day)s"),
        "sold_out": _("sold out, wait for the next lot"),
        "no_season": _("not in season"),
        "share": _("households get %(share)s %%"),
        "each": _("¥%(price)s each"),
        "home": _("Shuishi"),
        "many": _("%(first)s and %(n)s more villages"),
    }
    chinese = in_chinese()
    return [_line(row, shares.get(row.product_id, ""), words, chinese=chinese) for row in rows]


def _line(row: ShelfRow, share: str, words: Mapping[str, str], *, chinese: bool) -> Line:
    weighed = row.base_unit is BaseUnit.GRAM
    price = whole_fen(row.unit_price)
    others = words["others"] % {"n": row.packs - 1} if row.packs > 1 else ""
    return Line(
        slug=row.slug,
        name=named(row),
        note=named(row, "pack") + others,
        places=_places(row.villages, words, chinese=chinese),
        came_in=words["came_in"] % {"day": day_of_month(row.newest)} if row.newest else "",
        state=_state(row, words),
        share=words["share"] % {"share": share} if share else "",
        price=str(row.price),
        per_unit=f"¥{price}/kg" if weighed else words["each"] % {"price": price},
        per_jin=f"{half_price(row.unit_price)}\u00a0元/斤" if weighed and chinese else "",
        gallery=row.gallery,
    )


def _state(row: ShelfRow, words: Mapping[str, str]) -> str:
    if row.packs_free:
        return ""
    return words["sold_out"] if row.in_season else words["no_season"]


def _places(villages: Sequence[str], words: Mapping[str, str], *, chinese: bool) -> str:
    if len(villages) > 3:
        return words["many"] % {"first": villages[0], "n": len(villages) - 1}
    return ("、" if chinese else ", ").join(villages) or words["home"]
