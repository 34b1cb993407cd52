"""The golden cases of domain.md §9b that the rules of reserved shares decide alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.money import ZERO, Money, parse_money, parse_price
from kernel.quantities import BaseUnit
from orders.agencies.rules import accepting, counting, filing, terms
from orders.agencies.rules.counting import COUNTED, ORDERED, SETTLED, CountingPolicy, History
from orders.agencies.rules.filing import Declaration, Doubt, LastYear, Representative

SCHOOL = Declaration(
    unit_id=1,
    canteen_type="own",
    base=parse_money("480000.00"),
    ratio_bp=1000,
    contact="冉老师",
    contact_phone="13900000001",
    diners=1240,
)


def faults(declared, *, floor=1000, last_year=None):
    return filing.faults(declared, floor_bp=floor, last_year=last_year)


def doubts(declared, *, floor=1000, last_year=None):
    return filing.doubts(declared, floor_bp=floor, last_year=last_year)


def test_g1_ten_percent_of_480_000_is_48_000():
    assert filing.reserved_share("own", SCHOOL.base, 1000) == parse_money("48000.00")
    assert faults(SCHOOL) == {}
    assert doubts(SCHOOL) == []


def test_g2_below_the_floor_is_refused():
    assert set(faults(replace(SCHOOL, ratio_bp=999))) == {"ratio_bp"}


def test_g3_an_exemption_lowers_the_floor_and_is_flagged():
    exempt = replace(SCHOOL, ratio_bp=800, exemption="财库函〔2026〕12号")
    assert faults(exempt) == {}
    assert doubts(exempt) == [Doubt.BELOW_THE_FLOOR_BY_EXEMPTION]


def test_g4_without_a_canteen_nothing_is_reserved():
    without = replace(SCHOOL, canteen_type="none", base=ZERO, ratio_bp=0)
    assert filing.reserved_share("none", parse_money("480000"), 1000) == ZERO
    assert not filing.must_reserve("none")
    assert faults(without) == {}
    assert filing.union_duty("none", parse_money("60000"), None) == ZERO


def test_g5_a_region_may_ask_for_a_share_of_union_funds():
    assert filing.union_duty("none", parse_money("60000"), 2000) == parse_money("12000")
    assert filing.union_duty("own", parse_money("60000"), 2000) == ZERO


def test_g6_whoever_is_represented_represents_nobody():
    shared = replace(SCHOOL, canteen_type="shared", base=ZERO, ratio_bp=0)
    leading = Representative(unit_id=2, canteen_type="shared_leading", represented=False)
    assert faults(replace(shared, representative=leading)) == {}
    for wrong in (
        None,
        replace(leading, unit_id=1),
        replace(leading, represented=True, canteen_type="shared"),
        replace(leading, canteen_type="own"),
    ):
        assert set(faults(replace(shared, representative=wrong))) == {"representative_id"}
    chain = replace(shared, representative=leading, represents_others=True)
    assert set(faults(chain)) == {"representative_id"}


STRICT = CountingPolicy(
    needs_review=True,
    countable_channels=frozenset({"platform"}),
    by_completion=True,
    freight_counts=False,
)
PAID = History(
    channel="platform",
    ordered_on=date(2026, 11, 1),
    goods=Money(10_000),
    accepted=Money(9_500),
    accepted_on=date(2026, 11, 5),
    paid_on=date(2026, 11, 20),
)


def test_g8_an_order_without_a_review_counts_nothing_yet():
    found = counting.figures(PAID, STRICT)
    assert found == {(ORDERED, 2026): Money(9_500), (SETTLED, 2026): Money(9_500)}
    reviewed = replace(PAID, reviewed_on=date(2026, 11, 21))
    assert counting.figures(reviewed, STRICT)[COUNTED, 2026] == Money(9_500)
    lenient = replace(STRICT, needs_review=False)
    assert counting.figures(PAID, lenient)[COUNTED, 2026] == Money(9_500)


def test_g9_the_policy_says_which_year_an_order_of_december_counts_for():
    late = replace(
        PAID,
        ordered_on=date(2026, 12, 20),
        accepted_on=date(2026, 12, 24),
        paid_on=date(2027, 1, 4),
        reviewed_on=date(2027, 1, 5),
    )
    by_completion = counting.figures(late, STRICT)
    assert by_completion == {
        (ORDERED, 2027): Money(9_500),
        (SETTLED, 2027): Money(9_500),
        (COUNTED, 2027): Money(9_500),
    }
    by_order = counting.figures(late, replace(STRICT, by_completion=False))
    assert {year for _, year in by_order} == {2026}
    assert counting.month_of(date(2027, 1, 5), 2026) == 12
    assert counting.month_of(date(2027, 1, 5), 2027) == 1


def test_g11_one_purchase_counts_once_whoever_brings_it():
    assert counting.duplicates(["832-77", None, "832-78", " 832-77 ", None, "832 - 78"]) == [3, 5]


def test_an_order_elsewhere_does_not_count_here():
    offline = replace(PAID, channel="offline", reviewed_on=date(2026, 11, 21))
    assert (COUNTED, 2026) not in counting.figures(offline, STRICT)
    assert counting.figures(offline, STRICT)[SETTLED, 2026] == Money(9_500)


def test_freight_counts_where_the_policy_says_so():
    with_freight = replace(PAID, freight=Money(500))
    assert counting.figures(with_freight, STRICT)[SETTLED, 2026] == Money(9_500)
    policy = replace(STRICT, freight_counts=True)
    assert counting.figures(with_freight, policy)[SETTLED, 2026] == Money(10_000)


def test_g12_what_is_short_or_rejected_is_not_paid():
    taken = accepting.Taken(shipped=200_000, weighed=196_000, rejected=6_000)
    assert (taken.accepted, taken.short, taken.over) == (190_000, 4_000, 0)
    amount = accepting.payable(taken.accepted, parse_price("6.00"), BaseUnit.GRAM)
    assert amount == parse_money("1140.00")


def test_what_came_over_is_not_paid():
    taken = accepting.Taken(shipped=150_000, weighed=150_600, rejected=0)
    assert (taken.accepted, taken.over) == (150_000, 600)


def test_a_lower_price_is_one_rounding_of_the_line():
    amount = accepting.payable(30_000, parse_price("5.00"), BaseUnit.GRAM, 1_000)
    assert amount == parse_money("135.00")
    assert accepting.payable(33, parse_price("0.50"), BaseUnit.PIECE, 3_333) == Money(1_100)


def test_g13_thirty_days_by_law_sixty_at_most():
    assert terms.due_on(date(2026, 8, 1)) == date(2026, 8, 31)
    assert terms.term_problem(60) is None
    assert terms.term_problem(75) is not None
    assert terms.term_problem(0) is not None


def test_g14_twelve_days_late_cost_291_60():
    assert terms.late_interest(parse_money("48600.00"), 12) == parse_money("291.60")
    assert terms.late_interest(ZERO, 12) == ZERO


@pytest.mark.parametrize(
    ("late", "bucket"),
    [(-3, "not_due"), (0, "not_due"), (1, "days_1_to_30"), (30, "days_1_to_30"),
     (31, "days_31_to_60"), (61, "days_61_to_90"), (91, "over_90_days")],
)  # fmt: skip
def test_debts_age_in_five_buckets(late, bucket):
    due = date(2026, 8, 31)
    assert terms.age(due, date.fromordinal(due.toordinal() + late)).value == bucket


def test_filing_closes_at_midnight_in_shanghai():
    opens, closes = date(2026, 2, 1), date(2026, 3, 20)
    last_second = datetime(2026, 3, 20, 15, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 3, 20, 16, 0, 0, tzinfo=UTC)
    assert filing.window_problem(opens, closes, last_second) is None
    assert filing.window_problem(opens, closes, midnight) is not None
    assert filing.window_problem(opens, closes, datetime(2026, 1, 31, 15, 59, 59, tzinfo=UTC))
    assert not filing.window_problem(opens, closes, datetime(2026, 1, 31, 16, tzinfo=UTC))


def test_less_than_last_year_must_be_explained():
    last = LastYear(base=parse_money("500000"), reserved=parse_money("50000"))
    assert set(faults(SCHOOL, last_year=last)) == {"explanation"}
    explained = replace(SCHOOL, explanation="学生减少")
    assert faults(explained, last_year=last) == {}
    assert doubts(explained, last_year=last) == [Doubt.SHARE_FELL_WITH_EXPLANATION]


def test_a_base_that_jumps_or_feeds_nobody_is_doubted():
    last = LastYear(base=parse_money("300000"), reserved=parse_money("30000"))
    assert doubts(SCHOOL, last_year=last) == [Doubt.BASE_CHANGED_BY_MORE_THAN_30_PERCENT]
    assert doubts(replace(SCHOOL, diners=1)) == [Doubt.IMPLAUSIBLE_AMOUNT_PER_MEAL]


@pytest.mark.parametrize("phone", ["123", "1390000000", "023-7920", "abc"])
def test_a_phone_that_nobody_can_call_is_refused(phone):
    assert set(faults(replace(SCHOOL, contact_phone=phone))) == {"contact_phone"}


@pytest.mark.parametrize(
    ("net_g", "milligrams"),
    [(50, 4_500), (100, 4_500), (200, 9_000), (300, 9_000), (500, 15_000), (1_000, 15_000),
     (10_000, 150_000), (15_000, 150_000), (50_000, 500_000)],
)  # fmt: skip
def test_packed_goods_may_fall_short_by_the_national_table(net_g, milligrams):
    assert accepting.prepacked_allowance(net_g) == milligrams


def test_every_fault_of_a_line_is_said_at_once():
    taken = accepting.Taken(shipped=10_000, weighed=10_000, rejected=2_000)
    found = accepting.faults(taken, reason="", disposition=None, deduction_bp=0)
    assert set(found) == {"reason", "disposition"}
    more = accepting.Taken(shipped=10_000, weighed=4_000, rejected=5_000)
    assert "rejected" in accepting.faults(
        more, reason="rotten", disposition="return", deduction_bp=0
    )


@given(
    shipped=st.lists(st.integers(1, 10**7), min_size=1, max_size=12),
    data=st.data(),
)
def test_a_delivery_is_shared_over_its_slices_to_the_gram(shipped, data):
    accepted = data.draw(st.integers(0, sum(shipped)))
    returned = data.draw(st.integers(0, sum(shipped) - accepted))
    parts = accepting.share_slices(shipped, accepted=accepted, returned=returned)
    assert sum(part.accepted for part in parts) == accepted
    assert sum(part.returned for part in parts) == returned
    for whole, part in zip(shipped, parts, strict=True):
        assert part.shipped == whole
        assert 0 <= part.accepted <= part.consumed <= whole


histories = st.builds(
    History,
    channel=st.sampled_from(["platform", "national_832", "offline"]),
    ordered_on=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    goods=st.integers(1, 10**8).map(Money),
    freight=st.integers(0, 10**5).map(Money),
    dropped=st.booleans(),
    accepted=st.integers(0, 10**8).map(Money),
    accepted_on=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    paid_on=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    reviewed_on=st.none() | st.dates(date(2025, 1, 1), date(2027, 12, 31)),
)
policies = st.builds(
    CountingPolicy,
    needs_review=st.booleans(),
    countable_channels=st.frozensets(st.sampled_from(["platform", "national_832", "offline"])),
    by_completion=st.booleans(),
    freight_counts=st.booleans(),
)


@given(before=histories, after=histories, policy=policies)
def test_moves_lead_from_one_standing_to_the_next(before, after, policy):
    start, end = counting.figures(before, policy), counting.figures(after, policy)
    steps = counting.moves(start, end)
    assert all(steps.values())
    for key in {*start, *end, *steps}:
        assert start.get(key, ZERO) + steps.get(key, ZERO) == end.get(key, ZERO)
    assert counting.moves(end, end) == {}


@given(history=histories, policy=policies)
def test_in_every_year_what_counts_was_settled_and_what_was_settled_was_ordered(history, policy):
    found = counting.figures(history, policy)
    for year in {year for _, year in found}:
        ordered, settled, counted = (found.get((basis, year), ZERO) for basis in counting.BASES)
        assert settled in (ZERO, ordered)
        assert counted in (ZERO, settled)
    assert len({year for _, year in found}) <= 1
