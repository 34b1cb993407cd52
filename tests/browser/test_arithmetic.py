"""The scale in the browser computes what the server computes: one table of cases proves both."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.lots import rules
from kernel.money import Money, Price
from kernel.quantities import BaseUnit, parse_quantity
from kernel.text import plain_number
from tests.conftest import ROOT

weights = st.integers(1, 100_000_000)


@given(weights, st.integers(0, 10**8 - 1), st.integers(0, 9_999))
def test_net_is_what_is_left_rounded_half_up_once(gross, tare, deduction):
    tare %= gross
    net = rules.net_weight(gross, tare, deduction)
    exactly = (gross - tare) * (10_000 - deduction)
    assert 0 <= net <= gross - tare
    assert -10_000 <= 2 * (exactly - net * 10_000) < 10_000


@given(weights, st.integers(1, 10**7))
def test_an_amount_is_net_times_price_rounded_half_up_once(net, price):
    amount = Price(price).of(net, BaseUnit.GRAM)
    rest = net * price - amount.fen * 100_000
    assert -100_000 <= 2 * rest < 100_000
    assert isinstance(amount, Money)


def cases():
    """gross, tare, deduction, price: chance, the edges, and everything that ends in a half."""
    chance = Random(45)
    found = [
        (128_400, 3_200, 300, 32_000), (1, 0, 0, 1), (1, 0, 5_000, 50_000), (3, 0, 5_000, 50_000),
        (100_000_000, 0, 0, 10**9), (100_000_000, 99_999_999, 9_999, 1), (10_000, 0, 9_999, 47_000),
        (5_000, 0, 1, 10_000), (15_000, 0, 1, 20_000), (25_000, 5_000, 50, 23_450),
    ]  # fmt: skip
    for _ in range(3_000):
        gross = chance.choice((chance.randint(1, 10**5), chance.randint(1, 10**8)))
        deduction = chance.choice((0, 100, 250, 5_000, chance.randint(0, 9_999)))
        found.append((gross, chance.randrange(gross), deduction, chance.randint(1, 10**6)))
    return found


TYPED = ("128.4", "128.40kg", "１２８．４", "25斤", "3 两", "1,284", "0.0004", "", "-5", "1e3",
         "300g", "2t", "12。5", "公斤", "9999999999", "0.001", "1.0000000", "7 KG")  # fmt: skip


def said_by_us(typed):
    try:
        return parse_quantity(plain_number(typed or "0"), BaseUnit.GRAM)
    except ValueError:
        return None


@pytest.mark.browser
def test_browser_and_server_agree_to_the_gram_and_the_fen(chromium_page):
    page = chromium_page
    page.add_script_tag(content=(ROOT / "static/js/scale/arithmetic.js").read_text("utf-8"))
    table = cases()
    answers = page.evaluate(
        """(table) => table.map(([gross, tare, deduction, price]) => {
             const net = netWeight(BigInt(gross), BigInt(tare), BigInt(deduction));
             return [Number(net), Number(amountOf(BigInt(price), net))];
           })""",
        table,
    )
    for (gross, tare, deduction, price), answer in zip(table, answers, strict=True):
        net = rules.net_weight(gross, tare, deduction)
        assert answer == [net, Price(price).of(net, BaseUnit.GRAM).fen]
    heard = page.evaluate(
        """(typed) => typed.map((each) => {
             const found = grams(each);
             return found === null ? null : Number(found);
           })""",
        list(TYPED),
    )
    assert dict(zip(TYPED, heard, strict=True)) == {each: said_by_us(each) for each in TYPED}


@pytest.fixture
def chromium_page(chromium):
    page = chromium.new_page()
    yield page
    page.close()
