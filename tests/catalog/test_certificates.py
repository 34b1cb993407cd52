"""Papers that warn before they end, take goods off sale when they do, and bring them back."""

from __future__ import annotations

import io
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from catalog.products import operations as products
from catalog.products.models import Product, ProductState
from catalog.suppliers import operations, queries
from catalog.suppliers.models import Certificate, CertificateKind, CertificateWithdrawal
from kernel.actors import Role
from kernel.errors import Invalid, Missing, Refusal
from kernel.outbox import Job
from kernel.people import Organisation
from tests import makers
from tests.makers import NOON, SOMEBODY, TODAY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
SC, SC_NEXT = "SC11650011400019", "SC11650011400027"


def letters(session):
    return [
        job.arguments
        for job in session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id))
    ]


def test_a_manager_hears_30_15_and_7_days_before_and_each_time_once(session):
    supplier = makers.supplier(session)
    body = session.get(Organisation, supplier.organisation_id)
    makers.member(session, body, Role.MANAGER)
    makers.member(session, body, Role.WEIGHER)
    makers.certificate(
        session, supplier, kind=CertificateKind.FOOD_PRODUCTION, number=SC,
        until=TODAY + timedelta(days=40),
    )  # fmt: skip
    sent = []
    for day in range(45):
        now = NOON + timedelta(days=day)
        operations.warn_of_expiry(session, now=now)
        operations.warn_of_expiry(session, now=now)
        session.flush()
        sent.append(len(letters(session)))
    assert [day for day in range(45) if sent[day] > (sent[day - 1] if day else 0)] == [10, 25, 33]
    assert sent[-1] == 3
    assert SC in letters(session)[0]["body"]


def test_a_certificate_that_goes_on_warns_nobody(session):
    supplier = makers.supplier(session)
    until = TODAY + timedelta(days=5)
    held = {"kind": CertificateKind.FOOD_PRODUCTION, "number": SC}
    old = makers.certificate(session, supplier, **held, until=until)
    assert [row.certificate.id for row in queries.expiring_certificates(session, TODAY)] == [old.id]
    new = operations.renew_certificate(
        session, supplier.id, old.id, number=SC, valid_from=until + timedelta(days=1),
        valid_to=date(2031, 11, 28), **DID,
    )  # fmt: skip
    assert queries.expiring_certificates(session, TODAY) == []
    again = {"valid_from": new.valid_from, "valid_to": new.valid_to}
    assert operations.renew_certificate(
        session, supplier.id, old.id, number=SC, **again, **DID
    ).id == new.id  # fmt: skip
    with pytest.raises(Refusal, match="renewed already"):
        operations.renew_certificate(
            session, supplier.id, old.id, number=SC_NEXT, valid_from=TODAY, valid_to=None, **DID
        )
    with pytest.raises(Missing):
        operations.renew_certificate(
            session, makers.supplier(session).id, old.id, number=SC, **again, **DID
        )
    assert session.scalar(
        sa.select(sa.func.count()).select_from(Certificate).where(Certificate.number == SC)
    ) == 2  # fmt: skip


def test_a_wrong_number_is_refused_and_nothing_is_recorded(session):
    supplier = makers.supplier(session)
    before = len(queries.certificates_of(session, supplier.id))
    for kind, number in (
        (CertificateKind.FOOD_PRODUCTION, "SC11650011400018"),
        (CertificateKind.ORGANIC, "123"),
        (CertificateKind.TEST_REPORT, "长" * 41),
    ):
        with pytest.raises(Invalid) as invalid:
            makers.certificate(session, supplier, kind=kind, number=number)
        assert set(invalid.value.errors) == {"number"}
    assert len(queries.certificates_of(session, supplier.id)) == before


