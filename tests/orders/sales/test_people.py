"""Rows of a group purchase's sheet, judged without a database."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.money import Money, total
from orders.sales.forms import people_as_text, people_from_text
from orders.sales.queries.freight import Carriage, together
from orders.sales.rules.addresses import Place
from orders.sales.rules.days import Offer, days_offered, halves_offered
from orders.sales.rules.limits import limit_of
from orders.sales.rules.people import MOST_PEOPLE, Offered, Person, judge, people_of

YUBEI = Place("500112000000", "渝北区", "市辖区", "重庆市")
WESTLAKE = Place("330106000000", "西湖区", "杭州市", "浙江省")
PACKS = {7: Offered(2, 20, "萝卜 10 kg")}
HEAD = ["收件人", "手机号", "收货地址", "萝卜 10 kg [7]", "留言"]


def places(text):
    return [each for each in (YUBEI, WESTLAKE) if each.county in text]


def words(parcel) -> list[str]:
    return [each.message % each.values for each in parcel.problems]


def row(**given) -> Person:
    return Person(
        row=given.pop("row", 3),
        name=given.pop("name", "林女士"),
        phone=given.pop("phone", "138 5550 1234"),
        address=given.pop("address", "重庆市渝北区龙山街道松牌路 8 号"),
        **given,
    )


def test_a_right_row_becomes_a_parcel_with_what_the_basket_holds():
    [parcel] = judge([row()], PACKS, places)

    assert parcel.problems == []
    assert (parcel.phone, parcel.region) == ("13855501234", YUBEI.code)
    assert parcel.address == "重庆市渝北区 龙山街道松牌路 8 号"
    assert parcel.counts == {7: 2}


def test_a_number_in_the_row_counts_instead_of_the_baskets_also_in_full_width():
    three, none = judge([row(counts={7: "３"}), row(counts={7: "0"}, name="陈先生")], PACKS, places)
    assert three.counts == {7: 3}
    assert words(none) == ["Nothing is for this person; delete the row, or enter how many."]


def test_everything_that_is_wrong_with_a_row_is_said_at_once():
    [parcel] = judge(
        [row(name="", phone="1385550123", address="朝阳路 3 号", counts={7: "21"})], PACKS, places
    )
    assert words(parcel) == [
        "The name is missing.",
        "1385550123 is no phone number; a mobile one has 11 digits.",
        "Write province, city and district first, such as 重庆市渝北区.",
        "萝卜 10 kg: a whole number from 0 to 20.",
    ]


def test_the_same_person_twice_is_named_with_the_first_row_and_two_at_one_phone_are_not():
    first, again, colleague = judge(
        [row(row=3), row(row=4, phone="13855501234"), row(row=5, name="陈先生")], PACKS, places
    )
    assert first.problems == []
    assert colleague.problems == []
    assert words(again) == ["The same person at the same address as in row 3."]


def test_a_sheet_is_read_below_its_headings_and_sums_and_empty_rows_are_left_aside():
    people, problem = people_of(
        [
            ["Who gets a parcel", "", "", "", ""],
            HEAD,
            ["林女士", "13855501234", "重庆市渝北区龙山街道 8 号", "3", "先打电话"],
            ["", "", "", "", ""],
            ["合计", "", "", "3", ""],
        ]
    )
    assert problem is None
    [person] = people
    assert (person.row, person.name, person.note) == (3, "林女士", "先打电话")
    assert person.counts == {7: "3"}


def test_a_sheet_of_no_use_says_why():
    for rows, says in (
        ([["甲", "乙"]], "headings are missing"),
        ([HEAD], "nothing below"),
        (
            [HEAD, *(["某", "1", "二", "", ""] for _ in range(MOST_PEOPLE + 1))],
            "At most 200 people",
        ),
    ):
        people, problem = people_of([list(each) for each in rows])
        assert people == []
        assert problem is not None
        assert says in problem.message % problem.values


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            Person,
            row=st.integers(1, 999),
            name=st.text(max_size=8),
            phone=st.text(max_size=8),
            address=st.text(max_size=8),
            note=st.text(max_size=8),
            counts=st.dictionaries(st.integers(1, 99), st.text(max_size=3), max_size=3),
        ),
        max_size=5,
    )
)
def test_what_was_typed_is_kept_as_it_is_and_anything_can_be_judged(people):
    assert people_from_text(people_as_text(people)) == people
    parcels = judge(people, PACKS, places)
    assert [each.person for each in parcels] == people
    assert all(each.problems or each.counts for each in parcels)


@given(st.integers(1, 50), st.integers(1, 60), st.integers(0, 80))
def test_what_is_left_of_a_limit_is_never_below_nothing_and_never_above_it(most, days, bought):
    limit = limit_of(most, days)
    assert limit is not None
    assert 0 <= limit.left(bought) <= most
    today = date(2026, 11, 23)
    assert limit.since(today) == today - timedelta(days=days - 1)
    assert limit_of(None, days) is None


@given(st.sets(st.integers(1, 7), min_size=1), st.integers(0, 10))
def test_days_are_those_that_all_offer_and_none_is_too_soon(weekdays, lead):
    today = date(2026, 11, 23)
    offer = Offer("".join(map(str, sorted(weekdays))), True, lead)
    days = days_offered([offer, Offer("1234567", False, 0)], today)
    assert days
    assert all(each.isoweekday() in weekdays for each in days)
    assert min(days) >= today + timedelta(days=lead)
    assert days_offered([offer, None], today) == []
    assert not halves_offered([offer, Offer("1", False, 0)])


PARCELS = st.lists(
    st.lists(
        st.builds(
            Carriage,
            st.integers(1, 3),
            st.just(1),
            st.integers(0, 9_000),
            st.one_of(st.none(), st.integers(0, 9_000).map(Money)),
        ),
        max_size=3,
        unique_by=lambda each: each.supplier_id,
    ),
    max_size=6,
)


@given(PARCELS)
def test_the_carriage_of_an_order_is_that_of_its_parcels_to_the_fen(parcels):
    found = together(parcels)
    every = [each for parcel in parcels for each in parcel]
    assert sum(each.grams for each in found) == sum(each.grams for each in every)
    for each in found:
        theirs = [one.amount for one in every if one.supplier_id == each.supplier_id]
        if None in theirs:
            assert each.amount is None, "one place that is not served is enough"
        else:
            assert each.amount == total(theirs)
