"""Business days are days in Shanghai."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.periods import business_day, business_year, day_end, day_start, days_gone, year_span

instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
days = st.dates(date(2000, 1, 1), date(2090, 1, 1))


def test_the_day_changes_at_sixteen_hours_utc():
    assert business_day(datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 23)
    assert business_day(datetime(2026, 11, 23, 16, 0, tzinfo=UTC)) == date(2026, 11, 24)


def test_new_year_comes_eight_hours_early():
    assert business_year(datetime(2026, 12, 31, 15, 59, tzinfo=UTC)) == 2026
    assert business_year(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == 2027


def test_a_deadline_day_ends_at_midnight():
    assert day_end(date(2026, 11, 23)) == datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@given(days)
def test_a_day_begins_and_ends_inside_itself(day):
    assert business_day(day_start(day)) == day
    assert business_day(day_end(day) - timedelta(microseconds=1)) == day
    assert day_end(day) == day_start(day + timedelta(days=1))


@given(instants)
def test_every_instant_lies_in_its_day_and_year(instant):
    day = business_day(instant)
    first, after = year_span(day.year)

    assert day_start(day) <= instant < day_end(day)
    assert first <= instant < after


def test_the_calendar_share_counts_today():
    assert days_gone(date(2026, 1, 1)) == (1, 365)
    assert days_gone(date(2026, 12, 31)) == (365, 365)
    assert days_gone(date(2028, 12, 31)) == (366, 366)
