"""The road of the money: units' systems → products → villages → households.

Every amount is a sum of the split parts that acceptances wrote, so the four columns add up to the
same fen. What does not reach a household (freight, packaging, processing, what the collective
keeps) is one part of its own, not spread over villages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.households.models import Household
from catalog.products.models import Product
from kernel.db import sum_money
from kernel.money import ZERO, Money, total
from kernel.regions import Region, within
from orders.agencies.models import BulkOrder, Unit
from orders.agencies.queries.scope import Scope
from orders.agencies.rules.rates import rate
from orders.shares.models import HOUSEHOLD_PARTS, SplitPart
from shop.office.villages import account_subject, earned

# Above this many households a village is drawn as one band instead of a stroke each.
MOST_STROKES = 1200
MOST_PRODUCTS = 10

FlowRow = tuple[str, str, str | None, Money]


@dataclass(frozen=True, slots=True)
class Flow:
    """So much from one place of the road to the next."""

    source: str
    target: str
    amount: Money


@dataclass(frozen=True, slots=True)
class VillageEnd:
    """Where the road ends: how much reached how many households of one village.

    `strokes` are the households' amounts, largest first, without names. `without` is how many of
    the register have no income from this platform this year, whoever bought.
    """

    code: str
    name: str
    amount: Money
    strokes: tuple[Money, ...]
    households: int
    registered: int
    without: int


@dataclass(frozen=True, slots=True)
class Road:
    systems: dict[str, Money]
    products: dict[str, Money]
    by_system: list[Flow]
    by_village: list[Flow]
    villages: list[VillageEnd]
    total: Money
    to_households: Money

    @property
    def elsewhere(self) -> Money:
        """Freight, packaging, processing, fees and what the collective keeps."""
        return self.total - self.to_households

    @property
    def households(self) -> int:
        return sum(village.households for village in self.villages)

    @property
    def share(self) -> Fraction | None:
        return rate(self.to_households, self.total)

    def between(self, source: str, target: str) -> Money:
        found = (f.amount for f in self.by_system if (f.source, f.target) == (source, target))
        return total(found)


def road(
    session: Session,
    scope: Scope,
    *,
    villages: tuple[str, ...],
    year: int,
    as_of: date,
    lang: str = "zh",
    others: str = "…",
) -> Road:
    """Three statements. `villages` are prefixes whose registers are shown even without income;
    `others` is what the smaller products are called together."""
    rows = _flows(session, scope, year, as_of, lang)
    by_system: dict[tuple[str, str], Money] = defaultdict(lambda: ZERO)
    by_village: dict[tuple[str, str], Money] = defaultdict(lambda: ZERO)
    for system, product, village, amount in _largest(rows, others):
        by_system[(system, product)] += amount
        if village is not None:
            by_village[(product, village)] += amount
    ends = _ends(session, scope, villages, year, as_of)
    names = {end.code: end.name for end in ends}
    return Road(
        systems=_sums(by_system, 0),
        products=_sums(by_system, 1, last=others),
        by_system=[Flow(*key, amount) for key, amount in sorted(by_system.items())],
        by_village=[
            Flow(product, names.get(village, village), amount)
            for (product, village), amount in sorted(by_village.items())
        ],
        villages=ends,
        total=total(by_system.values()),
        to_households=total(by_village.values()),
    )


def _largest(rows: list[FlowRow], others: str) -> Iterator[FlowRow]:
    """The rows with the smaller products under one name, so that the picture can be read."""
    sums: dict[str, int] = defaultdict(int)
    for _system, product, _village, amount in rows:
        sums[product] += amount.fen
    shown = sorted(sums, key=lambda product: (-sums[product], product))
    shown = shown if len(shown) <= MOST_PRODUCTS else shown[: MOST_PRODUCTS - 1]
    for system, product, village, amount in rows:
        yield system, product if product in shown else others, village, amount


def _sums(
    flows: dict[tuple[str, str], Money], place: int, last: str | None = None
) -> dict[str, Money]:
    found: dict[str, Money] = defaultdict(lambda: ZERO)
    for key, amount in flows.items():
        found[key[place]] += amount
    return dict(sorted(found.items(), key=lambda item: (item[0] == last, -item[1].fen, item[0])))


def _of_the_year(year: int, as_of: date) -> sa.ColumnElement[bool]:
    return SplitPart.on.between(date(year, 1, 1), min(as_of, date(year, 12, 31)))


def _bulk_order() -> sa.ColumnElement[bool]:
    return SplitPart.order == sa.literal("order:") + sa.cast(BulkOrder.order_id, sa.String)


def _flows(session: Session, scope: Scope, year: int, as_of: date, lang: str) -> list[FlowRow]:
    name = Product.name_zh if lang == "zh" else Product.name_en
    to_household = SplitPart.kind.in_(HOUSEHOLD_PARTS)
    village = sa.case((to_household, Household.region_code))
    rows = session.execute(
        sa.select(Unit.system, name, village.label("village"), sum_money(SplitPart.amount))
        .select_from(BulkOrder)
        .join(Unit, Unit.id == BulkOrder.unit_id)
        .join(SplitPart, _bulk_order())
        .join(Product, Product.id == SplitPart.product_id)
        .outerjoin(Household, Household.id == SplitPart.household_id)
        .where(BulkOrder.unit_id.in_(scope.unit_ids()), _of_the_year(year, as_of))
        .group_by(Unit.system, name, village)
    )
    return [tuple(row) for row in rows]


def _ends(
    session: Session, scope: Scope, villages: tuple[str, ...], year: int, as_of: date
) -> list[VillageEnd]:
    strokes = _strokes(session, scope, year, as_of)
    registers = _registers(session, villages, tuple(strokes), year, as_of)
    return [
        VillageEnd(
            code=code,
            name=name,
            amount=total(strokes.get(code, [])),
            strokes=tuple(sorted(strokes.get(code, []), reverse=True)),
            households=len(strokes.get(code, [])),
            registered=registered,
            without=registered - earning,
        )
        for code, (name, registered, earning) in sorted(registers.items())
    ]


def _strokes(session: Session, scope: Scope, year: int, as_of: date) -> dict[str, list[Money]]:
    """village → what each of its households received from these units' orders."""
    rows = session.execute(
        sa.select(Household.region_code, sum_money(SplitPart.amount))
        .select_from(BulkOrder)
        .join(SplitPart, _bulk_order())
        .join(Household, Household.id == SplitPart.household_id)
        .where(
            BulkOrder.unit_id.in_(scope.unit_ids()),
            SplitPart.kind.in_(HOUSEHOLD_PARTS),
            _of_the_year(year, as_of),
        )
        .group_by(Household.region_code, Household.id)
        .having(sa.func.sum(SplitPart.amount) > ZERO)
    )
    found: dict[str, list[Money]] = defaultdict(list)
    for village, amount in rows:
        found[village].append(amount)
    return found


def _registers(
    session: Session, prefixes: tuple[str, ...], more: tuple[str, ...], year: int, as_of: date
) -> dict[str, tuple[str, int, int]]:
    """village → (its name, households in the register, those with any income of the year)."""
    earning = earned(year, as_of).subquery()
    places = [within(Household.region_code, list(prefixes))] if prefixes else []
    rows = session.execute(
        sa.select(
            Household.region_code,
            Region.name,
            sa.func.count(Household.id),
            sa.func.count(earning.c.subject),
        )
        .outerjoin(Region, Region.code == Household.region_code)
        .outerjoin(earning, earning.c.subject == account_subject())
        .where(sa.or_(Household.region_code.in_(more), *places))
        .group_by(Household.region_code, Region.name)
    )
    return {
        code: (Region(name=name).short_name if name else code, registered, with_income)
        for code, name, registered, with_income in rows
    }
