"""The road of one yuan, from the scale in the yard to the passbook, each step by its own person.

The figures are the worked example of domain.md §4.2: 200 kg brought by two households, 196 kg
accepted at 6.00 a kilogram, 924.20 of 1176.00 to the households. It is shipped in two parts, so the
four missing kilograms are shared by those whose goods lay in the first.
"""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from kernel import audit
from kernel.actors import Role
from kernel.people import Organisation, OrganisationKind, User
from orders.ledger.queries.beancount import ledger_lines
from orders.payouts.models import PayoutLine
from orders.sales.models import Order, OrderLine, Shipment
from shop.selfcheck import run_all
from tests import makers
from tests.orders.agencies import canteens
from tests.web import given, person


@dataclass
class Place:
    """Everyone on the road, ready to sit down at a browser, and what they talk about."""

    app: object
    people: dict[str, User]
    pack_id: int
    goods: str
    codes: dict[str, str]

    def at_desk(self, name):
        return person(self.app, self.people[name])


@pytest.fixture
def place(app, db):
    with given(db) as session:
        of = canteens.canteen(session, nets=(1_000,))
        canteens.filed(session, of)
        coop, school = session.get(Organisation, of.coop.id), session.get(Organisation, of.body.id)
        office = makers.organisation(session, "水市镇人民政府", kind=OrganisationKind.GOVERNMENT)
        radish = makers.product(session, of.supplier, name_zh="青萝卜", name_en="Green radish")
        pack = makers.pack(session, radish, shelf=canteens.Shelf.CANTEENS)
        makers.products.put_on_sale(session, radish.id, by=makers.SOMEBODY, now=makers.NOON)
        makers.rule(session, radish)
        makers.purchase_price(session, radish)
        families = {}
        for name in ("张三丰", "李大娘"):
            families[name] = makers.household(session, name)
            makers.account(session, families[name])
        people = {
            "weigher": makers.member(session, coop, Role.WEIGHER, name="龚收购"),
            "second accountant": makers.member(session, coop, Role.ACCOUNTANT, name="周会计"),
            "helper": makers.member(session, office, Role.HELPER, name="简干部"),
            "official": makers.member(session, of.department, Role.DEPARTMENT, name="孙主任"),
        }
        for family in families.values():
            canteens.makers.households.assign_helper(
                session, family.id, people["helper"].id, valid_from=date(2026, 1, 1),
                by=makers.SOMEBODY, now=makers.NOON,
            )  # fmt: skip
        for name in (
            "buyer", "approver", "receiver", "receiver2", "finance", "manager", "storekeeper",
            "accountant",
        ):  # fmt: skip
            people[name] = session.get(User, getattr(of, name).user_id)
        assert school.id
        codes = {name: family.code for name, family in families.items()}
        return Place(app, people, pack.id, f"{radish.id}:first", codes)


def latest(db, column):
    with db.reading() as session:
        return session.scalar(sa.select(column).order_by(column.class_.id.desc()).limit(1))


def weigh_in(place, name, gross):
    scale = place.at_desk("weigher").open(f"/coop/weigh-in?q={name}").follow(name)
    scale.press("Write the slip", goods=place.goods, gross=gross, tare="0", deduction="0")
    scale.sees("Confirmed by")
    scale.again()


def test_from_the_scale_to_the_passbook(place, db, app, tmp_path):
    weigh_in(place, "张三丰", "120")
    weigh_in(place, "李大娘", "８０")
    store = place.at_desk("storekeeper").open("/coop/slips")
    store.press("Take into the store").sees("in the store")
    store.again()

    order_and_deliver(place, db)
    accept_and_pay(place, db)
    place.at_desk("helper").open(f"/helper/households/{place.codes['张三丰']}/passbook").sees(
        "384.00", "167.16"
    )
    pay_out(place, db)

    book = place.at_desk("helper")
    book.open(f"/helper/households/{place.codes['张三丰']}/passbook").sees("−551.16", "167.16")
    book.open(f"/helper/households/{place.codes['李大娘']}/passbook").sees("−373.04", "75.25")
    place.at_desk("official").open("/office/").sees("0.12")
    everything_agrees(db, tmp_path)


