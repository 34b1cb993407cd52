"""What the public pages read beyond the rooms' own queries; counts leave only as the public may
read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Consent, ConsentPurpose, Household
from catalog.households.queries import Voice, consented_voices, short_name
from catalog.households.rules import SMALL, shown_count, shown_counts
from catalog.lots.models import Contribution, Lot
from catalog.products.models import (
    Category,
    Grade,
    Pack,
    Product,
    ProductState,
    PurchasePrice,
    Shelf,
)
from catalog.suppliers.models import Supplier
from kernel.db import sum_money, sum_whole
from kernel.money import ZERO, Money, Price
from kernel.people import Organisation
from kernel.quantities import BaseUnit
from kernel.regions import Level, Region, within
from orders.sales.models import Review
from orders.shares.models import HOUSEHOLD_PARTS, BenefitRule, RuleCost, SplitPart
from orders.shares.rules import split
from shop.storefront import dividing


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of the shelf's filters."""

    key: str
    name_zh: str
    name_en: str
    count: int


def filters(session: Session) -> tuple[list[Choice], list[Choice]]:
    """Categories with what they hold, and the villages around the suppliers. One query."""
    categories = (
        sa.select(
            sa.literal("category"), Category.slug, Category.name_zh, Category.name_en,
            sa.func.count(Product.id.distinct()), Category.position,
        )
        .join(Product, Product.category_id == Category.id)
        .join(Pack, Pack.product_id == Product.id)
        .where(Product.state == ProductState.ON_SALE, Pack.shelf == Shelf.CITIZENS, Pack.on_sale)
        .group_by(Category.id)
    )  # fmt: skip
    townships = (
        sa.select(sa.func.substr(Organisation.region_code, 1, 9) + "000")
        .join(Supplier, Supplier.organisation_id == Organisation.id)
        .distinct()
    )
    villages = sa.select(
        sa.literal("village"), Region.code, Region.name, Region.name, sa.literal(0), sa.literal(0)
    ).where(
        Region.parent_code.in_(townships),
        Region.level == Level.VILLAGE,
        Region.successor_code.is_(None),
    )
    found = session.execute(
        sa.union_all(categories, villages).order_by(sa.literal_column("6"), sa.literal_column("2"))
    )
    shelves: list[Choice] = []
    places: list[Choice] = []
    for kind, key, zh, en, count, _position in found:
        (shelves if kind == "category" else places).append(
            Choice(
                key,
                zh if kind == "category" else short_name(zh),
                en if kind == "category" else short_name(en),
                count,
            )
        )
    return shelves, places


@dataclass(frozen=True, slots=True)
class Sharing:
    """The benefit rule in force for a product, and what its goods cost at the farm gate."""

    rule_id: int
    version: int
    valid_from: date
    resolution: str
    terms: split.Terms
    farm_prices: dict[Grade, Price]

    def parts(self, grade: Grade, price: Money, content: int, unit: BaseUnit) -> list[split.Part]:
        return dividing.divide(self.terms, self.farm_prices.get(grade), price, content, unit)

    def groups(
        self, grade: Grade, price: Money, content: int, unit: BaseUnit
    ) -> list[dividing.Group]:
        return dividing.grouped(
            self.parts(grade, price, content, unit), retained_bp=self.terms.retained_bp
        )


_IDS: sa.BindParameter[int] = sa.bindparam("product_ids", expanding=True)
_TODAY = sa.bindparam("today", type_=sa.Date())


def sharing_of(session: Session, product_ids: Sequence[int], today: date) -> dict[int, Sharing]:
    """Product → its rule in force with the farm-gate prices; one query, whatever the number."""
    values = {"product_ids": list(product_ids), "today": today}
    by_product: dict[int, list[Any]] = {}
    for row in session.execute(_rules_in_force(), values):
        by_product.setdefault(row.product_id, []).append(row)
    return {product_id: _sharing(found) for product_id, found in by_product.items()}


