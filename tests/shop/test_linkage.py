"""带动: only money that is proven counts; the district freezes what it certified."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from catalog.households import operations as households
from catalog.households.models import MonitorType, RiskStatus
from catalog.suppliers import operations
from catalog.suppliers.models import LinkageReview, LinkMechanism, LinkPayment
from catalog.suppliers.queries import unreviewed
from kernel.actors import Role
from kernel.db import stamp
from kernel.errors import Invalid, Refusal
from kernel.money import Money
from kernel.outbox import Job
from kernel.people import Organisation, OrganisationKind
from kernel.storage import Blob
from orders.payouts.models import PayoutLine, PayoutRun, PayoutState, RunState
from shop.suppliers.queries import effect_of, paid_to_households
from tests import makers
from tests.makers import NOON, SOMEBODY
from tests.web import given, person

DID = {"by": SOMEBODY, "now": NOON}
PROOF = Blob("0" * 64, 9, "application/pdf", "凭证.pdf")
YEAR = {"begin": date(2026, 1, 1), "end": date(2026, 12, 31)}


def link(session, supplier, home, way=LinkMechanism.LAND, since=date(2025, 1, 1)):
    return operations.open_link(
        session, supplier.id, household_id=home.id, mechanism=way, since=since, until=None,
        terms="3.5 亩，600 元/亩·年", evidence=PROOF, **DID,
    )  # fmt: skip


def pay(session, supplier, of_link, fen, *, on=date(2026, 11, 1), reference="P1", cost=0):
    return operations.record_link_payment(
        session, supplier.id, of_link.id, paid_on=on, amount=Money(fen), cost=Money(cost),
        reference=reference, evidence=PROOF, **DID,
    )  # fmt: skip


def payout(session, supplier, home, fen, *, state=PayoutState.PAID, done_at=NOON):
    """A line of one of our own runs as the bank left it."""
    run = PayoutRun(
        number=f"FF26-{home.id:06}", supplier_id=supplier.id, request_key=f"run:{home.id}",
        state=RunState.SETTLED, up_to=date(2026, 11, 1), total=Money(fen), count=1,
        **stamp(SOMEBODY, NOON),
    )  # fmt: skip
    session.add(run)
    session.flush()
    session.add(
        PayoutLine(
            run_id=run.id, supplier_id=supplier.id, household_id=home.id, amount=Money(fen),
            holder=home.name, bank="样例", account="62170000", account_last4="0000",
            reference=f"R{home.id}", state=state, done_at=done_at, **stamp(SOMEBODY, NOON),
        )
    )  # fmt: skip
    session.flush()


def test_households_count_by_money_from_links_and_from_payouts_once_each(session):
    supplier = makers.supplier(session)
    both, rent, unpaid, failed = (makers.household(session, f"农户{n}") for n in range(4))
    pay(session, supplier, link(session, supplier, both), 150_000, cost=20_000)
    pay(session, supplier, link(session, supplier, rent), 90_000)
    link(session, supplier, unpaid)
    payout(session, supplier, both, 60_000)
    payout(session, supplier, failed, 70_000, state=PayoutState.FAILED)
    households.record_status(
        session, both.id, lifted=True, monitor_type=MonitorType.NONE, risk_status=RiskStatus.NONE,
        as_of=date(2021, 1, 1), source="区台账", **DID,
    )  # fmt: skip
    payments = paid_to_households(session, supplier.id, **YEAR)
    found, _ = effect_of(session, payments, **YEAR)
    assert (found.households, found.lifted) == (2, 1)
    assert (found.gross, found.net) == (300_000, 280_000)
    assert found.by_mechanism == {"land": (2, 240_000), "order": (1, 60_000)}


def test_the_last_evening_of_the_year_counts_in_shanghai(session):
    supplier, home = makers.supplier(session), makers.household(session)
    payout(session, supplier, home, 1, done_at=datetime(2025, 12, 31, 16, 30, tzinfo=UTC))
    assert len(paid_to_households(session, supplier.id, **YEAR)) == 1


def test_a_mistaken_payment_is_taken_back_once_by_a_row_of_its_own(session):
    supplier = makers.supplier(session)
    one = link(session, supplier, makers.household(session))
    paid = pay(session, supplier, one, 90_000)
    assert pay(session, supplier, one, 90_000).id == paid.id
    with pytest.raises(Refusal, match="otherwise"):
        pay(session, supplier, one, 90_001)
    for wrong in ({"fen": 0}, {"fen": 1, "on": date(2024, 12, 31)}, {"fen": 1, "cost": -1}):
        with pytest.raises(Invalid):
            pay(session, supplier, one, wrong.pop("fen"), reference="P2", **wrong)
    back = operations.correct_link_payment(session, supplier.id, one.id, paid.id, **DID)
    session.expire_all()
    assert operations.correct_link_payment(
        session, supplier.id, one.id, paid.id, **DID
    ).id == back.id  # fmt: skip
    with pytest.raises(Refusal):
        operations.correct_link_payment(session, supplier.id, one.id, back.id, **DID)
    found, _ = effect_of(session, paid_to_households(session, supplier.id, **YEAR), **YEAR)
    assert (found.households, found.gross) == (0, 0)
    assert session.scalar(sa.select(sa.func.count()).select_from(LinkPayment)) == 2


def test_whose_year_is_not_reviewed_is_reminded_three_times(session):
    supplier = makers.supplier(session)
    body = session.get(Organisation, supplier.organisation_id)
    makers.member(session, body, Role.MANAGER)
    assert unreviewed(session, 2025) == []
    assert [each.id for each in unreviewed(session, 2026)] == [supplier.id]
    for month, day in ((1, 15), (2, 1), (2, 2), (3, 5), (3, 28), (4, 1), (11, 1)):
        operations.remind_of_review(session, now=datetime(2027, month, day, 4, tzinfo=UTC))
        session.flush()
    assert session.scalar(sa.select(sa.func.count()).select_from(Job)) == 3


def test_the_accountant_records_and_the_district_certifies(db, app, clock):
    with given(db) as session:
        supplier = makers.supplier(session, "水市镇联合社", code="SS")
        home = makers.household(session, "张三丰")
        body = session.get(Organisation, supplier.organisation_id)
        county = makers.organisation(
            session, "区农业农村委", kind=OrganisationKind.GOVERNMENT, region_code="500114000000"
        )
        accountant = makers.member(session, body, Role.ACCOUNTANT)
        weigher = makers.member(session, body, Role.WEIGHER)
        district = makers.member(session, county, Role.DISTRICT)
        code = home.code
    scan = lambda: (io.BytesIO(b"\x89PNG\r\n\x1a\n"), "凭证.png")  # noqa: E731
    page = person(app, accountant).open("/coop/linkage").sees("No link is recorded")
    form = {"mechanism": "land", "since": "2026-01-01", "terms": "3.5 亩"}
    page.press("Record the link", status=422, household=code, **form).sees("choose a file")
    page.press("Record the link", status=422, household="NOBODY", **form, evidence=scan())
    page.sees("No household around here has this code.")
    page.press("Record the link", household=code.lower(), **form, evidence=scan())
    page.sees("counts as soon as", "Nothing was paid yet")
    page.press(
        "Record the payment", paid_on="2026-11-20", amount="2100", reference="PZ-7",
        evidence=scan(),
    )  # fmt: skip
    page.sees("PZ-7")
    page.open("/coop/linkage").sees("¥2,100.00", "Land")
    person(app, weigher).open("/coop/linkage").does_not_see("Record the link")

    office = person(app, district).open("/office/linkage/SS").sees("2,100.00", code, "张*")
    office.does_not_see("张三丰", "Certify it")
    clock.instant = datetime(2027, 1, 10, 2, 0, tzinfo=UTC)
    office = person(app, district)
    office.open("/office/suppliers").sees("Yearly review of 2026").follow("水市镇联合社")
    office.press("Do not certify it", status=422).sees("Please fill this in.")
    office.press("Certify it").sees("kept with its figures")
    office.open("/office/suppliers").does_not_see("Yearly review of 2026")
    with db.reading() as session:
        [review] = session.scalars(sa.select(LinkageReview)).all()
        assert (review.year, review.households, review.gross) == (2026, 1, Money(210_000))
