"""Numbers, codes, points and what households got: without a database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.suppliers import rules
from catalog.suppliers.models import MOVES, SupplierState
from catalog.suppliers.rules import Paid
from catalog.suppliers.rules.certificates import check_digit
from kernel.codes import uscc_problem

TODAY = date(2026, 11, 23)
VALID = {
    "licence": "91440300708461136T",
    "food_production": "SC11650011400019",
    "food_trade": "JY15001140000001",
    "green_food": "LB-44-22110012345A",
    "organic": "20260101234567890",
    "geographical": "AGI01234",
    "small_workshop": "渝坊500114001",
    "test_report": "NO.2026-118",
}


@pytest.mark.parametrize(("kind", "number"), VALID.items())
def test_a_number_of_each_kind_is_accepted(kind, number):
    assert rules.number_problem(kind, number) is None


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("food_production", "SC1165001140001"),
        ("food_production", "SC116500114000199"),
        ("food_production", "sc11650011400019"),
        ("food_trade", "JX15001140000001"),
        ("food_trade", "YB1500114000001"),
        ("green_food", "LB-44-1234"),
        ("organic", "2026010123456789"),
        ("geographical", "AGI"),
        ("test_report", "7"),
    ],
)
def test_a_number_of_another_pattern_is_refused_with_a_sentence(kind, number):
    assert str(rules.number_problem(kind, number))


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 13), st.integers(1, 9))
def test_any_single_wrong_digit_of_a_production_licence_is_found(body, place, shift):
    whole = body + check_digit(body)
    assert rules.number_problem("food_production", "SC" + whole) is None
    wrong = whole[:place] + str((int(whole[place]) + shift) % 10) + whole[place + 1 :]
    assert rules.number_problem("food_production", "SC" + wrong) is not None


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ"))
def test_any_single_wrong_character_of_a_credit_code_is_found(place, other):
    """G22: I, O and a wrong check are refused with the reason."""
    code = "914403001922038216"
    changed = code[:place] + other + code[place + 1 :]
    assert (uscc_problem(changed) is None) == (changed == code)
    if other in "IOSVZ":
        assert other in str(uscc_problem(changed))


def test_a_cooperative_s_code_begins_with_93_and_91_is_only_worth_a_look():
    """G22."""
    assert rules.uscc_doubt("cooperative", "93500114MF7226840P") is None
    assert "91" in str(rules.uscc_doubt("cooperative", "91500114MA5YYYY01H"))
    assert rules.uscc_doubt("company", "91500114MA5YYYY01H") is None
    assert rules.uscc_doubt("collective", "N2500114MF12345678") is None


def test_warnings_are_due_at_30_15_and_7_days_and_made_up_for():
    due = [rules.warning_due(TODAY + timedelta(days=left), TODAY) for left in range(-1, 32)]
    assert due == [None, *[7] * 8, *[15] * 8, *[30] * 15, None]


def test_every_way_ends_and_nothing_leads_out_of_removed():
    reachable, ahead = {SupplierState.DRAFT}, [SupplierState.DRAFT]
    while ahead:
        here = ahead.pop()
        for frm, to in MOVES:
            if frm is here and to not in reachable:
                reachable.add(to)
                ahead.append(to)
    assert reachable == set(SupplierState)
    assert not [to for frm, to in MOVES if frm is SupplierState.REMOVED]
    backwards = [
        move
        for (frm, to), move in MOVES.items()
        if to is SupplierState.DRAFT and frm is not SupplierState.APPLIED
    ]
    assert all(move.reason for move in backwards)


def test_points_are_lost_by_what_went_wrong_and_come_back_after_two_years():
    long_ago, lately = TODAY - timedelta(days=731), TODAY - timedelta(days=10)
    assert rules.credit_points([("admitted", lately)], TODAY) == 100
    assert rules.credit_points([("rectifying", lately), ("suspended", long_ago)], TODAY) == 90
    assert rules.credit_points([("suspended", lately)] * 5, TODAY) == 0


def paid(household, amount, *, kind="order", on=TODAY, cost=0):
    return Paid(household, kind, on, amount, cost)


def count(*payments, statuses=None, begin=date(2026, 1, 1), end=date(2026, 12, 31)):
    return rules.effect(payments, statuses or {}, begin=begin, end=end)


def test_a_household_counts_once_however_often_and_by_whatever_way_it_is_paid():
    found = count(paid(1, 10_000), paid(1, 5_000, kind="work"), paid(2, 20_001, cost=1))
    assert (found.households, found.gross, found.net) == (2, 35_001, 35_000)
    assert (found.gross_each, found.net_each) == (17_501, 17_500)
    assert found.by_mechanism == {"order": (2, 30_001), "work": (1, 5_000)}


def test_neither_inputs_alone_nor_what_was_taken_back_nor_another_year_counts():
    found = count(
        paid(1, 9_000, kind="input"),
        paid(2, 7_000),
        paid(2, -7_000),
        paid(3, 100, on=date(2025, 12, 31)),
        paid(4, 100, on=date(2026, 12, 31)),
    )
    assert (found.households, found.gross) == (1, 100)
    assert count().gross_each == 0


def test_the_status_is_the_one_of_the_day_of_payment():
    """Lifted in 2020, monitored from June: paid in May it is not monitored yet."""
    status = {1: [(date(2026, 6, 1), True, True), (date(2020, 1, 1), True, False)]}
    in_may = count(paid(1, 1, on=date(2026, 5, 31)), statuses=status)
    in_june = count(paid(1, 1, on=date(2026, 6, 1)), statuses=status)
    assert (in_may.lifted, in_may.monitored) == (1, 0)
    assert (in_june.lifted, in_june.monitored) == (1, 1)
    before = count(paid(1, 1, on=date(2026, 5, 31)), statuses={1: [(date(2026, 6, 1), True, True)]})
    assert before.lifted == 0


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5),
            st.integers(-500, 2_000),
            st.sampled_from(["order", "land", "work", "input", "rebate"]),
        ),
        max_size=30,
    )
)
def test_the_parts_add_up_and_nobody_counts_without_money(rows):
    found = count(*(paid(home, amount, kind=kind) for home, amount, kind in rows))
    assert sum(fen for _, fen in found.by_mechanism.values()) == found.gross
    assert 0 <= found.households <= len({home for home, _, _ in rows})
    with_money = {
        home
        for home in range(1, 6)
        if sum(a for h, a, kind in rows if h == home and kind != "input") > 0
    }
    assert found.households == len(with_money)
