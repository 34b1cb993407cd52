"""Turning what somebody wants into an order whose every gram is reserved in a household's lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload
from sqlalchemy.orm.attributes import set_committed_value

from catalog.lots.operations import reserve
from catalog.lots.queries import lock_pools
from catalog.products.models import Pack, Shelf
from catalog.products.queries import Pricing
from catalog.products.rules.pricing import Buyer
from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code
from kernel.crypto import keyed_hash
from kernel.db import Model, stamp
from kernel.errors import Named, Refusal, Text
from kernel.money import ZERO, total
from kernel.numbering import next_number
from kernel.periods import business_day
from orders.sales.models import (
    HOLDING,
    Allocation,
    BuyerKind,
    Order,
    OrderEvent,
    OrderFreight,
    OrderLine,
)
from orders.sales.operations.choosing import OutOfStock, choose_lots, draws_of, quantity_words
from orders.sales.operations.wanting import Line, Placing, Wanted
from orders.sales.queries import packs_with_products
from orders.sales.queries.freight import Carriage, Item, carriage_of, supplier_names
from orders.sales.rules.allocation import (
    Plan,
)
from orders.shares.queries import rules_in_force

M = TypeVar("M", bound=Model)

NUMBER_KIND = {BuyerKind.CITIZEN: "SC", BuyerKind.UNIT: "DG"}


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
    if not placing.claimed and (placed := _placed_before(session, placing.request_key)):
        return placed

    rules = rules_in_force(session, product_ids, business_day(now))
    today = business_day(now)
    if problems := _problems(placing, packs, rules, today):
        raise Refusal("Some of this cannot be ordered.", tuple(problems))
    buyer = Buyer(placing.organisation_id, placing.audiences)
    lines = _lines(placing, packs, Pricing.of(session, list(packs), buyer, today))
    carriage = _carriage(session, placing, lines, now)
    plan = choose_lots(session, placing, lines, now=now)
    if plan.shortages:
        raise OutOfStock(plan.shortages, {pack.product_id: pack.product for pack in packs.values()})

    reserve(session, draws_of(plan))
    order = _order(session, placing, lines, carriage, by, now)
    _write_lines(session, order, lines, plan, rules, by, now)
    audit.note(
        session, "place_order", f"order:{order.id}", by=by, now=now,
        number=order.number, total=order.total,
    )  # fmt: skip
    return order


def _placed_before(session: Session, request_key: str) -> Order | None:
    return session.scalar(
        sa.select(Order).where(Order.request_key == request_key).options(selectinload(Order.lines))
    )


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


def _lines(placing: Placing, packs: Mapping[int, Pack], pricing: Pricing) -> list[Line]:
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
        lines.append(Line(position, wanted, pack, count, quote))
    return lines


def _carriage(
    session: Session, placing: Placing, lines: Sequence[Line], now: datetime
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
    lines: Sequence[Line],
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
        email_hash=keyed_hash(placing.contact.email) if placing.contact.email else None,
        delivery_region=placing.contact.region,
        deliver_on=placing.deliver_on,
        note=placing.note,
        pick_up=placing.pick_up,
        no_return_agreed=placing.no_return_agreed,
        credit_organisation_id=placing.credit_organisation_id,
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
    lines: Sequence[Line],
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