@pytest.fixture
def workshop(db, app):
    """A workshop whose licence ended yesterday, and an order that waits for its goods."""

    class Workshop:
        def sign_in(self, who="manager", lang="en"):
            return person(app, self.people[who], lang=lang)

        def product(self):
            with db.reading() as session:
                return session.get(Product, self.dried)

    made = Workshop()
    made.db = db
    with given(db) as session:
        supplier = makers.supplier(session, "关里食品车间", code="GL")
        dried = makers.sold_product(session, (50_000,), of=supplier, fresh=False)
        made.fresh = makers.product(session, supplier, on_sale=True).id
        made.order = makers.paid_order(session, dried).number
        made.dried = dried.id
        makers.certificate(
            session, supplier, kind=CertificateKind.FOOD_PRODUCTION, number=SC,
            until=TODAY - timedelta(days=1),
        )  # fmt: skip
        body = session.get(Organisation, supplier.organisation_id)
        platform = makers.organisation(session, "溯田")
        made.people = {
            "manager": makers.member(session, body, Role.MANAGER),
            "weigher": makers.member(session, body, Role.WEIGHER),
            "operator": makers.member(session, platform, Role.OPERATOR),
        }
        made.supplier = supplier.id
    return made


def test_goods_go_off_sale_with_their_certificate_and_return_when_it_is_renewed(workshop):
    """G24, with the open order flagged."""
    with workshop.db.transaction() as session:
        assert [each.id for each in products.take_off_lapsed(session, **DID)] == [workshop.dried]
    today = workshop.sign_in().open("/coop/")
    today.sees("1 product is off sale because a certificate ended")
    page = workshop.sign_in().open("/coop/certificates")
    page.sees("1 open order still waits for them:", workshop.order, "ended")
    page.does_not_see("on sale again")
    page.follow("Renew SC")
    page.press("Record it", status=422, number="SC11650011400018", valid_from="2026-11-20")
    page.sees("The last digit does not match")
    assert page.page.find(id="f-number")["value"] == "SC11650011400018"
    page.press(
        "Record it", number="ＳＣ１１６５００１１４０００１９", valid_from="2026年11月20日",
        valid_to="2031-11-19", scan=(io.BytesIO(b"%PDF-1.7 licence"), "许可证.pdf"),
    )  # fmt: skip
    page.press("Put 1 product on sale again").sees("1 product is on sale again.")
    assert workshop.product().state is ProductState.ON_SALE
    page.does_not_see("open order")
    link = next(a for a in page.page.find_all("a") if a.get_text().startswith("Scan"))
    answer = page.client.get(link["href"])
    assert (answer.mimetype, answer.data) == ("application/pdf", b"%PDF-1.7 licence")


def test_what_is_withdrawn_stops_its_goods_in_the_same_moment(workshop):
    with given(workshop.db) as session:
        valid = operations.add_certificate(
            session, workshop.supplier, kind=CertificateKind.FOOD_PRODUCTION, number=SC_NEXT,
            valid_from=TODAY, valid_to=None, **DID,
        )  # fmt: skip
        key = valid.id
    operator = workshop.sign_in("operator").open("/admin/suppliers/GL/certificates")
    operator.press(f"Withdraw {SC_NEXT}", status=422, reason=" ")
    assert workshop.product().state is ProductState.ON_SALE
    operator.press(f"Withdraw {SC_NEXT}", reason="市监局吊销")
    operator.sees("1 product is off sale.", "市监局吊销")
    assert workshop.product().state is ProductState.OFF_SALE
    with workshop.db.reading() as session:
        assert session.get(Product, workshop.fresh).state is ProductState.ON_SALE
        assert session.scalars(sa.select(CertificateWithdrawal.certificate_id)).all() == [key]


def test_a_file_that_is_no_paper_is_refused_and_strangers_see_no_scan(workshop):
    page = workshop.sign_in().open("/coop/certificates")
    fields = {"kind": "test_report", "number": "NO.7", "valid_from": "2026-11-01"}
    page.press("Record it", status=422, **fields, scan=(io.BytesIO(b"MZ virus"), "报告.pdf"))
    page.sees("Choose a PDF, a JPEG or a PNG.")
    with workshop.db.reading() as session:
        assert len(queries.certificates_of(session, workshop.supplier)) == 2
    with given(workshop.db) as session:
        other = makers.supplier(session)
        body = session.get(Organisation, other.organisation_id)
        workshop.people["stranger"] = makers.member(session, body, Role.MANAGER)
    workshop.sign_in("stranger").open("/suppliers/GL/certificates/1/scan", status=404)
    workshop.sign_in("weigher").open("/coop/certificates").does_not_see("Withdraw", "Record it")
