"""The canteen's desk in the browser, every role as itself: from filing to a counted order."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image

from catalog.suppliers.models import Supplier
from kernel.people import User
from orders.agencies.models import BulkOrder, Stage
from orders.sales.models import Order, OrderLine
from tests import makers
from tests.orders.agencies import canteens
from tests.web import given, person


@pytest.fixture
def of(db):
    with given(db) as session:
        made = canteens.canteen(session)
        canteens.filed(session, made)
        return made


def enter(app, db, actor):
    """This person at a browser."""
    with db.reading() as session:
        user = session.get(User, actor.user_id)
    return person(app, user)


def number_of(db):
    with db.reading() as session:
        return session.scalar(sa.select(Order.number).order_by(Order.id.desc()))


def stage_of(db):
    with db.reading() as session:
        return session.scalar(sa.select(BulkOrder.stage).order_by(BulkOrder.id.desc()))


def order_in_the_grid(buyer, of, quantity="100"):
    buyer.open("/canteen/orders/new").sees("Space radish", "Free now")
    return buyer.press("Submit for approval", **{f"q-{of.pack.id}": quantity})


def test_from_the_grid_to_the_counted_figure(app, db, of, clock):
    buyer = enter(app, db, of.buyer)
    order_in_the_grid(buyer, of, "１００").sees("waits for approval")
    buyer.again()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1
    number = number_of(db)

    approver = enter(app, db, of.approver)
    approver.open("/canteen/approvals").press(f"Approve {number}").sees("The supplier signs next")
    manager = enter(app, db, of.manager)
    manager.open("/coop/bulk").sees(number)
    manager.open(f"/coop/bulk/{number}").press(f"Sign the contract {number}").sees("Signed.")

    with given(db) as session:
        bulk = session.scalars(sa.select(BulkOrder)).one()
        shipment = canteens.ship(session, of, bulk).number
        line = session.scalars(sa.select(OrderLine)).one().id

    receiver = enter(app, db, of.receiver)
    receiver.open("/canteen/").sees("Deliveries to accept")
    receiver.open("/canteen/deliveries").press(f"Accept {shipment}").sees("Acceptance protocol")
    receiver.press("Write down this line", status=422, weighed="98", rejected="3").sees(
        "Say why it is not accepted as ordered."
    )
    receiver.press(
        "Write down this line", weighed="98", rejected="3", reason="rotten", disposition="return"
    ).sees("Every line is written down.", "570.00")
    receiver.press("Sign for ¥570.00").sees("One more person must sign.")
    protocol = receiver.path.rsplit("/", 1)[1]
    second = enter(app, db, of.receiver2)
    second.open(f"/canteen/acceptances/{protocol}?line={line}").sees("short 2", "rejected 3")
    second.press("Sign for ¥570.00").sees("The protocol is closed.")
    second.open(f"/canteen/acceptances/{protocol}/print").sees(
        "SHA-256", "石验收", "向验收", "570.00"
    )
    manager.open(f"/canteen/acceptances/{protocol}/print").sees(protocol)

    buyer.open("/canteen/invoices").press(
        f"Enter the invoice of {number}", status=422, number="26", amount="570"
    ).sees("has 20 digits")
    buyer.press(f"Enter the invoice of {number}", number="26500000000012345678").sees("entered")
    finance = enter(app, db, of.finance)
    finance.open("/canteen/invoices").press(f"The invoice of {number} is right").sees(
        "to be paid now"
    )
    finance.open("/canteen/payments").sees(number, "30 days left", "570.00", "5001140012345678")

    # The contract keeps the account it names, whatever the register says since.
    with given(db) as session:
        bulk = session.scalars(sa.select(BulkOrder)).one()
        supplier = session.get(Order, bulk.order_id).supplier_id
        session.get(Supplier, supplier).bank_account = "6228480402564890018"
    finance.open("/canteen/payments").sees("5001140012345678")

    with given(db) as session:
        canteens.bank_line(session, of, makers.Money(57_000), memo=f"货款 {number}")
    accountant = enter(app, db, of.accountant)
    accountant.open("/coop/bank").press("Pays this order").sees("The payment is recognised.")

    buyer.open("/canteen/").sees("¥570.00 does not count before it is reviewed")
    buyer.open("/canteen/reviews").press(f"Review {number}", stars="4").sees("finished and counts")
    assert stage_of(db) is Stage.DONE
    buyer.open("/canteen/quota").sees("Counted", "570.00", "still to be ordered", "47,430.00")
    buyer.open(f"/canteen/orders/{number}").sees("In the three figures", "What happened", "大山村")


def test_too_much_stands_at_its_cell_and_nothing_is_lost(app, db, of):
    buyer = enter(app, db, of.buyer)
    buyer.open("/canteen/orders/new").press(
        "Submit for approval", status=409, **{f"q-{of.pack.id}": "300", "title": "十二月第一周"}
    ).sees("100 kg of 300 kg are missing")
    assert buyer.page.find("input", {"name": f"q-{of.pack.id}"})["value"] == "300"
    buyer.press("Keep as a draft").sees("The draft is kept.", "十二月第一周")
    buyer.open("/canteen/orders").sees("十二月第一周")
    for typed in ("abc", "-5", "1.5", "99999999999"):
        buyer.open("/canteen/orders/new").press(
            "Submit for approval", status=422, **{f"q-{of.pack.id}": typed}
        )
    buyer.open("/canteen/orders/new").press("Submit for approval", status=422).sees(
        "Enter how much you need of at least one line."
    )
    assert stage_of(db) is None


def test_a_submitted_draft_is_not_submitted_again(app, db, of):
    buyer = enter(app, db, of.buyer)
    buyer.open("/canteen/orders/new").press("Keep as a draft", **{f"q-{of.pack.id}": "10"})
    draft = buyer.page.find("input", {"name": "draft"})["value"]
    buyer.press("Submit for approval").sees("waits for approval")
    buyer.open(f"/canteen/orders/new?draft={draft}").press("Submit for approval", status=409)
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(BulkOrder)) == 1


def test_nobody_does_anothers_work(app, db, of):
    buyer = enter(app, db, of.buyer)
    order_in_the_grid(buyer, of)
    number = number_of(db)
    receiver, finance = enter(app, db, of.receiver), enter(app, db, of.finance)
    receiver.open("/canteen/orders/new", status=403)
    finance.open("/canteen/orders/new", status=403)
    finance.open("/canteen/approvals").does_not_see(f"Approve {number}")
    buyer.open("/canteen/approvals").sees("somebody else must approve it")
    with given(db) as session:
        other = canteens.unit(session, "黔江中学")
        body = session.get(makers.Organisation, other.organisation_id)
        stranger = canteens.actor(session, body, makers.Role.APPROVER, "外人")
    enter(app, db, stranger).open(f"/canteen/orders/{number}", status=404)
    enter(app, db, of.manager).open(f"/canteen/orders/{number}", status=403)


def test_a_filing_from_the_form_to_the_receipt(app, db, clock):
    clock.instant = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
    with given(db) as session:
        of = canteens.canteen(session)
    buyer = enter(app, db, of.buyer)
    buyer.open("/canteen/filings/2026/figures?canteen_type=own&base=480000&ratio=10").sees(
        "¥48,000.00"
    )
    buyer.open("/canteen/filings/2026").press("Keep and check", base="480,000", ratio="9.99").sees(
        "Check your answers"
    )
    buyer.press("Submit the filing", status=422).sees("Below the floor of 10 %")
    buyer.press("Keep and check", base="480000", ratio="10").press("Submit the filing")
    buyer.sees("Receipt of the filing 2026", "¥48,000.00", "SHA-256")
    receipt = buyer.path
    clerk = enter(app, db, of.clerk)
    clerk.open("/office/filings").press(f"Confirm {of.body.short_name}").sees(
        "The district decides next"
    )
    clerk.open(receipt).sees("¥48,000.00")
    district = enter(app, db, of.district)
    district.open("/office/filings").press(f"Put in force: {of.body.short_name}").sees("in force")
    buyer.open("/canteen/filings").sees("Effective", "reserved ¥48,000.00")
    buyer.open("/canteen/quota").sees("48,000.00")
    with given(db) as session:
        other = canteens.unit(session, "黔江中学")
        body = session.get(makers.Organisation, other.organisation_id)
        stranger = canteens.actor(session, body, makers.Role.BUYER, "外人")
    enter(app, db, stranger).open(receipt, status=404)


ADDRESSES = (
    "/canteen/", "/canteen/quota", "/canteen/filings", "/canteen/orders", "/canteen/approvals",
    "/canteen/deliveries", "/canteen/invoices", "/canteen/payments", "/canteen/reviews",
    "/canteen/quota?year=2025&basis=ordered", "/canteen/orders?stage=done", "/canteen/orders/new",
)  # fmt: skip


def test_every_page_stands_empty_and_full_with_the_same_number_of_queries(app, db, of, statements):
    buyer = enter(app, db, of.buyer)
    for address in ADDRESSES:
        buyer.open(address)
    with given(db) as session:
        fill(session, of)
    few = {address: queries(buyer, address, statements) for address in ADDRESSES}
    with given(db) as session:
        fill(session, of)
    many = {address: queries(buyer, address, statements) for address in ADDRESSES}
    assert many == few
    assert max(few.values()) < 25


def fill(session, of):
    """Two orders at every stage."""
    for _ in range(2):
        canteens.done(session, of, kg=5)
        canteens.accepted(session, of, kg=5)
        canteens.invoiced(session, of, canteens.accepted(session, of, kg=5))
        canteens.ship(session, of, canteens.signed(session, of, kg=5))
        canteens.submit(session, of, kg=5)


def queries(somebody, address, statements):
    statements.clear()
    somebody.open(address)
    return len(statements)


def test_the_cooperative_sees_its_orders_by_stage(app, db, of):
    with given(db) as session:
        canteens.submit(session, of, kg=5)
        number = canteens.signed(session, of, kg=5).order_id
    manager = enter(app, db, of.manager)
    manager.open("/coop/bulk").sees("Pending approval 1", "In delivery 1")
    manager.open("/coop/bulk?stage=in_delivery").follow("DG26-000002").sees("黔江区实验小学")
    manager.press("Release what is open", reason="霜冻").sees("Cancelled", "霜冻")
    assert number
    storekeeper = enter(app, db, of.storekeeper)
    storekeeper.open("/coop/bulk/DG26-000001").does_not_see("Release what is open")


def test_a_credit_note_from_the_cooperatives_desk(app, db, of):
    with given(db) as session:
        bulk = canteens.done(session, of, kg=100)
        line = session.scalars(sa.select(OrderLine)).one().id
        number = session.get(Order, bulk.order_id).number
    accountant = enter(app, db, of.accountant)
    accountant.open(f"/coop/bulk/{number}").press(
        "Write the credit note", status=422, reason="空心", **{f"amount-{line}": "601"}
    ).sees("¥600.00 is left of this line")
    accountant.press("Write the credit note", **{f"amount-{line}": "60", f"quantity-{line}": "10"})
    accountant.sees("the unit's figures fall by it", "−60.00")
    accountant.again()
    enter(app, db, of.buyer).open("/canteen/quota").sees("540.00")


def test_the_rest_of_a_delivery_is_accepted_in_one_go_and_shown_with_its_photo(app, db, of):
    with given(db) as session:
        shipment = canteens.ship(session, of, canteens.signed(session, of, kg=20)).number
        line = session.scalars(sa.select(OrderLine)).one().id
    receiver = enter(app, db, of.receiver)
    receiver.open("/canteen/deliveries").press(f"Accept {shipment}")
    receiver.press("The other lines came as written").sees("Every line is written down.", "120.00")
    address = receiver.path
    picture = (BytesIO(makers.photograph(gps=True)), "rotten.jpg")
    form = receiver.open(f"{address}?line={line}").page.find("form", attrs={"data-accept": True})
    data = {
        each["name"]: each.get("value", "")
        for each in form.find_all("input", attrs={"type": "hidden"})
    }
    data |= {"weighed": "20", "rejected": "2", "reason": "rotten", "disposition": "return"}
    answer = receiver.client.post(form["action"], data={**data, "photos": picture})
    assert answer.status_code == 303
    receiver.open(f"{address}?line={line}").sees("rejected 2", "108.00")
    photo = receiver.page.find("img", src=lambda src: src and "/photos/" in src)["src"]
    answer = receiver.client.get(photo)
    assert answer.mimetype == "image/jpeg"
    assert not Image.open(BytesIO(answer.data)).getexif(), "where it was taken is nobody's business"
    assert enter(app, db, of.manager).client.get(photo).status_code == 200
    with given(db) as session:
        other = canteens.unit(session, "黔江中学")
        body = session.get(makers.Organisation, other.organisation_id)
        stranger = canteens.actor(session, body, makers.Role.RECEIVER, "外人")
    assert enter(app, db, stranger).client.get(photo).status_code == 404
    bad = {**data, "once": data["once"][::-1], "photos": (BytesIO(b"<svg>"), "x.jpg")}
    assert receiver.client.post(form["action"], data=bad).status_code == 422
