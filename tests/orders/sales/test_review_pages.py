"""A buyer writes a letter with photos; the cooperative answers; nobody deletes it."""

from __future__ import annotations

import io

import pytest
import sqlalchemy as sa

from catalog.products.models import Product
from catalog.suppliers.models import Supplier
from kernel.actors import Role
from kernel.errors import Missing
from kernel.people import Organisation, OrganisationKind
from orders.sales.models import OrderLine, Review
from orders.sales.operations import mark_received, reply_to_review, ship_order
from orders.sales.rules.keys import order_key
from tests import makers
from tests.web import given, person


class Letters:
    """A parcel that has arrived, and the three who may read about it."""

    def __init__(self, db, app):
        self.db, self.app = db, app
        with given(db) as session:
            order = makers.paid_order(session)
            line = session.scalars(sa.select(OrderLine)).one()
            ship_order(
                session, order.id, supplier_id=line.supplier_id, request_key="van",
                by=makers.SOMEBODY, now=makers.NOON,
            )  # fmt: skip
            mark_received(session, order.id, by=makers.SOMEBODY, now=makers.NOON)
            supplier = session.get_one(Supplier, line.supplier_id)
            coop = session.get_one(Organisation, supplier.organisation_id)
            us = makers.organisation(session, "溯田", kind=OrganisationKind.PLATFORM)
            self.manager = makers.member(session, coop, Role.MANAGER)
            self.weigher = makers.member(session, coop, Role.WEIGHER)
            self.operator = makers.member(session, us, Role.OPERATOR)
            self.supplier_id = supplier.id
            self.slug = session.get_one(Product, line.product_id).slug
            self.code, self.line_id = order.code, line.id

    @property
    def address(self):
        key = order_key(self.app.extensions["services"].config.secret_key, self.code)
        return f"/orders/{self.code}/lines/{self.line_id}/review?key={key}"

    def rows(self):
        with self.db.reading() as session:
            return list(session.scalars(sa.select(Review)))

    def public(self):
        return person(self.app).open(f"/products/{self.slug}")


@pytest.fixture
def letters(db, app):
    return Letters(db, app)


def photo(name="dinner.jpg"):
    return (io.BytesIO(makers.photograph(gps=True)), name)


def test_a_letter_with_photos_stands_on_the_products_page(letters, app):
    buyer = person(app).open(letters.address).sees("Write about")
    buyer.press("Send the letter", status=422, text="脆甜").sees("Enter a whole number from 1 to 5")
    assert buyer.page.find("textarea", {"name": "text"}).get_text().strip() == "脆甜"
    buyer.press("Send the letter", stars="5", text="脆甜", photos=[photo(), photo("b.jpg")])
    buyer.sees("Your letter stands on the product's page", "脆甜", "5.0")
    [review] = letters.rows()
    assert (review.stars, len(review.photos), review.line_id) == (5, 2, letters.line_id)
    links = [each["href"] for each in buyer.page.select(".letters .shots a")]
    assert len(links) == 2
    for link in links:
        shown = app.test_client().get(link)
        assert (shown.status_code, shown.mimetype) == (200, "image/webp")
        assert b"GPS" not in shown.data
    buyer.open(letters.address).sees("Nobody can change it any more")


def test_only_who_holds_the_orders_key_writes(letters, app):
    plain = letters.address.split("?")[0]
    person(app).open(plain, status=404)
    person(app).open(f"{plain}?key=wrong", status=404)
    person(app).open(letters.address.replace(f"/{letters.line_id}/", "/999/"), status=404)
    assert letters.rows() == []


def test_what_is_no_photo_or_one_too_many_is_refused_and_nothing_is_lost(letters, app):
    buyer = person(app).open(letters.address)
    text = (io.BytesIO(b"no picture"), "x.jpg")
    buyer.press("Send the letter", status=422, stars="4", text="好", photos=[text])
    buyer.sees("A photo is a JPEG, PNG, WebP or AVIF picture.")
    assert buyer.page.find("input", {"name": "stars", "value": "4"}).has_attr("checked")
    many = [photo(f"{n}.jpg") for n in range(5)]
    buyer.press("Send the letter", status=422, stars="4", photos=many).sees("At most 4 photos.")
    assert letters.rows() == []


def test_the_cooperative_answers_and_puts_it_better_and_others_do_not(letters, app, db):
    person(app).open(letters.address).press("Send the letter", stars="3", text="有一个裂了")
    [review] = letters.rows()
    desk = person(app, letters.manager).open("/coop/letters?open=1").sees("有一个裂了")
    desk.press("Answer the letter", status=422, Answer="").sees("Please fill this in.")
    desk.press("Answer the letter", Answer="退了 ¥6.38，箱底加了隔板。")
    desk.open("/coop/letters?open=1").sees("No letter waits for an answer")
    letters.public().sees("有一个裂了", "退了 ¥6.38")
    desk.open("/coop/letters").press("Answer the letter", Answer="已退 ¥6.38。")
    letters.public().sees("已退 ¥6.38").does_not_see("隔板")
    person(app, letters.weigher).open("/coop/letters").does_not_see("Put the answer better")
    with pytest.raises(Missing), db.transaction() as session:
        reply_to_review(
            session, review.id, supplier_id=letters.supplier_id + 1, text="x",
            by=makers.SOMEBODY, now=makers.NOON,
        )  # fmt: skip
    assert letters.rows()[0].reply == "已退 ¥6.38。"


def test_what_is_covered_shows_its_reason_and_counts_all_the_same(letters, app):
    person(app).open(letters.address).press(
        "Send the letter", stars="1", text="骂人的话", photos=[photo()]
    )
    link = letters.public().page.select_one(".letters .shots a")["href"]
    desk = person(app, letters.operator).open("/admin/letters")
    desk.press("Cover the letter", status=422, Reason=" ").sees("Say why")
    letters.public().sees("骂人的话")
    desk.press("Cover the letter", Reason="辱骂他人")
    page = letters.public().sees("辱骂他人", "1.0").does_not_see("骂人的话")
    assert page.page.select(".letters .shots") == []
    assert app.test_client().get(link).status_code == 404
    assert letters.rows()[0].text == "骂人的话", "covered, not deleted"
    desk.open("/admin/letters").press("Show the letter again")
    letters.public().sees("骂人的话")


def test_the_desks_ask_as_many_questions_for_one_letter_as_for_many(letters, app, db, statements):
    def asked(user, path):
        client = person(app, user)
        client.open(path)
        statements.clear()
        client.open(path)
        return len(statements)

    person(app).open(letters.address).press("Send the letter", stars="5", text="好")
    paths = ((letters.manager, "/coop/letters"), (letters.operator, "/admin/letters"))
    before = [asked(*each) for each in paths]
    with given(db) as session:
        first = session.scalars(sa.select(Review)).one()
        for number in range(8):
            session.add(
                Review(
                    order_id=first.order_id, subject=f"more:{number}", product_id=first.product_id,
                    stars=4, text="也好", made_at=makers.NOON, door=first.door, program="",
                )
            )  # fmt: skip
    assert [asked(*each) for each in paths] == before