@cache
def _rules_in_force() -> sa.Select[*tuple[Any, ...]]:
    """Built once: building a statement costs more than asking it."""
    farm = _farm_gate()
    newest = (
        sa.select(
            BenefitRule.id,
            sa.func.row_number()
            .over(
                partition_by=BenefitRule.product_id,
                order_by=(BenefitRule.valid_from.desc(), BenefitRule.version.desc()),
            )
            .label("place"),
        )
        .where(BenefitRule.product_id.in_(_IDS), BenefitRule.valid_from <= _TODAY)
        .cte("newest")
    )
    return (
        sa.select(
            BenefitRule.id, BenefitRule.product_id, BenefitRule.version, BenefitRule.model,
            BenefitRule.valid_from, BenefitRule.retained_bp, BenefitRule.resolution,
            Product.base_unit,
            RuleCost.id.label("cost_id"), RuleCost.kind, RuleCost.per_unit, RuleCost.share_bp,
            RuleCost.citizens_only,
            farm.c.grade, farm.c.price, farm.c.cost, farm.c.quantity,
        )
        .join(newest, sa.and_(newest.c.id == BenefitRule.id, newest.c.place == 1))
        .join(Product, Product.id == BenefitRule.product_id)
        .outerjoin(RuleCost, RuleCost.rule_id == BenefitRule.id)
        .outerjoin(farm, farm.c.product_id == BenefitRule.product_id)
        .order_by(BenefitRule.product_id, RuleCost.id)
    )  # fmt: skip


def _farm_gate() -> sa.CTE:
    """By product and grade: the published purchase price, and what the goods in store had cost
    (for what is made of other goods, which nobody brings to the scale)."""
    nothing = sa.cast(sa.null(), sa.BigInteger)
    published = sa.select(
        PurchasePrice.product_id,
        PurchasePrice.grade,
        sa.type_coerce(PurchasePrice.price, sa.BigInteger).label("price"),
        nothing.label("cost"),
        nothing.label("quantity"),
    ).where(
        PurchasePrice.product_id.in_(_IDS),
        PurchasePrice.valid_from <= _TODAY,
        sa.or_(PurchasePrice.valid_to.is_(None), PurchasePrice.valid_to >= _TODAY),
    )
    in_store = (
        sa.select(
            Lot.product_id,
            Lot.grade,
            nothing,
            sum_whole(sa.type_coerce(Contribution.cost, sa.BigInteger)),
            sum_whole(Contribution.quantity),
        )
        .join(Contribution, Contribution.lot_id == Lot.id)
        .where(
            Lot.product_id.in_(_IDS),
            Contribution.household_id.is_not(None),
            Contribution.on_hand > 0,
        )
        .group_by(Lot.product_id, Lot.grade)
    )
    return sa.union_all(published, in_store).cte("farm_gate")


def _sharing(rows: Sequence[Any]) -> Sharing:
    first = rows[0]
    costs = {row.cost_id: _cost_term(row) for row in rows if row.cost_id is not None}
    farm_prices = {
        row.grade: Price.from_total(Money(int(row.cost)), int(row.quantity), first.base_unit)
        for row in rows
        if row.cost and row.quantity
    } | {row.grade: Price(int(row.price)) for row in rows if row.price is not None}
    return Sharing(
        first.id, first.version, first.valid_from, first.resolution,
        split.Terms(first.model.value, first.retained_bp, tuple(costs.values())), farm_prices,
    )  # fmt: skip


def _cost_term(row: Any) -> split.CostTerm:
    return split.CostTerm(row.kind.value, row.per_unit, row.share_bp, row.citizens_only)


@dataclass(frozen=True, slots=True)
class ReviewShown:
    stars: int
    text: str
    place: str
    reply: str
    on: date


@dataclass(frozen=True, slots=True)
class Reviews:
    """The newest letters with words, and how all of them voted."""

    count: int
    by_stars: dict[int, int]
    letters: tuple[ReviewShown, ...]

    @property
    def mean_tenths(self) -> int:
        """The mean in tenths, half up: 48 is 4.8."""
        points = sum(stars * count for stars, count in self.by_stars.items())
        return (20 * points + self.count) // (2 * self.count) if self.count else 0


def reviews_of(session: Session, product_id: int, *, limit: int = 5) -> Reviews:
    """One query: the letters, each with the counts of all."""
    rows = session.execute(_letters(), {"product_id": product_id, "most": limit}).all()
    if not rows:
        return Reviews(0, {}, ())
    by_stars = {stars: int(rows[0][4 + stars]) for stars in range(1, 6)}
    letters = tuple(
        ReviewShown(row.stars, row.text, row.place, row.reply, row.made_at)
        for row in rows
        if row.text
    )
    return Reviews(sum(by_stars.values()), by_stars, letters)


