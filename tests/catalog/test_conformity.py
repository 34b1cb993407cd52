"""承诺达标合格证: issued when goods come in, named when mixed, asked for when they go."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from catalog.lots import checks, operations, queries
from catalog.lots.models import CommitmentBasis, ConformityCertificate, Lot
from catalog.lots.rules import keep_until
from catalog.products.models import Grade, Product
from kernel.actors import Role
from kernel.errors import Missing, Refusal
from kernel.people import Organisation
from orders.sales import operations as sales
from orders.sales.models import Order, Shipment
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}


def differences(session):
    return [
        found
        for check in checks.CHECKS
        if check.name == "lots.certificates"
        for found in check.run(session)
    ]


def test_a_lot_has_its_certificate_as_soon_as_it_is_taken_in(session):
    product = makers.product(session)
    lot = makers.lot(session, product)
    [issued] = queries.conformity_of(session, lot.id)
    assert (issued.number, issued.quantity, issued.sources) == (lot.certificate_no, 100_000, [])
    said = issued.content
    assert said["producer"] == session.get(Organisation, product.supplier.organisation_id).name
    assert (said["answers_as"], said["villages"]) == ("collector", ["大山村"])
    assert said["place"].endswith("水市镇")
    assert (said["issued_on"], said["keep_until"]) == ("2026-11-23", "2028-11-23")
    assert keep_until(date(2028, 2, 29)) == date(2030, 3, 1)


def test_a_lot_that_grows_gets_a_new_one_that_names_the_one_before(session):
    product = makers.product(session)
    lot = makers.lot(session, product, (60_000, 40_000))
    first, second = queries.conformity_of(session, lot.id)
    assert (first.quantity, second.quantity) == (60_000, 100_000)
    assert second.sources == [first.number]
    assert session.get(Lot, lot.id).certificate_no == second.number
    assert differences(session) == []


def test_what_is_processed_names_the_certificates_it_was_made_of(session):
    product = makers.product(session)
    others = [makers.lot(session, product, at=NOON - timedelta(days=days)) for days in (1, 2)]
    made = operations.process_lot(
        session, supplier_id=product.supplier_id, inputs={lot.id: 50_000 for lot in others},
        output_product_id=product.id, output_grade=Grade.FIRST, output_quantity=95_000,
        step="分拣", on=TODAY, best_before=TODAY + timedelta(days=9), **DID,
    )  # fmt: skip
    [issued] = queries.conformity_of(session, made.id)
    assert issued.sources == sorted(lot.certificate_no for lot in others)
    assert issued.quantity == 95_000


def test_a_household_s_own_certificate_becomes_a_source_of_the_next(session):
    product = makers.product(session)
    part = makers.contribution(session, product, makers.household(session, "张三丰"))
    where = (product.supplier_id, part.lot_id)
    own = operations.issue_household_certificate(
        session, *where, part.id, basis=CommitmentBasis.OWN_PROMISE, **DID
    )
    assert (own.content["producer"], own.content["answers_as"]) == ("张三丰", "household")
    again = operations.issue_household_certificate(
        session, *where, part.id, basis=CommitmentBasis.OWN_TEST, **DID
    )
    assert again.id == own.id
    first = queries.conformity_of(session, part.lot_id)[0]
    tested = operations.issue_certificate(session, *where, basis=CommitmentBasis.OWN_TEST, **DID)
    assert tested.sources == sorted([first.number, own.number])
    same = operations.issue_certificate(session, *where, basis=CommitmentBasis.OWN_TEST, **DID)
    assert same.id == tested.id
    with pytest.raises(Missing):
        operations.issue_certificate(
            session, makers.supplier(session).id, part.lot_id, basis=CommitmentBasis.OWN_TEST, **DID
        )


def test_what_was_issued_cannot_be_changed(session):
    lot = makers.lot(session, makers.product(session))
    for statement in (
        sa.update(ConformityCertificate).values(quantity=1),
        sa.delete(ConformityCertificate),
    ):
        with pytest.raises(sa.exc.DBAPIError, match="written once"), session.begin_nested():
            session.execute(statement.where(ConformityCertificate.lot_id == lot.id))


def test_listed_goods_do_not_leave_without_one_and_others_do(db):
    """Goods that came in before their kind was put on the list have none yet."""
    with given(db) as session:
        product = makers.sold_product(session, needs_certificate=False)
        order = makers.paid_order(session, product)
        lot_code = session.scalar(sa.select(Lot.code).where(Lot.product_id == product.id))
        session.get(Product, product.id).needs_certificate = True
        supplier_id, order_id = product.supplier_id, order.id
    ship = {"supplier_id": supplier_id, "request_key": "once", **DID}
    with db.transaction() as session, pytest.raises(Refusal) as refused:
        sales.ship_order(session, order_id, **ship)
    assert lot_code in str(refused.value.reasons[0])
    with db.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Shipment)) == 0
    with db.transaction() as session:
        lot = session.scalar(sa.select(Lot).where(Lot.code == lot_code))
        operations.issue_certificate(
            session, supplier_id, lot.id, basis=CommitmentBasis.INTERNAL_CONTROL, **DID
        )
        shipped = sales.ship_order(session, order_id, **ship)
        assert session.get(Order, order_id).id == shipped.order_id


def test_the_storekeeper_issues_and_prints_and_the_weigher_only_reads(db, app):
    with given(db) as session:
        supplier = makers.supplier(session, "水市镇联合社")
        lot = makers.lot(session, makers.product(session, supplier), (60_000, 40_000))
        plain = makers.lot(session, makers.product(session, supplier, needs_certificate=False))
        body = session.get(Organisation, supplier.organisation_id)
        keeper = makers.member(session, body, Role.STOREKEEPER)
        weigher = makers.member(session, body, Role.WEIGHER)
        stranger = makers.member(
            session, session.get(Organisation, makers.supplier(session).organisation_id),
            Role.MANAGER,
        )  # fmt: skip
        code, other = lot.code, plain.code
    page = person(app, keeper).open(f"/coop/lots/{code}").follow("Certificate of conformity HG26-")
    page.sees("Internal control", "100 kg", "Made from")
    page.press("Issue the certificate", basis="own_test").sees("is issued", "Own test")
    page.press("Issue for 农户0").sees("is issued")
    number = page.page.find("h2", id="h-new").get_text(strip=True)
    for size, wide in (("a4", 595), ("label", 283)):
        answer = page.client.get(f"/coop/lots/{code}/certificate/{number}.pdf?size={size}")
        [sheet] = PdfReader(io.BytesIO(answer.data)).pages
        words = sheet.extract_text()
        assert "承诺达标合格证" in words
        assert code in words
        assert number in words
        assert abs(float(sheet.mediabox.width) - wide) < 2
    person(app, keeper).open(f"/coop/lots/{other}/certificate").sees("need no certificate")
    person(app, weigher).open(f"/coop/lots/{code}/certificate").does_not_see("Issue anew")
    person(app, stranger).open(f"/coop/lots/{code}/certificate", status=404)
    answer = person(app, stranger).client.get(f"/coop/lots/{code}/certificate/{number}.pdf")
    assert answer.status_code == 404
