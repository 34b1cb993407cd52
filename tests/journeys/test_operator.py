"""The operator's work from the first sign-in: whoever may do only this does all of it.

Claims are answered by the cooperative that sent the goods, and the books are the auditor's: both
doors are closed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from catalog.products.models import Product, ProductState
from catalog.suppliers import operations as suppliers
from catalog.suppliers.models import Supplier, SupplierState
from kernel import audit, outbox
from kernel.actors import Role
from kernel.outbox import Job, JobState
from kernel.people import Organisation, User
from orders.payments import operations as payments
from orders.payments.models import Payment, PaymentState, Refund, RefundKind
from shop.selfcheck import run_all
from tests import makers
from tests.journeys.arriving import arrive, invite
from tests.makers import NOON, SOMEBODY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
EMAIL = "operator@sutian.test"
NEW = {
    "Name in Chinese": "高山白萝卜", "Name in English": "Mountain radish", "Code": "r77",
    "In short, in Chinese": "霜后更甜", "In short, in English": "Sweeter after frost",
    "Shelf life in days": "20",
}  # fmt: skip
PACK = {
    "p1-name_zh": "5 斤一袋", "p1-name_en": "Bag of 2.5 kg", "p1-content": "5斤",
    "p1-price": "18.00",
}  # fmt: skip


@dataclass
class Platform:
    """What waits for the operator, and the link with which it begins."""

    link: str
    manager: User
    newcomer: Supplier
    order_number: str


@pytest.fixture
def platform(db, app) -> Platform:
    """A cooperative the county recommended, one that sells, and a payment of a wrong amount."""
    link = invite(app, EMAIL, "平台运营", "operator")
    with given(db) as session:
        newcomer = makers.supplier(session, "茂溪蔬菜合作社", code="MX", admitted=False)
        makers.apply(session, newcomer)
        for step in (
            suppliers.begin_review, suppliers.pass_agriculture, suppliers.pass_revitalisation,
        ):  # fmt: skip
            step(session, newcomer.id, **DID)
        selling = makers.supplier(session, "水市镇联合社")
        radish = makers.sold_product(session, of=selling, slug="radish")
        body = session.get(Organisation, selling.organisation_id)
        manager = makers.member(session, body, Role.MANAGER, name="张社长")
        order = makers.citizen_order(session, radish)
        payment = payments.start_payment(session, order.id, **DID)
        makers.pay(session, payment, amount=payment.amount - makers.Money(1))
        outbox.enqueue(session, "send_mail", unique_key="mail:lost", now=NOON, to="x")
        session.flush()
        job = session.scalars(sa.select(Job).order_by(Job.id.desc())).first()
        job.state = JobState.DEAD
    return Platform(link, manager, newcomer, order.number)


def test_the_operator_does_all_of_its_work_and_nothing_else(app, db, platform):
    desk = arrive(app, platform.link, EMAIL, at="/admin/")
    desk.sees("The worker", "1 job was given up")
    admit_a_cooperative(desk, db, platform)
    review_a_product(app, desk, db, platform)
    give_back_a_doubtful_payment(desk, db, platform)
    look_after_jobs_and_accounts(desk, db)
    stays_at_its_own_desk(desk)
    with db.snapshot() as session:
        assert [each.name for each in run_all(session) if each.differences] == []
        assert list(audit.verify(session)) == []


def admit_a_cooperative(desk, db, platform):
    desk.open("/admin/suppliers").follow("茂溪蔬菜合作社").press("Begin the platform's review")
    desk.press("Admit it")
    desk.again()
    with db.reading() as session:
        assert session.get(Supplier, platform.newcomer.id).state is SupplierState.ADMITTED


def review_a_product(app, desk, db, platform):
    """Sent back with its reason, changed by the cooperative, compared and admitted."""
    coop = person(app, platform.manager).open("/coop/products").press("Make the draft", **NEW)
    coop.press("Keep and submit for review", **PACK)
    desk.open("/admin/products").follow("Mountain radish")
    desk.press("Return it", reasons=["picture_mismatch"], remark="与图片不符")
    coop.open(coop.path).sees("与图片不符").press("Keep and submit for review")
    desk.open("/admin/products").follow("Mountain radish").press("Admit").sees("the shop shows it")
    with db.reading() as session:
        product = session.scalars(sa.select(Product).where(Product.code == "R77")).one()
        assert product.state is ProductState.ON_SALE


def give_back_a_doubtful_payment(desk, db, platform):
    desk.open("/admin/payments").sees(platform.order_number, "¥28.99")
    desk.press("Give all of it back").sees("The money goes back.", "Nothing to look at")
    desk.again()
    with db.reading() as session:
        [refund] = session.scalars(sa.select(Refund)).all()
        assert (refund.kind, refund.amount.fen) == (RefundKind.WRONG_AMOUNT, 2_899)
        assert session.scalars(sa.select(Payment.state)).all() == [PaymentState.MISMATCHED]


def look_after_jobs_and_accounts(desk, db):
    desk.open("/admin/jobs?state=dead").sees("send_mail")
    desk.press(next(words for words in buttons(desk) if words.startswith("Try job")))
    with db.reading() as session:
        assert JobState.DEAD not in set(session.scalars(sa.select(Job.state)))
    desk.open("/admin/users").press("Search", **{"Name or e-mail": "张社长"})
    desk.sees("张社长", "Manager").does_not_see("平台运营 ·")
    desk.open("/admin/prices").sees("Price monitoring")


def buttons(desk):
    return [" ".join(each.get_text(" ").split()) for each in desk.page.find_all("button")]


def stays_at_its_own_desk(desk):
    for address in ("/audit/", "/coop/", "/coop/refunds", "/canteen/", "/office/households",
                    "/coop/payouts", "/office/households/register"):  # fmt: skip
        desk.open(address, status=403)
