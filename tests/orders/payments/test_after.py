"""After buying, through the pages: claims with photos, answers, parcels that come back, papers."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta

import pypdf
import pytest
import sqlalchemy as sa

from catalog.lots.models import Contribution
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.outbox import Job
from kernel.people import Organisation, OrganisationKind
from orders.payments import operations as payments
from orders.payments.models import Refund, RefundKind, RefundState
from orders.payments.models.after import RefundPhoto, ReturnParcel, ReturnState
from orders.sales.models import Order, OrderState
from orders.sales.operations import ship_order
from tests import makers
from tests.orders.payments.mailbox import Mailbox
from tests.orders.payments.test_buying import (
    check_out,
    order_of,
    page_of,
    work,
)
from tests.web import given, person

BUYER = "lin@example.test"


@pytest.fixture(scope="module")
def mailbox():
    made = Mailbox()
    yield made
    made.close()


@pytest.fixture
def config(config, mailbox):
    mailbox.letters.clear()
    return dataclasses.replace(config, smtp_url=mailbox.url)


@pytest.fixture
def rice(db):
    """Something that is not fresh, and the people of the cooperative that sells it."""
    with given(db) as session:
        made = makers.sold_product(session, (60_000, 80_000), fresh=False)
        made.pack_id = makers.pack_of(made).id
        home = session.scalars(
            sa.select(Organisation)
            .join(Supplier, Supplier.organisation_id == Organisation.id)
            .where(Supplier.id == made.supplier_id)
        ).one()
        made.accountant = makers.member(session, home, Role.ACCOUNTANT, name="阮会计")
        made.storekeeper = makers.member(session, home, Role.STOREKEEPER, name="龚库管")
        us = makers.organisation(session, "平台", kind=OrganisationKind.PLATFORM)
        made.operator = makers.member(session, us, Role.OPERATOR, name="平台")
    return made


def bought(app, db, citizen, provider, goods, count="5", *, ship=True) -> Order:
    """Paid, and sent unless `ship` is false."""
    provider.pay(check_out(citizen, goods, count, **{"E-mail": BUYER}))
    provider.deliver(app.test_client())
    if ship:
        with given(db) as session:
            order = session.scalars(sa.select(Order).order_by(Order.id.desc())).first()
            ship_order(
                session, order.id, supplier_id=goods.supplier_id, request_key=f"s{order.id}",
                by=makers.SOMEBODY, now=makers.NOON,
            )  # fmt: skip
    return order_of(db)


def line_of(db, order) -> str:
    with db.reading() as session:
        key = session.scalar(
            sa.text("SELECT id FROM order_lines WHERE order_id = :o"), {"o": order.id}
        )
    return f"line-{key}"


def photo():
    return (io.BytesIO(makers.photograph(gps=True)), "烂果.jpg")


def claim(citizen, app, db, order, *, kind="damaged", count="2", status=200, **more):
    page_of(citizen, app, order).follow("Something is wrong")
    fields = {"kind": kind, line_of(db, order): count, **more}
    return citizen.press("Send the request", status=status, **fields)


def refund_of(db) -> Refund:
    with db.reading() as session:
        return session.scalars(sa.select(Refund).order_by(Refund.id.desc())).first()


def test_two_of_five_are_claimed_with_a_photo_and_settled_for_a_part(
    app, db, citizen, provider, rice, clock, mailbox
):
    order = bought(app, db, citizen, provider, rice, ship=False)
    person(app, rice.storekeeper).open(f"/coop/orders/{order.id}").press("Ship it")
    page_of(citizen, app, order).press("I have received it")

    claim(citizen, app, db, order, status=422).sees("Please add a photo")
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Refund.id))) == 0
    claim(citizen, app, db, order, photos=[photo()], reason="两箱烂了").sees(
        "We have your request", "Requested", "¥58.00", "answers by"
    )
    work(app, clock)

    desk = person(app, rice.accountant).open("/coop/refunds").sees("两箱烂了", "answer due")
    shown = desk.page.select_one(".photos a")["href"]
    picture = desk.client.get(shown)
    assert picture.mimetype == "image/jpeg"
    assert b"Some Phone" not in picture.data
    desk.press("Offer the part", status=422, answer="一箱能吃", amount="58").sees("less than")
    assert refund_of(db).state is RefundState.REQUESTED
    desk.press("Offer the part", answer="一箱还能吃，退一箱半", amount="43.50")
    page_of(citizen, app, order).sees("offers ¥43.50", "一箱还能吃").press("Accept ¥43.50")
    work(app, clock)
    provider.deliver(app.test_client())
    work(app, clock)

    page_of(citizen, app, order).sees("Done", "asked for ¥58.00")
    refund = refund_of(db)
    assert (refund.amount.fen, refund.asked.fen, refund.state) == (4350, 5800, RefundState.DONE)
    assert [each["amount_refunded"] for each in charges(provider)] == [4350]
    words = " / ".join(mailbox.to(BUYER))
    for step in ("please pay", "payment received", "on its way", "received", "refund request",
                 "offers a part", "refund TK", "money sent back"):  # fmt: skip
        assert step in words, (step, words)
    assert any("售后申请" in each for each in mailbox.to(rice.accountant.email))


def charges(provider):
    return provider.app.extensions["provider"].store.newest_first("charge")


def test_a_photo_is_shown_to_the_parties_and_to_nobody_else(app, db, citizen, provider, rice):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, photos=[photo(), photo()])
    with given(db) as session:
        key = session.scalar(sa.select(RefundPhoto.id))
        stranger = makers.supplier(session)
        home = session.get(Organisation, stranger.organisation_id)
        other = makers.member(session, home, Role.MANAGER, name="邻居")
    other_order = bought(app, db, citizen, provider, rice, "1")

    mine = citizen.page.select_one(".photos img")
    assert mine is None
    page_of(citizen, app, order)
    address = citizen.page.select_one(".photos img")["src"]
    assert citizen.client.get(address).status_code == 200
    assert citizen.client.get(address.split("?")[0]).status_code == 404
    page_of(citizen, app, other_order)
    elsewhere = address.replace(order.code, other_order.code).split("?")[0]
    other_key = citizen.page.select_one("input[name=key]")["value"]
    assert citizen.client.get(f"{elsewhere}?key={other_key}").status_code == 404
    assert person(app, other).client.get(f"/coop/refunds/photos/{key}").status_code == 404
    assert person(app, rice.operator).client.get(f"/admin/claims/photos/{key}").status_code == 200


def test_who_does_not_agree_asks_the_platform_which_decides_once(
    app, db, citizen, provider, rice, clock
):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, kind="quality", count="1", reason="有霉味")
    desk = person(app, rice.accountant).open("/coop/refunds")
    desk.press("Decline", status=422).sees("Say why")
    desk.press("Decline", answer="没有看到霉")
    page_of(citizen, app, order).sees("Declined", "没有看到霉").follow("Ask the platform")
    citizen.press("Ask the platform", **{"Why you do not agree": "照片里看得到"})
    citizen.sees("The platform looks at it", "Escalated")

    person(app, rice.operator).open("/admin/claims").sees("照片里看得到", "没有看到霉").press(
        "Give the money back", answer="属实"
    ).sees("Nothing to decide")

    page_of(citizen, app, order).sees("属实", "¥29.00").does_not_see("Ask the platform")
    assert refund_of(db).state is RefundState.APPROVED


def test_a_claim_that_lies_too_long_comes_to_the_platform(app, db, citizen, provider, rice, clock):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, kind="quality", count="1")
    operator = person(app, rice.operator)
    operator.open("/admin/claims").sees("Nothing to decide")
    page_of(citizen, app, order).does_not_see("Ask the platform")

    clock.move(days=3)

    page_of(citizen, app, order).sees("Ask the platform")
    operator.open("/admin/claims").press("Decline", answer="没有依据").sees("Nothing to decide")
    page_of(citizen, app, order).sees("没有依据").does_not_see("Ask the platform")


def test_unopened_goods_travel_back_are_inspected_and_then_paid_back(
    app, db, citizen, provider, rice, clock, mailbox
):
    order = bought(app, db, citizen, provider, rice)
    page_of(citizen, app, order).press("I have received it")
    keeper = person(app, rice.storekeeper).open("/coop/returns").sees("Nothing is coming back")
    keeper.press("Save the address", status=422, recipient="龚库管", phone="1", address="水市镇")
    keeper.press(
        "Save the address", recipient="龚库管", phone="13800000000", address="水市镇大山村仓库"
    )
    claim(citizen, app, db, order, kind="unopened", count="3").sees("To send")
    with db.reading() as session:
        before = session.scalar(sa.select(sa.func.sum(Contribution.on_hand)))

    citizen.follow("Address, and the parcel").sees("水市镇大山村仓库", "13800000000")
    citizen.press("I have sent it", status=422, carrier="顺丰").sees("Please fill this in")
    citizen.press("I have sent it", **{"Courier company": "顺丰", "Parcel number": "sf 1234 5678"})
    citizen.sees("Under way", "SF12345678")
    work(app, clock)
    keeper.open("/coop/returns").sees("SF12345678").press("The parcel is here").sees("pay back by")
    with db.reading() as session:
        part = session.scalar(sa.text("SELECT id FROM refund_lines"))
    fields = {f"good-{part}": "1", f"spoiled-{part}": "1"}
    keeper.press("Write down, and pay back", status=422, **fields).sees("Say why not everything")
    keeper.press("Write down, and pay back", **fields, remark="一箱已用掉").sees(
        "Nothing is coming"
    )
    work(app, clock)

    refund = refund_of(db)
    assert (refund.state, refund.amount.fen) == (RefundState.DONE, 5800)
    with db.reading() as session:
        after = session.scalar(sa.select(sa.func.sum(Contribution.on_hand)))
        booked = session.scalar(
            sa.text("SELECT sum(t.amount) FROM transfers t JOIN accounts a ON a.id = t.debit_id "
                    "WHERE a.code LIKE 'expenses:loss:%'")
        )  # fmt: skip
    assert after - before == 5_000
    assert booked == 1600  # 5 kg at the farm gate's ¥3.20
    page_of(citizen, app, order).sees("一箱已用掉", "¥58.00")
    assert any("has come back" in each for each in mailbox.to(BUYER))
    assert any("已寄出" in each for each in mailbox.to(rice.storekeeper.email))


def test_a_parcel_that_is_never_sent_ends_the_request(app, db, citizen, provider, rice, clock):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, kind="unopened", count="1")
    clock.move(days=16)
    with db.transaction() as session:
        session.add(Job(name="find_claims_to_end", arguments={}, run_at=clock()))
    work(app, clock)

    page_of(citizen, app, order).sees("Withdrawn")
    assert refund_of(db).state is RefundState.WITHDRAWN
    with db.reading() as session:
        assert session.scalar(sa.select(ReturnParcel.state)) is ReturnState.ENDED


def test_an_offer_that_nobody_answers_is_paid_after_a_week(app, db, citizen, provider, rice, clock):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, kind="quality", count="1")
    person(app, rice.accountant).open("/coop/refunds").press(
        "Offer the part", answer="退一半", amount="14.50"
    )
    clock.move(days=7, minutes=1)
    with db.transaction() as session:
        session.add(Job(name="find_claims_to_end", arguments={}, run_at=clock()))
    work(app, clock)

    assert (refund_of(db).amount.fen, refund_of(db).offer.fen) == (1450, 1450)
    page_of(citizen, app, order).sees("¥14.50")


def test_a_part_is_taken_off_before_it_leaves_and_not_afterwards(
    app, db, citizen, provider, rice, clock
):
    order = bought(app, db, citizen, provider, rice, ship=False)
    field = line_of(db, order)
    page_of(citizen, app, order).follow("Take something off")
    citizen.press("Take it off, and give the money back", status=422, **{field: "6"})
    citizen.press("Take it off, and give the money back", **{field: "2"})
    citizen.sees("Taken off the order; ¥58.00 goes back", "Being packed")
    citizen.again()
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.sum(Contribution.reserved))) == 15_000
        assert session.scalar(sa.select(sa.func.count(Refund.id))) == 1

    page_of(citizen, app, order).follow("Take something off")
    with given(db) as session:
        ship_order(
            session, order.id, supplier_id=rice.supplier_id, request_key="s", by=makers.SOMEBODY,
            now=makers.NOON,
        )  # fmt: skip
    citizen.press("Take it off, and give the money back", status=422, **{field: "1"})
    assert refund_of(db).amount.fen == 5800
    assert order_of(db).state is OrderState.SHIPPED


def test_the_same_again_as_far_as_it_can_be_had(app, db, citizen, provider, rice):
    order = bought(app, db, citizen, provider, rice, "5")
    with given(db) as session:
        product = session.get(type(rice), rice.id)
        makers.citizen_order(session, product, 20)

    page_of(citizen, app, order).press("Order the same again")

    citizen.sees("only 3 of 5 can be had now", "It is in the basket")
    assert citizen.path == "/cart"
    assert citizen.page.find("input", {"name": "count"})["value"] == "3"
    page_of(citizen, app, order).press("Order the same again").sees("sold out for now")


def test_the_receipt_says_what_was_paid_and_that_it_is_no_invoice(app, db, citizen, provider, rice):
    order = bought(app, db, citizen, provider, rice)
    claim(citizen, app, db, order, kind="quality", count="2")
    person(app, rice.accountant).open("/coop/refunds").press("Give the money back")
    page_of(citizen, app, order)
    [link] = [a["href"] for a in citizen.page.find_all("a") if "receipt.pdf" in a["href"]]

    paper = citizen.client.get(link)

    assert paper.mimetype == "application/pdf"
    words = pypdf.PdfReader(io.BytesIO(paper.data)).pages[0].extract_text()
    for each in (order.number, "¥145.00", "−¥58.00", "¥87.00", "no tax invoice"):
        assert each in words, words
    assert citizen.client.get(link.split("?")[0]).status_code == 404


def test_an_invoice_is_asked_for_filed_by_the_seller_and_downloaded(
    app, db, citizen, provider, rice, clock, mailbox
):
    order = bought(app, db, citizen, provider, rice)
    code = makers.uscc_with_check("91500114MA5UXXXX1")
    page_of(citizen, app, order).follow("Ask for an invoice")
    citizen.press(
        "Ask for the invoice", status=422, whose="company", title="某某公司", tax_number="123"
    ).sees("18 characters")
    citizen.press("Ask for the invoice", whose="company", title="某某公司", tax_number=code)
    citizen.sees("某某公司")

    desk = person(app, rice.accountant).open("/coop/citizen-invoices").sees("某某公司", code)
    content = b"%PDF-1.7 an invoice of the tax bureau"
    fields = {"number": "2650011" + "0" * 13, "file": (io.BytesIO(content), "f.pdf")}
    desk.press("File the invoice", status=422, **{**fields, "amount": "100"}).sees("¥145.00")
    fields["file"] = (io.BytesIO(b"GIF89a"), "f.pdf")
    desk.press("File the invoice", status=422, **fields).sees("PDF or OFD")
    fields["file"] = (io.BytesIO(content), "f.pdf")
    desk.press("File the invoice", **fields, amount="145.00").sees("complete")
    work(app, clock)

    page_of(citizen, app, order)
    [link] = [a["href"] for a in citizen.page.find_all("a") if "/invoices/" in a["href"]]
    got = citizen.client.get(link)
    assert got.data == content
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert citizen.client.get(link.split("?")[0]).status_code == 404
    assert any("invoice is there" in each for each in mailbox.to(BUYER))


def test_fresh_goods_know_no_return_and_claims_end_after_48_hours(
    app, db, citizen, provider, radish, clock
):
    order = bought(app, db, citizen, provider, radish, "2")
    page_of(citizen, app, order).press("I have received it").follow("Something is wrong")
    assert citizen.page.find("input", {"value": "unopened"}) is None
    citizen.press(
        "Send the request", status=422, kind="unopened", **{line_of(db, order): "1"}
    ).sees("article 25")

    clock.move(hours=49)

    page_of(citizen, app, order).follow("Something is wrong")
    assert [each["value"] for each in citizen.page.find_all("input", {"name": "kind"})] == [
        "quality"
    ]


def test_the_page_draws_itself_anew_when_the_order_has_moved(app, db, citizen, provider, rice):
    order = bought(app, db, citizen, provider, rice, ship=False)
    page_of(citizen, app, order)
    address = citizen.page.find(attrs={"hx-trigger": "every 30s"})["hx-get"]
    assert "HX-Refresh" not in citizen.client.get(address).headers

    with given(db) as session:
        ship_order(
            session, order.id, supplier_id=rice.supplier_id, request_key="s", by=makers.SOMEBODY,
            now=makers.NOON,
        )  # fmt: skip

    assert citizen.client.get(address).headers["HX-Refresh"] == "true"


def test_desks_ask_as_much_for_six_claims_as_for_one(app, db, citizen, provider, rice, statements):
    def asked(path, user):
        reader = person(app, user)
        reader.open(path)
        statements.clear()
        reader.open(path)
        return len(statements)

    def some(n):
        with given(db) as session:
            for key in range(n):
                order = makers.paid_order(session, session.get(type(rice), rice.id), 2)
                line = order.lines[0].id
                ship_order(
                    session, order.id, supplier_id=rice.supplier_id, request_key=f"q{n}{key}",
                    by=makers.SOMEBODY, now=makers.NOON,
                )  # fmt: skip
                for kind in ("quality", "unopened"):
                    payments.refund_order_lines(
                        session, order.id, {line: 1000}, kind=RefundKind(kind),
                        request_key=f"q{n}{key}{kind}", approved=False, by=makers.SOMEBODY,
                        now=makers.NOON - timedelta(days=5),
                    )  # fmt: skip

    pages = [
        ("/coop/refunds", rice.accountant),
        ("/coop/returns", rice.storekeeper),
        ("/coop/citizen-invoices", rice.accountant),
        ("/admin/claims", rice.operator),
    ]
    some(1)
    few = [asked(*each) for each in pages]
    some(5)
    assert [asked(*each) for each in pages] == few
