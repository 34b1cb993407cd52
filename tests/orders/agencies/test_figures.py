"""The three figures of units and groups: what they add up, for whom, and as of which day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kernel.money import ZERO, Money, parse_money
from kernel.regions import prefixes
from orders.agencies.models import Basis, CanteenType, FilingState, Purpose
from orders.agencies.queries.figures import sum_figures, unit_figures
from orders.agencies.queries.movements import Wanted, course, movement_rows
from orders.agencies.queries.scope import Scope
from orders.agencies.rules.rates import Duty, Light, in_percent, rounded
from tests.orders.agencies import township

TODAY = date(2026, 11, 23)
EVERY = Scope()


def figures_of(session, scope=EVERY, *, as_of=TODAY, year=2026, channel=None):
    return unit_figures(session, scope, year=year, as_of=as_of, today=TODAY, channel=channel)


@pytest.fixture
def school(session):
    township.policy(session)
    made = township.unit(session, "黔江区实验小学")
    made.files("96000")
    return made


def test_the_gap_is_a_sum_to_the_fen(session, school):
    school.moves(Basis.ORDERED, "88785.30", date(2026, 11, 1))
    school.moves(Basis.SETTLED, "74757.00", date(2026, 11, 6))
    school.moves(Basis.COUNTED, "70412.60", date(2026, 11, 13))

    [row] = figures_of(session)

    found = row.figures
    assert (found.to_review, found.to_settle, found.to_order) == (
        parse_money("4344.40"),
        parse_money("14028.30"),
        parse_money("7214.70"),
    )
    assert found.missing == found.to_review + found.to_settle + found.to_order
    assert in_percent(found.rate) == "73.35"
    assert rounded(row.gap) == "−16.24"
    assert row.standing.light is Light.YELLOW
    assert row.last_order_on == date(2026, 11, 1)


def test_a_group_is_the_sum_of_its_units(session, school):
    other = township.unit(session, "黔江区中医院", system="卫健")
    other.files("4000")
    school.buys("90000", date(2026, 5, 1))

    total = sum_figures(row.figures for row in figures_of(session))

    assert (total.reserved, total.counted) == (parse_money("100000"), parse_money("90000"))
    assert in_percent(total.rate) == "90.00"


def test_as_of_a_past_day_only_rows_up_to_that_day_count(session, school):
    school.buys("100", date(2026, 3, 20))
    school.buys("200", date(2026, 6, 30))

    assert figures_of(session, as_of=date(2026, 6, 29))[0].figures.counted == parse_money("100")
    assert figures_of(session, as_of=date(2026, 6, 30))[0].figures.counted == parse_money("300")
    assert figures_of(session)[0].figures.counted == parse_money("300")


def test_the_roll_up_and_the_rows_say_the_same(session, school):
    school.buys("100.01", date(2026, 3, 20))
    school.buys("−50.01".replace("−", "-"), date(2026, 4, 2))
    school.buys("7", date(2026, 11, 23), purpose=Purpose.UNION)

    by_months = unit_figures(session, EVERY, year=2026, as_of=TODAY, today=TODAY)
    by_rows = unit_figures(session, EVERY, year=2026, as_of=TODAY, today=date(2026, 11, 24))

    assert [row.figures for row in by_months] == [row.figures for row in by_rows]


def test_union_and_staff_purchases_stand_apart(session, school):
    school.buys("100", date(2026, 3, 20))
    school.buys("30", date(2026, 3, 21), purpose=Purpose.UNION)
    school.buys("2", date(2026, 3, 22), purpose=Purpose.STAFF)

    found = figures_of(session)[0].figures

    assert (found.counted, found.counted_canteen, found.counted_union, found.counted_staff) == (
        parse_money("132"),
        parse_money("100"),
        parse_money("30"),
        parse_money("2"),
    )
    assert found.canteen_rate < found.rate


def test_a_filing_counts_from_the_day_it_took_effect_and_the_newest_version_wins(session, school):
    school.files(
        "50000",
        version=2,
        state=FilingState.SUBMITTED,
        on=datetime(2026, 10, 1, tzinfo=UTC),
    )
    assert figures_of(session)[0].figures.reserved == parse_money("96000")

    other = township.unit(session, "黔江区中医院")
    other.files("80", version=1, state=FilingState.SUPERSEDED)
    other.files("90", version=2, on=datetime(2026, 9, 1, tzinfo=UTC))
    rows = {row.name: row for row in figures_of(session)}
    assert rows["黔江区中医院"].figures.reserved == parse_money("90")

    before = {row.name: row for row in figures_of(session, as_of=date(2026, 8, 1))}
    assert before["黔江区中医院"].figures.reserved == parse_money("80")
    in_january = figures_of(session, as_of=date(2026, 1, 5))
    assert not any(row.filed for row in in_january)


def test_units_without_a_duty_are_not_rated(session, school):
    township.unit(session, "甲无食堂", canteen=CanteenType.NONE)
    township.unit(session, "乙被代表", canteen=CanteenType.SHARED, represented_by=school)
    township.unit(session, "丙未填报")

    rows = {row.name: row for row in figures_of(session)}

    assert rows["甲无食堂"].duty is Duty.NO_CANTEEN
    assert rows["乙被代表"].duty is Duty.REPRESENTED
    assert rows["乙被代表"].representative == "黔江区实验小学"[-8:]
    assert rows["甲无食堂"].standing.light is Light.UNRATED
    assert rows["丙未填报"].standing.light is Light.BLACK


def test_a_renamed_township_keeps_the_units_of_its_old_code(session, school):  # G30
    old = township.unit(session, "水市乡卫生院", region=township.SHUISHI_BEFORE)
    new = township.unit(session, "水市镇中心小学", region=township.SHUISHI)

    scope = Scope(prefixes=tuple(prefixes(session, township.SHUISHI)))

    assert {row.unit_id for row in figures_of(session, scope)} == {old.id, new.id}


def test_a_department_sees_what_it_supervises_at_any_depth(session, school):
    department = township.organisation(session, "区教委")
    centre = township.unit(session, "学区中心校", parent=department)
    point = township.unit(session, "村小", parent=centre.organisation)

    found = figures_of(session, Scope(supervisor_id=department.id))

    assert {row.unit_id for row in found} == {centre.id, point.id}


def test_another_scope_reaches_no_unit(session, school):
    elsewhere = Scope(prefixes=("500101",), unit_id=school.id)

    assert figures_of(session, elsewhere) == []


def test_one_channel_alone(session, school):
    school.buys("100", date(2026, 3, 20))
    school.buys("40", date(2026, 4, 20), channel="national_832")

    assert figures_of(session, channel="national_832")[0].figures.counted == parse_money("40")
    assert figures_of(session)[0].figures.counted == parse_money("140")


def test_the_rows_behind_a_figure_add_up_to_it(session, school):
    for day in range(1, 8):
        school.buys("12.34", date(2026, 4, day))
    school.buys("-2.34", date(2026, 5, 1))

    listed = movement_rows(session, EVERY, Wanted(2026, TODAY, Basis.COUNTED), limit=3)

    assert (len(listed.rows), listed.count) == (3, 8)
    assert listed.amount == figures_of(session)[0].figures.counted
    assert listed.rows[0].amount == Money(-234)
    in_april = movement_rows(session, EVERY, Wanted(2026, TODAY, Basis.COUNTED, month=4))
    assert in_april.amount == Money(7 * 1234)


def test_the_course_of_two_years_and_their_rhythm(session, school):
    school.buys("60", date(2025, 3, 1))
    school.buys("20", date(2025, 11, 23))
    school.buys("20", date(2026, 1, 8), year=2025)
    school.buys("90", date(2026, 3, 1))

    found = course(session, EVERY, year=2026, as_of=TODAY)

    assert found.amount(2025) == parse_money("100")
    assert found.amount(2025, date(2025, 11, 23)) == parse_money("80")
    assert found.month(2025, 12) == parse_money("20")
    [last] = found.rhythms()
    assert in_percent(last.by_now) == "80.00"
    assert found.month(2026, 1) == ZERO


def test_the_number_of_statements_does_not_grow_with_the_units(session, school, statements):
    def count():
        statements.clear()
        figures_of(session)
        course(session, EVERY, year=2026, as_of=TODAY)
        movement_rows(session, EVERY, Wanted(2026, TODAY))
        return len(statements)

    school.buys("10", date(2026, 4, 1))
    with_one = count()
    for number in range(12):
        more = township.unit(session, f"第{number}小学")
        more.files("100")
        more.buys("10", date(2026, 4, 1))
    session.expunge_all()

    assert count() == with_one == 6
