"""A pack's own price changes at once; agreed prices are written into lists with their days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from catalog.products.models import (
    Audience,
    ListPrice,
    Pack,
    PackPrice,
    PriceList,
    Product,
    ProductState,
    Shelf,
)
from catalog.products.queries.pricing import (
    lowest_lately,
    price_list_of,
    spans_for_same_buyers,
)
from catalog.products.rules.pricing import (
    FREE_RISE_BP,
    RISE_DAYS,
    rises_too_much,
    span_problem,
    step_problem,
)
from catalog.suppliers.models import Supplier
from kernel import audit
from kernel.actors import Actor
from kernel.db import get_or_missing, stamp
from kernel.errors import Invalid, Missing, Refusal, Text
from kernel.money import Money, Price
from kernel.people import Organisation
from kernel.periods import business_day
from kernel.text import tidy

Steps = Sequence[tuple[int, int]]


class RisesTooMuch(Refusal):
    """A rise that the operator has to see first; nothing was changed."""


def change_price(
    session: Session, pack_id: int, *, value: int, steps: Steps = (), by: Actor, now: datetime
) -> Pack:
    """The pack costs this from now on: `value` and the tiers in fen per pack for citizens, in
    hundredths of a fen per kg or piece for canteens. The same again changes nothing.

    An offer may fall freely and rise by 15 % over the lowest of the last thirty days; further it
    rises only as part of a version that the operator admits. Orders keep the price they were
    placed at, agreed lists keep theirs.
    """
    pack = _priced(session, pack_id)
    _check(pack, value, steps)
    lowest = lowest_lately(session, pack, business_day(now), RISE_DAYS)
    offered = pack.product.state in (ProductState.ON_SALE, ProductState.OFF_SALE)
    if offered and pack.on_sale and rises_too_much(value, lowest):
        raise RisesTooMuch(
            "A price may rise by %(share)s %% in a month; more than that the operator must see.",
            share=FREE_RISE_BP // 100,
        )
    set_price(session, pack, value=value, steps=steps, by=by, now=now)
    audit.note(
        session, "change_price", f"product:{pack.product_id}", by=by, now=now,
        pack=pack.id, value=value,
    )  # fmt: skip
    return pack


def set_price(
    session: Session, pack: Pack, *, value: int, steps: Steps, by: Actor, now: datetime
) -> None:
    """The price and the row of its history; its product is locked. Nothing if nothing changes."""
    citizens = pack.shelf is Shelf.CITIZENS
    price, unit_price = (Money(value), None) if citizens else (None, Price(value))
    written = [list(each) for each in steps]
    if (pack.price, pack.unit_price, pack.steps) == (price, unit_price, written):
        return
    session.add(
        PackPrice(
            pack_id=pack.id,
            since=business_day(now),
            price=price,
            price_was=pack.price,
            unit_price=unit_price,
            unit_price_was=pack.unit_price,
            steps=written,
            **stamp(by, now),
        )
    )
    pack.price, pack.unit_price, pack.steps = price, unit_price, written
    session.flush()


def _priced(session: Session, pack_id: int) -> Pack:
    """The pack with its product, which is locked."""
    pack = get_or_missing(session, Pack, pack_id)
    get_or_missing(session, Product, pack.product_id, lock=True)
    return session.scalars(
        sa.select(Pack)
        .where(Pack.id == pack_id)
        .options(joinedload(Pack.product))
        .execution_options(populate_existing=True)
    ).one()


def _check(pack: Pack, value: int, steps: Steps) -> None:
    if value <= 0:
        raise Invalid({"price": Text("Enter a price above zero.")})
    if problem := step_problem(value, steps, pack.content):
        raise Invalid({"steps": problem})


@dataclass(frozen=True, slots=True)
class Agreed:
    """What one canteens' pack costs in a list."""

    unit_price: Price
    steps: Steps = ()


