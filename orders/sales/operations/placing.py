"""Turning what somebody wants into an order whose every gram is reserved in a household's lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from catalog.lots.operations import reserve
from catalog.lots.queries import candidates, lock_pools
from catalog.lots.queries.harvests import promisable_parts
from catalog.lots.queries.stock import Candidate
from catalog.products.models import Pack, Product, Shelf
from catalog.products.queries import Pricing
from catalog.products.rules.pricing import Buyer, Quote
from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code
from kernel.db import Model, stamp
from kernel.errors import Named, Refusal, Text
from kernel.money import ZERO, Money, total
from kernel.numbering import next_number
from kernel.periods import business_day
from kernel.quantities import BaseUnit, kilograms
from orders.sales.models import (
    HOLDING,
    Allocation,
    BuyerKind,
    Channel,
    Order,
    OrderEvent,
    OrderFreight,
    OrderLine,
    OrderState,
)
from orders.sales.queries import packs_with_products, spent_on_households, standings
from orders.sales.queries.freight import Carriage, Item, carriage_of, supplier_names
from orders.sales.rules.allocation import (
    FRESH_BUCKET_DAYS,
    LASTING_BUCKET_DAYS,
    Demand,
    Plan,
    Shortage,
    Stock,
    allocate,
)
from orders.shares.queries import rules_in_force

M = TypeVar("M", bound=Model)

NUMBER_KIND = {BuyerKind.CITIZEN: "SC", BuyerKind.UNIT: "DG"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where the parcel goes and whom the carrier calls. Kept sealed."""

    recipient: str
    phone: str
    address: str
    email: str | None = None
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One line as asked for: `count` packs, or `quantity` base units of a canteens' pack."""

    pack_id: int
    count: int | None = None
    quantity: int | None = None
    deliver_on: date | None = None
    deliver_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Everything an order is placed with.

    `request_key` is made by whoever asks and makes asking twice harmless. `annual_cap` is the most
    that units may draw from one household this year; None is no cap, zero is not.
    """

    lines: Sequence[Wanted]
    buyer_kind: BuyerKind
    contact: Contact
    request_key: str
    state: OrderState
    hold_until: datetime | None = None
    user_id: int | None = None
    organisation_id: int | None = None
    supplier_id: int | None = None
    deliver_on: date | None = None
    note: str = ""
    locale: str = "zh"
    channel: Channel = Channel.PLATFORM
    external_no: str | None = None
    pick_up: bool = False
    discount: Money = ZERO
    annual_cap: Money | None = None
    # Kinds of buyer that price lists may be for, narrowest first; the organisation comes before.
    audiences: tuple[str, ...] = ()


class OutOfStock(Refusal):
    """Not everything is there. Names every product that falls short; nothing is reserved then."""

    def __init__(self, shortages: Sequence[Shortage], products: dict[int, Product]) -> None:
        self.shortages = tuple(shortages)
        super().__init__(
            Text("There is not enough in the store for this order; nothing was taken yet."),
            reasons=tuple(_shortage_text(each, products[each.product_id]) for each in shortages),
        )


class NotServed(Refusal):
    """Some of it is not sent to this address. Names every supplier; nothing is reserved then."""

    def __init__(self, reasons: tuple[Text, ...]) -> None:
        super().__init__(Text("Not everything is sent to this address."), reasons=reasons)


def place_order(session: Session, placing: Placing, *, by: Actor, now: datetime) -> Order:
    """An order with numbers, lines and allocations; its goods are reserved. Flushed.

    The same `request_key` again answers the first order and changes nothing. Raises OutOfStock, or
    a Refusal that names every pack that cannot be had; nothing is reserved then.
    """
    assert placing.lines
    packs = packs_with_products(session, [each.pack_id for each in placing.lines])
    product_ids = sorted({pack.product_id for pack in packs.values()})
    lock_pools(session, product_ids)
    placed = session.scalar(
        sa.select(Order)
        .where(Order.request_key == placing.request_key)
        .options(selectinload(Order.lines))
    )
    if placed is not None:
        return placed

    rules = rules_in_force(session, product_ids, business_day(now))
    today = business_day(now)
    if problems := _problems(placing, packs, rules, today):
        raise Refusal("Some of this cannot be ordered.", tuple(problems))
    buyer = Buyer(placing.organisation_id, placing.audiences)
    lines = _lines(placing, packs, Pricing.of(session, list(packs), buyer, today))
    carriage = _carriage(session, placing, lines, now)
    plan = _plan(session, placing, lines, now)
    if plan.shortages:
        raise OutOfStock(plan.shortages, {pack.product_id: pack.product for pack in packs.values()})

    reserve(session, _draws(plan))
    order = _order(session, placing, lines, carriage, by, now)
    _write_lines(session, order, lines, plan, rules, by, now)
    audit.note(
        session, "place_order", f"order:{order.id}", by=by, now=now,
        number=order.number, total=order.total,
    )  # fmt: skip
    return order


def _problems(
    placing: Placing, packs: Mapping[int, Pack], rules: Mapping[int, int], today: date
) -> list[Text]:
    problems = []
    shelf = Shelf.CITIZENS if placing.buyer_kind is BuyerKind.CITIZEN else Shelf.CANTEENS
    for wanted in placing.lines:
        pack = packs.get(wanted.pack_id)
        if pack is None:
            problems.append(Text("Something in this order does not exist any more."))
        elif not _for_sale(placing, pack, shelf, rules, today):
            problems.append(Text("%(name)s is not for sale now.", name=_name(pack)))
        elif pack.shelf is Shelf.CITIZENS and not 0 < (wanted.count or 0) <= pack.most_per_order:
            problems.append(
                Text(
                    "%(name)s: between 1 and %(most)s in one order.",
                    most=pack.most_per_order,
                    name=_name(pack),
                )
            )
        elif pack.shelf is Shelf.CANTEENS and not _whole_packs(wanted, pack):
            step = quantity_words(pack.content, pack.product.base_unit)
            problems.append(
                Text("%(name)s is sold in steps of %(step)s.", step=step, name=_name(pack))
            )
    return problems


def _for_sale(
    placing: Placing, pack: Pack, shelf: Shelf, rules: Mapping[int, int], today: date
) -> bool:
    theirs = placing.supplier_id in (None, pack.product.supplier_id)
    on_sale = pack.on_sale and pack.product.offered_on(today)
    return on_sale and theirs and pack.shelf is shelf and pack.product_id in rules


def _whole_packs(wanted: Wanted, pack: Pack) -> bool:
    return (wanted.quantity or 0) > 0 and (wanted.quantity or 0) % pack.content == 0


@dataclass(frozen=True, slots=True)
class _Line:
    """One line to be written: the wish, its pack, how many packs, and what they cost."""

    position: int
    wanted: Wanted
    pack: Pack
    count: int
    quote: Quote

    @property
    def amount(self) -> Money:
        return self.quote.amount

    @property
    def quantity(self) -> int:
        return self.pack.content * self.count

    def values(self, rule_id: int) -> dict[str, Any]:
        product = self.pack.product
        return {
            "position": self.position,
            "product_id": product.id,
            "pack_id": self.pack.id,
            "supplier_id": product.supplier_id,
            "rule_id": rule_id,
            "name_zh": product.name_zh,
            "name_en": product.name_en,
            "pack_zh": self.pack.name_zh,
            "pack_en": self.pack.name_en,
            "grade": self.pack.grade,
            "count": self.count,
            "quantity": self.quantity,
            "pack_price": self.quote.price,
            "unit_price": None if self.quote.price is not None else self.quote.unit_price,
            "price_list_id": self.quote.list_id,
            "amount": self.amount,
            "deliver_on": self.wanted.deliver_on,
            "deliver_to": self.wanted.deliver_to,
        }


def _lines(placing: Placing, packs: Mapping[int, Pack], pricing: Pricing) -> list[_Line]:
    """Lines in the order they were asked for, each priced and rounded once. The tier is that of the
    whole order: one pack on several delivery days is bought together."""
    ordered: dict[int, int] = {}
    for wanted in placing.lines:
        content = packs[wanted.pack_id].content
        quantity = wanted.quantity or (wanted.count or 0) * content
        ordered[wanted.pack_id] = ordered.get(wanted.pack_id, 0) + quantity
    lines = []
    for position, wanted in enumerate(placing.lines, 1):
        pack = packs[wanted.pack_id]
        count = wanted.count or (wanted.quantity or 0) // pack.content
        quote = pricing.quote(pack, ordered[pack.id], part=pack.content * count)
        lines.append(_Line(position, wanted, pack, count, quote))
    return lines


def _plan(session: Session, placing: Placing, lines: Sequence[_Line], now: datetime) -> Plan:
    """The rule applied to what lies in the store now; the pools are locked."""
    today = business_day(now)
    demands = [
        Demand(
            key=line.position,
            product_id=line.pack.product_id,
            grade=line.pack.grade.value,
            quantity=line.quantity,
            on=max(today, line.wanted.deliver_on or placing.deliver_on or today),
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


def _draws(plan: Plan) -> list[tuple[int, int]]:
    """(contribution, quantity) of all lines together, in id order."""
    drawn: dict[int, int] = {}
    for each in plan.slices:
        drawn[each.contribution_id] = drawn.get(each.contribution_id, 0) + each.quantity
    return sorted(drawn.items())


def _carriage(
    session: Session, placing: Placing, lines: Sequence[_Line], now: datetime
) -> list[Carriage]:
    """What carriage costs a citizen today, per supplier that asks for it; refused with every
    supplier that does not send there. A canteen's freight is in its contract's prices."""
    if placing.buyer_kind is not BuyerKind.CITIZEN:
        return []
    found = carriage_of(
        session,
        [Item(line.pack, line.count, line.amount) for line in lines],
        region=placing.contact.region,
        pick_up=placing.pick_up,
        on=business_day(now),
    )
    if unserved := [each.supplier_id for each in found if each.amount is None]:
        names = supplier_names(session, unserved)
        raise NotServed(tuple(_unserved_text(names[each]) for each in unserved))
    return found


def _unserved_text(supplier: str) -> Text:
    return Text(
        "%(supplier)s does not send to this address. Choose another address, or fetch the goods.",
        supplier=supplier,
    )


def _order(
    session: Session,
    placing: Placing,
    lines: Sequence[_Line],
    carriage: Sequence[Carriage],
    by: Actor,
    now: datetime,
) -> Order:
    goods = total(line.amount for line in lines)
    freight = total(each.amount or ZERO for each in carriage)
    suppliers = {line.pack.product.supplier_id for line in lines}
    order = Order(
        # The number is the last lock but the audit head: whoever rolls back gives it back.
        number=next_number(session, NUMBER_KIND[placing.buyer_kind], now),
        code=new_code(),
        request_key=placing.request_key,
        buyer_kind=placing.buyer_kind,
        user_id=placing.user_id,
        organisation_id=placing.organisation_id,
        supplier_id=placing.supplier_id or (suppliers.pop() if len(suppliers) == 1 else None),
        channel=placing.channel,
        external_no=placing.external_no,
        state=placing.state,
        placed_at=now,
        hold_until=placing.hold_until if placing.state in HOLDING else None,
        goods=goods,
        freight=freight,
        discount=placing.discount,
        total=goods + freight - placing.discount,
        recipient=placing.contact.recipient,
        phone=placing.contact.phone,
        address=placing.contact.address,
        email=placing.contact.email,
        delivery_region=placing.contact.region,
        deliver_on=placing.deliver_on,
        note=placing.note,
        pick_up=placing.pick_up,
        locale=placing.locale,
        events=[OrderEvent(from_state="", to_state=placing.state.value, **stamp(by, now))],
        **stamp(by, now),
    )
    session.add(order)
    session.flush()  # lines point to order.id
    session.add_all(
        OrderFreight(
            order_id=order.id,
            supplier_id=each.supplier_id,
            template_id=each.template_id,
            grams=each.grams,
            amount=each.amount or ZERO,
            **stamp(by, now),
        )
        for each in carriage
    )
    session.flush()  # while it is known who writes; the audit trail reads them at the end
    return order


def _write_lines(
    session: Session,
    order: Order,
    lines: Sequence[_Line],
    plan: Plan,
    rules: Mapping[int, int],
    by: Actor,
    now: datetime,
) -> None:
    """Lines and allocations in one statement each, however many there are."""
    made = {"order_id": order.id, **stamp(by, now)}
    rows = [{**line.values(rules[line.pack.product_id]), **made} for line in lines]
    written = _insert(session, OrderLine, rows)
    key_of = {line.position: line.id for line in written}
    slices = [
        {
            "line_id": key_of[each.key],
            "contribution_id": each.contribution_id,
            "lot_id": each.lot_id,
            "household_id": each.household_id,
            "quantity": each.quantity,
            "reason": each.reason,
            "released": 0,
            "shipped": 0,
            **stamp(by, now),
        }
        for each in plan.slices
    ]
    allocations = _insert(session, Allocation, slices)
    of_line: dict[int, list[Allocation]] = {}
    for each in sorted(allocations, key=lambda row: row.id):
        of_line.setdefault(each.line_id, []).append(each)
    for line in written:
        set_committed_value(line, "allocations", of_line[line.id])
    set_committed_value(order, "lines", sorted(written, key=lambda row: row.position))


def _insert(session: Session, model: type[M], rows: list[dict[str, Any]]) -> list[M]:
    """Rows in one statement; a flush would send one each on SQLite."""
    written = list(
        session.scalars(
            sa.insert(model).returning(model), rows, execution_options={"populate_existing": True}
        )
    )
    audit.remember(session, written)
    return written


def _name(pack: Pack) -> Named:
    product = pack.product
    return Named(f"{product.name_zh} {pack.name_zh}", f"{product.name_en}, {pack.name_en}")


def _shortage_text(short: Shortage, product: Product) -> Text:
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
