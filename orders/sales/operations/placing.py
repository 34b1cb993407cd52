"""Turning what somebody wants into an order whose every gram is reserved in a household's lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from catalog.lots.operations import reserve
from catalog.lots.queries import lock_pools
from catalog.products.models import Pack
from catalog.products.queries import Pricing
from catalog.products.rules.pricing import Buyer
from kernel import audit
from kernel.actors import Actor
from kernel.codes import new_code
from kernel.crypto import keyed_hash
from kernel.db import stamp
from kernel.errors import Refusal, Text
from kernel.money import ZERO, total
from kernel.numbering import next_number
from kernel.periods import business_day
from orders.sales.models import (
    HOLDING,
    BuyerKind,
    FreightTemplate,
    Order,
    OrderEvent,
    OrderFreight,
)
from orders.sales.operations.choosing import OutOfStock, choose_lots, draws_of
from orders.sales.operations.judging import problems_of
from orders.sales.operations.wanting import Line, Placing
from orders.sales.operations.writing import write_lines, write_recipients
from orders.sales.queries import packs_with_products
from orders.sales.queries.freight import (
    Carriage,
    Item,
    carriage_from,
    offers_of,
    supplier_names,
    template_in_force,
    together,
)
from orders.sales.queries.limits import phone_key
from orders.sales.rules.days import days_offered, halves_offered
from orders.shares.queries import rules_in_force

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
    if problems := problems_of(session, placing, packs, rules, today):
        raise Refusal("Some of this cannot be ordered.", tuple(problems))
    buyer = Buyer(placing.organisation_id, placing.audiences)
    lines = _lines(placing, packs, Pricing.of(session, list(packs), buyer, today))
    parcels = _parcels(session, placing, lines, today)
    plan = choose_lots(session, placing, lines, now=now)
    if plan.shortages:
        raise OutOfStock(plan.shortages, {pack.product_id: pack.product for pack in packs.values()})

    reserve(session, draws_of(plan))
    order = _order(session, placing, lines, together(parcels), by, now)
    recipients = write_recipients(session, order, placing, parcels, by=by, now=now)
    write_lines(session, order, lines, plan, rules, recipients, by=by, now=now)
    audit.note(
        session, "place_order", f"order:{order.id}", by=by, now=now,
        number=order.number, total=order.total,
    )  # fmt: skip
    return order


def _placed_before(session: Session, request_key: str) -> Order | None:
    return session.scalar(
        sa.select(Order).where(Order.request_key == request_key).options(selectinload(Order.lines))
    )


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


def _parcels(
    session: Session, placing: Placing, lines: Sequence[Line], today: date
) -> list[list[Carriage]]:
    """What carriage costs a citizen today, parcel by parcel and per supplier that asks for it;
    refused with everybody who does not send there. A canteen's freight is in its contract's prices.
    """
    if placing.buyer_kind is not BuyerKind.CITIZEN:
        return []
    suppliers = {line.pack.product.supplier_id for line in lines}
    templates = template_in_force(session, suppliers, today)
    _refuse_other_days(placing, templates, suppliers, today)
    if not placing.recipients:
        everything = _carriage(templates, placing, lines, placing.contact.region)
        _refuse_unserved(session, [("", everything)])
        return [everything]
    parcels = []
    for place, person in enumerate(placing.recipients):
        theirs = [line for line in lines if line.wanted.to == place]
        parcels.append(_carriage(templates, placing, theirs, person.region))
    names = [person.recipient for person in placing.recipients]
    _refuse_unserved(session, list(zip(names, parcels, strict=True)))
    return parcels


def _carriage(
    templates: Mapping[int, FreightTemplate], placing: Placing, lines: Sequence[Line], region: str
) -> list[Carriage]:
    items = [Item(line.pack, line.count, line.amount) for line in lines]
    return carriage_from(templates, items, region=region, pick_up=placing.pick_up)


def _refuse_other_days(
    placing: Placing,
    templates: Mapping[int, FreightTemplate],
    suppliers: set[int],
    today: date,
) -> None:
    """A chosen day is one that every cooperative of this order offers today."""
    if placing.deliver_on is None or placing.pick_up:
        return
    offers = offers_of(templates, suppliers)
    half = placing.day_part is not None
    if placing.deliver_on not in days_offered(offers, today) or (
        half and not halves_offered(offers)
    ):
        raise Refusal("Goods cannot be brought on this day any more; please choose another one.")


def _refuse_unserved(session: Session, parcels: Sequence[tuple[str, Sequence[Carriage]]]) -> None:
    """Raises NotServed with every supplier that does not send there, and to whom."""
    unserved = [
        (person, each.supplier_id)
        for person, carriage in parcels
        for each in carriage
        if each.amount is None
    ]
    if not unserved:
        return
    names = supplier_names(session, {supplier_id for _, supplier_id in unserved})
    raise NotServed(tuple(_unserved_text(names[key], person) for person, key in unserved))


def _unserved_text(supplier: str, person: str = "") -> Text:
    if person:
        return Text(
            "%(supplier)s does not send to the address of %(person)s.",
            supplier=supplier,
            person=person,
        )
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
        phone_hash=phone_key(placing.contact.phone) if placing.contact.phone else None,
        day_part=placing.day_part,
        gift_from=placing.gift.sender if placing.gift else None,
        gift_words=placing.gift.words if placing.gift else None,
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
