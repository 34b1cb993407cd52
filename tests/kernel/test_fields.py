"""What people type is forgiven in form, never in meaning."""

from __future__ import annotations

from datetime import date

import pytest

from kernel.errors import Invalid
from kernel.labels import Labelled
from kernel.money import Money, Price
from kernel.quantities import BaseUnit
from kernel.text import initials, pinyin, plain_number, tidy, tokens
from kernel.web.forms import Fields


class Colour(Labelled):
    RED = "red"


def read(kind, typed, *more, **how):
    fields = Fields({"x": typed})
    value = getattr(fields, kind)("x", *more, **how)
    fields.done()
    return value


@pytest.mark.parametrize(
    ("kind", "typed", "more", "expected"),
    [
        ("quantity", "１２．５", (BaseUnit.GRAM,), 12_500),
        ("quantity", " 12.5 公斤 ", (BaseUnit.GRAM,), 12_500),
        ("quantity", "１，０００", (BaseUnit.PIECE,), 1_000),
        ("quantity", "12。5", (BaseUnit.GRAM,), 12_500),
        ("money", "￥１，１７６．００", (), Money(117_600)),
        ("price", "４．７０", (), Price(47_000)),
        ("whole", "１０", (), 10),
        ("percent", "2.5%", (), 250),
        ("date", "2026年11月23日", (), date(2026, 11, 23)),
        ("date", "２０２６/11/23", (), date(2026, 11, 23)),
        ("phone", "１３８ １２３４ ５６７８", (), "13812345678"),
        ("phone", "+86 138-1234-5678", (), "13812345678"),
        ("phone", "023-79310000", (), "02379310000"),
        ("email", " Buyer@Example.CN", (), "buyer@example.cn"),
        ("choice", "red", (Colour,), Colour.RED),
        ("text", " 张\u200b三\u3000 丰\r\n水市 ", (), "张三 丰\n水市"),
        ("text", "一\x00二", (), "一二"),
        ("key", "12", (), 12),
    ],
)
def test_forgiven(kind, typed, more, expected):
    assert read(kind, typed, *more) == expected


@pytest.mark.parametrize(
    ("kind", "typed", "more"),
    [
        ("text", "", ()),
        ("text", "\u200b ", ()),
        ("text", "x" * 201, ()),
        ("money", "abc", ()),
        ("money", "0", ()),
        ("money", "-5", ()),
        ("money", "1.234", ()),
        ("money", "9999999999999", ()),
        ("price", "0", ()),
        ("quantity", "0", (BaseUnit.GRAM,)),
        ("quantity", "-1", (BaseUnit.GRAM,)),
        ("quantity", "1.5", (BaseUnit.PIECE,)),
        ("quantity", "99999999999", (BaseUnit.GRAM,)),
        ("whole", "1.5", ()),
        ("whole", "-1", ()),
        ("whole", "٣", ()),
        ("percent", "100.01", ()),
        ("date", "2026-02-30", ()),
        ("date", "23.11.2026", ()),
        ("phone", "12345", ()),
        ("email", "nobody", ()),
        ("email", "a@b", ()),
        ("choice", "blue", (Colour,)),
        ("key", "1; DROP TABLE users", ()),
        ("key", "9" * 19, ()),
    ],
)
def test_refused_with_a_sentence(kind, typed, more):
    with pytest.raises(Invalid) as invalid:
        read(kind, typed, *more)

    assert list(invalid.value.errors) == ["x"]
    assert str(invalid.value.errors["x"])


def test_a_missing_field_is_a_mistake_not_a_crash():
    fields = Fields({})
    for kind in ("text", "money", "price", "whole", "date", "phone", "email", "key"):
        getattr(fields, kind)(kind)
    fields.quantity("quantity", BaseUnit.GRAM)
    fields.choice("choice", Colour)

    with pytest.raises(Invalid) as invalid:
        fields.done()

    assert len(invalid.value.errors) == 10


def test_all_mistakes_are_said_at_once_and_each_field_says_one():
    fields = Fields({"a": "", "b": "x"})
    fields.text("a")
    fields.text("a")
    fields.money("b")

    with pytest.raises(Invalid) as invalid:
        fields.done()

    assert list(invalid.value.errors) == ["a", "b"]


def test_bounds_are_inclusive():
    assert read("date", "2026-11-23", least=date(2026, 11, 23), most=date(2026, 11, 23))
    assert read("whole", "5", least=5, most=5) == 5
    with pytest.raises(Invalid):
        read("date", "2026-11-22", least=date(2026, 11, 23))


def test_texts_are_tidied_and_tokens_found():
    assert tidy("１２．５　公斤") == "12.5 公斤"
    assert tidy("水市，大山村。") == "水市，大山村。"
    assert plain_number("１３８ – 1") == "138–1"
    assert tokens("高山大米 5KG") == ["高", "山", "大", "米", "5kg"]
    assert pinyin("重庆") == "chongqing"
    assert initials("高山大米") == "gsdm"
