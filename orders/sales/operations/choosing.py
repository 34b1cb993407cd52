"""Which household's part of which lot each line takes, or what is missing. The pools are locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from sqlalchemy.orm import Session

from catalog.lots.queries import candidates
from catalog.lots.queries.harvests import promisable_parts
from catalog.lots.queries.stock import Candidate
from catalog.lots.rules import citizens_until
from catalog.products.models import Product
from kernel.errors import Named, Refusal, Text
from kernel.money import Money
from kernel.periods import business_day
from kernel.quantities import BaseUnit, kilograms
from orders.sales.models import (
    BuyerKind,
)
from orders.sales.operations.wanting import Line, Placing
from orders.sales.queries import spent_on_households, standings
from orders.sales.rules.allocation import (
    FRESH_BUCKET_DAYS,
    LASTING_BUCKET_DAYS,
    Demand,
    Plan,
    Shortage,
    Stock,
    allocate,
)


class OutOfStock(Refusal):
    """Not everything is there. Names every product that falls short; nothing is reserved then."""

    def __init__(self, shortages: Sequence[Shortage], products: dict[int, Product]) -> None:
        self.shortages = tuple(shortages)
        super().__init__(
            Text("There is not enough in the store for this order; nothing was taken yet."),
            reasons=tuple(shortage_text(each, products[each.product_id]) for each in shortages),
        )


def choose_lots(
    session: Session, placing: Placing, lines: Sequence[Line], *, now: datetime
) -> Plan:
    """The rule applied to what lies in the store now; the pools are locked."""
    today = business_day(now)
    demands = [
        Demand(
            key=line.position,
            product_id=line.pack.product_id,
            grade=line.pack.grade.value,
            quantity=line.quantity,
            on=max(today, line.wanted.deliver_on or placing.deliver_on or today),
            until=_until(placing, line, today),
            worth=Fraction(line.amount.fen, line.quantity),
        )
        for line in lines
    ]
    products = {line.pack.product_id: line.pack.product for line in lines}
    product_ids = sorted(products)
    days = sorted({demand.on for demand in demands})
    stock = _stock(session, product_ids, days)
    if placing.buyer_kind is BuyerKind.UNIT and days[-1] > today:
        stock += _coming(session, product_ids, days, today)
    return allocate(
        demands,
        stock,
        bucket_days={
            product.id: FRESH_BUCKET_DAYS if product.fresh else LASTING_BUCKET_DAYS
            for product in products.values()
        },
        standings=standings(session, product_ids, now),
        cap_left=cap_left(session, placing.annual_cap, stock, now=now),
    )


def _until(placing: Placing, line: Line, today: date) -> date | None:
    """A citizen's parcel without a promised day leaves on any day of its 48 hours."""
    promised = line.wanted.deliver_on or placing.deliver_on
    return None if placing.buyer_kind is BuyerKind.UNIT or promised else citizens_until(today)


def _stock(session: Session, product_ids: list[int], days: Sequence[date]) -> list[Stock]:
    """What is free on any of these days; one query a day."""
    found = {
        each.contribution_id: each
        for day in days
        for each in candidates(session, product_ids, on_day=day)
    }
    return [stock_of(each) for each in found.values()]


def _coming(
    session: Session, product_ids: list[int], days: Sequence[date], today: date
) -> list[Stock]:
    """What may be promised of harvests that have not come in: never for today, whatever their
    window says, because nothing of them is in the store."""
    return [
        replace(each, available_from=max(each.available_from, today + timedelta(days=1)))
        for each in map(stock_of, promisable_parts(session, product_ids, days=days))
    ]


def stock_of(candidate: Candidate) -> Stock:
    """One household's free part of a lot, as the rule takes it."""
    return Stock(
        contribution_id=candidate.contribution_id,
        lot_id=candidate.lot_id,
        product_id=candidate.product_id,
        grade=candidate.grade.value,
        household_id=candidate.household_id,
        free=candidate.free,
        best_before=candidate.best_before,
        available_from=candidate.available_from,
    )


def cap_left(
    session: Session, cap: Money | None, stock: Sequence[Stock], *, now: datetime
) -> dict[int, int]:
    """Household → fen that units may still draw from it this year; empty without a cap."""
    if cap is None:
        return {}
    households = {each.household_id for each in stock if each.household_id is not None}
    spent = spent_on_households(session, households, now)
    return {each: max(0, cap.fen - spent.get(each, 0)) for each in households}


def draws_of(plan: Plan) -> list[tuple[int, int]]:
    """(contribution, quantity) of all lines together, in id order."""
    drawn: dict[int, int] = {}
    for each in plan.slices:
        drawn[each.contribution_id] = drawn.get(each.contribution_id, 0) + each.quantity
    return sorted(drawn.items())


def shortage_text(short: Shortage, product: Product) -> Text:
    name = Named(product.name_zh, product.name_en)
    missing = quantity_words(short.missing, product.base_unit)
    wanted = quantity_words(short.wanted, product.base_unit)
    if short.capped:
        return Text(
            "%(name)s: %(missing)s of %(wanted)s are missing, because households have reached "
            "their yearly cap.",
            name=name, missing=missing, wanted=wanted,
        )  # fmt: skip
    return Text(
        "%(name)s: %(missing)s of %(wanted)s are missing.",
        name=name, missing=missing, wanted=wanted,
    )  # fmt: skip


def quantity_words(quantity: int, unit: BaseUnit) -> str:
    """`7.5 kg` or `12`: the same in both languages."""
    return f"{kilograms(quantity, 0)} kg" if unit is BaseUnit.GRAM else str(quantity)
