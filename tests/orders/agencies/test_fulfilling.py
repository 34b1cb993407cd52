"""A canteen's delivery between the store and the ramp: called back, replaced, scanned, refused."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from catalog.lots.models import Lot
from kernel.errors import Refusal
from kernel.people import User
from orders.agencies import operations
from orders.agencies.models import Acceptance
from orders.agencies.queries.acceptance import deliveries
from orders.sales.models import Order, OrderLine, OrderState, Shipment
from tests.orders.agencies import canteens
from tests.web import given, person


def call_back(session, of, shipment):
    return operations.call_back_shipment(
        session, shipment.id, supplier_id=of.supplier.id, reason="桥断了", by=of.storekeeper,
        now=canteens.NOW,
    )  # fmt: skip


def test_a_delivery_called_back_is_not_on_its_way_and_one_begun_to_be_accepted_stays(session):
    of = canteens.canteen(session)
    bulk = canteens.signed(session, of)
    first = canteens.ship(session, of, bulk, kg=40)
    call_back(session, of, first)
    assert deliveries(session, of.unit.organisation_id) == []
    with pytest.raises(Refusal, match="called back"):
        operations.open_acceptance(session, first.id, by=of.receiver, now=canteens.NOW)

    second = canteens.ship(session, of, bulk)
    operations.open_acceptance(session, second.id, by=of.receiver, now=canteens.NOW)
    with pytest.raises(Refusal, match="begun to accept"):
        call_back(session, of, second)
    canteens.accept(session, of, second)

    order = session.get_one(Order, bulk.order_id)
    assert order.state is OrderState.RECEIVED
    assert session.scalar(sa.select(sa.func.count(Acceptance.id))) == 1


def test_a_replaced_lot_is_accepted_and_its_households_are_paid(session):
    of = canteens.canteen(session)
    bulk = canteens.signed(session, of, kg=50)
    line = session.scalar(sa.select(OrderLine.id).where(OrderLine.order_id == bulk.order_id))
    old = session.scalar(sa.text("SELECT lot_id FROM allocations"))
    canteens.bring(session, of.product, (90_000,), at=canteens.NOW - timedelta(days=2))
    new = session.scalar(sa.select(Lot.id).where(Lot.id != old).order_by(Lot.id.desc()))
    operations.replace_lot(
        session, bulk.order_id, line, supplier_id=of.supplier.id, from_lot_id=old, to_lot_id=new,
        reason="压伤", by=of.storekeeper, now=canteens.NOW,
    )  # fmt: skip
    canteens.accept(session, of, canteens.ship(session, of, bulk))
    paid = session.scalars(
        sa.text(
            "SELECT DISTINCT c.lot_id FROM split_parts p "
            "JOIN contributions c ON c.id = p.contribution_id"
        )
    ).all()
    assert paid == [new]


def test_the_note_s_code_opens_the_acceptance_on_a_phone(app, db):
    with given(db) as session:
        of = canteens.canteen(session)
        shipment = canteens.ship(session, of, canteens.signed(session, of))
        number, key = shipment.number, shipment.id
        receiver, keeper = (
            session.get_one(User, each.user_id) for each in (of.receiver, of.storekeeper)
        )
    answer = person(app, keeper, lang="zh").client.get(f"/coop/papers/note/{key}.pdf")
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    assert number in words
    assert "收货时扫码验收" in words

    phone = person(app, receiver).open(f"/canteen/deliveries/{number}").sees("100 kg")
    phone.press("Accept this delivery")
    protocol = phone.path
    assert phone.open(f"/canteen/deliveries/{number}").path == protocol
    phone.open("/canteen/deliveries/FH26-999999", status=404)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 1
