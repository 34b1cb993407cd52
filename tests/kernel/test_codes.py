"""Codes of the country: vectors of domain.md §6."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import codes
from kernel.codes import CODE_ALPHABET, USCC_ALPHABET

TODAY = date(2026, 11, 23)

REAL = [
    "9144030071526726XG",
    "914403001922038216",
    "91110000802100433B",
    "91330100799655058B",
    "91440300708461136T",
]
INVENTED = [
    "91500114MA5YYYY01H",
    "N2500114MF12345678",
    "11500114009123453G",
    "12500114450123454G",
    "81500114MC1234566G",
]


@pytest.mark.parametrize("code", REAL + INVENTED)
def test_valid_organisation_codes(code):
    assert codes.uscc_problem(code) is None
    assert codes.uscc_problem(f" {code.lower()} ") is None
    assert codes.uscc_with_check(code[:17]) == code


@pytest.mark.parametrize("code", REAL)
def test_any_changed_character_is_found(code):
    for i, old in enumerate(code):
        for new in USCC_ALPHABET:
            if new != old:
                assert codes.uscc_problem(code[:i] + new + code[i + 1 :]) is not None


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "this has 0"),
        ("91440300708461136", "this has 17"),
        ("9144030070846113SO", "O、S never occurs"),
        ("91440300708461136A", "last character"),
    ],
)
def test_the_sentence_says_what_is_wrong(code, says):
    assert says in str(codes.uscc_problem(code))


@pytest.mark.parametrize("code", REAL)
def test_the_organisation_code_inside_has_its_own_check(code):
    assert codes.organisation_check(code[8:16]) == code[16]


@pytest.mark.parametrize(
    "number",
    ["11010519491231002X", "11010519491231002x", "500114190001010019", "500114190001010027"],
)
def test_valid_identity_numbers(number):
    assert codes.identity_problem(number, today=TODAY) is None


@pytest.mark.parametrize("prefix", ["513523", "500239", "500114"])
@pytest.mark.parametrize("born", ["19550101", "19800229", "20000229"])
def test_old_prefixes_are_as_good_as_new_ones(prefix, born):
    number = codes.identity_with_check(f"{prefix}{born}001")

    assert codes.identity_problem(number, today=TODAY) is None


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1101051949123100", "17 digits"),
        ("110105194912310020", "last character"),
        (codes.identity_with_check("11010520261301001"), "no date of birth"),
        (codes.identity_with_check("11010519490229001"), "no date of birth"),
        (codes.identity_with_check("11010520261124001"), "in the future"),
        (codes.identity_with_check("99010519491231001"), "no province"),
    ],
)
def test_what_is_no_identity_number(number, says):
    assert says in str(codes.identity_problem(number, today=TODAY))


def test_the_seventeenth_digit_says_the_sex():
    assert codes.identity_problem("500114190001010019", today=TODAY, sex="male") is None
    assert "17th" in str(codes.identity_problem("500114190001010019", today=TODAY, sex="female"))


@given(st.text(CODE_ALPHABET, min_size=4, max_size=12), st.data())
def test_a_code_survives_a_wrong_character(code, data):
    i = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(CODE_ALPHABET.replace(code[i], "")))

    changed = code[:i] + other + code[i + 1 :]

    assert codes.check_character(code) != codes.check_character(changed)


def test_new_codes_do_not_repeat():
    made = {codes.new_code() for _each in range(2000)}

    assert len(made) == 2000
    assert all(len(each) == 10 and set(each) <= set(CODE_ALPHABET) for each in made)


def test_masks_show_little():
    assert codes.mask_name("张三丰") == "张*"
    assert codes.mask_phone("13812345678") == "138****5678"
    assert codes.mask_phone("123") == "****"
    assert codes.mask_identity("500114190001010019") == "500114********0019"
