"""Who typed it nearly right is led to what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.products.rules.spelling import distance, name_of, nearest

NAMES = [
    name_of(zh, en)
    for zh, en in (
        ("太空萝卜", "Space radish"), ("魔芋粉", "Konjac flour"), ("高山白菜", "Mountain cabbage"),
        ("安心红茶", "Anxin red tea"), ("新榨茶油", "Tea-seed oil"), ("柏枝熏腊肉", "Smoked pork"),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("罗卜", "太空萝卜"), ("太空罗布", "太空萝卜"), ("lobo", "太空萝卜"),
        ("radihs", "太空萝卜"),
        ("磨芋", "魔芋粉"), ("konjack", "魔芋粉"), ("cabage", "高山白菜"), ("hongcah", "安心红茶"),
        ("熏辣肉", "柏枝熏腊肉"), ("axhc", "安心红茶"),
    ],
)  # fmt: skip
def test_a_slip_of_the_finger_or_of_the_character_is_understood(typed, meant):
    assert [name.zh for name in nearest(typed, NAMES)][:1] == [meant]


@pytest.mark.parametrize("typed", ["", "a", "！", "火龙果", "qwertyuiop", "9999"])
def test_what_is_like_nothing_is_like_nothing(typed):
    assert nearest(typed, NAMES) == []


words = st.text("abcluo", max_size=7)


@given(words, words)
def test_the_distance_is_the_same_both_ways_and_nothing_only_between_equals(one, other):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
