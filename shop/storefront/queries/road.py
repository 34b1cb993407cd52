"""The public road of the money: kinds of buyers → products → villages, no cell small.

Only what reached households is on it, so what leaves one column enters the next to the fen. A cell
with fewer than five households would say what those few earned (domain.md §5.5): villages are
drawn together as the table beside the picture puts them together, and inside a village small
cells go into one "other goods" together with its smallest cell that is not small.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.rules import SMALL
from catalog.products.models import Category, Product
from kernel.db import sum_money
from kernel.money import ZERO, Money, total
from orders.agencies.models import Unit
from orders.payouts.queries.whereabouts import Destination
from orders.sales.models import Order
from orders.shares.models import HOUSEHOLD_PARTS, SplitPart
from shop.storefront.queries.figures import VillageIncome, may_be_published

OTHER = ""
FEW_UNITS = 3


@dataclass(frozen=True, slots=True)
class Strand:
    """So much from one kind of buyers for one sort of goods to one group of villages."""

    buyers: str
    goods: str
    village: str
    amount: Money


@dataclass(frozen=True, slots=True)
class PublicRoad:
    """`goods` are slugs of categories or OTHER; `names` says what they are called (zh, en);
    villages are called by their names."""

    strands: tuple[Strand, ...]
    names: dict[str, tuple[str, str]]

    @property
    def total(self) -> Money:
        return total(each.amount for each in self.strands)

    def sums(self, column: str) -> dict[str, Money]:
        """Name → amount of one column ("buyers", "goods" or "village"), most first."""
        return _largest_first((getattr(each, column), each.amount) for each in self.strands)

    def flows(self, source: str, target: str) -> dict[tuple[str, str], Money]:
        """(from, to) → amount between two columns."""
        found: dict[tuple[str, str], Money] = defaultdict(lambda: ZERO)
        for each in self.strands:
            found[getattr(each, source), getattr(each, target)] += each.amount
        return dict(found)


def _largest_first(pairs: object) -> dict[str, Money]:
    found: dict[str, Money] = defaultdict(lambda: ZERO)
    for key, amount in pairs:  # type: ignore[attr-defined]
        found[key] += amount
    return dict(sorted(found.items(), key=lambda each: (each[0] == OTHER, -each[1].fen, each[0])))


def public_road(
    session: Session, year: int, villages: Sequence[VillageIncome]
) -> PublicRoad | None:
    """Three queries; None while there is nothing that may be shown. `villages` are the lines of the
    public table, whose small ones stand in the line before them."""
    grouped = village_groups(villages)
    if not grouped:
        return None
    spans = (
        SplitPart.kind.in_(HOUSEHOLD_PARTS),
        SplitPart.on >= date(year, 1, 1),
        SplitPart.on <= date(year, 12, 31),
        may_be_published(),
    )
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for goods, village, number in session.execute(
        sa.select(Category.slug, Household.region_code, sa.func.count(Household.id.distinct()))
        .select_from(SplitPart)
        .join(Household, Household.id == SplitPart.household_id)
        .join(Product, Product.id == SplitPart.product_id)
        .join(Category, Category.id == Product.category_id)
        .where(*spans)
        .group_by(Category.slug, Household.region_code)
    ):
        if village in grouped:
            counts[goods, grouped[village]] += int(number)
    names: dict[str, tuple[str, str]] = {}
    strands: dict[tuple[str, str, str], Money] = defaultdict(lambda: ZERO)
    shown = goods_shown(counts)
    kind = sa.func.coalesce(sa.type_coerce(Unit.kind, sa.String), Destination.CITIZENS.value)
    drawn_as = kinds_shown(_units_by_kind(session, spans))
    for buyers, goods, zh, en, village, amount in session.execute(
        sa.select(
            kind, Category.slug, Category.name_zh, Category.name_en, Household.region_code,
            sum_money(SplitPart.amount),
        )
        .select_from(SplitPart)
        .join(Household, Household.id == SplitPart.household_id)
        .join(Product, Product.id == SplitPart.product_id)
        .join(Category, Category.id == Product.category_id)
        .join(Order, SplitPart.order == sa.literal("order:") + sa.cast(Order.id, sa.String))
        .outerjoin(Unit, Unit.organisation_id == Order.organisation_id)
        .where(*spans)
        .group_by(kind, Category.slug, Category.name_zh, Category.name_en, Household.region_code)
    ):  # fmt: skip
        if village in grouped:
            place = grouped[village]
            sort = shown[goods, place]
            names.setdefault(sort, (zh, en))
            strands[drawn_as.get(buyers, buyers), sort, place] += amount
    found = tuple(Strand(*key, amount) for key, amount in sorted(strands.items()) if amount.fen > 0)
    return PublicRoad(found, names) if found else None


def _units_by_kind(session: Session, spans: Sequence[sa.ColumnElement[bool]]) -> dict[str, int]:
    kind = sa.type_coerce(Unit.kind, sa.String)
    rows = session.execute(
        sa.select(kind, sa.func.count(Unit.id.distinct()))
        .select_from(SplitPart)
        .join(Order, SplitPart.order == sa.literal("order:") + sa.cast(Order.id, sa.String))
        .join(Unit, Unit.organisation_id == Order.organisation_id)
        .where(*spans)
        .group_by(kind)
    ).all()
    return {each: int(number) for each, number in rows}


def kinds_shown(units: Mapping[str, int]) -> dict[str, str]:
    """Kind of unit → the kind it is drawn as. Fewer than three units of a kind would be found by
    whoever knows one of them: they are drawn with the smallest kind that is not small, together as
    "institutions"."""
    kinds = sorted(units, key=lambda kind: (units[kind], kind))
    small = sum(units[kind] < FEW_UNITS for kind in kinds)
    hidden = kinds[: small + 1] if small else []
    together = Destination.INSTITUTION.value
    return dict.fromkeys((*hidden, together), together) if hidden else {}


def village_groups(villages: Sequence[VillageIncome]) -> dict[str, str]:
    """Village code → the name it is drawn under. A hidden line stands with the one before it;
    where even the first is hidden, nothing may be drawn."""
    if not villages or villages[0].shown.startswith("<"):
        return {}
    leaders: list[tuple[str, list[str]]] = []
    members: dict[str, int] = {}
    for place in villages:
        if place.amount is not None:
            leaders.append((place.name, [place.name]))
        else:
            leaders[-1][1].append(place.name)
        members[place.code] = len(leaders) - 1
    return {code: "、".join(leaders[at][1]) for code, at in members.items()}


def goods_shown(counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], str]:
    """(goods, village) → the goods its cell is drawn under: itself, or OTHER.

    In every village either no cell is small, or OTHER holds the small ones and the smallest of
    the rest, so that nothing small is left over by subtraction either.
    """
    by_village: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (goods, village), number in counts.items():
        by_village[village].append((number, goods))
    shown: dict[tuple[str, str], str] = {}
    for village, cells in by_village.items():
        cells.sort()
        small = sum(number < SMALL for number, _ in cells)
        hidden = min(small + 1, len(cells)) if small else 0
        for place, (_, goods) in enumerate(cells):
            shown[goods, village] = OTHER if place < hidden else goods
    return shown