@cache
def _letters() -> sa.Select[*tuple[Any, ...]]:
    counts = [
        sa.func.sum(sa.case((Review.stars == stars, 1), else_=0)).over().label(f"stars_{stars}")
        for stars in range(1, 6)
    ]
    return (
        sa.select(Review.stars, Review.text, Review.place, Review.reply, Review.made_at, *counts)
        .where(Review.product_id == sa.bindparam("product_id"))
        .order_by(sa.case((Review.text != "", 0), else_=1), Review.made_at.desc(), Review.id.desc())
        .limit(sa.bindparam("most", type_=sa.Integer()))
    )


def voices_of(session: Session, village: str) -> list[Voice]:
    """What households of a village let us say of them."""
    ids = session.scalars(
        sa.select(Consent.household_id)
        .join(Household, Household.id == Consent.household_id)
        .where(
            Household.region_code == village,
            Consent.purpose == ConsentPurpose.ALIAS,
            Consent.withdrawn_on.is_(None),
        )
        .distinct()
    ).all()
    return consented_voices(session, ids) if ids else []


def seasons_of(
    session: Session, product_ids: Sequence[int]
) -> dict[int, tuple[list[list[str]], list[list[str]]]]:
    """Product → (harvest, stored)."""
    return {
        key: (harvest, stored)
        for key, harvest, stored in session.execute(
            sa.select(Product.id, Product.harvest, Product.stored).where(
                Product.id.in_(product_ids)
            )
        )
    }


@dataclass(frozen=True, slots=True)
class VillageGoods:
    """What a village mostly grows, most first."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


def goods_of_villages(session: Session, today: date, *, most: int = 2) -> dict[str, VillageGoods]:
    """Village → the products most households brought in the last year."""
    rows = session.execute(
        sa.select(Household.region_code, Product.name_zh, Product.name_en)
        .join(Contribution, Contribution.household_id == Household.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .join(Product, Product.id == Lot.product_id)
        .where(Lot.harvested_on >= today - timedelta(days=365))
        .group_by(Household.region_code, Product.id)
        .order_by(
            Household.region_code, sa.func.count(Household.id.distinct()).desc(), Product.position
        )
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for code, zh, en in rows:
        found.setdefault(code, []).append((zh, en))
    return {
        code: VillageGoods(tuple(zh for zh, _ in names[:most]), tuple(en for _, en in names[:most]))
        for code, names in found.items()
    }


@dataclass(frozen=True, slots=True)
class YearOfMoney:
    """What buyers' accepted and paid lines of a year became."""

    total: Money
    groups: tuple[dividing.Group, ...]

    @property
    def households(self) -> Money:
        return dividing.households_get(self.groups)


def year_of_money(session: Session, year: int) -> YearOfMoney:
    """All split parts of a year, refunds taken off."""
    reaches = SplitPart.household_id.is_not(None)
    rows = session.execute(
        sa.select(SplitPart.kind, reaches, sum_money(SplitPart.amount))
        .where(SplitPart.on >= date(year, 1, 1), SplitPart.on <= date(year, 12, 31))
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
    return Incomes(lines, households // 10 * 10, sum((row[3] for row in rows), ZERO))


def published(
    rows: Sequence[tuple[str, str, int, Money, Sequence[tuple[str, str]]]],
) -> tuple[VillageIncome, ...]:
    """Most households first. A line with a hidden count hands its amount to the one before it, so
    that nobody's income can be found by subtraction."""
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
    if len(ordered) == 1 and ordered[0][2] < SMALL:
        amounts = [None]
    return tuple(
        VillageIncome(
            code, name, tuple(zh for zh, _ in goods), tuple(en for _, en in goods), text, amount
        )
        for (code, name, _, _, goods), text, amount in zip(ordered, shown, amounts, strict=True)
    )


def village_by(session: Session, code: str) -> Region | None:
    return session.scalar(
        sa.select(Region).where(Region.code == code, Region.level == Level.VILLAGE)
    )


def households_with_goods(session: Session, village: str, today: date) -> str:
    """How many of a village's households brought goods in the last year, as the public reads it."""
    count = session.scalar(
        sa.select(sa.func.count(Household.id.distinct()))
        .join(Contribution, Contribution.household_id == Household.id)
        .join(Lot, Lot.id == Contribution.lot_id)
        .where(Household.region_code == village, Lot.harvested_on >= today - timedelta(days=365))
    )
    return shown_count(count or 0)
