"""What is promised of a parcel's arrival."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money
from orders.sales.rules.freight import Zone, problems_of
from orders.sales.rules.travelling import arrives_by, leaves_on, usual_days
from shop.storefront.promising import days_to, in_time, promise_to
from shop.storefront.queries.travel import Sender

MORNING = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
CHONGQING, YUBEI, BEIJING = "500000000000", "500112000000", "110000000000"


def test_before_four_it_leaves_the_next_day_and_after_it_the_day_after():
    assert leaves_on(MORNING) == date(2026, 11, 24)
    assert leaves_on(MORNING.replace(hour=7, minute=59)) == date(2026, 11, 24)
    assert leaves_on(MORNING.replace(hour=8)) == date(2026, 11, 25), "16:00 in Shanghai"
    assert leaves_on(MORNING.replace(hour=16)) == date(2026, 11, 25), "midnight: a new day begins"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.integers(1, 30))
def test_it_never_leaves_later_than_forty_eight_hours_and_arrives_after_it_left(moment, days):
    now = moment.replace(tzinfo=UTC)
    leaves = leaves_on(now)
    here = now.astimezone().date()
    assert timedelta(0) <= leaves - here <= timedelta(days=3)
    assert arrives_by(now, days) == leaves + timedelta(days=days)


def test_the_nearest_zone_says_the_days_and_what_it_does_not_say_is_usual():
    zones = (
        Zone(region=CHONGQING, first_fee=Money(600), days=3), Zone(region=YUBEI, days=1),
        Zone(region="650000000000", served=False), Zone(region="", first_fee=Money(1_000)),
    )  # fmt: skip
    sender = Sender(1, "500114125000", zones)
    assert [days_to(sender, each) for each in (YUBEI, CHONGQING, BEIJING)] == [1, 3, 4]
    assert days_to(sender, "650100000000") is None
    assert (usual_days("500114", "500112"), usual_days("500114", "110101")) == (2, 4)
    promise = promise_to(sender, YUBEI, "渝北", grams=5_000, price=Money(3_300), now=MORNING)
    assert (promise.freight, promise.arrives) == (ZERO, date(2026, 11, 25))
    unserved = promise_to(sender, "650100000000", "", grams=1, price=ZERO, now=MORNING)
    assert unserved.freight is None


def test_in_time_are_those_who_send_there_and_are_quick_enough():
    near, far = Sender(1, "500114", (Zone(region="", days=1),)), Sender(2, "500114", ())
    none = Sender(3, "500114", (Zone(region="11", days=1),))
    assert in_time([near, far, none], YUBEI, date(2026, 11, 25), MORNING) == [1]
    assert in_time([near, far, none], YUBEI, date(2026, 11, 26), MORNING) == [1, 2]
    assert in_time([near, far, none], YUBEI, date(2026, 11, 24), MORNING) == []


def test_a_parcel_is_at_least_a_day_on_the_road():
    for days in (0, -1, 31):
        assert problems_of([Zone(region="", days=days)]).keys() == {0}
    assert problems_of([Zone(region="", days=30)]) == {}