def agree_prices(
    session: Session,
    supplier_id: int,
    *,
    name: str,
    prices: Mapping[int, Agreed],
    valid_from: date,
    valid_to: date,
    organisation_id: int | None = None,
    audience: Audience | None = None,
    agreement: str = "",
    by: Actor,
    now: datetime,
) -> PriceList:
    """协议价: from one day to another, both counted in, these buyers pay these prices.

    `prices` by pack id. Lists for the same buyers may not overlap; what is not in a list costs
    what the next one says, in the end the pack's own price. Never from a day that is gone.
    """
    get_or_missing(session, Supplier, supplier_id, lock=True)
    errors = _list_errors(name, prices, valid_from, valid_to, business_day(now))
    if (organisation_id is None) == (audience is None):
        errors["buyers"] = Text("Choose one organisation or one kind of unit.")
    if errors:
        raise Invalid(errors)
    if organisation_id is not None:
        get_or_missing(session, Organisation, organisation_id)
    others = spans_for_same_buyers(
        session, supplier_id, organisation_id=organisation_id, audience=audience
    )
    if span_problem(valid_from, valid_to, others):
        raise Invalid(
            {"valid_from": Text("For these buyers there is a list for some of these days already.")}
        )
    _check_packs(session, supplier_id, prices)
    made = PriceList(
        supplier_id=supplier_id,
        name=tidy(name)[:60],
        agreement=tidy(agreement)[:60],
        organisation_id=organisation_id,
        audience=audience,
        valid_from=valid_from,
        valid_to=valid_to,
        **stamp(by, now),
    )
    session.add(made)
    session.flush()  # so that its prices can point to made.id
    session.add_all(
        ListPrice(
            price_list_id=made.id,
            pack_id=pack_id,
            unit_price=each.unit_price,
            steps=[list(step) for step in each.steps],
            **stamp(by, now),
        )
        for pack_id, each in sorted(prices.items())
    )
    session.flush()
    audit.note(session, "agree_prices", f"price_list:{made.id}", by=by, now=now, name=made.name)
    return made


def _list_errors(
    name: str, prices: Mapping[int, Agreed], valid_from: date, valid_to: date, today: date
) -> dict[str, Text]:
    errors: dict[str, Text] = {}
    if not tidy(name):
        errors["name"] = Text("Please fill this in.")
    if not prices:
        errors["prices"] = Text("Enter the price of at least one pack.")
    if valid_to < valid_from:
        errors["valid_to"] = Text("It ends before it begins.")
    if valid_from < today:
        errors["valid_from"] = Text("Choose %(day)s or later.", day=today)
    return errors


def _check_packs(session: Session, supplier_id: int, prices: Mapping[int, Agreed]) -> None:
    packs = {
        pack.id: pack
        for pack in session.scalars(
            sa.select(Pack)
            .join(Product)
            .where(
                Pack.id.in_(sorted(prices)),
                Product.supplier_id == supplier_id,
                Pack.shelf == Shelf.CANTEENS,
            )
        )
    }
    if len(packs) < len(prices):
        raise Missing(Text("There is nothing at this address, or it is not yours."))
    errors = {}
    for pack_id, each in sorted(prices.items()):
        if each.unit_price.per_unit <= 0:
            errors[f"price-{pack_id}"] = Text("Enter a price above zero.")
        elif problem := step_problem(each.unit_price.per_unit, each.steps, packs[pack_id].content):
            errors[f"steps-{pack_id}"] = problem
    if errors:
        raise Invalid(errors)


def end_price_list(
    session: Session, supplier_id: int, list_id: int, *, by: Actor, now: datetime
) -> PriceList:
    """Yesterday was its last day: the next price holds from now on. Orders keep theirs. A list that
    began today holds until midnight, because somebody may have read it this morning."""
    get_or_missing(session, Supplier, supplier_id, lock=True)
    found = price_list_of(session, supplier_id, list_id)
    today = business_day(now)
    if found.valid_from >= today:
        raise Refusal("A list can be ended from the day after its first.")
    if found.valid_to >= today:
        found.valid_to = today - timedelta(days=1)
        session.flush()
    audit.note(session, "end_price_list", f"price_list:{found.id}", by=by, now=now)
    return found
