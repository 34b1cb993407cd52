"""Public figures: what the money of a year became, and what of it reached which village."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.households.queries import short_name
from catalog.households.rules import SMALL, shown_counts
from catalog.products.models import (
    Product,
)
from kernel.db import sum_money
from kernel.money import ZERO, Money
from kernel.people import Organisation
from kernel.regions import Region, within
from orders.sales.models import Order
from orders.shares.models import HOUSEHOLD_PARTS, SplitPart
from orders.shares.rules import split
from shop.storefront import dividing


@dataclass(frozen=True, slots=True)
class YearOfMoney:
    """What buyers' accepted and paid lines of a year became."""

    total: Money
    groups: tuple[dividing.Group, ...]

    @property
    def households(self) -> Money:
        return dividing.households_get(self.groups)


def may_be_published() -> sa.ColumnElement[bool]:
    """SQL over split parts: not of an order of a unit whose name and amounts are kept out of every
    public page (army, police, prison)."""
    hidden = (
        sa.select(sa.literal("order:") + sa.cast(Order.id, sa.String))
        .join(Organisation, Organisation.id == Order.organisation_id)
        .where(Organisation.sensitive)
    )
    return SplitPart.order.not_in(hidden)


def years_of_money(session: Session, today: date) -> range:
    """From the first year in which something was settled to this one."""
    first = session.scalar(sa.select(sa.func.min(SplitPart.on)).where(may_be_published()))
    return range(first.year if first else today.year, today.year + 1)


def year_of_money(session: Session, year: int) -> YearOfMoney:
    """All split parts of a year that may be published, refunds taken off. Nothing while fewer than
    five households share in it: it would say what those few earned."""
    if _households_of(session, year) < SMALL:
        return YearOfMoney(ZERO, ())
    reaches = SplitPart.household_id.is_not(None)
    rows = session.execute(
        sa.select(SplitPart.kind, reaches, sum_money(SplitPart.amount))
        .where(
            SplitPart.on >= date(year, 1, 1),
            SplitPart.on <= date(year, 12, 31),
            may_be_published(),
        )
        .group_by(SplitPart.kind, reaches)
    ).all()
    parts = [
        split.Part(kind.value, amount, household_id=1 if of_household else None)
        for kind, of_household, amount in rows
    ]
    groups = tuple(
        dividing.Group(line.key, line.name, line.short, line.tone, line.amount)
        for line in dividing.grouped(parts)
    )
    return YearOfMoney(sum((part.amount for part in parts), ZERO), groups)


def _households_of(session: Session, year: int) -> int:
    found = session.scalar(
        sa.select(sa.func.count(SplitPart.household_id.distinct())).where(
            SplitPart.kind.in_(HOUSEHOLD_PARTS),
            SplitPart.on >= date(year, 1, 1),
            SplitPart.on <= date(year, 12, 31),
            may_be_published(),
        )
    )
    return found or 0


@dataclass(frozen=True, slots=True)
class VillageIncome:
    """A village's line of the public table. Where fewer than five households were paid, the count
    is hidden and the amount stands in the line before it (`amount` is None)."""

    code: str
    name: str
    goods_zh: tuple[str, ...]
    goods_en: tuple[str, ...]
    shown: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Incomes:
    villages: tuple[VillageIncome, ...]
    households_about: int
    total: Money


def incomes(session: Session, year: int, prefixes: Iterable[str] = ("",)) -> Incomes:
    """What reached households by village; small counts hidden, the total count rounded to tens."""
    spans = (
        SplitPart.kind.in_(HOUSEHOLD_PARTS),
        SplitPart.on >= date(year, 1, 1),
        SplitPart.on <= date(year, 12, 31),
        within(Household.region_code, list(prefixes)),
        may_be_published(),
    )
    rows = session.execute(
        sa.select(
            Household.region_code, Region.name,
            sa.func.count(Household.id.distinct()), sum_money(SplitPart.amount),
        )
        .select_from(SplitPart)
        .join(Household, Household.id == SplitPart.household_id)
        .join(Region, Region.code == Household.region_code)
        .where(*spans)
        .group_by(Household.region_code, Region.name)
    ).all()  # fmt: skip
    goods = session.execute(
        sa.select(Household.region_code, Product.name_zh, Product.name_en)
        .select_from(SplitPart)
        .join(Household, Household.id == SplitPart.household_id)
        .join(Product, Product.id == SplitPart.product_id)
        .where(*spans)
        .group_by(Household.region_code, Product.id)
        .order_by(Household.region_code, sa.func.sum(SplitPart.amount).desc(), Product.id)
    )
    mostly: dict[str, list[tuple[str, str]]] = {}
    for code, zh, en in goods:
        mostly.setdefault(code, []).append((zh, en))
    lines = published(
        [
            (code, short_name(name), int(count), amount, mostly.get(code, [])[:2])
            for code, name, count, amount in rows
        ]
    )
    households = sum(int(count) for _, _, count, _ in rows)
    total = sum((row[3] for row in rows), ZERO) if lines else ZERO
    return Incomes(lines, households // 10 * 10, total)


def published(
    rows: Sequence[tuple[str, str, int, Money, Sequence[tuple[str, str]]]],
) -> tuple[VillageIncome, ...]:
    """Most households first. A line with a hidden count hands its amount to the one before it, so
    that nobody's income can be found by subtraction. No amount stands for fewer than five
    households: where all together are fewer, there is no line at all."""
    if sum(row[2] for row in rows) < SMALL:
        return ()
    ordered = sorted(rows, key=lambda row: (-row[2], row[0]))
    shown = shown_counts([count for _, _, count, _, _ in ordered])
    amounts: list[Money | None] = []
    for _, _, count, amount, _ in ordered:
        if count < SMALL and amounts:
            last = max(place for place, each in enumerate(amounts) if each is not None)
            amounts[last] = (amounts[last] or ZERO) + amount
            amounts.append(None)
        else:
            amounts.append(amount)
    return tuple(
        VillageIncome(
            code, name, tuple(zh for zh, _ in goods), tuple(en for _, en in goods), text, amount
        )
        for (code, name, _, _, goods), text, amount in zip(ordered, shown, amounts, strict=True)
    )
