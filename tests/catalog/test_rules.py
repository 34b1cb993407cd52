"""The pure rules of the catalogue: weights, yields, codes, costs, and who may see what."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.households import rules as privacy
from catalog.households.rules import Detail, Display, Viewer
from catalog.lots import rules
from catalog.products.rules import in_season
from catalog.suppliers.rules import lapsed, stops
from kernel.actors import Role
from kernel.codes import CODE_ALPHABET
from kernel.money import Price
from kernel.quantities import BaseUnit


def test_the_slip_of_the_picture_comes_out_to_the_fen():
    net = rules.net_weight(128_400, 3_200, 300)
    assert net == 121_444
    assert Price(32_000).of(net, BaseUnit.GRAM).fen == 38_862


def test_the_plausible_yield_of_the_picture():
    assert rules.plausible_g(120, 2_500) == 3_300_000


@given(gross=st.integers(1, 10**7), tare=st.integers(0, 10**6), deduction=st.integers(0, 9_999))
def test_net_lies_between_nothing_and_gross_less_tare(gross, tare, deduction):
    if tare >= gross:
        return
    net = rules.net_weight(gross, tare, deduction)
    assert 0 <= net <= gross - tare
    assert abs(net * 10_000 - (gross - tare) * (10_000 - deduction)) <= 5_000


def test_a_lot_code_reads_as_the_standard_says_and_finds_a_wrong_character():
    code = rules.lot_code("500114125000", "R01", date(2026, 11, 8), 1)
    assert code.startswith("500114125-R01-261108-001-")
    assert rules.lot_code_is_whole(code)
    for place, character in enumerate(code):
        for other in CODE_ALPHABET[::5]:
            if character != "-" and other != character:
                assert not rules.lot_code_is_whole(code[:place] + other + code[place + 1 :])


@given(
    quantity=st.integers(1, 500_000),
    cost=st.integers(0, 10**7),
    steps=st.lists(st.tuples(st.booleans(), st.integers(1, 100)), max_size=20),
    ends_sold=st.booleans(),
)
def test_whatever_empties_a_contribution_its_costs_add_up(quantity, cost, steps, ends_sold):
    left, sold, gone, total = quantity, 0, 0, 0
    for is_sale, percent in [*steps, (ends_sold, 100)]:
        part = left * percent // 100
        if is_sale:
            before = rules.cost_up_to(cost, quantity, sold)
            sold += part
            total += rules.cost_up_to(cost, quantity, sold) - before
        else:
            total += rules.cost_from_the_top(cost, quantity, gone, part)
            gone += part
        left -= part
    assert left == 0
    assert total == cost


parts = st.lists(
    st.builds(
        rules.Part,
        st.one_of(st.none(), st.integers(1, 6)),
        st.integers(1, 10**6),
        st.integers(0, 10**6),
    ),
    min_size=1,
    max_size=12,
)


@given(parts, st.integers(1, 10**6))
def test_processing_loses_no_unit_and_no_fen(inputs, output):
    carried = rules.carry_over(inputs, [output])[0]
    assert sum(part.quantity for part in carried) == output
    assert sum(part.cost for part in carried) == sum(part.cost for part in inputs)
    assert all(part.quantity > 0 for part in carried)
    assert len({part.household_id for part in carried}) == len(carried)


@given(parts)
def test_a_household_has_the_part_of_the_output_that_it_had_of_the_input(inputs):
    whole = sum(part.quantity for part in inputs)
    carried = {part.household_id: part for part in rules.carry_over(inputs, [whole])[0]}
    for household, part in carried.items():
        mine = [each for each in inputs if each.household_id == household]
        assert part.quantity == sum(each.quantity for each in mine)
        assert part.cost == sum(each.cost for each in mine)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.data())
def test_drawing_evenly_never_takes_what_is_not_there(frees, data):
    if not sum(frees):
        return
    quantity = data.draw(st.integers(1, sum(frees)))
    taken = rules.draw_evenly(quantity, frees)
    assert sum(taken) == quantity
    assert all(0 <= part <= free for part, free in zip(taken, frees, strict=True))


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0"), (1, "<5"), (3, "<5"), (4, "<5"), (5, "5"), (36, "36")]
)
def test_a_public_count_below_five_is_hidden(count, shown):
    assert privacy.shown_count(count) == shown


@given(st.lists(st.integers(0, 60), max_size=9))
def test_a_hidden_count_cannot_be_found_by_subtraction(counts):
    shown = privacy.shown_counts(counts)
    hidden = [c for c in counts if 0 < c < 5]
    if len(hidden) == 1 and any(c >= 5 for c in counts):
        assert sum(text.endswith("+") for text in shown) == 1
    for count, text in zip(counts, shown, strict=True):
        if 0 < count < 5:
            assert text == "<5"
        elif text.endswith("+"):
            assert int(text[:-1]) <= count < int(text[:-1]) + 5
        else:
            assert text == str(count)


SECRETS = {
    Detail.NAME: "张三丰",
    Detail.IDENTITY: "500114190001010019",
    Detail.PHONE: "13812345678",
    Detail.ACCOUNT: "6217001234567890123",
}


def test_the_matrix_of_who_sees_what():
    def row(detail):
        return [privacy.shown(detail, SECRETS[detail], viewer) for viewer in Viewer]

    masked, ends = "500114********0019", "****0019"
    full, stars = "张三丰", "张*"
    assert row(Detail.NAME) == ["", stars, stars, full, full, full, full, stars, stars]
    assert row(Detail.IDENTITY) == ["", "", "", ends, masked, masked, masked, masked, masked]
    phone, hidden = "13812345678", "138****5678"
    assert row(Detail.PHONE) == ["", "", "", hidden, phone, phone, hidden, hidden, hidden]
    last = "****0123"
    assert row(Detail.ACCOUNT) == ["", "", "", last, last, last, last, "", last]


def test_nobody_but_those_who_must_know_sees_who_is_poor():
    for viewer in (Viewer.PUBLIC, Viewer.BUYER):
        assert privacy.display(Detail.STATUS, viewer) is Display.NEVER
    assert privacy.display(Detail.STATUS, Viewer.SUPPLIER) is Display.COUNT_ONLY


def test_whoever_has_no_place_in_the_matrix_sees_what_the_public_sees():
    assert privacy.viewer_of(None) is Viewer.PUBLIC
    assert privacy.viewer_of(Role.OPERATOR) is Viewer.PUBLIC
    assert {privacy.viewer_of(role) for role in (Role.WEIGHER, Role.MANAGER)} == {Viewer.SUPPLIER}


def test_an_old_prefix_is_only_worth_a_second_look():
    assert privacy.identity_is_foreign("513523190001010015", "500114125201")
    assert not privacy.identity_is_foreign("500114190001010019", "500114125201")


def test_a_season_may_run_over_new_year():
    winter = [["11-20", "02-10"]]
    assert in_season(winter, date(2026, 12, 31))
    assert in_season(winter, date(2027, 1, 1))
    assert not in_season(winter, date(2027, 3, 1))
    assert in_season([["10-10", "12-20"]], date(2026, 12, 20))
    assert not in_season([], date(2026, 12, 20))


def test_only_what_needs_the_certificate_is_stopped():
    today = date(2026, 11, 23)
    held = [
        ("licence", None),
        ("food_production", date(2026, 11, 22)),
        ("green_food", date(2020, 1, 1)),
    ]
    gone = lapsed(held, today)
    assert gone == {"food_production", "green_food"}
    assert stops(gone, fresh=False)
    assert not stops(gone, fresh=True)
    assert stops({"licence"}, fresh=True)
    renewed = [*held, ("food_production", date(2031, 11, 22))]
    assert lapsed(renewed, today) == {"green_food"}


def test_a_yield_is_judged_on_whole_numbers():
    assert rules.within_band(12_000, 1_000, (833, 1_000))
    assert not rules.within_band(12_005, 1_000, (833, 1_000))
    assert rules.within_band(3, 1, None)
    assert not rules.within_band(100, 101, rules.USUAL_BANDS["dry"])


def test_one_person_writes_off_little_only():
    assert rules.may_write_off_alone(2_000, 100_000, 10_000)
    assert not rules.may_write_off_alone(2_001, 100_000, 10_000)
    assert not rules.may_write_off_alone(2_000, 100_000, 10_001)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500), st.integers(-9, 9))
def test_two_counters_agree_whatever_left_between_them(book, moved, other, off):
    """Each is compared with the book at its own moment."""
    first = rules.Counted(book + off, book)
    second = rules.Counted(max(0, book - moved) + off, max(0, book - moved))
    assert rules.agreed_difference(first, second) == off
    assert rules.agreed_difference(first, None) is None
    wrong = rules.Counted(second.counted + 1 + other, second.book)
    assert rules.agreed_difference(first, wrong) is None


@given(st.integers(1, 10_000), st.lists(st.integers(0, 3_000), min_size=1, max_size=8))
def test_what_is_found_goes_back_to_who_lost_it_and_never_more(more, rooms):
    back, rest = rules.spread_surplus(more, rooms)
    assert sum(back) + rest == more
    assert all(0 <= got <= room for got, room in zip(back, rooms, strict=True))
    assert rest == 0 or back == rooms
