"""The canteen's desk in the browser, every role as itself: from filing to a counted order."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

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
    finance.open("/canteen/payments").sees(number, "30 days left", "570.00")

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
