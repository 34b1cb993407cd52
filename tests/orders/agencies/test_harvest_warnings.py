"""People hear by mail of a harvest that falls short or does not come: once per event."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given as prove
from hypothesis import strategies as st

from catalog.lots.operations.harvests import correct_harvest, end_harvest
from kernel.outbox import Job
from kernel.people import User
from orders.agencies import operations
from orders.agencies.models import HarvestWarning, HarvestWorry
from orders.agencies.rules.harvests import is_news, is_overdue
from tests import makers
from tests.orders.agencies import canteens
from tests.orders.agencies.harvests import COMES, DAY, FIRST, LAST, agree, comes, harvest, homes_of
from tests.web import given, person

NOW = canteens.NOW
SHORT, NEAR, OVERDUE = HarvestWorry.SHORT, HarvestWorry.NEAR, HarvestWorry.OVERDUE


@prove(st.lists(st.integers(0, 5), max_size=12))
def test_nobody_is_told_the_same_twice_and_everybody_hears_that_it_is_made_good(course):
    told, letters = 0, []
    for now in course:
        if is_news(told, now):
            letters.append(now)
            told = now
        assert told >= now  # people never know less than how bad it is
    assert all(a != b for a, b in zip(letters, letters[1:], strict=False))
    assert not letters or (course[-1] == 0) == (told == 0)


def test_a_harvest_is_overdue_when_its_days_are_over_or_nothing_came_for_days():
    def over(day, came=0, expected=10):
        return is_overdue(FIRST, LAST, expected=expected, came=came, today=day)

    assert not over(FIRST + timedelta(days=3))
    assert over(FIRST + timedelta(days=4))
    assert not over(FIRST + timedelta(days=4), came=1)
    assert not over(LAST, came=1)
    assert over(LAST + timedelta(days=1), came=1)
    assert not over(date(2027, 3, 1), came=10)


@pytest.fixture
def of(session):
    of = canteens.canteen(session, nets=(10_000,))
    of.product.most_yield_kg_per_mu = 1000
    return of


def mail(session, since=0):
    """[(who, subject, body)] of the mails after the first `since`."""
    jobs = session.scalars(sa.select(Job).where(Job.name == "send_mail").order_by(Job.id)).all()
    return [
        (job.arguments["to"], job.arguments["subject"], job.arguments["body"])
        for job in jobs[since:]
    ]


def address(session, actor):
    return session.get_one(User, actor.user_id).email


def warn(session, now=NOW):
    session.expire_all()
    count = operations.warn_of_harvests(session, now=now)
    session.flush()
    return count


def less(session, of, coming, *kilograms, now=NOW):
    expected = {part.id: kg * 1000 for part, kg in zip(coming.parts, kilograms, strict=True)}
    correct_harvest(
        session,
        of.supplier.id,
        coming.lot.code,
        expected,
        reason="霜冻",
        by=of.storekeeper,
        now=now,
    )


def test_a_shortfall_is_told_to_both_sides_once_and_again_when_it_grows_or_is_made_good(
    session, of
):
    coming = harvest(session, of, 100, 100)
    canteens.signed(session, of, kg=150, deliver_on=DAY)
    assert warn(session) == 0
    assert mail(session) == []

    less(session, of, coming, 100, 50)
    assert warn(session) == 1
    letters = mail(session)
    people = {to for to, _, _ in letters}
    assert people == {
        address(session, who) for who in (of.manager, of.storekeeper, of.buyer, of.approver)
    }
    assert all("kg" in body for _, _, body in letters)
    for _ in range(3):
        assert warn(session) == 0
    less(session, of, coming, 100, 60)  # a little better: they have the page
    assert warn(session) == 0
    assert len(mail(session)) == len(letters)
    less(session, of, coming, 100, 0)
    assert warn(session) == 1
    less(session, of, coming, 100, 100)
    assert warn(session) == 1
    last = mail(session, len(letters) * 2)
    assert {to for to, _, _ in last} == {address(session, w) for w in (of.buyer, of.approver)}
    told = session.scalars(sa.select(HarvestWarning.quantity).order_by(HarvestWarning.id)).all()
    assert told == [30_000, 70_000, 0]
    agree(session)


def test_a_harvest_that_does_not_come_is_told_and_so_is_a_day_that_is_near(session, of):
    coming = harvest(session, of, 100)
    canteens.signed(session, of, kg=60, deliver_on=DAY)
    assert warn(session, COMES) == 0  # five days before, on its first day
    assert warn(session, COMES + timedelta(days=2)) == 1  # three days before: only the cooperative
    assert {to for to, _, _ in mail(session)} == {
        address(session, who) for who in (of.manager, of.storekeeper)
    }
    since = len(mail(session))
    assert warn(session, COMES + timedelta(days=4)) == 2  # the harvest, and the line of it
    letters = mail(session, since)
    assert len(letters) == 4  # one each, however many sentences
    assert warn(session, COMES + timedelta(days=5)) == 0
    worries = session.scalars(sa.select(HarvestWarning.worry).order_by(HarvestWarning.id)).all()
    assert sorted(worries, key=str) == sorted([NEAR, OVERDUE, OVERDUE], key=str)

    at = COMES + timedelta(days=5)
    lot = comes(session, of, [(homes_of(coming)[0], 100)], at=at)
    operations.bring_in_harvest(
        session, of.supplier.id, coming.lot.code, lot_id=lot, by=of.storekeeper, now=at
    )
    since = len(mail(session))
    warn(session, at)
    assert {to for to, _, _ in mail(session, since)} == {
        address(session, w) for w in (of.buyer, of.approver)
    }
    assert warn(session, at) == 0
    agree(session)


def test_a_line_that_was_given_back_is_not_called_made_good(session, of):
    coming = harvest(session, of, 100)
    bulk = canteens.submit(session, of, kg=80, deliver_on=DAY)
    end_harvest(session, of.supplier.id, coming.lot.code, reason="绝收", by=of.storekeeper, now=NOW)
    assert warn(session) == 1
    operations.cancel_order(session, bulk.order_id, reason="绝收", by=of.buyer, now=NOW)
    since = len(mail(session))
    assert warn(session) == 1  # they know it is over
    assert mail(session, since) == []
    assert warn(session) == 0
    agree(session)


def test_the_desks_say_what_needs_an_answer(app, db, clock):
    with given(db) as session:
        of = canteens.canteen(session, nets=(10_000,))
        of.product.most_yield_kg_per_mu = 1000
        coming = harvest(session, of, 100)
        canteens.signed(session, of, kg=60, deliver_on=DAY)
        less(session, of, coming, 50)
        buyer, manager = (session.get_one(User, who.user_id) for who in (of.buyer, of.manager))
        buyer.locale = "en"
        session.flush()
        warn(session)
    person(app, buyer, lang="zh").open("/canteen/").sees("采收不足")
    person(app, manager).open("/coop/").sees("is not covered")
    clock.move(days=27)
    person(app, manager, lang="zh").open("/coop/").sees("的采收还没有到")
    with db.reading() as session:
        english = [body for to, _, body in mail(session) if to == buyer.email]
    assert english
    assert "falls short" in english[0]


def test_it_takes_the_same_number_of_queries_however_many_promises(session, of, statements):
    harvest(session, of, 100, 100)

    def count():
        session.flush()
        statements.clear()
        operations.warn_of_harvests(session, now=NOW)
        return len(statements)

    canteens.signed(session, of, kg=10, deliver_on=DAY)
    before = count()
    for _ in range(3):
        canteens.signed(session, of, kg=10, deliver_on=DAY)
    assert count() == before
    assert makers.TODAY < DAY
