"""Who hears of an application, a decision and goods that left the shelf: each once, in their own
language, through the outbox and out of a real mail server's door."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from catalog.products import operations as products
from catalog.suppliers import operations
from catalog.suppliers.models import AdmissionReason, CertificateKind
from kernel.actors import WORKER, Role
from kernel.outbox import Job, JobState
from kernel.people import Organisation
from shop.app import create_app
from shop.working import Worker
from tests import makers
from tests.makers import NOON, TODAY, days
from tests.postbox import postbox
from tests.web import given


@pytest.fixture
def people(session):
    """An applicant, two reviewers of its county, one of another, the platform."""
    supplier = makers.supplier(session, "茂溪蔬菜合作社", code="MX", admitted=False)
    body = session.get(Organisation, supplier.organisation_id)
    county = makers.organisation(session, "黔江区农业农村委", region_code="500114000000")
    other = makers.organisation(session, "酉阳县农业农村委", region_code="500242000000")
    platform = makers.organisation(session, "溯田")
    users = {
        "manager": makers.member(session, body, Role.MANAGER, name="甲"),
        "first": makers.member(session, county, Role.DISTRICT, name="乙"),
        "second": makers.member(session, county, Role.DISTRICT, name="丙"),
        "far": makers.member(session, other, Role.DISTRICT, name="丁"),
        "operator": makers.member(session, platform, Role.OPERATOR, name="戊"),
    }
    users["operator"].locale = "en"
    roles = {"manager": Role.MANAGER, "operator": Role.OPERATOR}
    acting = {
        name: makers.acting(user, roles.get(name, Role.DISTRICT)) for name, user in users.items()
    }
    return supplier, users, acting


@pytest.fixture
def new_letters(session):
    """Letters since it was last asked: (to, subject)."""
    known = set()

    def found():
        jobs = session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id))
        fresh = [job for job in jobs if job.id not in known]
        known.update(job.id for job in fresh)
        return [(job.arguments["to"], job.arguments["subject"]) for job in fresh]

    return found


def test_who_has_to_look_next_hears_of_it_and_the_applicant_of_what_was_decided(
    session, people, new_letters
):
    supplier, users, acting = people
    to = {user.email: name for name, user in users.items()}

    def told():
        return [to[email] for email, _ in new_letters()]

    makers.apply(session, supplier, by=acting["manager"])
    assert told() == ["first", "second"]
    operations.begin_review(session, supplier.id, by=acting["first"], now=NOON)
    assert told() == []
    operations.pass_agriculture(session, supplier.id, by=acting["first"], now=NOON)
    assert told() == ["second"]
    operations.return_application(
        session, supplier.id, reason=AdmissionReason.NO_LINKAGE, sentence="没有付款凭证",
        by=acting["second"], now=NOON,
    )  # fmt: skip
    [(email, subject)] = new_letters()
    assert (to[email], subject) == ("manager", "茂溪蔬菜合作社：草稿")
    operations.submit_application(session, supplier.id, by=acting["manager"], now=NOON)
    operations.withdraw_application(session, supplier.id, by=acting["manager"], now=NOON)
    assert told() == ["first", "second"]
    operations.submit_application(session, supplier.id, by=acting["manager"], now=NOON)
    operations.begin_review(session, supplier.id, by=acting["first"], now=NOON)
    operations.pass_agriculture(session, supplier.id, by=acting["first"], now=NOON)
    operations.pass_revitalisation(session, supplier.id, by=acting["second"], now=NOON)
    assert told()[-2:] == ["operator", "manager"]
    operations.begin_platform_review(session, supplier.id, by=acting["operator"], now=NOON)
    operations.admit_supplier(session, supplier.id, by=acting["operator"], now=NOON)
    operations.admit_supplier(session, supplier.id, by=acting["operator"], now=NOON)
    assert [each[1] for each in new_letters()] == ["茂溪蔬菜合作社：已入驻"]


def test_goods_that_leave_by_themselves_are_told_once_to_their_people_and_the_platform(
    session, people, new_letters
):
    supplier, users, _ = people
    makers.admit(session, supplier)
    dried = makers.product(session, supplier, fresh=False, on_sale=True, name_zh="萝卜干")
    makers.certificate(
        session, supplier, kind=CertificateKind.FOOD_PRODUCTION, number="SC11650011400019",
        until=TODAY,
    )  # fmt: skip
    new_letters()
    for _ in range(3):
        products.take_off_lapsed(session, by=WORKER, now=NOON + days(1))
    letters = new_letters()
    assert [each[0] for each in letters] == [users["manager"].email, users["operator"].email]
    assert letters[0][1] == "已下架：萝卜干"
    assert letters[1][1].startswith("Off sale: ")
    assert dried.off_reason is not None


def test_a_suspended_supplier_hears_why_and_what_left_the_shelf(session, people, new_letters):
    supplier, users, acting = people
    makers.admit(session, supplier)
    makers.product(session, supplier, on_sale=True, name_zh="太空萝卜")
    new_letters()
    operations.suspend_supplier(
        session, supplier.id, reason=AdmissionReason.POOR_QUALITY, sentence="两次抽检不合格",
        by=acting["operator"], now=NOON,
    )  # fmt: skip
    products.take_off_all(session, supplier.id, reason="暂停", by=acting["operator"], now=NOON)
    assert new_letters() == [
        (users["manager"].email, "茂溪蔬菜合作社：暂停"),
        (users["manager"].email, "已下架：太空萝卜"),
    ]


def test_the_platform_hears_of_a_paper_that_ends_beside_the_managers(session, people, new_letters):
    supplier, users, _ = people
    makers.certificate(
        session, supplier, kind=CertificateKind.FOOD_PRODUCTION, number="SC11650011400019",
        until=TODAY + timedelta(days=7),
    )  # fmt: skip
    for _ in range(2):
        operations.warn_of_expiry(session, now=NOON)
    assert [each[0] for each in new_letters()] == [users["manager"].email, users["operator"].email]


def test_letters_reach_a_mail_server_once_and_one_it_refuses_holds_up_no_other(
    config, db, clock, tmp_path
):
    with postbox() as mail:
        reached = replace(config, smtp_url=mail.url)
        app = create_app(reached, database=db, clock=clock, data_dir=tmp_path / "data")
        with given(db) as session:
            supplier = makers.supplier(session, "茂溪蔬菜合作社", code="MX", admitted=False)
            county = makers.organisation(session, "黔江区农业农村委", region_code="500114000000")
            known, gone = (
                makers.member(session, county, Role.DISTRICT, name=name).email for name in "甲乙"
            )
            makers.apply(session, supplier)
        mail.refuses.add(gone)
        clock.instant = NOON
        worker = Worker(app.extensions["services"])
        worker.drain()
        worker.drain()

        [(to, letter)] = mail.arrived
        assert (to, letter["To"], letter["From"]) == (known, known, config.mail_from)
        assert "茂溪蔬菜合作社" in letter["Subject"]
        assert letter["Date"].datetime == clock()
        assert letter.get_content().startswith("茂溪蔬菜合作社（MX）申请入驻。")
        with db.reading() as session:
            jobs = session.scalars(sa.select(Job).where(Job.name == "send_mail")).all()
            assert {job.state for job in jobs} == {JobState.DONE, JobState.READY}
            [refused] = [job for job in jobs if job.state is JobState.READY]
            assert (refused.arguments["to"], refused.attempts) == (gone, 1)
            assert "550" in str(refused.error)

        mail.refuses.clear()
        clock.move(hours=1)
        worker.drain()
        assert [each[0] for each in mail.arrived] == [known, gone]