def order_and_deliver(place, db):
    buyer = place.at_desk("buyer").open("/canteen/orders/new")
    buyer.press("Submit for approval", **{f"q-{place.pack_id}": "200"}).sees("waits for approval")
    buyer.again()
    number = latest(db, Order.number)
    # Nobody but the approver approves, and not the buyer under another address.
    buyer.open("/canteen/approvals").does_not_see(f"Approve {number}")
    place.at_desk("approver").open("/canteen/approvals").press(f"Approve {number}")
    manager = place.at_desk("manager").open(f"/coop/bulk/{number}")
    manager.press(f"Sign the contract {number}").sees("Signed.")
    line = latest(db, OrderLine.id)
    order_id = latest(db, Order.id)
    for kilograms in ("150", "50"):
        packing = place.at_desk("storekeeper").open(f"/coop/orders/{order_id}")
        packing.press("Ship it", **{f"line-{line}": kilograms})
        packing.again()


def accept_and_pay(place, db):
    number = latest(db, Order.number)
    with db.reading() as session:
        shipments = session.scalars(sa.select(Shipment.number).order_by(Shipment.id)).all()
    assert len(shipments) == 2
    for shipment, weighed in zip(shipments, ("146", "50"), strict=True):
        first = place.at_desk("receiver").open("/canteen/deliveries").press(f"Accept {shipment}")
        first.press("Write down this line", weighed=weighed, rejected="0")
        amount = {"146": "¥876.00", "50": "¥300.00"}[weighed]
        first.press(f"Sign for {amount}").sees("One more person must sign.")
        protocol = first.path.rsplit("/", 1)[1]
        second = place.at_desk("receiver2").open(f"/canteen/acceptances/{protocol}")
        second.press(f"Sign for {amount}").sees("The protocol is closed.")
    buyer = place.at_desk("buyer").open("/canteen/invoices")
    invoice = "26500000000012345678"
    buyer.press(f"Enter the invoice of {number}", number=invoice, amount="1176.00")
    finance = place.at_desk("finance").open("/canteen/invoices")
    finance.press(f"The invoice of {number} is right")

    rows = f"日期,金额,对方户名,摘要,流水号\n2026-11-23,1176.00,黔江区实验小学,货款 {number},K1\n"
    upload_statement(place.at_desk("accountant"), rows)
    place.at_desk("accountant").open("/coop/bank").press("Pays this order")
    buyer.open("/canteen/reviews").press(f"Review {number}", stars="5").sees("counts")


def upload_statement(accountant, rows):
    page = accountant.open("/coop/bank")
    page.press("Take it in", file=(io.BytesIO(rows.encode()), "statement.csv"))


def pay_out(place, db):
    accountant = place.at_desk("accountant").open("/coop/payouts").press("Draft a payout run")
    number = accountant.path.rsplit("/", 1)[1]
    second = place.at_desk("second accountant").open(f"/coop/payouts/{number}")
    second.press("I have gone through every household")
    manager = place.at_desk("manager").open(f"/coop/payouts/{number}")
    manager.press("Approve ¥924.20 to 2 households")
    accountant.open(f"/coop/payouts/{number}").press("Send to the bank")
    with db.reading() as session:
        rows = [
            f"2026-11-23,-{line.amount.yuan},{line.holder},代发 {line.reference},B{line.id}"
            for line in session.scalars(sa.select(PayoutLine))
        ]
    content = "\n".join(["日期,金额,对方户名,摘要,流水号", *rows]).encode()
    accountant.press("Check", file=(io.BytesIO(content), "bank.csv"))
    accountant.sees("2 payments confirmed")


def everything_agrees(db, tmp_path):
    """Every invariant, the audit trail, and the books in somebody else's program."""
    with db.snapshot() as session:
        assert [each.name for each in run_all(session) if each.differences] == []
        assert list(audit.verify(session)) == []
        books = tmp_path / "books.beancount"
        books.write_text("".join(ledger_lines(session)), encoding="utf-8")
    check = Path(sys.executable).parent / "bean-check"
    assert subprocess.run([check, "--no-cache", books], check=False).returncode == 0
