"""The storekeeper packs and ships; others see nothing of it."""

from __future__ import annotations

import sqlalchemy as sa

from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.people import Organisation
from orders.payments.models import RefundKind
from orders.sales.models import Order, Shipment
from tests import makers
from tests.web import given, person


def arranged(db, role=Role.STOREKEEPER):
    with given(db) as session:
        radish = makers.sold_product(session)
        order = makers.paid_order(session, radish, 2)
        supplier = session.get(Supplier, order.supplier_id)
        body = session.get(Organisation, supplier.organisation_id)
        keeper = makers.member(session, body, role, name="陶库管")
        stranger = makers.supplier(session)
        other = makers.member(
            session, session.get(Organisation, stranger.organisation_id), Role.MANAGER
        )
        return order.id, order.number, order.lines[0].id, keeper, other


def test_an_order_is_packed_in_two_parts_and_its_note_printed(app, db):
    order_id, number, line_id, keeper, _ = arranged(db)
    desk = person(app, keeper).open("/coop/orders").sees(number)
    desk.follow(number).sees("Take from lot", "10 kg", "500114125-")

    desk.press("Ship it", **{f"line-{line_id}": "４.5", "carrier": "邮政", "tracking": "EMS1"})
    desk.sees("Delivery note", "4.5 kg", "邮政")
    desk.open(f"/coop/orders/{order_id}").sees("5.5 kg", "Partly shipped")
    desk.press("Ship it")
    desk.again()

    desk.open("/coop/shipments").sees("FH26-000001", "FH26-000002")
    desk.open("/coop/orders").sees("Nothing waits to be packed")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 2


def test_too_much_nothing_or_nonsense_is_said_at_its_field(app, db):
    order_id, _, line_id, keeper, _ = arranged(db)
    desk = person(app, keeper)

    for typed in ("10.1", "-1", "abc"):
        desk.open(f"/coop/orders/{order_id}")
        desk.press("Ship it", status=422, **{f"line-{line_id}": typed})
        desk.sees("Enter a weight in kilograms")
    desk.open(f"/coop/orders/{order_id}")
    desk.press("Ship it", status=422, **{f"line-{line_id}": ""}).sees("at least one line")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Shipment.id))) == 0


def test_another_cooperative_finds_nothing_and_a_weigher_cannot_ship(app, db):
    order_id, number, _, _, stranger = arranged(db)
    desk = person(app, stranger)
    desk.open("/coop/orders").does_not_see(number)
    desk.open(f"/coop/orders/{order_id}", status=404)

    order_id, _, _, weigher, _ = arranged(db, Role.WEIGHER)
    person(app, weigher).open(f"/coop/orders/{order_id}").does_not_see("Ship it")
    person(app).open("/coop/orders").sees("Sign in")


def test_a_manager_answers_a_claim(app, db):
    with given(db) as session:
        radish = makers.sold_product(session)
        order = makers.paid_order(session, radish, 2)
        makers.sales.ship_order(
            session, order.id, supplier_id=order.supplier_id, request_key="s",
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
        line_id = session.scalar(sa.text("SELECT id FROM order_lines"))
        makers.payments.refund_order_lines(
            session, order.id, {line_id: 5_000}, kind=RefundKind.DAMAGED, reason="烂了一半",
            request_key="r", approved=False, by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
        supplier = session.get(Supplier, order.supplier_id)
        body = session.get(Organisation, supplier.organisation_id)
        manager = makers.member(session, body, Role.MANAGER)
    desk = person(app, manager).open("/coop/refunds").sees("烂了一半", "¥29.00")

    desk.press("Decline", status=422).sees("Say why")
    desk.open("/coop/refunds").press("Give the money back", answer="抱歉")

    desk.sees("Nobody asks for money back")
    with db.reading() as session:
        assert session.scalar(sa.text("SELECT state FROM refunds")) == "approved"
        assert session.scalars(sa.select(Order.state)).one().value == "shipped"
